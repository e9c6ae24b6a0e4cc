/** How a database is spread. */
export interface DatabaseOptions {
  /** Copies of every row, ≥ 1; `'all'` puts one on every node. Default 2. */
  readonly redundancy?: number | 'all'
  /** Hash partitions, 1 … 1,024; fixed for ever. Default 16. */
  readonly partitions?: number
  /** Writes are refused while a partition they touch has fewer complete copies than this. Default 1. */
  readonly minCopies?: number
}

/** What of it may change later. */
export type AlterOptions = Pick<DatabaseOptions, 'redundancy' | 'minCopies'>
