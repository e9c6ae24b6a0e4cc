/** Planning of statements, each of them new (`cold`), or one and the same (`cached`). */
export interface PlanningLoad {
  readonly sql: string
  readonly runs: number
  /** New statements between the first ones and those that are measured as `cold`. */
  readonly warmUps: number
}

/** Milliseconds of one statement, medians. */
export interface PlanningAnswer {
  /** As `cold`, of the first ones in the process: most of their time V8 has not made machine code of what runs yet. */
  readonly first: number
  /** Parsed, bound, optimized and compiled, with a transaction to read the catalog in. */
  readonly cold: number
  /** The same statement again: its plan found and proved current. */
  readonly cached: number
}

/** What a query made nodes send each other. */
export interface MovedAnswer {
  /** Bytes that this process has read from files and sockets. */
  readonly bytes: number
  readonly rows: number
  /** Bytes of the answers of other nodes for this query alone, as EXPLAIN ANALYZE counts them. */
  readonly answers: number
}
