import type { Block, Key, Row, RowBatch, Value, Version } from '@cluster/core'

/** One version of one row; null is a deletion. Newest first. */
export interface RowVersion {
  readonly version: Version
  readonly row: Row | null
  older: RowVersion | null
}

/**
 * The newest rows of a block as columns, kept until the block changes: a scan that meets the block again hands the same
 * lists over and copies nothing. Only columns that somebody asked for are made. Whoever keeps something of his own for a
 * list may know it again by its identity, since a list that was handed over never changes.
 */
export class BlockColumns {
  readonly keys: readonly Key[]
  /** The last key of the block, that of a deleted row perhaps. */
  readonly last: Key
  /** No row of the block is newer. */
  readonly newest: Version
  readonly #entries: readonly RowVersion[]
  readonly #columns: (readonly Value[] | undefined)[] = []

  private constructor({ keys, items }: Block<RowVersion>) {
    // Nobody changes the entries while this is in use: a block that changes forgets it.
    this.#entries = items
    this.keys = items.some(({ row }) => row === null)
      ? keys.filter((_, i) => items[i]?.row !== null)
      : keys.slice()
    this.last = keys[keys.length - 1] as Key
    this.newest = items.reduce((newest, { version }) => (version > newest ? version : newest), 0 as Version)
  }

  static of(block: Block<RowVersion>): BlockColumns {
    if (block.derived instanceof BlockColumns) return block.derived
    const made = new BlockColumns(block)
    block.derived = made
    return made
  }

  batch(wanted: readonly number[]): RowBatch {
    const columns = wanted.map((position) => this.#column(position))
    return { length: this.keys.length, keys: this.keys, columns }
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
    const column = new Array<Value>(rows.length)
    for (let i = 0; i < rows.length; i++) column[i] = (rows[i] as Row)[position] ?? null
    return column
  })
}
