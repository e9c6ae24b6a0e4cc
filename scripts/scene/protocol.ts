import type { DatabaseEvents } from '@cluster/core'

/** What the stage asks of an actor. Every call has an answer of the same number. */
export type Call =
  | { readonly op: 'ready' }
  | { readonly op: 'status' }
  | { readonly op: 'sql'; readonly text: string; readonly params?: readonly (string | number)[] }
  /** Keys in this node's own storage of the table with an integer primary key. */
  | { readonly op: 'storedRows'; readonly table: string }
  /** Writes a row of `ticks` every `everyMs`, until told to stop. */
  | { readonly op: 'startTicking'; readonly everyMs: number }
  | { readonly op: 'stopTicking' }
  | { readonly op: 'stop' }

export interface Status {
  readonly id: string
  readonly leader: string | null
  readonly voters: number
  readonly alive: number
  readonly underReplicated: number
  readonly unavailable: number
}

/** One write of the ticking client; times are milliseconds since 1970. */
export interface Tick {
  readonly id: number
  readonly askedAt: number
  readonly doneAt: number
  /** Why it failed; null when it was acknowledged. */
  readonly error: string | null
}

export type Request = Call & { readonly number: number }

export type Report =
  | { readonly number: number; readonly result: unknown }
  | { readonly number: number; readonly error: string }
  | { readonly event: 'tookOver'; readonly data: DatabaseEvents['tookOver'] }
  | { readonly event: 'notice'; readonly data: string }
