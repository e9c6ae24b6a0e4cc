import type { Logger, NodeId } from '@cluster/core'
import { decodeFrame, type Frame } from './wire.ts'

/** The frame that a peer sent; null, and a line in the log, when it is none of this version. */
export function readFrame(from: NodeId, bytes: Uint8Array, logger: Logger): Frame | null {
  try {
    return decodeFrame(bytes)
  } catch (error) {
    logger.log('warn', 'frame ignored', { from, why: String(error) })
    return null
  }
}
