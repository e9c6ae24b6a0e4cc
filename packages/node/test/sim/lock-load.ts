import {
  assert,
  below,
  chance,
  type Database,
  delay,
  type HeldLock,
  hash32,
  pick,
  type RelationId,
  relationId,
} from '@cluster/core'
import {
  addressOf,
  JOURNAL,
  judgeSet,
  type Load,
  type Named,
  type OpenDatabase,
  type SetInput,
  type Told,
  type World,
} from '@cluster/testkit'
import type { DatabaseApp } from './database-app.ts'

export const LOCKED_SETS: RelationId = relationId(26)

/** Each is one row, which is read, changed in memory and written whole: whoever does that alone loses nothing. */
const SETS = ['a', 'b', 'c'] as const
const DEADLINE = { deadlineMs: 4_000 } as const
/** Longer than a lease, now and then. */
const THINK_MS_MAX = 900

export interface LockInput extends Named {
  readonly set: string
  readonly what: 'add' | 'read' | 'break'
  /** Between reading the set and writing it. */
  readonly thinkMs: number
}

export interface LockOutput {
  /** Of the lock, for who added. */
  readonly token: number | null
  /** For who read. */
  readonly elements: readonly string[] | null
}

/** One more lock that some of those who add take first; null for the others. */
function otherOf(name: string, set: string): string | null {
  const luck = hash32(`other ${name}`)
  if (luck % 4 > 0) return null
  const others = SETS.filter((each) => each !== set)
  return others[(luck >> 2) % others.length] ?? null
}

/** The elements of a set, read by itself. */
async function read(database: Database, set: string): Promise<readonly string[]> {
  const transaction = await database.begin({ ...DEADLINE, readOnly: true })
  try {
    const row = await transaction.get(addressOf(database, LOCKED_SETS, set))
    const text = row?.[1] ?? ''
    return text === '' ? [] : String(text).split(' ')
  } finally {
    transaction.rollback()
  }
}

/**
 * Sets that a lock protects and nothing else: what is read and what is written are transactions of their own, and the
 * second one reads nothing, so nobody but the fence refuses who writes what is out of date. Nobody looks whether the lock
 * is lost.
 */
export class LockLoad implements Load<DatabaseApp, LockInput, LockOutput> {
  readonly #open: OpenDatabase<DatabaseApp>
  readonly #world: World
  readonly #last = new Map<string, { readonly held: HeldLock; readonly app: DatabaseApp }>()

  constructor(open: OpenDatabase<DatabaseApp>, world: World) {
    this.#open = open
    this.#world = world
  }

  next(name: string, _client: string, random: World['random']): LockInput {
    const set = pick(random, SETS)
    if (chance(random, 0.04)) return { name, set, what: 'break', thinkMs: 0 }
    if (chance(random, 0.2)) return { name, set, what: 'read', thinkMs: 0 }
    const thinkMs = chance(random, 0.7) ? below(random, 60) : below(random, THINK_MS_MAX)
    return { name, set, what: 'add', thinkMs }
  }

  last(name: string): LockInput {
    return { name, set: 'a', what: 'add', thinkMs: 0 }
  }

  closing(name: string): readonly LockInput[] {
    return SETS.map((set) => ({ name: `${name} ${set}`, set, what: 'read', thinkMs: 0 }))
  }

  writes({ what }: LockInput): boolean {
    return what === 'add'
  }

  async perform(app: DatabaseApp, { name, set, what, thinkMs }: LockInput): Promise<LockOutput> {
    const { locks } = app.node
    assert(locks !== null, 'who holds data has locks')
    const database = await this.#open(app)
    if (what === 'read') return { token: null, elements: await read(database, set) }
    if (what === 'break') {
      await locks.break(set, 'to see what comes of it')
      return { token: null, elements: null }
    }
    const owner = {}
    const other = otherOf(name, set)
    // Two locks, in any order: who waits for the second one waits as long as it takes, and must not do so for ever.
    await using _first = other === null ? null : await locks.acquire(other, { owner, timeoutMs: 5_000 })
    const patience = other === null ? { timeoutMs: 5_000 } : {}
    await using held = await locks.acquire(set, { owner, ...patience })
    this.#alone(set, app, held)
    const before = await read(database, set)
    if (thinkMs > 0) await delay(app.clock, thinkMs)
    const transaction = await database.begin({ ...DEADLINE, optimistic: true })
    transaction.put(addressOf(database, LOCKED_SETS, set), [set, [...before, name].join(' ')])
    transaction.put(addressOf(database, JOURNAL, name), [name])
    await transaction.commit({ ...DEADLINE, requires: [held.fence] })
    return { token: held.token, elements: null }
  }

  /** Whoever had the lock before must not take it for its own any more, if its process is there still. */
  #alone(set: string, app: DatabaseApp, held: HeldLock): void {
    const last = this.#last.get(set)
    this.#last.set(set, { held, app })
    if (last === undefined) return
    const runs = this.#world.nodes.some((node) => node.running && node.app === last.app)
    if (runs && last.held.held)
      this.#world.fail(
        new Error(
          `${app.node.log.self} has the lock ${set} with ${held.token}, and ${last.app.node.log.self} with ${last.held.token}`,
        ),
      )
  }

  judge({ history, rejected }: Told<LockInput, LockOutput>): string | null {
    const tokens: {
      readonly set: string
      readonly token: number
      readonly from: number
      readonly to: number
    }[] = []
    for (const { input, callTime, end } of history)
      if (end?.output.token != null)
        tokens.push({ set: input.set, token: end.output.token, from: callTime, to: end.time })
    tokens.sort((a, b) => a.token - b.token)
    let before = Number.NEGATIVE_INFINITY
    // Later tokens last: none of them may belong to who was done before an earlier one began.
    for (const [i, { token, to, from }] of tokens.entries()) {
      if (tokens[i - 1]?.token === token) return `two had the token ${token}`
      if (to < before) return `the token ${token} is greater than one of somebody who came later`
      before = Math.max(before, from)
    }
    for (const set of SETS) {
      const asSet = ({ name, what }: LockInput): SetInput => ({ name, add: what === 'add' ? name : null })
      const problem = judgeSet({
        history: history
          .filter(({ input }) => input.set === set && input.what !== 'break')
          .map(({ input, end, ...call }) => ({
            ...call,
            input: asSet(input),
            end: end === null ? null : { ...end, output: end.output.elements },
          })),
        rejected: rejected.filter((input) => input.set === set && input.what === 'add').map(asSet),
      })
      if (problem !== null) return problem
    }
    return null
  }

  /** Every write is an element of one set, once. Null, or what is wrong. */
  async audit(app: DatabaseApp, journal: readonly string[]): Promise<string | null> {
    const database = await this.#open(app)
    const all: string[] = []
    for (const set of SETS) all.push(...(await read(database, set)))
    const there = new Set(all)
    if (there.size < all.length) return 'an element is in the sets twice'
    const lost = journal.filter((name) => !there.has(name))
    if (lost.length > 0) return `${lost.length} elements were overwritten: ${lost.slice(0, 5).join(', ')}`
    return there.size > journal.length ? 'there is an element that nobody wrote' : null
  }
}
