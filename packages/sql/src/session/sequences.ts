import type { Clock, Database, Random, Transaction } from '@cluster/core'
import type { Catalog } from '../catalog/catalog.ts'
import type { SequenceSchema } from '../catalog/schema.ts'
import { readSequence, resetSequence, type SequenceState } from '../catalog/sequence-state.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { SequenceCalls } from '../functions/function.ts'
import { type LocalStore, localOf } from '../local/local-store.ts'
import { inSteps } from './statements/in-steps.ts'

/** Values that are put by at once, at least; twice as many each time, up to the most. */
const BLOCK_MIN = 32
const BLOCK_MAX = 4_096

/** Thrown when a statement needs more values than were put by for it: it begins again with more. */
export class SequenceDryError extends Error {
  override readonly name = 'SequenceDryError'
  readonly sequence: SequenceSchema

  constructor(sequence: SequenceSchema) {
    super(`no values of sequence ${sequence.name} are left`)
    this.sequence = sequence
  }
}

/** Values that nobody has taken yet. */
interface Block {
  next: bigint
  left: number
}

/** The values of one sequence that one node has put by. */
interface Pool {
  /** Of this very definition: another one starts anew. */
  readonly sequence: SequenceSchema
  readonly blocks: Block[]
  available: number
  size: number
  /** What was given out last, here or before anything was put by; null: nothing was put by yet. */
  given: SequenceState | null
  /** The sequence has come to its end. */
  ended: boolean
}

const emptyPool = (sequence: SequenceSchema): Pool => ({
  sequence,
  blocks: [],
  available: 0,
  size: Math.max(BLOCK_MIN, sequence.cache),
  given: null,
  ended: false,
})

export interface SequencePorts {
  readonly database: Database
  readonly catalog: Catalog
  readonly clock: Clock
  readonly random: Random
}

/**
 * Puts values of sequences by, so that taking one costs nothing. Values are taken out of the sequence by transactions of
 * their own and never given back, so no two nodes ever have the same; what a node has put by is lost when it stops.
 */
export class SequencePools {
  readonly #ports: SequencePorts
  readonly #pools = new Map<number, Pool>()
  /** Of sequences that only this transaction knows in this form: it made or changed them. */
  readonly #own = new WeakMap<Transaction, Map<number, Pool>>()
  readonly #filling = new Map<number, Promise<void>>()

  constructor(ports: SequencePorts) {
    this.#ports = ports
  }

  /** The pool that a statement of the transaction takes from; null before it was filled. */
  poolOf(sequence: SequenceSchema, transaction: Transaction): Pool | null {
    const own = this.#own.get(transaction)?.get(sequence.oid)
    if (own?.sequence === sequence) return own
    const pool = this.#pools.get(sequence.oid)
    return pool?.sequence === sequence ? pool : null
  }

  /** Sees to it that so many values are there, unless the sequence ends. Null: they are. */
  ensure(sequence: SequenceSchema, count: number, transaction: Transaction): Promise<void> | null {
    const pool = this.poolOf(sequence, transaction)
    if (pool !== null && (pool.available >= count || pool.ended)) return null
    return this.#fill(sequence, count, transaction)
  }

  /** Forgets what a transaction has put by for itself: its writes were undone. */
  forget(transaction: Transaction): void {
    this.#own.delete(transaction)
  }

  async #fill(sequence: SequenceSchema, count: number, transaction: Transaction): Promise<void> {
    for (;;) {
      const busy = this.#filling.get(sequence.oid)
      if (busy === undefined) break
      await busy
      if (this.ensure(sequence, count, transaction) === null) return
    }
    const work = this.#take(sequence, count, transaction)
    this.#filling.set(
      sequence.oid,
      work.then(
        () => {},
        () => {},
      ),
    )
    try {
      await work
    } finally {
      this.#filling.delete(sequence.oid)
    }
  }

  async #take(sequence: SequenceSchema, count: number, transaction: Transaction): Promise<void> {
    const { catalog, database } = this.#ports
    const key = catalog.keyOf(sequence)
    const shared = this.#shared(sequence)
    const local = sequence.temporary ? localOf(transaction) : null
    if (local !== null)
      return putBy(shared, await draw(shared, count, { database, transaction: apartFrom(local) }))
    const drawn = await inSteps(this.#ports, async (apart) => {
      // What the statement's own transaction has made or changed is not to be seen from outside.
      if ((await catalog.entry(apart, key)) !== sequence) return null
      return draw(shared, count, { database, transaction: apart })
    })
    // Only now, because values count once the transaction that took them out has committed.
    if (drawn !== null) return putBy(shared, drawn)
    const mine = this.#own.get(transaction) ?? new Map<number, Pool>()
    this.#own.set(transaction, mine)
    const known = mine.get(sequence.oid)
    const pool = known?.sequence === sequence ? known : emptyPool(sequence)
    mine.set(sequence.oid, pool)
    putBy(pool, await draw(pool, count, { database, transaction }))
  }

  #shared(sequence: SequenceSchema): Pool {
    const known = this.#pools.get(sequence.oid)
    if (known?.sequence === sequence) return known
    const pool = emptyPool(sequence)
    this.#pools.set(sequence.oid, pool)
    return pool
  }
}

/** Values out of a sequence; `ended` when there are no more. */
interface Drawn {
  readonly blocks: readonly Block[]
  readonly ended: boolean
  /** What the sequence was before. */
  readonly from: SequenceState
}

function putBy(pool: Pool, { blocks, ended: end, from }: Drawn): void {
  if (pool.available === 0) pool.given = from
  for (const block of blocks) {
    pool.blocks.push(block)
    pool.available += block.left
  }
  pool.ended = end
  pool.size = Math.min(pool.size * 2, Math.max(BLOCK_MAX, pool.sequence.cache))
}

/** Takes a block of values out of the sequence; round the end of one that cycles it is two. */
async function draw(
  { sequence, available, size }: Pool,
  count: number,
  reads: { readonly database: Database; readonly transaction: Pick<Transaction, 'get' | 'put' | 'delete'> },
): Promise<Drawn> {
  const increment = BigInt(sequence.increment)
  const rising = increment > 0n
  const [min, max] = [BigInt(sequence.min), BigInt(sequence.max)]
  const state = await readSequence(reads, sequence)
  const blocks: Block[] = []
  let next = BigInt(state.next) + (state.called ? increment : 0n)
  let wanted = Math.max(count - available, size)
  let last: bigint | null = null
  while (wanted > 0) {
    if (rising ? next > max : next < min) {
      if (!sequence.cycle) break
      next = rising ? min : max
    }
    const room = ((rising ? max : min) - next) / increment + 1n
    const left = room < BigInt(wanted) ? Number(room) : wanted
    blocks.push({ next, left })
    wanted -= left
    last = next + increment * BigInt(left - 1)
    next = last + increment
  }
  if (last !== null) resetSequence(reads, sequence, { next: last.toString(), called: true })
  return { blocks, ended: wanted > 0, from: state }
}

/** The store of a session, written whatever becomes of the transaction: values are never given back. */
const apartFrom = (local: LocalStore): Pick<Transaction, 'get' | 'put' | 'delete'> => ({
  get: ({ relation, key }) => Promise.resolve(local.get(relation, key)),
  put: ({ relation, key }, row) => local.set(relation, key, row),
  delete: ({ relation, key }) => local.delete(relation, key),
})

/** What a session knows of the values it took. */
export class SessionSequences {
  readonly #current = new Map<number, bigint>()
  #last: number | null = null

  /** DISCARD SEQUENCES */
  forget(): void {
    this.#current.clear()
    this.#last = null
  }

  note(sequence: SequenceSchema, value: bigint): void {
    this.#current.set(sequence.oid, value)
    this.#last = sequence.oid
  }

  /** After `setval`, which is no `nextval`: `lastval` stays. */
  noteSet(sequence: SequenceSchema, value: bigint): void {
    this.#current.set(sequence.oid, value)
  }

  current({ oid, name }: SequenceSchema): bigint {
    const value = this.#current.get(oid)
    if (value !== undefined) return value
    throw sqlError('55000', `currval of sequence "${name}" is not yet defined in this session`)
  }

  last(): bigint {
    const value = this.#last === null ? undefined : this.#current.get(this.#last)
    if (value !== undefined) return value
    throw sqlError('55000', 'lastval is not yet defined in this session')
  }
}

/** A change of a sequence that takes place when the statement ends. */
export interface PendingSet {
  readonly sequence: SequenceSchema
  readonly value: bigint
  readonly called: boolean
}

/** Sequences as one statement has them. */
export class StatementSequences implements SequenceCalls {
  readonly #pools: SequencePools
  readonly #session: SessionSequences
  readonly #transaction: Transaction
  readonly pending: PendingSet[] = []

  constructor(pools: SequencePools, session: SessionSequences, transaction: Transaction) {
    this.#pools = pools
    this.#session = session
    this.#transaction = transaction
  }

  next(sequence: SequenceSchema): bigint {
    const set = this.pending.find((one) => one.sequence === sequence)
    if (set !== undefined) return this.#behind(set)
    const pool = this.#pools.poolOf(sequence, this.#transaction)
    const [block] = pool?.blocks ?? []
    if (pool === null || block === undefined) {
      if (pool?.ended === true) throw ended(sequence)
      throw new SequenceDryError(sequence)
    }
    const value = block.next
    pool.given = { next: value.toString(), called: true }
    block.next += BigInt(sequence.increment)
    block.left--
    pool.available--
    if (block.left === 0) pool.blocks.shift()
    this.#session.note(sequence, value)
    return value
  }

  /** The value behind what this very statement has set. */
  #behind({ sequence, value, called }: PendingSet): bigint {
    const increment = BigInt(sequence.increment)
    const [min, max] = [BigInt(sequence.min), BigInt(sequence.max)]
    let next = called ? value + increment : value
    if (increment > 0n ? next > max : next < min) {
      if (!sequence.cycle) throw ended(sequence)
      next = increment > 0n ? min : max
    }
    this.set(sequence, next, true)
    this.#session.note(sequence, next)
    return next
  }

  state(sequence: SequenceSchema, stored: SequenceState): SequenceState {
    const pool = this.#pools.poolOf(sequence, this.#transaction)
    if (pool === null || pool.given === null) return stored
    // Only when all behind it is still here: else another node may have given out more.
    const increment = BigInt(sequence.increment)
    let end = BigInt(pool.given.next) - (pool.given.called ? 0n : increment)
    const round = BigInt(increment > 0n ? sequence.min : sequence.max)
    for (const { next, left } of pool.blocks) {
      if (next !== end + increment && !(sequence.cycle && next === round)) return stored
      end = next + increment * BigInt(left - 1)
    }
    return end.toString() === stored.next ? pool.given : stored
  }

  current(sequence: SequenceSchema): bigint {
    return this.#session.current(sequence)
  }

  last(): bigint {
    return this.#session.last()
  }

  set(sequence: SequenceSchema, value: bigint, called: boolean): bigint {
    if (value < BigInt(sequence.min) || value > BigInt(sequence.max))
      throw sqlError(
        SQLSTATE.numericValueOutOfRange,
        `setval: value ${value} is out of bounds for sequence "${sequence.name}" (${sequence.min}..${sequence.max})`,
      )
    const at = this.pending.findIndex((one) => one.sequence === sequence)
    this.pending.splice(at < 0 ? this.pending.length : at, 1, { sequence, value, called })
    if (called) this.#session.noteSet(sequence, value)
    return value
  }
}

const ended = ({ name, increment, max, min }: SequenceSchema) =>
  BigInt(increment) > 0n
    ? sqlError('2200H', `nextval: reached maximum value of sequence "${name}" (${max})`)
    : sqlError('2200H', `nextval: reached minimum value of sequence "${name}" (${min})`)

/** Writes what `setval` asked for. Under a new version of the sequence every node forgets what it has put by. */
export async function applySets(
  pending: readonly PendingSet[],
  { catalog, database }: Pick<SequencePorts, 'catalog' | 'database'>,
  transaction: Transaction,
): Promise<void> {
  for (const { sequence, value, called } of pending) {
    const now = await catalog.entry(transaction, catalog.keyOf(sequence))
    if (now?.kind !== 'sequence') continue
    const changed: SequenceSchema = { ...now, version: await catalog.draw(transaction) }
    catalog.put(transaction, changed)
    resetSequence({ database, transaction }, changed, { next: value.toString(), called })
  }
}
