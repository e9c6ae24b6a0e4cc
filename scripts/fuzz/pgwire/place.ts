/** Where clients come in. */
export interface Place {
  readonly port: number
  /** What a proper client says first. */
  readonly startup: Readonly<Record<string, string>>
  /** Processes that serve. */
  readonly pids: readonly number[]
  /** Bytes that they need, once what nobody needs is freed. */
  needed(): Promise<number>
}
