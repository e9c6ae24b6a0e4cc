import { ClusterError, type Transport } from '@cluster/core'
import type { SuiteRunner } from '../runner.ts'
import {
  bytesOf,
  type CreateTransports,
  detailOf,
  latch,
  never,
  pattern,
  sameBytes,
  textOf,
  withLink,
} from './fixture.ts'

/** Answers `slow` never, and tells of it when nobody waits any more. */
function serveNever(
  side: Transport,
  aborted: ReturnType<typeof latch>,
  asked?: ReturnType<typeof latch>,
): void {
  side.handle('slow', {
    request: (_peer, _frame, signal) => {
      signal.addEventListener('abort', aborted.open, { once: true })
      asked?.open()
      return never
    },
  })
}

/** Frames that are answered. */
export function requestTests({ describe, test, expect }: SuiteRunner, create: CreateTransports): void {
  describe('requests', () => {
    test('many at once get their own answers, both ways', () =>
      withLink(
        create,
        (a, b) => {
          for (const side of [a, b])
            side.handle('twice', {
              request: async (_peer, frame) => bytesOf(`${textOf(frame)}${textOf(frame)}`),
            })
        },
        async ({ fixture, a, b }) => {
          const ask = async (from: Transport, to: Transport, i: number): Promise<boolean> =>
            textOf(await from.request(to.self, 'twice', bytesOf(`<${i}>`))) === `<${i}><${i}>`
          const asked = Array.from({ length: 1000 }, (_, i) => (i % 2 ? ask(a, b, i) : ask(b, a, i)))
          expect((await fixture.settle(Promise.all(asked))).every(Boolean)).toBe(true)
        },
      ))

    test('a frame of the largest size goes there and back; a larger one is refused', () =>
      withLink(
        create,
        (_a, b) => {
          b.handle('echo', { request: async (_peer, frame) => frame })
          b.handle('big', { request: async () => new Uint8Array(b.frameBytesMax + 1) })
        },
        async ({ fixture, a, b }) => {
          const frame = pattern(a.frameBytesMax, 3)
          const answer = await fixture.settle(a.request(b.self, 'echo', frame, { deadlineMs: 60_000 }))
          expect(sameBytes(answer, frame)).toBe(true)
          const tooLarge = new Uint8Array(a.frameBytesMax + 1)
          const code = { code: 'FRAME_TOO_LARGE' }
          expect(await fixture.settle(detailOf(a.request(b.self, 'echo', tooLarge)))).toMatchObject(code)
          expect(await fixture.settle(detailOf(a.request(b.self, 'big', bytesOf('?'))))).toMatchObject(code)
        },
      ))

    test('errors travel with their detail', () => {
      const detail = { code: 'TEST_FULL', outcome: 'rejected', tables: ['a', 'b'], rows: 12n } as const
      return withLink(
        create,
        (_a, b) => {
          b.handle('typed', {
            request: async () => {
              throw new ClusterError(detail, 'The test is full.')
            },
          })
          b.handle('plain', {
            request: () => {
              throw new TypeError('not like this')
            },
          })
        },
        async ({ fixture, a, b }) => {
          const typed = a.request(b.self, 'typed', bytesOf('x'))
          await fixture.settle(expect(typed).rejects.toThrow('The test is full.'))
          expect(await detailOf(typed)).toEqual(detail)
          const plain = a.request(b.self, 'plain', bytesOf('x'))
          await fixture.settle(expect(plain).rejects.toThrow('not like this'))
          expect(await detailOf(plain)).toMatchObject({ code: 'REMOTE_FAILED', peer: b.self })
          const none = a.request(b.self, 'none', bytesOf('x'))
          expect(await fixture.settle(detailOf(none))).toMatchObject({ code: 'NO_HANDLER', channel: 'none' })
        },
      )
    })

    test('a deadline ends the wait, and the handler is told', () => {
      const aborted = latch()
      return withLink(
        create,
        (_a, b) => serveNever(b, aborted),
        async ({ fixture, a, b }) => {
          const slow = a.request(b.self, 'slow', bytesOf('x'), { deadlineMs: 40 })
          expect(await fixture.settle(detailOf(slow))).toEqual({
            code: 'DEADLINE',
            outcome: 'unknown',
            afterMs: 40,
          })
          await fixture.settle(aborted.opened)
        },
      )
    })

    test('cancelling ends the wait, and the handler is told', () => {
      const asked = latch()
      const aborted = latch()
      return withLink(
        create,
        (_a, b) => serveNever(b, aborted, asked),
        async ({ fixture, a, b }) => {
          const controller = new AbortController()
          const { signal } = controller
          const slow = detailOf(a.request(b.self, 'slow', bytesOf('x'), { signal }))
          await fixture.settle(asked.opened)
          controller.abort()
          expect(await fixture.settle(slow)).toEqual({ code: 'ABORTED', outcome: 'unknown' })
          await fixture.settle(aborted.opened)
          const late = detailOf(a.request(b.self, 'slow', bytesOf('x'), { signal }))
          expect(await fixture.settle(late)).toEqual({ code: 'ABORTED', outcome: 'rejected' })
        },
      )
    })
  })
}
