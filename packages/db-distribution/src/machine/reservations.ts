import type { Key, PartitionId, RelationId } from '@cluster/core'
import type { ByteReader, ByteWriter } from './bytes.ts'
import { type RangeRead, type Reads, readReads, writeReads } from './reads.ts'
import type { WrittenKeys } from './window.ts'

/** Transactions that may wait for their turn in one database. */
const QUEUE_MAX = 64
/** A turn lasts at most this long, in log time. */
export const TURN_MS_MAX = 10_000

/** What a transaction asks to be kept as it is until it commits. */
export interface Reservation extends Omit<Reads, 'version'> {
  /** The index of the entry that asked for it. */
  readonly id: number
  readonly turnMs: number
}

interface Turn {
  readonly reservation: Reservation
  /** Log time at which it is over, whatever its owner does. */
  readonly until: number
  readonly points: ReadonlyMap<RelationId, ReadonlySet<Key>>
}

/**
 * The line of transactions of one database that lost too often. The first has its turn: nobody else writes what it
 * has reserved until it commits, gives up, or its time is over; the others wait, one behind the other. Replicated
 * state: time is that of log entries.
 */
export class Reservations {
  #turn: Turn | null = null
  #waiting: Reservation[] = []

  /** Whose turn it is; null when nobody waits. */
  get current(): number | null {
    return this.#turn?.reservation.id ?? null
  }

  get size(): number {
    return this.#waiting.length + (this.#turn === null ? 0 : 1)
  }

  has(id: number): boolean {
    return this.current === id || this.#waiting.some((one) => one.id === id)
  }

  /** False when the line is too long. */
  add(reservation: Reservation, time: number): boolean {
    if (this.size >= QUEUE_MAX) return false
    this.#waiting.push(reservation)
    this.#next(time)
    return true
  }

  /** Takes somebody out of the line. True when it was there. */
  remove(id: number, time: number): boolean {
    if (!this.has(id)) return false
    if (this.current === id) this.#turn = null
    else this.#waiting = this.#waiting.filter((one) => one.id !== id)
    this.#next(time)
    return true
  }

  /** Ends what is over by `time`. True when it is somebody else's turn since. */
  expire(time: number): boolean {
    if (this.#turn === null || this.#turn.until > time) return false
    this.#turn = null
    this.#next(time)
    return true
  }

  #next(time: number): void {
    if (this.#turn !== null) return
    const reservation = this.#waiting.shift()
    if (reservation === undefined) return
    this.#turn = turnOf(reservation, time + reservation.turnMs)
  }

  /** The relation in which a commit writes what somebody else has reserved; null when it may go on. */
  inTheWay(writes: readonly WrittenKeys[], own: number): RelationId | null {
    const turn = this.#turn
    if (turn === null || turn.reservation.id === own) return null
    const { points, reservation } = turn
    for (const { partition, relations, keys } of writes)
      for (let i = 0; i < keys.length; i++) {
        const relation = relations[i] as RelationId
        const key = keys[i] as Key
        if (points.get(relation)?.has(key)) return relation
        if (reservation.ranges.some((range) => covers(range, relation, partition, key))) return relation
      }
    return null
  }

  write(writer: ByteWriter): void {
    const all = this.#turn === null ? this.#waiting : [this.#turn.reservation, ...this.#waiting]
    writer.varint(all.length)
    // Whoever is in line has somebody's turn before it.
    if (this.#turn !== null) writer.double(this.#turn.until)
    for (const { id, turnMs, ...reads } of all) {
      writer.varint(id).varint(turnMs)
      writeReads(writer, reads)
    }
  }

  static read(reader: ByteReader): Reservations {
    const line = new Reservations()
    const count = reader.count(4)
    const until = count === 0 ? 0 : reader.double()
    for (let left = count; left > 0; left--) {
      const id = reader.varint()
      const turnMs = reader.varint()
      line.#waiting.push({ id, turnMs, ...readReads(reader) })
    }
    const first = line.#waiting.shift()
    if (first !== undefined) line.#turn = turnOf(first, until)
    return line
  }
}

function turnOf(reservation: Reservation, until: number): Turn {
  const points = new Map<RelationId, Set<Key>>()
  for (const { relation, key } of reservation.points) {
    const keys = points.get(relation)
    if (keys === undefined) points.set(relation, new Set([key]))
    else keys.add(key)
  }
  return { reservation, until, points }
}

function covers(range: RangeRead, relation: RelationId, partition: PartitionId, key: Key): boolean {
  if (range.relation !== relation) return false
  if (range.partitions !== null && !range.partitions.includes(partition)) return false
  return (range.from === null || key >= range.from) && (range.to === null || key < range.to)
}
