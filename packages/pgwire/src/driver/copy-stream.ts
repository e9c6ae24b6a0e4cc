import type { WireCopyOut, WireCopyShape } from '../backend.ts'
import type { Incoming } from './incoming.ts'
import { Misuse } from './misuse.ts'
import type { Outgoing } from './outgoing.ts'

/** What letters of messages are, for what they are told in. */
const LETTERS: Readonly<Record<string, string>> = {
  query: 'Q',
  parse: 'P',
  bind: 'B',
  describe: 'D',
  execute: 'E',
  close: 'C',
  terminate: 'X',
  secret: 'p',
  functionCall: 'F',
}

/**
 * Asks the client for its rows and gives what it sends, as fast as somebody takes it. Flush and Sync mean nothing here:
 * some clients send them behind every Execute.
 * @throws 57014 when the client gives up, 08P01 for a message that has no place here, 08006 when it is gone
 */
export async function* copyIn(
  incoming: Incoming,
  out: Outgoing,
  shape: WireCopyShape,
): AsyncGenerator<Uint8Array> {
  out.writer.copyResponse('G', shape)
  for (;;) {
    await out.flush()
    const message = await incoming.next()
    if (message === null)
      throw new Misuse('08006', 'unexpected EOF on client connection with an open transaction')
    switch (message.type) {
      case 'copyData':
        yield message.bytes
        break
      case 'copyDone':
        return
      case 'copyFail':
        throw new Misuse('57014', `COPY from stdin failed: ${message.reason}`)
      case 'flush':
      case 'sync':
        break
      default: {
        const code = (LETTERS[message.type] ?? '?').charCodeAt(0).toString(16).toUpperCase()
        throw new Misuse('08P01', `unexpected message type 0x${code} during COPY from stdin`)
      }
    }
  }
}

/** Sends the rows of a COPY TO, no faster than the client reads. @param gone the client needs no more of them */
export async function giveCopy(out: Outgoing, copy: WireCopyOut, gone: AbortSignal): Promise<void> {
  const { writer } = out
  writer.copyResponse('H', copy)
  for await (const rows of copy.rows) {
    for (const row of rows) {
      writer.copyData(row)
      // Nobody waits for a promise at every row.
      const sent = out.gathered()
      if (sent !== null) await sent
    }
    if (gone.aborted) return
  }
  writer.copyDone()
}
