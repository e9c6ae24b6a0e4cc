import { randomFillSync } from 'node:crypto'
import type { Random } from '@cluster/core'

// Secure random numbers are fetched in blocks: one call for each would cost more than the number's use.
const block = new Uint32Array(256)
let used = block.length

/** The platform's secure source. */
export const nodeRandom: Random = {
  uint32() {
    if (used === block.length) {
      randomFillSync(block)
      used = 0
    }
    return block[used++] as number
  },
  bytes: (length) => randomFillSync(new Uint8Array(length)),
}
