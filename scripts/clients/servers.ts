/** The role that comes in by its password only. */
export const SECURED = 'secured'

/** What the clients are run against. */
export interface ClientServers {
  /** For people. */
  readonly title: string
  /** Connection URLs of one fresh database, one for each node. */
  database(name: string): Promise<readonly string[]>
  /** The port of a door to the same databases that asks the role `SECURED` for its password, and encrypts. */
  secured(): Promise<number>
  /** Processes that serve. */
  pids(): readonly number[]
  stop(): Promise<void>
}

/** Something that is needed and not on this machine. */
export class Absent extends Error {
  override readonly name = 'Absent'
}
