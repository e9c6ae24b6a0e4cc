import type { ErrorDetail } from '@cluster/core'

export type NodeErrorDetail =
  /** Another process uses the data folder. */
  | ({ readonly code: 'DATA_IN_USE'; readonly folder: string; readonly pid: number } & ErrorDetail)
  /** The folder holds something that is not a node's data, or another cluster's. */
  | ({ readonly code: 'DATA_FOREIGN'; readonly folder: string; readonly found: string } & ErrorDetail)
  /** An option has a value that makes no sense. */
  | ({ readonly code: 'OPTION_INVALID'; readonly option: string; readonly given: string } & ErrorDetail)
  /** A witness has no databases. */
  | ({ readonly code: 'NODE_IS_WITNESS'; readonly database: string } & ErrorDetail)
  /** The node is to go into another cluster, and the rows of its own cannot all be read to write them down first. */
  | ({
      readonly code: 'ROWS_NOT_EXPORTED'
      readonly cluster: string
      readonly folder: string
      /** The code of what was in the way. */
      readonly cause: string | null
    } & ErrorDetail)
  /** `join({ timeoutMs })` ran out. */
  | ({ readonly code: 'JOIN_TIMEOUT'; readonly waitingFor: string | null } & ErrorDetail)
