import type { Value } from '@cluster/core'
import type { RowComparator } from '../rows/sorted-rows.ts'

type Columns = readonly (readonly Value[])[]

/** The rows of one partition: those from `from` up to `to` of long columns, in the order of the window. */
export class Partition {
  readonly columns: Columns
  readonly from: number
  readonly length: number
  readonly #peers: RowComparator
  #groups: PeerGroups | null = null

  constructor(columns: Columns, from: number, to: number, peers: RowComparator) {
    this.columns = columns
    this.from = from
    this.length = to - from
    this.#peers = peers
  }

  /** Rows that the order does not tell apart. */
  get groups(): PeerGroups {
    this.#groups ??= groupsOf(this.columns, this.from, this.length, this.#peers)
    return this.#groups
  }

  /** A value of a row of the partition, counted from 0. */
  at(column: number, row: number): Value {
    return (this.columns[column] as readonly Value[])[this.from + row] as Value
  }
}

export interface PeerGroups {
  /** The group of each row. */
  readonly of: Int32Array
  /** Where each group starts, and behind them the number of rows. */
  readonly starts: Int32Array
  readonly count: number
}

function groupsOf(columns: Columns, from: number, length: number, peers: RowComparator): PeerGroups {
  const of = new Int32Array(length)
  const starts = new Int32Array(length + 1)
  let group = 0
  for (let row = 1; row < length; row++) {
    if (peers(columns, from + row - 1, from + row) !== 0) starts[++group] = row
    of[row] = group
  }
  const count = length === 0 ? 0 : group + 1
  starts[count] = length
  return { of, starts, count }
}

export const groupStart = ({ of, starts }: PeerGroups, row: number): number =>
  starts[of[row] as number] as number

export const groupEnd = ({ of, starts }: PeerGroups, row: number): number =>
  starts[(of[row] as number) + 1] as number
