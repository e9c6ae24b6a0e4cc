import { type Disk, type Random, randomId } from '@cluster/core'
import { roleDiffers } from '../../errors.ts'
import type { Renunciation } from '../../machine/group/forming.ts'
import { readCopies, writeCopies } from './block.ts'

const KIND = { magic: 0x44494c43, version: 1 }
const COPIES = ['disk-a', 'disk-b'] as const

/** A vote that was given up, as it is kept. */
export interface KeptRenunciation extends Renunciation {
  /** What was damaged, and when that was seen (wall clock). */
  readonly what: string
  readonly wall: number
  /** Where the files are that the vote rested on; null while they are still being moved there. */
  readonly kept: string | null
}

interface IdentityRecord {
  readonly sequence: number
  readonly disk: string
  /** The log under this name is without data. */
  readonly witness: boolean
  readonly renounced: readonly KeptRenunciation[]
}

/**
 * Who this folder is among the voters: a random name, drawn when the folder was empty, and the names that it gave
 * up. A voter is a node together with the name of its disk, so neither a new disk nor a renounced one can speak for
 * an earlier voter. Two copies, apart from the log.
 */
export class DiskIdentity {
  readonly #disk: Disk
  #record: IdentityRecord

  private constructor(disk: Disk, record: IdentityRecord) {
    this.#disk = disk
    this.#record = record
  }

  /** @throws LOG_DAMAGED when neither copy can be read, DISK_FORMAT, LOG_ROLE_DIFFERS */
  static async open(disk: Disk, random: Random, witness: boolean): Promise<DiskIdentity> {
    const found = await readCopies<IdentityRecord>(disk, KIND, COPIES, 'the name of this disk')
    if (found !== null) {
      // The log of a witness has none of what was stored, and says nothing of that: it must not be taken for an empty one.
      if (found.witness !== witness) throw roleDiffers(found.witness)
      return new DiskIdentity(disk, found)
    }
    const record: IdentityRecord = { sequence: 1, disk: randomId(random), witness, renounced: [] }
    await writeCopies(disk, KIND, COPIES, record)
    return new DiskIdentity(disk, record)
  }

  /** The name of this disk. */
  get disk(): string {
    return this.#record.disk
  }

  /** Oldest first. Never forgotten. */
  get renounced(): readonly KeptRenunciation[] {
    return this.#record.renounced
  }

  /** Gives the vote of the present name up for ever; once this resolves nothing can cast it any more. */
  async renounce(as: Omit<KeptRenunciation, 'disk' | 'kept'>, random: Random): Promise<void> {
    const { disk, renounced } = this.#record
    await this.#write({ disk: randomId(random), renounced: [...renounced, { ...as, disk, kept: null }] })
  }

  /** The files of all renounced votes are where they are kept. */
  async moved(folder: (disk: string) => string): Promise<void> {
    const { disk, renounced } = this.#record
    await this.#write({
      disk,
      renounced: renounced.map((each) => ({ ...each, kept: each.kept ?? folder(each.disk) })),
    })
  }

  async #write(change: Omit<IdentityRecord, 'sequence' | 'witness'>): Promise<void> {
    const { sequence, witness } = this.#record
    const record = { ...change, witness, sequence: sequence + 1 }
    await writeCopies(this.#disk, KIND, COPIES, record)
    this.#record = record
  }
}
