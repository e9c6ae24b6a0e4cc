import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CalledProcess } from '@cluster/testkit'
import type { Lan, LanHost } from '../lan/lan.ts'
import type { ActorOptions, Statement, Status, Tick, TookOver } from './protocol.ts'

const ACTOR = fileURLToPath(new URL('./actor.ts', import.meta.url))

export interface SceneOptions {
  readonly nodes: number
  readonly redundancy: number
  /** Nodes left at the end. */
  readonly downTo: number
  readonly seed: number
  /** Each killed node is started again, with its data, before the next one is killed. */
  readonly restart: boolean
}

const ROWS = 10
const WAIT_MS_MAX = 15_000
const POLL_MS = 20
const TICK_MS = 5
/** Writes of the client before each kill and after the last, so that every kill falls into full flow. */
const TICKS_BETWEEN = 40
const GAP_MS_MAX = 1000

/** Plays the scene and tells what happens. @returns true when everything held */
export async function playScene(options: SceneOptions, folder: string, lan: Lan | null): Promise<boolean> {
  const startedAt = Date.now()
  const say = (text: string): void =>
    console.log(`${((Date.now() - startedAt) / 1000).toFixed(2).padStart(6)} s  ${text}`)
  const actors: Actor[] = []
  try {
    say(`seed ${options.seed}`)
    await open(options, folder, lan, actors, say)
    const stage = new Stage(options, actors, say)
    await stage.createAndInsert()
    await stage.showHolders()
    await stage.killOneAfterAnother()
    if (options.restart) await stage.showHolders()
    say('everything held')
    return true
  } catch (error) {
    say(`FAILED: ${error instanceof Error ? error.message : String(error)}`)
    return false
  } finally {
    await Promise.all(actors.map((actor) => actor.stop()))
  }
}

/** Starts the nodes; they are put into `actors` at once, so that whatever happens somebody stops them. */
async function open(
  { nodes, redundancy }: SceneOptions,
  folder: string,
  lan: Lan | null,
  actors: Actor[],
  say: (text: string) => void,
): Promise<void> {
  const firstPort = 20_000 + (process.pid % 20_000)
  const seeds = lan ? [] : Array.from({ length: nodes }, (_, i) => `127.0.0.1:${firstPort + i}`)
  for (let i = 0; i < nodes; i++) {
    const label = `node ${i + 1}`
    const listen = lan ? null : [`127.0.0.1:${firstPort + i}`]
    const data = join(folder, String(i + 1))
    actors.push(
      new Actor(label, lan?.hosts[i] ?? null, { name: 'scene', data, listen, seeds, redundancy }, say),
    )
  }
  await Promise.all(actors.map((actor) => actor.ready()))
}

/** One node in a process of its own. */
class Actor extends CalledProcess {
  /** Another process with the same host, address and data. */
  readonly again: () => Actor
  readonly #say: (text: string) => void

  constructor(label: string, host: LanHost | null, options: ActorOptions, say: (text: string) => void) {
    const args = [
      '--conditions=source',
      '--disable-warning=ExperimentalWarning',
      ACTOR,
      JSON.stringify(options),
    ]
    super(
      label,
      host?.command(process.execPath, args) ?? { program: process.execPath, args },
      (event, data) => {
        if (event === 'tookOver') say(tookOverText(label, data as TookOver))
        else say(`${label} ${String(data)}`)
      },
    )
    this.again = () => new Actor(label, host, options, say)
    this.#say = say
  }

  async ready(): Promise<void> {
    const { id, addresses } = await this.call<{ id: string; addresses: string[] }>('ready')
    this.#say(`${this.label} is ready: process ${this.pid}, ${id.slice(-8)}, ${addresses[0] ?? 'no address'}`)
  }

  status(): Promise<Status> {
    return this.call('status')
  }

  sql(text: string, params: readonly (string | number)[] = []): Promise<readonly (readonly unknown[])[]> {
    return this.call('sql', { text, params } satisfies Statement)
  }
}

function tookOverText(label: string, { partitions, rows, from, source }: TookOver): string {
  const what = `${partitions.length === 1 ? 'partition' : 'partitions'} ${partitions.join(', ')} (${rows} ${rows === 1 ? 'row' : 'rows'})`
  const copied = source === null ? '' : `, copied from ${source.slice(-8)}`
  return from === null
    ? `${label} now holds ${what}${copied}`
    : `${label} took over ${what} from ${from.slice(-8)}${copied}`
}

/** The acts of the scene. */
class Stage {
  readonly #options: SceneOptions
  readonly #say: (text: string) => void
  readonly #all: Actor[]
  /** In the order of their death; the last ones survive. */
  readonly #order: readonly Actor[]
  /** How many rows the table should have. */
  #rows = 0

  /** @param actors a node that is started again takes the place of the one that was killed */
  constructor(options: SceneOptions, actors: Actor[], say: (text: string) => void) {
    this.#options = options
    this.#all = actors
    this.#order = shuffled(actors, options.seed)
    this.#say = say
  }

  async createAndInsert(): Promise<void> {
    const [first, second = first] = this.#all
    if (!first || !second) throw new Error('no nodes')
    await this.#until('all nodes are voters and every partition has its copies', (statuses) =>
      statuses.every(
        ({ voters, underReplicated }) => voters === Math.min(5, this.#all.length) && underReplicated === 0,
      ),
    )
    await first.sql('CREATE TABLE items (id integer PRIMARY KEY, name text NOT NULL)')
    await second.sql('CREATE TABLE ticks (id integer PRIMARY KEY)')
    this.#say(`created a table on ${first.label} and one on ${second.label}`)
    const values = Array.from({ length: ROWS }, (_, i) => `(${i + 1}, 'item ${i + 1}')`).join(', ')
    await first.sql(`INSERT INTO items (id, name) VALUES ${values}`)
    this.#rows = ROWS
    this.#say(`inserted ${ROWS} rows on ${first.label}`)
    await this.#readEverywhere()
  }

  /** Which nodes hold each row: as the log has it, and as the nodes' own storage has it. */
  async showHolders(): Promise<void> {
    const deadline = Date.now() + WAIT_MS_MAX
    for (;;) {
      // Replicas may still move to nodes that came last: the record and the storages are of one moment then only when
      // nothing moved between two looks at the record.
      const before = await this.#recorded()
      const stored = await this.#stored()
      const recorded = await this.#recorded()
      const problem = same(before, recorded) ? this.#differ(recorded, stored) : 'the record keeps changing'
      if (problem === null) {
        for (const [id, holders] of recorded)
          this.#say(`row ${String(id).padStart(2)} lives on ${holders.join(', ')}`)
        return
      }
      if (Date.now() > deadline) throw new Error(problem)
      await pause()
    }
  }

  /** Labels of the nodes that hold each of the first rows completely, by the log. */
  async #recorded(): Promise<ReadonlyMap<number, readonly string[]>> {
    const labels = new Map<string, string>()
    for (const actor of this.#all) labels.set((await actor.status()).id, actor.label)
    const rows = await this.#first().sql(
      `SELECT i.id, r.node FROM items i JOIN cluster_replicas r ON r.partition = cluster_partition_of('items', i.id)
       WHERE r.complete AND i.id <= $1`,
      [ROWS],
    )
    const holders = new Map<number, string[]>()
    for (let id = 1; id <= ROWS; id++) holders.set(id, [])
    for (const [id, node] of rows) holders.get(Number(id))?.push(labels.get(String(node)) ?? 'a stranger')
    for (const each of holders.values()) each.sort()
    return holders
  }

  /** Ids of the rows in the storage of each node, by its label. */
  async #stored(): Promise<ReadonlyMap<string, ReadonlySet<number>>> {
    const stored = new Map<string, ReadonlySet<number>>()
    for (const actor of this.#all)
      stored.set(actor.label, new Set(await actor.call<number[]>('storedRows', 'items')))
    return stored
  }

  /** What is wrong with who has which row; null when all is well. */
  #differ(
    recorded: ReadonlyMap<number, readonly string[]>,
    stored: ReadonlyMap<string, ReadonlySet<number>>,
  ): string | null {
    for (const [id, holders] of recorded) {
      if (holders.length !== this.#options.redundancy) return `row ${id} has ${holders.length} holders`
      for (const [label, ids] of stored)
        if (ids.has(id) !== holders.includes(label))
          return `the storage of ${label} ${ids.has(id) ? 'has' : 'does not have'} row ${id}, against the record`
    }
    return null
  }

  #first(): Actor {
    const [first] = this.#alive()
    if (!first) throw new Error('no node is left')
    return first
  }

  async killOneAfterAnother(): Promise<void> {
    const witness = this.#order[this.#order.length - 1]
    if (!witness) return
    await witness.call('startTicking', TICK_MS)
    this.#say(`a client on ${witness.label} writes a row every ${TICK_MS} ms`)
    const kills: { label: string; at: number }[] = []
    const { restart, downTo } = this.#options
    for (const victim of this.#order.slice(0, this.#order.length - (restart ? 1 : downTo))) {
      await this.#tickOn(witness)
      const status = await witness.status()
      const { id } = await victim.status()
      const role = status.leader === id ? ', the leader' : ''
      kills.push({ label: victim.label, at: Date.now() })
      await victim.kill()
      this.#say(`killed ${victim.label}${role} (kill -9, process ${victim.pid} is gone)`)
      await this.#untilRepaired((alive) => `${alive} left have repaired what was lost`)
      await this.#readEverywhere()
      await this.#writeOneMore()
      if (!restart) continue
      const again = victim.again()
      this.#all[this.#all.indexOf(victim)] = again
      await again.ready()
      await this.#untilRepaired((alive) => `${again.label} is back, and all ${alive} agree`)
      await this.#readEverywhere()
      await this.#writeOneMore()
    }
    await this.#tickOn(witness)
    await this.#reportGaps(await witness.call<readonly Tick[]>('stopTicking'), kills, witness)
  }

  async #untilRepaired(what: (alive: number) => string): Promise<void> {
    const alive = this.#alive().length
    await this.#until(what(alive), (statuses) =>
      statuses.every(
        ({ voters, alive: seen, underReplicated, unavailable }) =>
          voters === Math.min(5, alive) && seen === alive && underReplicated === 0 && unavailable === 0,
      ),
    )
  }

  async #reportGaps(
    ticks: readonly Tick[],
    kills: readonly { label: string; at: number }[],
    witness: Actor,
  ): Promise<void> {
    let worst = 0
    for (const { label, at } of kills) {
      const gap =
        (ticks.find(({ askedAt, doneAt, error }) => error === null && doneAt > at && askedAt >= at)?.doneAt ??
          Number.NaN) - at
      worst = Math.max(worst, Number.isNaN(gap) ? Number.POSITIVE_INFINITY : gap)
      this.#say(`from the kill of ${label} to the next write that began after it: ${gap} ms`)
    }
    const acknowledged = ticks.filter(({ error }) => error === null)
    const slowest = acknowledged.reduce((ms, { askedAt, doneAt }) => Math.max(ms, doneAt - askedAt), 0)
    worst = Math.max(worst, slowest)
    const failed = ticks.filter(({ error }) => error !== null)
    this.#say(
      `${acknowledged.length} writes acknowledged, ${failed.length} failed; the longest took ${slowest} ms; worst gap ${worst} ms`,
    )
    const found = new Set((await witness.sql('SELECT id FROM ticks')).map((row) => row[0]))
    const lost = acknowledged.filter(({ id }) => !found.has(id))
    if (lost.length > 0) throw new Error(`${lost.length} acknowledged writes are lost`)
    if (failed.length > 0) throw new Error(`${failed.length} writes failed, the first: ${failed[0]?.error}`)
    if (worst >= GAP_MS_MAX) throw new Error(`the worst gap is ${worst} ms`)
  }

  async #tickOn(witness: Actor): Promise<void> {
    const { ticks } = await witness.status()
    await this.#until(`the client wrote ${TICKS_BETWEEN} more rows`, (statuses) =>
      statuses.some((status) => status.ticks >= ticks + TICKS_BETWEEN),
    )
  }

  #alive(): readonly Actor[] {
    return this.#all.filter((actor) => !actor.dead)
  }

  async #readEverywhere(): Promise<void> {
    for (const actor of this.#alive()) {
      const rows = await actor.sql('SELECT id, name FROM items ORDER BY id')
      const right =
        rows.length === this.#rows && rows.every((row, i) => row[0] === i + 1 && row[1] === `item ${i + 1}`)
      if (!right)
        throw new Error(`${actor.label} reads ${rows.length} rows of ${this.#rows}: ${JSON.stringify(rows)}`)
      this.#say(`${actor.label} reads all ${rows.length} rows`)
    }
  }

  async #writeOneMore(): Promise<void> {
    const actor = this.#first()
    this.#rows++
    await actor.sql('INSERT INTO items (id, name) VALUES ($1, $2)', [this.#rows, `item ${this.#rows}`])
    this.#say(`${actor.label} wrote row ${this.#rows}`)
  }

  async #until(what: string, holds: (statuses: readonly Status[]) => boolean): Promise<void> {
    const deadline = Date.now() + WAIT_MS_MAX
    for (;;) {
      const statuses = await Promise.all(this.#alive().map((actor) => actor.status()))
      if (holds(statuses)) {
        this.#say(what)
        return
      }
      if (Date.now() > deadline) throw new Error(`not in time: ${what}; ${JSON.stringify(statuses)}`)
      await pause()
    }
  }
}

function same(a: ReadonlyMap<number, readonly string[]>, b: ReadonlyMap<number, readonly string[]>): boolean {
  return [...a].every(([id, holders]) => holders.join() === b.get(id)?.join())
}

const pause = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, POLL_MS)
  })

/** A Fisher–Yates shuffle from a seed (mulberry32). */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const result = [...items]
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1))
    const a = result[i] as T
    result[i] = result[j] as T
    result[j] = a
  }
  return result
}
