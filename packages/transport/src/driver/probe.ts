import { type Clock, delay, errorCode, type NodeId, nodeId, type ProbeResult } from '@cluster/core'
import type { Connection, Stream } from '@libp2p/interface'
import { FrameReader, LENGTH_BYTES, writeU32 } from '../machine/wire.ts'
import { PROTOCOLS } from '../options.ts'
import { type Attempt, isOwnKey } from './dialling.ts'

const ANSWER_BYTES_MAX = 64
const AGAIN_MS = 5
const AGAIN_MS_MAX = 320

/** Answers a probe: this process's start number, in JSON. Who it is, Noise has proved already. */
export function answerProbe(stream: Stream, start: number): void {
  const json = new TextEncoder().encode(JSON.stringify({ start }))
  const frame = new Uint8Array(LENGTH_BYTES + json.length)
  writeU32(frame, 0, json.length)
  frame.set(json, LENGTH_BYTES)
  stream.send(frame)
  stream.close().catch(() => {
    // The prober may hang up as soon as it has its answer.
  })
}

/**
 * Asks who listens. `dial` opens a connection that is used for this alone.
 *
 * A process that dies closes its connections and its listening port one after the other, so for a moment the port
 * still accepts and then resets. Asking again a little later tells; a connection that broke says nothing.
 */
export async function askProbe(
  dial: () => Promise<Connection>,
  attempt: Attempt,
  self: { readonly self: NodeId; readonly start: number },
  clock: Clock,
): Promise<ProbeResult> {
  for (let waitMs = AGAIN_MS; ; waitMs *= 2) {
    const result = await askOnce(dial, attempt, self)
    if (result.answer !== 'silent' || attempt.error() || waitMs > AGAIN_MS_MAX) return result
    await delay(clock, waitMs)
  }
}

async function askOnce(
  dial: () => Promise<Connection>,
  attempt: Attempt,
  self: { readonly self: NodeId; readonly start: number },
): Promise<ProbeResult> {
  let connection: Connection
  try {
    connection = await dial()
  } catch (error) {
    if (errorCode(attempt.failure(error)) === 'DIAL_REFUSED') return { answer: 'refused' }
    return isOwnKey(error) ? { answer: 'node', peer: self.self, start: self.start } : { answer: 'silent' }
  }
  try {
    const stream = await connection.newStream(PROTOCOLS.probe, { signal: attempt.signal })
    const start = await attempt.race(readStart(stream))
    return { answer: 'node', peer: nodeId(connection.remotePeer.toString()), start }
  } catch {
    // Somebody is there, but it did not answer as a node of ours.
    return { answer: 'silent' }
  } finally {
    connection.abort(new Error('the probe is done'))
  }
}

function readStart(stream: Stream): Promise<number> {
  return new Promise((resolve, reject) => {
    const reader = new FrameReader(ANSWER_BYTES_MAX)
    const take = (bytes: Uint8Array, from: number, to: number): void => {
      const value = JSON.parse(new TextDecoder().decode(bytes.subarray(from, to))) as unknown
      const start = typeof value === 'object' && value !== null ? Reflect.get(value, 'start') : null
      if (typeof start === 'number') resolve(start)
      else reject(new Error('a probe answer without a start number'))
    }
    stream.addEventListener('message', ({ data }) => {
      try {
        reader.push(data.subarray(), take)
      } catch (error) {
        reject(error)
      }
    })
    stream.addEventListener('close', () => reject(new Error('the probe was not answered')))
  })
}
