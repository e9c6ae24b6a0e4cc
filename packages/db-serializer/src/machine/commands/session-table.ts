import { assert, type ClusterVersion } from '@cluster/core'

/** Largest result that is kept for retries, in bytes; larger ones are a bug of the state machine. */
export const RESULT_BYTES_MAX = 4096
/** How far a client's newest number may be ahead of its low mark. */
export const SESSION_WINDOW = 65_536
/** Idempotency keys remembered; the oldest go first. */
export const KEYS_MAX = 16_384
/** Sessions remembered; the oldest go first. A group has one a node, so this is only a fuse. */
export const SESSIONS_MAX = 8_192

/** What became of a command that was applied. */
export interface Outcome {
  readonly index: number
  readonly result: Uint8Array
}

/**
 * - `new`: apply it, then call `finish`;
 * - `done`: it was applied before, with that outcome;
 * - `settled`: the client has said that it will not ask again; nothing is applied;
 * - `expired`: no such session (any more); whether the command was ever applied is unknown.
 */
export type Verdict =
  | { readonly verdict: 'new' }
  | { readonly verdict: 'done'; readonly outcome: Outcome }
  | { readonly verdict: 'settled' }
  | { readonly verdict: 'expired' }

/** The table as plain data; part of every snapshot. */
export interface SessionTableState {
  readonly sessions: readonly {
    readonly id: number
    readonly owner: string
    readonly nonce: string
    readonly machines: readonly string[]
    /** The newest cluster version that the owner's program supports. */
    readonly supports: ClusterVersion
    readonly low: number
    readonly applied: readonly (readonly [number: number, index: number, result: Uint8Array])[]
  }[]
  readonly keys: readonly (readonly [key: string, index: number, result: Uint8Array])[]
}

interface Session {
  readonly id: number
  readonly owner: string
  readonly nonce: string
  readonly machines: readonly string[]
  readonly supports: ClusterVersion
  low: number
  /** The set of applied numbers at or above `low`. A maximum would forget what was overtaken on the way. */
  readonly applied: Map<number, Outcome>
}

const NEW: Verdict = { verdict: 'new' }
const SETTLED: Verdict = { verdict: 'settled' }
const EXPIRED: Verdict = { verdict: 'expired' }

/**
 * Who submitted what and what came of it, so that a command sent twice is applied once. Replicated: every node
 * feeds it the same entries in the same order.
 */
export class SessionTable {
  readonly #sessions = new Map<number, Session>()
  readonly #byOwner = new Map<string, number>()
  readonly #keys = new Map<string, Outcome>()

  get size(): number {
    return this.#sessions.size
  }

  /** Opens the session whose id is the index of the entry that asked for it; ends the owner's earlier one. */
  open(
    id: number,
    { owner, nonce, machines, supports }: Pick<Session, 'owner' | 'nonce' | 'machines' | 'supports'>,
  ): void {
    this.closeOf(owner)
    this.#sessions.set(id, { id, owner, nonce, machines, supports, low: 1, applied: new Map() })
    this.#byOwner.set(owner, id)
    if (this.#sessions.size <= SESSIONS_MAX) return
    const oldest = this.#sessions.values().next().value
    if (oldest) this.closeOf(oldest.owner)
  }

  /** Ends the session of an owner that is gone for good. */
  closeOf(owner: string): void {
    const id = this.#byOwner.get(owner)
    if (id === undefined) return
    this.#byOwner.delete(owner)
    this.#sessions.delete(id)
  }

  /** The owner's session, to find out whether it is open already. */
  find(owner: string): { readonly id: number; readonly nonce: string } | null {
    const id = this.#byOwner.get(owner)
    return id === undefined ? null : (this.#sessions.get(id) ?? null)
  }

  ownerOf(session: number): string | null {
    return this.#sessions.get(session)?.owner ?? null
  }

  /** What the owner's program supports; 0 while it has no session. */
  supportOf(owner: string): ClusterVersion {
    return this.#sessions.get(this.#byOwner.get(owner) ?? -1)?.supports ?? 0
  }

  machineOf(session: number, position: number): string | null {
    return this.#sessions.get(session)?.machines[position] ?? null
  }

  /** What came of a command of an open session; null when it was not applied (yet), or is settled for the client. */
  outcome(session: number, number: number): Outcome | null {
    return this.#sessions.get(session)?.applied.get(number) ?? null
  }

  /** Judges a command before it is applied, and moves the session's low mark up. */
  begin(session: number, number: number, low: number): Verdict {
    const open = this.#sessions.get(session)
    if (!open) return EXPIRED
    // A retry that was overtaken may carry an older low mark; the mark never goes back.
    const settledEnd = Math.min(low, open.low + SESSION_WINDOW)
    for (; open.low < settledEnd && open.applied.size > 0; open.low++) open.applied.delete(open.low)
    if (open.low < low) open.low = low
    if (number < open.low || number >= open.low + SESSION_WINDOW) return SETTLED
    const outcome = open.applied.get(number)
    return outcome ? { verdict: 'done', outcome } : NEW
  }

  /** Records what came of a command that `begin` called new. */
  finish(session: number, number: number, outcome: Outcome): void {
    assert(outcome.result.length <= RESULT_BYTES_MAX, `a result has ${outcome.result.length} bytes`)
    const open = this.#sessions.get(session)
    assert(open && !open.applied.has(number), `command ${session}/${number} was applied twice`)
    open.applied.set(number, outcome)
  }

  /** What was applied under an idempotency key of the machine, if it is remembered. */
  keyed(machine: string, key: string): Outcome | null {
    return this.#keys.get(`${machine}\n${key}`) ?? null
  }

  remember(machine: string, key: string, outcome: Outcome): void {
    this.#keys.set(`${machine}\n${key}`, outcome)
    if (this.#keys.size <= KEYS_MAX) return
    const oldest = this.#keys.keys().next().value
    if (oldest !== undefined) this.#keys.delete(oldest)
  }

  save(): SessionTableState {
    return {
      sessions: [...this.#sessions.values()].map(
        ({ id, owner, nonce, machines, supports, low, applied }) => ({
          id,
          owner,
          nonce,
          machines,
          supports,
          low,
          applied: [...applied].map(([number, { index, result }]) => [number, index, result] as const),
        }),
      ),
      keys: [...this.#keys].map(([key, { index, result }]) => [key, index, result] as const),
    }
  }

  load(state: SessionTableState): void {
    this.clear()
    for (const { id, owner, nonce, machines, supports, low, applied } of state.sessions) {
      const outcomes = new Map(applied.map(([number, index, result]) => [number, { index, result }]))
      this.#sessions.set(id, { id, owner, nonce, machines, supports, low, applied: outcomes })
      this.#byOwner.set(owner, id)
    }
    for (const [key, index, result] of state.keys) this.#keys.set(key, { index, result })
  }

  clear(): void {
    this.#sessions.clear()
    this.#byOwner.clear()
    this.#keys.clear()
  }
}
