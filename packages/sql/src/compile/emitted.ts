/** Code for a value: an identifier, a literal, or something else that may be written several times cheaply. */
export interface Emitted {
  readonly code: string
  /** False: the code never gives NULL. */
  readonly nullable: boolean
}

/** Where columns come from; the emitter never asks twice for one column in one block. */
export interface ColumnSource {
  /** Code that reads the column of the current row, or null when the column is not of this row. */
  read(column: number): string | null
  /** The list of the column's values and the position in it, for lists that nobody changes; null or absent: there is none. */
  list?(column: number): { readonly column: string; readonly row: string } | null
  /** The slot of an outer query's column in `Frame.outer`. */
  slot(column: number): number
}
