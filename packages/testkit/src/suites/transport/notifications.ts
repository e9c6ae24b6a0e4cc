import { isClusterError, type Transport } from '@cluster/core'
import type { SuiteRunner } from '../runner.ts'
import {
  bytesOf,
  type CreateTransports,
  firstAddress,
  latch,
  pattern,
  sameBytes,
  textOf,
  withLink,
} from './fixture.ts'

/** Frames that nobody answers. */
export function notificationTests({ describe, test, expect }: SuiteRunner, create: CreateTransports): void {
  describe('notifications', () => {
    test('thousands of small ones arrive in order, each once', () => {
      const count = 5_000
      const heard: number[] = []
      const all = latch()
      return withLink(
        create,
        (_a, b) =>
          b.handle('count', {
            notify: (_peer, frame) => {
              heard.push(Number(textOf(frame)))
              if (heard.length === count) all.open()
            },
          }),
        async ({ fixture, a, b }) => {
          for (let i = 0; i < count; i++) expect(a.notify(b.self, 'count', bytesOf(String(i)))).toBe(true)
          await fixture.settle(all.opened)
          expect(heard.every((value, index) => value === index)).toBe(true)
        },
      )
    })

    test('large and small ones of one channel keep their order', () => {
      const sizes = [10, 300_000, 20, 70_000, 16_384, 16_385, 0, 1_000_000, 5]
      const heard: Uint8Array[] = []
      const all = latch()
      return withLink(
        create,
        (_a, b) =>
          b.handle('mixed', {
            notify: (_peer, frame) => {
              heard.push(frame)
              if (heard.length === sizes.length) all.open()
            },
          }),
        async ({ fixture, a, b }) => {
          const frames = sizes.map((size, index) => pattern(size, index))
          for (const frame of frames) expect(a.notify(b.self, 'mixed', frame)).toBe(true)
          await fixture.settle(all.opened)
          expect(heard.map((frame) => frame.length)).toEqual(sizes)
          expect(heard.every((frame, index) => sameBytes(frame, frames[index] ?? frame.slice(1)))).toBe(true)
        },
      )
    })

    test('too much at once is dropped and said so; what was taken arrives', () => {
      let heard = 0
      return withLink(
        create,
        (_a, b) =>
          b.handle('flood', {
            notify: () => {
              heard++
            },
            request: async () => bytesOf(String(heard)),
          }),
        async ({ fixture, a, b }) => {
          const frame = pattern(1024 * 1024, 1)
          let taken = 0
          while (taken < 1024 && a.notify(b.self, 'flood', frame)) taken++
          expect(taken).toBeGreaterThan(0)
          expect(taken).toBeLessThan(1024)
          let answer = '0'
          while (Number(answer) < taken) answer = textOf(await fixture.settle(askAgain(a, b)))
          expect(answer).toBe(String(taken))
        },
      )
    })

    test('one for a channel that nobody serves does no harm', () =>
      withLink(
        create,
        (_a, b) => b.handle('echo', { request: async (_peer, frame) => frame }),
        async ({ fixture, a, b }) => {
          expect(a.notify(b.self, 'unserved', bytesOf('x'))).toBe(true)
          expect(await fixture.settle(a.request(b.self, 'echo', bytesOf('still here')))).toEqual(
            bytesOf('still here'),
          )
        },
      ))
  })

  /** Asks for the count, again while the queue has no room for a question. */
  const askAgain = async (a: Transport, b: Transport): Promise<Uint8Array> => {
    for (;;) {
      try {
        return await a.request(b.self, 'flood', bytesOf('?'), { deadlineMs: 60_000 })
      } catch (error) {
        if (!isClusterError(error) || error.code !== 'LINK_BUSY') throw error
        await a.probe(firstAddress(b))
      }
    }
  }
}
