import type { Stream } from '@libp2p/interface'

/** What yamux's streams have beside the common interface, as far as it is used here. */
interface Windowed {
  readonly state: string | number
  readonly recvWindow: number
  readonly recvWindowCapacity: number
  sendWindowUpdate(): void
}

const ESTABLISHED = 3

/**
 * Gives the sender new room only once half of the window is used up. yamux here does so after every message: an
 * encrypted message, a write and a wake-up of the other process in return for each one, which doubles their number.
 * The sender never waits for it, as it always has the other half. Streams of another muxer are left as they are.
 */
export function lazyWindow(stream: Stream): void {
  if (!isWindowed(stream)) return
  const update = stream.sendWindowUpdate.bind(stream)
  stream.sendWindowUpdate = () => {
    const used = stream.recvWindow - stream.recvWindowCapacity
    if (stream.state === ESTABLISHED && used < stream.recvWindow / 2) return
    update()
  }
}

function isWindowed(stream: object): stream is Windowed {
  const { state, recvWindow, recvWindowCapacity, sendWindowUpdate } = stream as Partial<Windowed>
  return (
    state !== undefined &&
    typeof recvWindow === 'number' &&
    typeof recvWindowCapacity === 'number' &&
    typeof sendWindowUpdate === 'function'
  )
}
