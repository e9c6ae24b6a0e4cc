import {
  type Applied,
  type Cancel,
  type Clock,
  ClusterError,
  type ClusterVersion,
  type LineageId,
  logIndex,
  type Random,
  randomId,
  type SubmitOptions,
} from '@cluster/core'
import { encodeCommand, encodeNote, encodePart } from '../../machine/commands/envelope.ts'
import { type Outcome, SESSION_WINDOW, type SessionTable } from '../../machine/commands/session-table.ts'
import { LongCommand } from './long-command.ts'

export interface SubmissionPorts {
  readonly clock: Clock
  readonly random: Random
  readonly owner: string
  /** The newest cluster version that this program supports; the session is opened with it. */
  readonly supports: ClusterVersion
  /** The longest command that is one entry, in bytes; longer ones travel in parts. */
  entryBytesMax(): number
  /** Names of the attached machines; the session is opened with them. */
  machines(): readonly string[]
  /** Brings envelopes on their way to the leader. False: nothing was sent, and nothing will come of it. */
  send(envelopes: readonly Uint8Array[]): boolean
  /** Whether this side of the group went on without the other one. */
  alone(): boolean
  /** Voters known to hold the entry. */
  durableOn(index: number): number
  lineage(): LineageId
  /** Why a submission that was never sent is given up after so many milliseconds. */
  unsent(afterMs: number): ClusterError
}

/** Unanswered commands in the log at once; more wait here. Half the window leaves room for parked ones. */
const IN_FLIGHT_MAX = SESSION_WINDOW / 4
/** A parked number this far back is given up, so that the low mark can move. */
const PARKED_SPAN = SESSION_WINDOW / 2
/** Answers lost on the way are asked for again after this. */
const RESEND_MS = 1_000
/** A command is given more time, the longer it is, when the caller names no deadline. */
const SLOWEST_BYTES_PER_MS = 1_024
/** Keys that this class makes itself start with it. */
const OWN_KEY = '#'

interface Call {
  readonly resolve: (applied: Applied) => void
  readonly reject: (error: unknown) => void
  readonly deadlineAt: number
  readonly deadlineMs: number
  readonly cancelAbort: Cancel | null
}

interface Pending {
  number: number
  readonly machine: number
  readonly key: string | null
  readonly command: Uint8Array
  /** The command in parts, when it is too long for one entry. */
  readonly long: LongCommand | null
  /** It may be in some log. */
  sent: boolean
  queued: boolean
  /** Null once the caller was told that the outcome is unknown: parked for a retry. */
  call: Call | null
  /** What came of a parked one. */
  outcome: Outcome | null
}

/**
 * The submitting side of this node: one session, numbered commands, and retries that never apply twice. What
 * one turn of the event loop submits travels together.
 */
export class Submissions {
  readonly #ports: SubmissionPorts
  readonly #deadlineMs: number
  /** In the order of numbers. */
  #pending = new Map<number, Pending>()
  #queue: Pending[] = []
  /** The one that travels in parts; others wait for it, so that no node fills the memory of all with parts. */
  #long: Pending | null = null
  #waitingLong: Pending[] = []
  #nonce: string
  #session: number | null = null
  #openSentAt = Number.NEGATIVE_INFINITY
  #nextNumber = 1
  #flushing = false
  #stopped: ClusterError | null = null
  #nextDeadlineAt = Number.POSITIVE_INFINITY
  #sentAt = 0

  constructor(ports: SubmissionPorts, deadlineMs: number) {
    this.#ports = ports
    this.#deadlineMs = deadlineMs
    this.#nonce = randomId(ports.random)
  }

  get session(): number | null {
    return this.#session
  }

  submit(machine: number, command: Uint8Array, options: SubmitOptions): Promise<Applied> {
    if (this.#stopped) return Promise.reject(this.#stopped)
    if (options.signal?.aborted) return Promise.reject(aborted())
    const key = options.idempotencyKey ?? null
    return new Promise((resolve, reject) => {
      const deadlineMs = options.deadlineMs ?? this.#deadlineMs + command.length / SLOWEST_BYTES_PER_MS
      const deadlineAt = this.#ports.clock.now() + deadlineMs
      if (deadlineAt < this.#nextDeadlineAt) this.#nextDeadlineAt = deadlineAt
      const own = key?.startsWith(OWN_KEY) ? this.#findParked(key) : null
      if (key?.startsWith(OWN_KEY) && !own) {
        reject(outcomeUnknown(key, 'The session that this idempotency key belongs to has ended'))
        return
      }
      const pending = own ?? {
        number: this.#nextNumber++,
        machine,
        key,
        command,
        long: this.#inParts(machine, key, command),
        sent: false,
        queued: false,
        call: null,
        outcome: null,
      }
      const { signal } = options
      let cancelAbort: Cancel | null = null
      if (signal) {
        const abort = (): void => this.#giveUp(pending, aborted(), 'The call was aborted')
        signal.addEventListener('abort', abort, { once: true })
        cancelAbort = () => signal.removeEventListener('abort', abort)
      }
      pending.call = { resolve, reject, deadlineAt, deadlineMs, cancelAbort }
      if (pending.outcome) {
        this.#settle(pending, pending.outcome)
        return
      }
      if (!own) this.#pending.set(pending.number, pending)
      pending.long?.again()
      this.#enqueue(pending)
    })
  }

  /** A command of a session was settled. */
  settled(session: number, number: number, outcome: Outcome): void {
    if (session !== this.#session) return
    const pending = this.#pending.get(number)
    if (pending) this.#settle(pending, outcome)
  }

  /** So many parts of a command are in the log. */
  gathered(session: number, number: number, parts: number): void {
    const pending = session === this.#session ? this.#pending.get(number) : undefined
    if (pending?.long?.gathered(parts) && pending.call) this.#enqueue(pending)
  }

  /** A session of this owner was opened. */
  opened(nonce: string, session: number): void {
    if (nonce !== this.#nonce) {
      // A request of an earlier process came through late and ended the session of this one.
      if (this.#session !== null) this.closed()
      return
    }
    if (this.#session !== null) return
    this.#session = session
    this.#scheduleFlush()
  }

  /** The session ended in the log: what is not settled by now was not applied and never will be, so it goes again. */
  closed(): void {
    this.#session = null
    this.#nonce = randomId(this.#ports.random)
    this.#openSentAt = Number.NEGATIVE_INFINITY
    const again = [...this.#pending.values()].filter((pending) => pending.call !== null)
    this.#pending = new Map()
    this.#queue = []
    this.#long = null
    this.#waitingLong = []
    this.#nextNumber = 1
    for (const pending of again) {
      pending.long?.restart()
      pending.number = this.#nextNumber++
      pending.sent = false
      pending.queued = false
      this.#pending.set(pending.number, pending)
      this.#enqueue(pending)
    }
  }

  /** A snapshot replaced the state: looks up there what entries were not seen for. */
  restored(sessions: SessionTable): void {
    if (this.#session === null) {
      // The entry that opened the session may lie before the snapshot.
      const open = sessions.find(this.#ports.owner)
      if (open?.nonce === this.#nonce) this.opened(open.nonce, open.id)
      return
    }
    const session = this.#session
    if (sessions.ownerOf(session) === null) {
      for (const pending of [...this.#pending.values()]) {
        if (pending.sent) this.#giveUp(pending, null, 'The session ended while this node was behind')
      }
      this.closed()
      return
    }
    for (const pending of [...this.#pending.values()]) {
      const outcome = sessions.outcome(session, pending.number)
      if (outcome) this.#settle(pending, outcome)
      else if (pending.long)
        this.gathered(session, pending.number, sessions.gatheredOf(session, pending.number))
    }
  }

  /** There is a (new) way to the leader: sends again what has no answer. The numbers keep it from being applied twice. */
  resend(): void {
    this.#openSentAt = Number.NEGATIVE_INFINITY
    this.#queue = []
    this.#waitingLong = []
    for (const pending of this.#pending.values()) {
      pending.queued = false
      pending.long?.again()
      if (pending.call) this.#enqueue(pending)
    }
    this.#scheduleFlush()
  }

  /** Opens the session ahead of the first submission. */
  prepare(): void {
    if (this.#session === null && !this.#stopped) this.#open()
  }

  /** Gives up what is overdue and tries again what was held. */
  tick(): void {
    const now = this.#ports.clock.now()
    if (now >= this.#nextDeadlineAt) this.#sweep(now)
    if (this.#pending.size > 0 && this.#queue.length === 0 && now - this.#sentAt >= RESEND_MS) this.resend()
    else if (this.#queue.length > 0) this.#scheduleFlush()
  }

  /** Ends every call: with `error` what was never sent, as unknown what was. */
  stop(error: ClusterError): void {
    this.#stopped = error
    for (const pending of [...this.#pending.values()]) this.#giveUp(pending, error, 'This node stopped')
    this.#pending.clear()
    this.#queue = []
    this.#waitingLong = []
  }

  /** Submissions without an answer. */
  get open(): number {
    return this.#pending.size
  }

  #inParts(machine: number, key: string | null, command: Uint8Array): LongCommand | null {
    const entryBytesMax = this.#ports.entryBytesMax()
    return command.length > entryBytesMax ? new LongCommand({ machine, key, command }, entryBytesMax) : null
  }

  #enqueue(pending: Pending): void {
    if (pending.queued) return
    pending.queued = true
    this.#queue.push(pending)
    this.#scheduleFlush()
  }

  #scheduleFlush(): void {
    if (this.#flushing || this.#stopped) return
    this.#flushing = true
    void this.#ports.clock.turn().then(() => {
      this.#flushing = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#stopped || this.#queue.length === 0) return
    if (this.#session === null) {
      this.#open()
      return
    }
    const low = this.#low()
    const batch: Pending[] = []
    const envelopes: Uint8Array[] = []
    let held = 0
    for (const pending of this.#queue) {
      if (pending.number >= low + IN_FLIGHT_MAX) break
      if (pending.long && pending.call && !this.#hasItsTurn(pending)) {
        held++
        this.#waitingLong.push(pending)
        continue
      }
      batch.push(pending)
      // Given up meanwhile: it stays unsent.
      if (pending.call) this.#encode(pending, this.#session, low, envelopes)
    }
    this.#queue = this.#queue.slice(batch.length + held)
    if (envelopes.length > 0 && !this.#ports.send(envelopes)) {
      for (const pending of batch) pending.long?.again()
      this.#queue = [...batch, ...this.#queue]
      return
    }
    this.#sentAt = this.#ports.clock.now()
    for (const pending of batch) {
      pending.queued = false
      if (pending.call) pending.sent ||= pending.long?.wasSentWhole ?? true
    }
  }

  #encode(pending: Pending, session: number, low: number, envelopes: Uint8Array[]): void {
    const { number, machine, key, command, long } = pending
    if (long === null) envelopes.push(encodeCommand(session, number, low, machine, key, command))
    else for (const part of long.take()) envelopes.push(encodePart({ session, number, low }, part))
  }

  #hasItsTurn(pending: Pending): boolean {
    this.#long ??= pending
    return this.#long === pending
  }

  /** Nobody waits for that one any more: the next long one has its turn. */
  #endTurn(pending: Pending): void {
    if (this.#long !== pending) return
    this.#long = null
    this.#queue.push(...this.#waitingLong.splice(0))
    if (this.#queue.length > 0) this.#scheduleFlush()
  }

  #open(): void {
    const now = this.#ports.clock.now()
    if (now - this.#openSentAt < RESEND_MS) return
    const { owner, supports } = this.#ports
    const machines = this.#ports.machines()
    const note = encodeNote({ note: 'open', owner, nonce: this.#nonce, machines, supports })
    if (this.#ports.send([note])) this.#openSentAt = now
  }

  /** Everything below it is settled for the callers. */
  #low(): number {
    for (const [number, pending] of this.#pending) {
      if (pending.call || number > this.#nextNumber - PARKED_SPAN) return number
      this.#pending.delete(number)
    }
    return this.#nextNumber
  }

  #settle(pending: Pending, outcome: Outcome): void {
    const { call } = pending
    if (!call) {
      pending.outcome = outcome
      return
    }
    this.#pending.delete(pending.number)
    this.#endTurn(pending)
    pending.call = null
    call.cancelAbort?.()
    call.resolve({
      index: logIndex(outcome.index),
      result: outcome.result,
      lineage: this.#ports.lineage(),
      durableOn: this.#ports.durableOn(outcome.index),
      alone: this.#ports.alone(),
    })
  }

  /** @param rejected what to say when it was never sent; null when it was for sure */
  #giveUp(pending: Pending, rejected: ClusterError | null, why: string): void {
    const { call } = pending
    if (!call) return
    this.#endTurn(pending)
    pending.call = null
    call.cancelAbort?.()
    if (pending.sent || !rejected) {
      const key = pending.key ?? `${OWN_KEY}${this.#nonce}/${pending.number}`
      call.reject(outcomeUnknown(key, why))
      return
    }
    this.#pending.delete(pending.number)
    call.reject(rejected)
  }

  #sweep(now: number): void {
    let next = Number.POSITIVE_INFINITY
    for (const pending of [...this.#pending.values()]) {
      const { call } = pending
      if (!call) continue
      if (call.deadlineAt > now) next = Math.min(next, call.deadlineAt)
      else {
        const why = `No answer within ${call.deadlineMs} ms`
        this.#giveUp(pending, this.#ports.unsent(call.deadlineMs), why)
      }
    }
    this.#nextDeadlineAt = next
  }

  #findParked(key: string): Pending | null {
    const prefix = `${OWN_KEY}${this.#nonce}/`
    if (!key.startsWith(prefix)) return null
    const pending = this.#pending.get(Number(key.slice(prefix.length)))
    return pending && pending.call === null ? pending : null
  }
}

function aborted(): ClusterError {
  return new ClusterError(
    { code: 'ABORTED', outcome: 'rejected' },
    'The call was aborted by its signal before the command was sent; it was not applied.',
  )
}

function outcomeUnknown(key: string, why: string): ClusterError {
  return new ClusterError(
    { code: 'OUTCOME_UNKNOWN', outcome: 'unknown', key },
    `${why}; the command may or may not be applied. Submit it again with the idempotency key ${key}: it applies once.`,
  )
}
