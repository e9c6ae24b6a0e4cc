import { hash32 } from '@cluster/core'
import type { Batch } from '../../compile/batch.ts'
import type { SpillFile, SpillFiles } from './spill-file.ts'
import { SpilledRows } from './spilled-rows.ts'

/** Parts that rows are divided into at once. */
const PARTITIONS = 16

/** The part of a key: equal keys, as a `Map` finds them, are in the same part; parts of another level are others. */
function partitionOf(key: unknown, level: number): number {
  const seed = Math.imul(level + 1, 0x9e37_79b1)
  if (typeof key === 'number' && (key | 0) === key) {
    let hash = Math.imul(key ^ seed, 0x85eb_ca6b)
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2_ae35)
    return (hash ^ (hash >>> 16)) & (PARTITIONS - 1)
  }
  // A negative zero became one above, as it equals zero.
  return hash32(typeof key === 'string' ? key : String(key), seed) & (PARTITIONS - 1)
}

/** Rows divided by the hash of a key, in one file. */
export class Partitions {
  readonly parts: readonly SpilledRows[]
  readonly #file: SpillFile
  readonly #level: number
  /** Positions of the rows of one batch. */
  readonly #positions: number[][] = Array.from({ length: PARTITIONS }, () => [])

  private constructor(file: SpillFile, width: number, level: number) {
    this.#file = file
    this.#level = level
    this.parts = Array.from({ length: PARTITIONS }, () => new SpilledRows(file, width))
  }

  /** @throws 53100, 58030 */
  static async make(files: SpillFiles, width: number, level: number): Promise<Partitions> {
    return new Partitions(await files.create(), width, level)
  }

  /**
   * Adds rows of a batch: all, or those at the positions.
   * @param keys of the rows that are added, in their order
   * @throws 53100, 53400, 58030
   */
  async add(
    batch: Batch,
    keys: readonly unknown[],
    positions: readonly number[] | null = null,
  ): Promise<void> {
    const count = positions?.length ?? batch.length
    for (const list of this.#positions) list.length = 0
    for (let i = 0; i < count; i++)
      (this.#positions[partitionOf(keys[i], this.#level)] as number[]).push(positions?.[i] ?? i)
    for (const [part, list] of this.#positions.entries())
      if (list.length > 0) await (this.parts[part] as SpilledRows).append(batch, list)
  }

  /** All rows are added. */
  async finish(): Promise<void> {
    for (const part of this.parts) await part.finish()
  }

  /** Deletes the file. */
  remove(): Promise<void> {
    return this.#file.remove()
  }
}
