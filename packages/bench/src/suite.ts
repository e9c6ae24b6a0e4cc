/** What a person may set of a run. */
export interface SuiteOptions {
  /** Names of peers to measure beside. */
  readonly peers: readonly string[]
  /** Runs of which the median is taken. */
  readonly runs: number
  readonly warmUpMs: number
  readonly measuredMs: number
  /** Repetitions of a fail-over. */
  readonly failOvers: number
  /** Size of the long log. */
  readonly logBytes: number
  /** Size of the state whose snapshot is taken. */
  readonly stateBytes: number
  /** Rows of a table or partition. */
  readonly rows: number
  /** Scale of the rows of TPC-H; 1 is about 1 GB. */
  readonly scale: number
  /** Parts to run; empty for all. */
  readonly parts: readonly string[]
  progress(text: string): void
}
