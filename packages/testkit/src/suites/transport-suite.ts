import {
  type Address,
  ClusterError,
  type ErrorDetail,
  type FrameStream,
  isClusterError,
  type LinkDownCause,
  type NodeId,
  nodeId,
  type Transport,
} from '@cluster/core'
import type { SuiteRunner } from './runner.ts'

/** Transports that can reach each other. */
export interface TransportFixture {
  /** A new transport with an identity of its own and start number 1, not started. */
  make(): Promise<Transport>
  /** Resolves as the promise does; a simulation runs its time meanwhile. */
  settle<T>(promise: Promise<T>): Promise<T>
  /** Stops what the fixture made. */
  close(): Promise<void>
}

interface Pair {
  readonly fixture: TransportFixture
  readonly a: Transport
  readonly b: Transport
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const never = new Promise<never>(() => {})

/** Bytes whose every part differs, so that a lost or moved piece shows. */
function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + seed) & 255
  return bytes
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

const firstAddress = (transport: Transport): Address => {
  const [first] = transport.addresses()
  if (first === undefined) throw new Error('the transport listens nowhere')
  return first
}

/** The first event of a type that comes from now on. */
function nextLink(transport: Transport): Promise<void> {
  return new Promise((resolve) => {
    const cancel = transport.on('linkUp', () => {
      cancel()
      resolve()
    })
  })
}

function nextDown(transport: Transport): Promise<{ peer: NodeId; cause: LinkDownCause }> {
  return new Promise((resolve) => {
    const cancel = transport.on('linkDown', ({ peer, cause }) => {
      cancel()
      resolve({ peer, cause })
    })
  })
}

/** The detail of the project error that the promise rejects with. */
async function detailOf(promise: Promise<unknown>): Promise<ErrorDetail> {
  try {
    await promise
  } catch (error) {
    if (isClusterError(error)) return error.detail
    throw error
  }
  throw new Error('it did not fail')
}

/** A latch: `open` lets everyone who waits for `opened` go on. */
function latch(): { readonly opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: resolve }
}

async function readAll(stream: FrameStream): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = []
  for await (const frame of stream) frames.push(frame)
  return frames
}

/** The compliance suite of `Transport`: every transport passes it. */
export function transportSuite(
  { describe, test, expect }: SuiteRunner,
  create: () => Promise<TransportFixture>,
): void {
  /** Runs with two started transports; `prepare` sets their handlers. */
  const withPair = async (
    prepare: (a: Transport, b: Transport) => void,
    run: (pair: Pair) => Promise<void>,
  ): Promise<void> => {
    const fixture = await create()
    try {
      const [a, b] = [await fixture.make(), await fixture.make()]
      prepare(a, b)
      await fixture.settle(Promise.all([a.start(), b.start()]))
      await run({ fixture, a, b })
    } finally {
      await fixture.close()
    }
  }

  /** Runs with two transports that have a link, dialled by `a`. */
  const withLink = (
    prepare: (a: Transport, b: Transport) => void,
    run: (pair: Pair) => Promise<void>,
  ): Promise<void> =>
    withPair(prepare, async (pair) => {
      const { fixture, a, b } = pair
      await fixture.settle(Promise.all([nextLink(b), a.connect(firstAddress(b))]))
      await run(pair)
    })

  describe('links', () => {
    test('a dial makes one link that both sides know', () =>
      withLink(
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

  describe('notifications', () => {
    test('thousands of small ones arrive in order, each once', () => {
      const count = 5_000
      const heard: number[] = []
      const all = latch()
      return withLink(
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

  describe('requests', () => {
    test('many at once get their own answers, both ways', () =>
      withLink(
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
        (_a, b) =>
          b.handle('slow', {
            request: (_peer, _frame, signal) => {
              signal.addEventListener('abort', aborted.open, { once: true })
              return never
            },
          }),
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
        (_a, b) =>
          b.handle('slow', {
            request: (_peer, _frame, signal) => {
              signal.addEventListener('abort', aborted.open, { once: true })
              asked.open()
              return never
            },
          }),
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
          serve().catch(() => {})
        },
      })

    test('frames of all sizes come back in order, several streams at once', () =>
      withLink(
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
      const opened = Promise.withResolvers<FrameStream>()
      return withLink(
        (_a, b) => b.handle('any', { stream: (_peer, _opening, stream) => opened.resolve(stream) }),
        async ({ fixture, a, b }) => {
          const near = await fixture.settle(a.openStream(b.self, 'any', bytesOf('go')))
          const far = await fixture.settle(opened.promise)
          far.abort('enough')
          expect(await fixture.settle(detailOf(readAll(near)))).toMatchObject({ code: 'ABORTED' })
          expect(await fixture.settle(detailOf(readAll(far)))).toMatchObject({ code: 'ABORTED' })
          expect(await fixture.settle(detailOf(near.send(bytesOf('x'))))).toMatchObject({ code: 'ABORTED' })
        },
      )
    })

    test('a link that goes down ends its streams with an error on both sides', () => {
      const opened = Promise.withResolvers<FrameStream>()
      return withLink(
        (_a, b) => b.handle('any', { stream: (_peer, _opening, stream) => opened.resolve(stream) }),
        async ({ fixture, a, b }) => {
          const near = await fixture.settle(a.openStream(b.self, 'any', bytesOf('go')))
          const far = await fixture.settle(opened.promise)
          const ends = Promise.allSettled([readAll(near), readAll(far)])
          await fixture.settle(a.disconnect(b.self))
          const states = (await fixture.settle(ends)).map((end) => end.status)
          expect(states).toEqual(['rejected', 'rejected'])
        },
      )
    })

    test('a stream for a channel that nobody serves fails', () =>
      withLink(
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
