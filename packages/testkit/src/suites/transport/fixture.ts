import {
  type Address,
  type ErrorDetail,
  type FrameStream,
  isClusterError,
  type LinkDownCause,
  type NodeId,
  type Transport,
} from '@cluster/core'

/** Transports that can reach each other. */
export interface TransportFixture {
  /** A new transport with an identity of its own and start number 1, not started. */
  make(): Promise<Transport>
  /** Resolves as the promise does; a simulation runs its time meanwhile. */
  settle<T>(promise: Promise<T>): Promise<T>
  /** Stops what the fixture made. */
  close(): Promise<void>
}

export interface Pair {
  readonly fixture: TransportFixture
  readonly a: Transport
  readonly b: Transport
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
export const never = new Promise<never>(() => {})

/** Bytes whose every part differs, so that a lost or moved piece shows. */
export function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + seed) & 255
  return bytes
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

export const firstAddress = (transport: Transport): Address => {
  const [first] = transport.addresses()
  if (first === undefined) throw new Error('the transport listens nowhere')
  return first
}

/** The first event of a type that comes from now on. */
export function nextLink(transport: Transport): Promise<void> {
  return new Promise((resolve) => {
    const cancel = transport.on('linkUp', () => {
      cancel()
      resolve()
    })
  })
}

export function nextDown(transport: Transport): Promise<{ peer: NodeId; cause: LinkDownCause }> {
  return new Promise((resolve) => {
    const cancel = transport.on('linkDown', ({ peer, cause }) => {
      cancel()
      resolve({ peer, cause })
    })
  })
}

/** The detail of the project error that the promise rejects with. */
export async function detailOf(promise: Promise<unknown>): Promise<ErrorDetail> {
  try {
    await promise
  } catch (error) {
    if (isClusterError(error)) return error.detail
    throw error
  }
  throw new Error('it did not fail')
}

/** A latch: `open` lets everyone who waits for `opened` go on. */
export function latch(): { readonly opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: resolve }
}

export async function readAll(stream: FrameStream): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = []
  for await (const frame of stream) frames.push(frame)
  return frames
}

export type CreateTransports = () => Promise<TransportFixture>

type Prepare = (a: Transport, b: Transport) => void

/** Runs with two started transports; `prepare` sets their handlers. */
export async function withPair(
  create: CreateTransports,
  prepare: Prepare,
  run: (pair: Pair) => Promise<void>,
): Promise<void> {
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
export function withLink(
  create: CreateTransports,
  prepare: Prepare,
  run: (pair: Pair) => Promise<void>,
): Promise<void> {
  return withPair(create, prepare, async (pair) => {
    const { fixture, a, b } = pair
    await fixture.settle(Promise.all([nextLink(b), a.connect(firstAddress(b))]))
    await run(pair)
  })
}

/** Runs with both ends of a stream that `a` opened. */
export function withStream(
  create: CreateTransports,
  run: (pair: Pair, near: FrameStream, far: FrameStream) => Promise<void>,
): Promise<void> {
  const opened = Promise.withResolvers<FrameStream>()
  return withLink(
    create,
    (_a, b) => b.handle('any', { stream: (_peer, _opening, stream) => opened.resolve(stream) }),
    async (pair) => {
      const { fixture, a, b } = pair
      const near = await fixture.settle(a.openStream(b.self, 'any', bytesOf('go')))
      await run(pair, near, await fixture.settle(opened.promise))
    },
  )
}
