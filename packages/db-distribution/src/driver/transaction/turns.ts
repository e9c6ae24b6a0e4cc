import {
  type CallOptions,
  errorCode,
  isClusterError,
  logIndex,
  type RelationId,
  VERSION_OF,
  type Version,
} from '@cluster/core'
import { encodeRelease, encodeReserve } from '../../machine/commands.ts'
import type { RangeRead, Reads } from '../../machine/reads.ts'
import { decodeResult } from '../../machine/results.ts'
import type { DatabaseRecord } from '../../machine/state.ts'
import type { Context } from '../context.ts'
import { MACHINE_NAME } from '../names.ts'

/** A transaction that lost so many races in a row asks for a turn. */
export const LOSSES_BEFORE_TURN = 4
/** With more reads than this, or after another loss, whole relations are reserved. */
const READS_MAX = 256
const TURN_MS_MIN = 500
/** Whoever waits looks at least this often whether somebody's time is over: log time passes with entries only. */
const LOOK_MS = 250

/** What is known of a transaction that lost its race. */
export interface LostAttempt {
  /** How many were lost in a row, this one included. */
  readonly losses: number
  readonly reads: Reads
  /** How long it took. */
  readonly ageMs: number
}

/** A turn: nobody else writes what was reserved until it ends. */
export interface Turn {
  readonly reservation: number
  /** Covers everything acknowledged before the turn was asked for. */
  readonly version: Version
}

/** Gets transactions that keep losing a turn of their own, one after another. */
export class Turns {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  /** Waits in line. Null when there is no turn to be had in time: the transaction takes its chance as before. */
  async obtain(database: DatabaseRecord, lost: LostAttempt, options: CallOptions): Promise<Turn | null> {
    const { ports, machine, settings, changed } = this.#context
    if (ports.log.group().version < VERSION_OF.turns) return null
    const turnMs = Math.max(TURN_MS_MIN, Math.ceil(lost.ageMs * 2))
    const wanted = lost.losses > LOSSES_BEFORE_TURN ? widened(lost.reads) : narrow(lost.reads)
    const deadline = ports.clock.now() + (options.deadlineMs ?? settings.unavailableMs)
    const command = encodeReserve({ database: database.id, turnMs, ...wanted })
    const { index, result } = await ports.log.submit(MACHINE_NAME, command, options)
    if (decodeResult(result).type !== 'done') return null
    for (;;) {
      const turn = machine.turnOf(database.id, index)
      if (turn === 'now') return { reservation: index, version: logIndex(ports.log.appliedIndex()) }
      const left = deadline - ports.clock.now()
      if (turn === 'over') return null
      if (left <= 0 || options.signal?.aborted || this.#context.stopped) {
        this.release(database, index)
        return null
      }
      const before = ports.log.appliedIndex()
      await changed.next(ports.clock, Math.min(LOOK_MS, left))
      if (ports.log.appliedIndex() === before) this.release(database, 0)
    }
  }

  /** Ends a turn, or a place in line. Not told anybody: time ends it, too. */
  release(database: DatabaseRecord, reservation: number): void {
    const { ports, stopping } = this.#context
    const command = encodeRelease({ database: database.id, reservation })
    ports.log.submit(MACHINE_NAME, command, { signal: stopping.signal }).catch((error: unknown) => {
      if (!isClusterError(error)) throw error
      ports.logger.log('debug', 'could not give back a turn', { code: errorCode(error) ?? '' })
    })
  }
}

/** The reads themselves, if they are not too many. */
function narrow(reads: Reads): Omit<Reads, 'version'> {
  const { points, ranges } = reads
  return points.length + ranges.length > READS_MAX ? widened(reads) : { points, ranges }
}

/** All of every relation that was read: what it reads next time may be something else of them. */
function widened({ points, ranges }: Reads): Omit<Reads, 'version'> {
  const relations = new Set<RelationId>([...points, ...ranges].map(({ relation }) => relation))
  const whole = [...relations]
    .sort((a, b) => a - b)
    .map((relation): RangeRead => ({ relation, partitions: null, from: null, to: null }))
  return { points: [], ranges: whole }
}
