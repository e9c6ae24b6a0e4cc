import { nodeId } from '@cluster/core'
import type { SuiteRunner } from '../runner.ts'
import {
  bytesOf,
  type CreateTransports,
  detailOf,
  firstAddress,
  latch,
  never,
  nextDown,
  nextLink,
  textOf,
  withLink,
  withPair,
} from './fixture.ts'

/** Dialling, hanging up, who is told what, and probes. */
export function linkTests({ describe, test, expect }: SuiteRunner, create: CreateTransports): void {
  describe('links', () => {
    test('a dial makes one link that both sides know', () =>
      withLink(
        create,
        () => {},
        async ({ fixture, a, b }) => {
          expect(a.links()).toMatchObject([{ peer: b.self, start: 1, inbound: false }])
          expect(b.links()).toMatchObject([{ peer: a.self, start: 1, inbound: true }])
          expect(b.links()[0]?.listening).toContain(firstAddress(a))
          const again = await fixture.settle(a.connect(firstAddress(b)))
          expect(again).toMatchObject({ peer: b.self })
          const back = await fixture.settle(b.connect(firstAddress(a)))
          expect(back).toMatchObject({ peer: a.self, inbound: true })
          expect(a.links().length).toBe(1)
        },
      ))

    test('dials at the same time give one link and no linkDown', () =>
      withPair(
        create,
        (a, b) => {
          for (const side of [a, b]) side.handle('echo', { request: async (_peer, frame) => frame })
        },
        async ({ fixture, a, b }) => {
          let downs = 0
          let ups = 0
          for (const side of [a, b]) {
            side.on('linkDown', () => downs++)
            side.on('linkUp', () => ups++)
          }
          const dials = [a, b, a, b].map((side) => side.connect(firstAddress(side === a ? b : a)))
          await fixture.settle(Promise.all(dials))
          expect(await fixture.settle(a.request(b.self, 'echo', bytesOf('x')))).toEqual(bytesOf('x'))
          expect(await fixture.settle(b.request(a.self, 'echo', bytesOf('y')))).toEqual(bytesOf('y'))
          expect(a.links().length).toBe(1)
          expect(b.links().length).toBe(1)
          expect(a.links()[0]?.inbound).toBe(!b.links()[0]?.inbound)
          expect([ups, downs]).toEqual([2, 0])
        },
      ))

    test('disconnecting is seen on both sides, with the right cause, and ends what waits', () => {
      const asked = latch()
      let told: AbortSignal | null = null
      return withLink(
        create,
        (_a, b) =>
          b.handle('slow', {
            request: (_peer, _frame, signal) => {
              told = signal
              asked.open()
              return never
            },
          }),
        async ({ fixture, a, b }) => {
          const waiting = detailOf(a.request(b.self, 'slow', bytesOf('?')))
          await fixture.settle(asked.opened)
          const downs = Promise.all([nextDown(a), nextDown(b)])
          await fixture.settle(b.disconnect(a.self))
          expect(await fixture.settle(downs)).toEqual([
            { peer: b.self, cause: 'closed-by-host' },
            { peer: a.self, cause: 'closed-here' },
          ])
          expect(await fixture.settle(waiting)).toEqual({
            code: 'LINK_DOWN',
            outcome: 'unknown',
            peer: b.self,
          })
          expect((told as AbortSignal | null)?.aborted).toBe(true)
          expect([a.links(), b.links()]).toEqual([[], []])
          await fixture.settle(Promise.all([nextLink(b), a.connect(firstAddress(b))]))
          expect(a.links().length).toBe(1)
        },
      )
    })

    test('stopping closes links; then nobody answers at the address', () =>
      withLink(
        create,
        () => {},
        async ({ fixture, a, b }) => {
          const at = firstAddress(b)
          expect(await fixture.settle(a.probe(at))).toEqual({ answer: 'node', peer: b.self, start: 1 })
          expect(await fixture.settle(a.accepts(at))).toBe(true)
          const down = nextDown(a)
          await fixture.settle(b.stop())
          expect(await fixture.settle(down)).toEqual({ peer: b.self, cause: 'closed-by-host' })
          expect(await fixture.settle(a.probe(at))).toEqual({ answer: 'refused' })
          expect(await fixture.settle(a.accepts(at))).toBe(false)
          expect(await fixture.settle(detailOf(a.connect(at)))).toMatchObject({ code: 'DIAL_REFUSED' })
        },
      ))

    test('what is queued before stopping still arrives', () => {
      const heard: string[] = []
      return withLink(
        create,
        (_a, b) => b.handle('note', { notify: (_peer, frame) => heard.push(textOf(frame)) }),
        async ({ fixture, a, b }) => {
          const down = nextDown(b)
          a.notify(b.self, 'note', bytesOf('going'))
          await fixture.settle(a.stop())
          await fixture.settle(down)
          expect(heard).toEqual(['going'])
        },
      )
    })

    test('without a link nothing is sent', () =>
      withPair(
        create,
        () => {},
        async ({ fixture, a, b }) => {
          const stranger = nodeId('nobody')
          const rejected = { code: 'LINK_DOWN', outcome: 'rejected' }
          expect(a.notify(b.self, 'any', bytesOf('x'))).toBe(false)
          expect(a.notify(stranger, 'any', bytesOf('x'))).toBe(false)
          expect(await fixture.settle(detailOf(a.request(stranger, 'any', bytesOf('x'))))).toMatchObject(
            rejected,
          )
          expect(await fixture.settle(detailOf(a.openStream(b.self, 'any', bytesOf('x'))))).toMatchObject(
            rejected,
          )
        },
      ))
  })
}
