import type { Block, Key, Row, RowBatch, Value, Version } from '@cluster/core'

/** One version of one row; null is a deletion. Newest first. */
export interface RowVersion {
  readonly version: Version
  readonly row: Row | null
  older: RowVersion | null
}

/** Making the columns of a block takes about as long as reading one in so many of its rows one by one. */
const PARTS_WORTH = 8

/**
 * The newest rows of a block as columns, kept until the block changes: a scan that meets the block again hands the same
 * lists over and copies nothing. Only columns that somebody asked for are made. Whoever keeps something of his own for a
 * list may know it again by its identity, since a list that was handed over never changes.
 */
export class BlockColumns {
  readonly keys: readonly Key[]
  /** No row of the block is newer. */
  readonly newest: Version
  readonly #entries: readonly RowVersion[]
  readonly #columns: (readonly Value[] | undefined)[] = []
  /** What the last scan asked for and got: a plan that runs again asks with the same list. */
  #wanted: readonly number[] | null = null
  #batch: RowBatch | null = null

  private constructor({ keys, items }: Block<RowVersion>) {
    // Nobody changes the entries while this is in use: a block that changes forgets it.
    this.#entries = items
    this.keys = items.some(({ row }) => row === null)
      ? keys.filter((_, i) => items[i]?.row !== null)
      : keys.slice()
    this.newest = items.reduce((newest, { version }) => (version > newest ? version : newest), 0 as Version)
  }

  static of(block: Block<RowVersion>): BlockColumns {
    if (block.derived instanceof BlockColumns) return block.derived
    const made = new BlockColumns(block)
    block.derived = made
    return made
  }

  /**
   * For whoever wants some rows of a block: its columns, if they were made or are worth it by now; null: the rows are
   * to be read one by one, and are counted.
   */
  static ofPart(block: Block<RowVersion>, rows: number): BlockColumns | null {
    const { derived, keys } = block
    if (derived instanceof BlockColumns) return derived
    const read = (typeof derived === 'number' ? derived : 0) + rows
    if (read * PARTS_WORTH >= keys.length) return BlockColumns.of(block)
    block.derived = read
    return null
  }

  /** True when the rows stand where the block has them: none of them is deleted. */
  get complete(): boolean {
    return this.keys.length === this.#entries.length
  }

  batch(wanted: readonly number[]): RowBatch {
    if (this.#batch !== null && this.#wanted === wanted) return this.#batch
    const columns = wanted.map((position) => this.#column(position))
    this.#wanted = wanted
    this.#batch = { length: this.keys.length, keys: this.keys, columns }
    return this.#batch
  }

  /** Rows `from` … `to` of them. */
  part(wanted: readonly number[], from: number, to: number): RowBatch {
    const columns = wanted.map((position) => this.#column(position).slice(from, to))
    return { length: to - from, keys: this.keys.slice(from, to), columns }
  }

  #column(position: number): readonly Value[] {
    const known = this.#columns[position]
    if (known !== undefined) return known
    const made = columnOf(this.#entries, position)
    this.#columns[position] = made
    return made
  }
}

/** Pushed one by one, so that the engine knows a list of whole or of floating numbers for what it is; then cut to size. */
function columnOf(entries: readonly RowVersion[], position: number): readonly Value[] {
  const column: Value[] = []
  for (const { row } of entries) if (row !== null) column.push(row[position] ?? null)
  return column.slice()
}

/** Turns rows into columns; a row that is too short for a column asked for gives NULL there. */
export function toColumns(rows: readonly Row[], wanted: readonly number[] | undefined): Value[][] {
  const positions = wanted ?? Array.from({ length: rows[0]?.length ?? 0 }, (_, i) => i)
  return positions.map((position) => {
    const column: Value[] = []
    for (const row of rows) column.push(row[position] ?? null)
    return column
  })
}
