import { assert, type LogIndex, logIndex, type Term } from '@cluster/core'
import type { Entry, LogPosition } from './types.ts'

/** What an entry takes in memory and messages beside its payload, roughly. */
const HEAD_BYTES = 64

/** Bytes that an entry counts for in every limit. */
export function entryBytes(entry: Entry): number {
  if (entry.kind === 'command') return HEAD_BYTES + entry.data.length
  if (entry.kind === 'noop') return HEAD_BYTES
  const { voters, learners, away } = entry.configuration
  return HEAD_BYTES * (1 + voters.length + learners.length + away.length)
}

/** True when a log that ends at `a` holds at least all that one ending at `b` may have committed. */
export function upToDate(a: LogPosition, b: LogPosition): boolean {
  return a.term > b.term || (a.term === b.term && a.index >= b.index)
}

/** The end of the log that is in memory: everything after `base`. */
export class LogTail {
  #base: LogPosition
  #baseTime: number
  #entries: Entry[] = []
  #bytes = 0

  /** @param time log time at `base` */
  constructor(base: LogPosition, time: number) {
    this.#base = base
    this.#baseTime = time
  }

  /** The position before the first entry in memory. */
  get base(): LogPosition {
    return this.#base
  }

  get bytes(): number {
    return this.#bytes
  }

  get last(): LogPosition {
    return this.#entries.at(-1) ?? this.#base
  }

  get lastIndex(): LogIndex {
    return logIndex(this.#base.index + this.#entries.length)
  }

  get lastTime(): number {
    return this.#entries.at(-1)?.time ?? this.#baseTime
  }

  /** Null when the index is before the base or after the end. */
  termAt(index: number): Term | null {
    if (index === this.#base.index) return this.#base.term
    return this.entryAt(index)?.term ?? null
  }

  /** Log time at an index from the base to the end. */
  timeAt(index: number): number {
    if (index === this.#base.index) return this.#baseTime
    const entry = this.entryAt(index)
    assert(entry !== null, `index ${index} is not in the log`)
    return entry.time
  }

  /** Null when there is none in memory. */
  entryAt(index: number): Entry | null {
    return this.#entries[index - this.#base.index - 1] ?? null
  }

  /** True when the position is in this log; positions before the base are committed and count as equal. */
  matches(position: LogPosition): boolean {
    return position.index < this.#base.index || this.termAt(position.index) === position.term
  }

  /** Entries from `from` to `to` (both included), at least one if there is any, then up to `bytesMax`. */
  slice(from: number, to: number, bytesMax = Number.POSITIVE_INFINITY): readonly Entry[] {
    const first = from - this.#base.index - 1
    assert(first >= 0, `entry ${from} is cut`)
    const end = Math.min(to - this.#base.index, this.#entries.length)
    if (bytesMax === Number.POSITIVE_INFINITY) return this.#entries.slice(first, end)
    let bytes = 0
    let stop = first
    while (stop < end) {
      bytes += entryBytes(this.#entries[stop] as Entry)
      if (bytes > bytesMax && stop > first) break
      stop++
    }
    return this.#entries.slice(first, stop)
  }

  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const last = this.last
      assert(entry.index === last.index + 1, `entry ${entry.index} does not follow ${last.index}`)
      assert(entry.term >= last.term, `entry ${entry.index} has an older term than the one before`)
      this.#entries.push(entry)
      this.#bytes += entryBytes(entry)
    }
  }

  /** Removes everything from `index` on. */
  truncateFrom(index: number): void {
    const from = index - this.#base.index - 1
    assert(from >= 0, `entry ${index} is cut and cannot be replaced`)
    for (const entry of this.#entries.splice(from)) this.#bytes -= entryBytes(entry)
  }

  /** Forgets the entries before `index`, which was there or is the next to come. */
  cutBefore(index: number): void {
    const base = this.entryAt(index - 1)
    if (base === null) return
    for (const entry of this.#entries.splice(0, index - this.#base.index - 1))
      this.#bytes -= entryBytes(entry)
    this.#base = { index: base.index, term: base.term }
    this.#baseTime = base.time
  }

  /** Forgets everything; the log goes on after `base`. */
  reset(base: LogPosition, time: number): void {
    this.#base = { index: base.index, term: base.term }
    this.#baseTime = time
    this.#entries = []
    this.#bytes = 0
  }

  /**
   * The highest position at or before `index` whose term is at most `term`: the furthest that another log, which
   * differs at `index` and has `term` there, can still agree. The base when nothing after it fits.
   */
  agreeAtMost(index: number, term: number): LogPosition {
    let at = Math.min(index, this.lastIndex)
    while (at > this.#base.index) {
      const entry = this.entryAt(at)
      if (entry !== null && entry.term <= term) return { index: entry.index, term: entry.term }
      at--
    }
    return this.#base
  }
}
