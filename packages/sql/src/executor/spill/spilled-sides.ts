import type { Batch } from '../../compile/batch.ts'
import type { RowKeys } from '../rows/distinct.ts'
import { Partitions } from './partitions.ts'
import type { SpillFiles } from './spill-file.ts'
import { SpilledRows } from './spilled-rows.ts'

/** What the two sides of a join are like. */
export interface SpilledSides {
  /** Null: every pair is a candidate. */
  readonly keys: { readonly left: RowKeys; readonly right: RowKeys } | null
  readonly leftWidth: number
  readonly rightWidth: number
}

/** How often rows are divided at most. */
const LEVELS_MAX = 6
/** A partition with more than this share of what was divided has few keys: dividing it again is of no use. */
const SHARE_MAX = 0.5

/** One side of a join on disk: divided by key, or, where there is no key, as it came. */
export class JoinSide {
  readonly #rows: Partitions | SpilledRows
  readonly #keysOf: ((batch: Batch) => readonly unknown[]) | null

  private constructor(rows: Partitions | SpilledRows, keysOf: ((batch: Batch) => readonly unknown[]) | null) {
    this.#rows = rows
    this.#keysOf = keysOf
  }

  static async make(
    files: SpillFiles,
    options: SpilledSides,
    side: 'left' | 'right',
    level: number,
  ): Promise<JoinSide> {
    const width = side === 'left' ? options.leftWidth : options.rightWidth
    const keys = options.keys?.[side] ?? null
    if (keys === null) return new JoinSide(new SpilledRows(await files.create(), width), null)
    return new JoinSide(await Partitions.make(files, width, level), (batch) =>
      keys(batch, files.context.frame),
    )
  }

  readonly add = async (batch: Batch): Promise<void> => {
    if (this.#rows instanceof SpilledRows) await this.#rows.append(batch)
    else await this.#rows.add(batch, this.#keysOf?.(batch) ?? [])
  }

  get isDivided(): boolean {
    return this.#keysOf !== null
  }

  /** All rows are added. @returns the parts, which join with those of the other side at the same place */
  async finish(): Promise<readonly SpilledRows[]> {
    await this.#rows.finish()
    return this.#rows instanceof SpilledRows ? [this.#rows] : this.#rows.parts
  }

  async remove(): Promise<void> {
    if (!(this.#rows instanceof SpilledRows)) await this.#rows.remove()
  }
}

/** A part of the side that is kept in memory, and the part of the other side that its rows join with. */
export interface SidePair {
  readonly own: SpilledRows
  readonly others: SpilledRows
  /** True: dividing the part again makes it smaller. */
  readonly useful: boolean
}

/** @param level by which parts are divided next */
export async function pairsOf(own: JoinSide, other: JoinSide, level: number): Promise<readonly SidePair[]> {
  const [parts, others] = [await own.finish(), await other.finish()]
  const all = parts.reduce((sum, { length }) => sum + length, 0)
  return parts.map((rows, i) => ({
    own: rows,
    others: others[i] as SpilledRows,
    useful: own.isDivided && level < LEVELS_MAX && rows.length <= SHARE_MAX * all,
  }))
}
