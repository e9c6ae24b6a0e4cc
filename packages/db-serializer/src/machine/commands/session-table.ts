import { assert, type ClusterVersion } from '@cluster/core'
import type { PartEnvelope } from './envelope.ts'
import { GatheredParts, type GatheredState } from './gathered-parts.ts'

/** Largest result that is kept for retries, in bytes; larger ones are a bug of the state machine. */
export const RESULT_BYTES_MAX = 4096
/** How far a client's newest number may be ahead of its low mark. */
export const SESSION_WINDOW = 65_536
/** Idempotency keys remembered; the oldest go first. */
const KEYS_MAX = 16_384
/**
 * Bytes of commands of which not all parts are there; past it the command begun first loses its parts, and whoever submits
 * it sends them again. A node sends one such command at a time, so this is only a fuse.
 */
export const GATHERED_BYTES_MAX = 256 * 1024 * 1024
/** Sessions remembered; the oldest go first. A group has one a node, so this is only a fuse. */
const SESSIONS_MAX = 8_192

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
  /** Commands of which not all parts are there, the one begun first in front; absent when there are none. */
  readonly gathered?: readonly (readonly [session: number, number: number, parts: GatheredState])[]
}

interface Gathering {
  readonly session: number
  readonly number: number
  readonly parts: GatheredParts
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
  /** In the order in which their first parts came; few. */
  #gatherings: Gathering[] = []

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
    this.#forget((gathering) => gathering.session === id)
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
    if (this.#gatherings.length > 0)
      this.#forget((gathering) => gathering.session === session && gathering.number < open.low)
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

  /**
   * Takes part of a command that `begin` called new.
   * @returns the body of the command once all of its parts are there; it must be applied then
   */
  gather({ session, number, ...part }: PartEnvelope): Uint8Array | null {
    let gathering = this.#gathering(session, number)
    if (gathering === null) {
      gathering = { session, number, parts: new GatheredParts(part.count) }
      this.#gatherings.push(gathering)
    }
    const { parts } = gathering
    parts.add(part)
    if (parts.complete) {
      this.#forget((other) => other === gathering)
      return parts.joined()
    }
    let bytes = this.#gatherings.reduce((sum, other) => sum + other.parts.bytes, 0)
    while (bytes > GATHERED_BYTES_MAX) bytes -= this.#gatherings.shift()?.parts.bytes ?? 0
    return null
  }

  /** So many parts of a command are there without a gap from the first one on. */
  gatheredOf(session: number, number: number): number {
    return this.#gathering(session, number)?.parts.leading ?? 0
  }

  #gathering(session: number, number: number): Gathering | null {
    const same = (other: Gathering): boolean => other.session === session && other.number === number
    return this.#gatherings.find(same) ?? null
  }

  #forget(which: (gathering: Gathering) => boolean): void {
    if (this.#gatherings.some(which))
      this.#gatherings = this.#gatherings.filter((gathering) => !which(gathering))
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
      ...(this.#gatherings.length > 0 && {
        gathered: this.#gatherings.map(
          ({ session, number, parts }) => [session, number, parts.save()] as const,
        ),
      }),
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
    for (const [session, number, parts] of state.gathered ?? [])
      this.#gatherings.push({ session, number, parts: GatheredParts.load(parts) })
  }

  clear(): void {
    this.#sessions.clear()
    this.#byOwner.clear()
    this.#keys.clear()
    this.#gatherings = []
  }
}
