import type { Key, PartitionStore, ProgramOutcome, RowWrite, Version } from '@cluster/core'
import { encodeOutcome } from '../../machine/program/codec.ts'
import { OWN_ROWS } from './signature.ts'

/** Outcomes that a partition keeps, roughly; a newer one takes the place of an older one. */
const SLOTS = 1_024
/** Larger ones are not kept for those who ask again. */
const KEPT_BYTES_MAX = 4_096
/** Large outcomes that are in memory until they are fetched. */
const LARGE_MAX = 64

/**
 * What came of the programs that one replica ran. Outcomes are rows of the partition, so they are written with what the
 * program wrote, move with the partition and survive restarts.
 */
export class Outcomes {
  /** Those too large to be kept, the youngest. */
  readonly #large = new Map<Version, Uint8Array>()

  /** The row to write beside those of the program. */
  write(version: Version, outcome: ProgramOutcome): RowWrite {
    const bytes = encodeOutcome(outcome)
    const large = bytes.length > KEPT_BYTES_MAX
    if (large) {
      this.#large.set(version, bytes)
      const oldest = this.#large.keys().next().value
      if (this.#large.size > LARGE_MAX && oldest !== undefined) this.#large.delete(oldest)
    }
    return { relation: OWN_ROWS, key: slotOf(version), row: [version, large ? null : bytes] }
  }

  /** The outcome of the program at that version; null when it is not kept any more, or was never. */
  read(store: PartitionStore, version: Version): Uint8Array | null {
    const large = this.#large.get(version)
    if (large !== undefined) return large
    const row = store.get(OWN_ROWS, slotOf(version), store.appliedVersion())
    const bytes = row?.[0] === version ? row[1] : null
    return bytes instanceof Uint8Array ? bytes : null
  }
}

/** Made once: every program needs one. */
const SLOT_KEYS: readonly Key[] = Array.from({ length: SLOTS }, (_, slot) =>
  String.fromCharCode(slot >> 8, slot & 0xff),
)

const slotOf = (version: Version): Key => SLOT_KEYS[version % SLOTS] as Key
