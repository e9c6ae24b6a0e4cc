import { type FrameStream, isClusterError, type Transport } from '@cluster/core'
import type { SuiteRunner } from '../runner.ts'
import {
  bytesOf,
  type CreateTransports,
  detailOf,
  firstAddress,
  pattern,
  readAll,
  sameBytes,
  withLink,
  withStream,
} from './fixture.ts'

/** Many frames, with back-pressure. */
export function streamTests({ describe, test, expect }: SuiteRunner, create: CreateTransports): void {
  describe('streams', () => {
    const echo = (side: Transport): void =>
      side.handle('echo', {
        stream: (_peer, opening, stream) => {
          const serve = async (): Promise<void> => {
            await stream.send(opening)
            for await (const frame of stream) await stream.send(frame)
            await stream.close()
          }
          // A stream that its opener aborts fails here too.
          serve().catch((error: unknown) => {
            if (!isClusterError(error)) throw error
          })
        },
      })

    test('frames of all sizes come back in order, several streams at once', () =>
      withLink(
        create,
        (_a, b) => echo(b),
        async ({ fixture, a, b }) => {
          const run = async (seed: number): Promise<boolean> => {
            const frames = [1, 0, 70_000, 3, 500_000, 64_000, 63_995].map((size) => pattern(size, seed))
            const stream = await a.openStream(b.self, 'echo', pattern(9, seed))
            const reading = readAll(stream)
            for (const frame of frames) await stream.send(frame)
            await stream.close()
            const sent = [pattern(9, seed), ...frames]
            const back = await reading
            return (
              back.length === sent.length &&
              back.every((frame, i) => sameBytes(frame, sent[i] ?? frame.slice(1)))
            )
          }
          expect(await fixture.settle(Promise.all([1, 2, 3].map(run)))).toEqual([true, true, true])
        },
      ))

    test('a reader that does not read holds the sender back', () => {
      const opened = Promise.withResolvers<FrameStream>()
      return withLink(
        create,
        (_a, b) => b.handle('sink', { stream: (_peer, _opening, stream) => opened.resolve(stream) }),
        async ({ fixture, a, b }) => {
          const total = 128
          const frame = pattern(128 * 1024, 5)
          const stream = await fixture.settle(a.openStream(b.self, 'sink', bytesOf('go')))
          const far = await fixture.settle(opened.promise)
          let sent = 0
          const sending = (async (): Promise<void> => {
            for (let i = 0; i < total; i++) {
              await stream.send(frame)
              sent++
            }
            await stream.close()
          })()
          // The link is alive while the stream stands still; once a probe brings no more, the sender is held back.
          for (let before = -1; before !== sent; ) {
            before = sent
            for (let i = 0; i < 5; i++) await fixture.settle(a.probe(firstAddress(b)))
          }
          expect(sent).toBeLessThan(total / 2)
          let read = 0
          const reading = (async (): Promise<void> => {
            for await (const got of far)
              if (got.length === frame.length && got.at(-1) === frame.at(-1)) read++
          })()
          await fixture.settle(Promise.all([sending, reading]))
          expect(read).toBe(total)
        },
      )
    })

    test('aborting ends both sides', () => {
      return withStream(create, async ({ fixture, a, b }, near, far) => {
        far.abort('enough')
        expect(await fixture.settle(detailOf(readAll(near)))).toMatchObject({ code: 'ABORTED' })
        expect(await fixture.settle(detailOf(readAll(far)))).toMatchObject({ code: 'ABORTED' })
        expect(await fixture.settle(detailOf(near.send(bytesOf('x'))))).toMatchObject({ code: 'ABORTED' })
      })
    })

    test('a link that goes down ends its streams with an error on both sides', () => {
      return withStream(create, async ({ fixture, a, b }, near, far) => {
        const ends = Promise.allSettled([readAll(near), readAll(far)])
        await fixture.settle(a.disconnect(b.self))
        const states = (await fixture.settle(ends)).map((end) => end.status)
        expect(states).toEqual(['rejected', 'rejected'])
      })
    })

    test('a stream for a channel that nobody serves fails', () =>
      withLink(
        create,
        () => {},
        async ({ fixture, a, b }) => {
          const open = async (): Promise<void> => {
            const stream = await a.openStream(b.self, 'none', bytesOf('go'))
            await readAll(stream)
          }
          expect(await fixture.settle(detailOf(open()))).toMatchObject({ code: 'NO_HANDLER' })
        },
      ))
  })
}
