import { type Dependency, DependencyGraph, type DependencyKind } from './dependency-graph.ts'
import type { Operation } from './linearizability.ts'

/** One step of a transaction over lists. */
export type ListStep = { readonly read: string } | { readonly append: string; readonly value: string }

export interface ListTransaction {
  /** In this order. Every value is appended by one transaction, once. */
  readonly steps: readonly ListStep[]
}

/** For every step what was read, oldest first; null for a step that appends. */
export type ListResults = readonly (readonly string[] | null)[]

/**
 * - `internal`: a transaction contradicts itself;
 * - `garbage`, `duplicate`, `incompatible order`: no order of appends gives these lists;
 * - `G1a`: something of a transaction that failed was read; `G1b`: something in the middle of one;
 * - `G0`, `G1c`, `G-single`, `G2`: cycles of writes alone; of writes and reads; with one read that was overwritten; with several;
 * - the same with `-realtime`: with transactions that had ended before others were called.
 */
export type ListAnomalyKind =
  | 'internal'
  | 'garbage'
  | 'duplicate'
  | 'incompatible order'
  | 'G1a'
  | 'G1b'
  | CycleKind

type CycleKind = 'G0' | 'G1c' | 'G-single' | 'G2' | `${'G0' | 'G1c' | 'G-single' | 'G2'}-realtime`

export interface ListAnomaly {
  readonly kind: ListAnomalyKind
  readonly what: string
}

export interface ListHistory {
  /** Acknowledged, or with an unknown end. */
  readonly history: readonly Operation<ListTransaction, ListResults>[]
  /** Transactions that certainly did not happen. */
  readonly rejected: readonly ListTransaction[]
}

type ListOperation = Operation<ListTransaction, ListResults>

interface Appended {
  readonly by: number
  readonly key: string
  /** A later append of the same transaction to the same list follows. */
  readonly intermediate: boolean
}

/**
 * Looks for every anomaly of Adya, and for violations of the order of real time, in transactions that append to and
 * read lists: a list shows the order of its writes, so dependencies are seen, not guessed. No anomaly means that
 * the history is strictly serializable as far as it was observed.
 * @see Adya, Liskov, O'Neil 2000 (the anomalies); Kingsbury and Alvaro 2020 (Elle: lists show the order)
 */
export function checkListAppend({ history, rejected }: ListHistory): readonly ListAnomaly[] {
  const check = new ListCheck(history, rejected)
  return check.run()
}

class ListCheck {
  readonly #anomalies: ListAnomaly[] = []
  readonly #transactions: readonly ListOperation[]
  readonly #failed = new Set<string>()
  readonly #appended = new Map<string, Appended>()
  readonly #longest = new Map<string, readonly string[]>()
  readonly #graph = new DependencyGraph()

  constructor(history: readonly ListOperation[], rejected: readonly ListTransaction[]) {
    for (const { steps } of rejected)
      for (const step of steps) if ('append' in step) this.#failed.add(step.value)
    const seen = new Set<string>()
    for (const { end } of history)
      for (const list of end?.output ?? []) for (const value of list ?? []) seen.add(value)
    // An unknown transaction of which something was seen did happen; one of which nothing was seen says nothing.
    this.#transactions = history.filter(
      ({ end, input }) =>
        end !== null || input.steps.some((step) => 'append' in step && seen.has(step.value)),
    )
    for (const [by, { input }] of this.#transactions.entries())
      for (const [at, step] of input.steps.entries()) {
        if (!('append' in step)) continue
        const intermediate = input.steps
          .slice(at + 1)
          .some((later) => 'append' in later && later.append === step.append)
        this.#appended.set(step.value, { by, key: step.append, intermediate })
      }
  }

  run(): readonly ListAnomaly[] {
    for (const { read, by } of this.#reads()) this.#checkRead(by, read.key, read.list)
    for (const [by, transaction] of this.#transactions.entries()) this.#checkInternal(by, transaction)
    this.#orderVersions()
    // Without an order of the writes there is nothing to build upon.
    if (this.#anomalies.length > 0) return this.#anomalies
    this.#relate()
    this.#relateByTime()
    this.#findCycles()
    return this.#anomalies
  }

  #name(by: number): string {
    const transaction = this.#transactions[by]
    if (transaction === undefined) return `T${by}`
    const { input, end, client } = transaction
    const steps = input.steps.map((step, at) =>
      'append' in step
        ? `append ${step.append} ${step.value}`
        : `read ${step.read} ${end ? `[${end.output[at]?.join(' ') ?? ''}]` : '?'}`,
    )
    return `T${by} (${client}: ${steps.join(', ')})`
  }

  #report(kind: ListAnomalyKind, what: string): void {
    this.#anomalies.push({ kind, what })
  }

  /** Every read, without what the transaction itself had appended before. */
  *#reads(): Iterable<{ by: number; read: { key: string; list: readonly string[] } }> {
    for (const [by, { input, end }] of this.#transactions.entries()) {
      if (end === null) continue
      for (const [at, step] of input.steps.entries()) {
        const list = 'read' in step ? end.output[at] : null
        if (list == null || !('read' in step)) continue
        const own = ownBefore(input, at, step.read)
        yield { by, read: { key: step.read, list: list.slice(0, list.length - own.length) } }
      }
    }
  }

  #checkRead(by: number, key: string, list: readonly string[]): void {
    if (new Set(list).size !== list.length)
      this.#report('duplicate', `${this.#name(by)} read a value twice in ${key}`)
    for (const [at, value] of list.entries()) {
      const appended = this.#appended.get(value)
      if (this.#failed.has(value))
        this.#report('G1a', `${this.#name(by)} read ${value}, whose transaction failed`)
      else if (appended === undefined || appended.key !== key)
        this.#report('garbage', `${this.#name(by)} read ${value} in ${key}, which nobody appended there`)
      else if (appended.by !== by && appended.intermediate && at === list.length - 1)
        this.#report('G1b', `${this.#name(by)} read ${key} in the middle of ${this.#name(appended.by)}`)
    }
    if (list.length > (this.#longest.get(key)?.length ?? -1)) this.#longest.set(key, list)
  }

  /** What a transaction appended it reads at the end, and two reads of one list differ by that alone. */
  #checkInternal(by: number, { input, end }: ListOperation): void {
    if (end === null) return
    const first = new Map<string, readonly string[]>()
    for (const [at, step] of input.steps.entries()) {
      const list = 'read' in step ? end.output[at] : null
      if (list == null || !('read' in step)) continue
      const own = ownBefore(input, at, step.read)
      const tail = list.slice(list.length - own.length)
      const base = list.slice(0, list.length - own.length)
      const known = first.get(step.read) ?? base
      first.set(step.read, known)
      if (tail.join() !== own.join() || known.join() !== base.join())
        this.#report('internal', `${this.#name(by)} contradicts itself about ${step.read}`)
    }
  }

  #orderVersions(): void {
    for (const { by, read } of this.#reads()) {
      const longest = this.#longest.get(read.key) ?? []
      if (read.list.some((value, at) => longest[at] !== value))
        this.#report(
          'incompatible order',
          `${this.#name(by)} read ${read.key} as [${read.list.join(' ')}], somebody else as [${longest.join(' ')}]`,
        )
    }
  }

  #relate(): void {
    const writerOf = (value: string | undefined): number | undefined =>
      value === undefined ? undefined : this.#appended.get(value)?.by
    for (const [key, list] of this.#longest)
      for (let at = 1; at < list.length; at++)
        this.#add(
          'ww',
          writerOf(list[at - 1]),
          writerOf(list[at]),
          `${list[at]} follows ${list[at - 1]} in ${key}`,
        )
    /** Appends that were acknowledged, or must have happened, and are in no list that was read. */
    const unread = new Map<string, { readonly value: string; readonly by: number }[]>()
    for (const [value, { key, by }] of this.#appended) {
      if (this.#longest.get(key)?.includes(value) === true) continue
      const values = unread.get(key) ?? []
      unread.set(key, values)
      values.push({ value, by })
    }
    for (const [key, values] of unread)
      for (const { value, by } of values) {
        const newest = this.#longest.get(key)?.at(-1)
        this.#add('ww', writerOf(newest), by, `${value} follows ${newest} in ${key}, unread`)
      }
    for (const { by, read } of this.#reads()) {
      const { key, list } = read
      const longest = this.#longest.get(key) ?? []
      this.#add('wr', writerOf(list.at(-1)), by, `it read ${list.at(-1)} in ${key}`)
      const next = longest[list.length]
      if (next !== undefined) this.#add('rw', by, writerOf(next), `it did not see ${next} in ${key}`)
      else
        for (const { value, by: writer } of unread.get(key) ?? [])
          this.#add('rw', by, writer, `it did not see ${value} in ${key}`)
    }
  }

  #add(kind: DependencyKind, from: number | undefined, to: number | undefined, because: string): void {
    if (from !== undefined && to !== undefined) this.#graph.add({ from, to, kind, because })
  }

  /** Whoever had ended before another was called; what follows from two of these is left out. */
  #relateByTime(): void {
    const moments = this.#transactions.flatMap(({ callTime, end }, by) => [
      { time: callTime, call: true, by },
      ...(end === null ? [] : [{ time: end.time, call: false, by }]),
    ])
    // At one time calls come before ends: the two may have overlapped.
    moments.sort((a, b) => a.time - b.time || Number(b.call) - Number(a.call))
    /** The last that ended, none of which precedes another. */
    let ended: number[] = []
    const before = new Map<number, readonly number[]>()
    for (const { call, by } of moments) {
      if (call) {
        before.set(by, ended)
        for (const earlier of ended) this.#add('rt', earlier, by, 'it had ended before')
      } else {
        const precede = new Set(before.get(by))
        ended = [...ended.filter((each) => !precede.has(each)), by]
      }
    }
  }

  #findCycles(): void {
    const writes: readonly DependencyKind[] = ['ww']
    const told: readonly DependencyKind[] = ['ww', 'wr']
    this.#findCycle('G0', writes, null)
    this.#findCycle('G1c', told, 'wr')
    this.#findCycle('G-single', told, 'rw')
    this.#findCycle('G2', [...told, 'rw'], 'rw')
    this.#findCycle('G0-realtime', [...writes, 'rt'], 'rt')
    this.#findCycle('G1c-realtime', [...told, 'rt'], 'wr')
    this.#findCycle('G-single-realtime', [...told, 'rt'], 'rw')
    this.#findCycle('G2-realtime', [...told, 'rw', 'rt'], 'rw')
  }

  /** A cycle with one edge of the kind `through` (or any) that is closed by edges of `kinds`; told once. */
  #findCycle(kind: CycleKind, kinds: readonly DependencyKind[], through: DependencyKind | null): void {
    // Whatever a weaker kind explains already is not told again as a stronger one.
    if (this.#anomalies.some((anomaly) => `${anomaly.kind}-realtime` === kind || weaker(anomaly.kind, kind)))
      return
    const closing = new Set(kinds)
    const all = new Set(through === null ? kinds : [...kinds, through])
    let shortest: Dependency[] | null = null
    for (const component of this.#graph.components(all)) {
      const within = new Set(component)
      for (const node of component)
        for (const edge of this.#graph.from(node)) {
          if (!within.has(edge.to) || (through === null ? !closing.has(edge.kind) : edge.kind !== through))
            continue
          const back = this.#graph.path(edge.to, edge.from, within, closing)
          if (back !== null && (shortest === null || back.length + 1 < shortest.length))
            shortest = [edge, ...back]
        }
    }
    if (shortest === null) return
    const [first] = shortest
    const ways = shortest.map((edge) => `\n  before ${this.#name(edge.to)} (${edge.kind}: ${edge.because})`)
    this.#report(kind, `${this.#name(first?.from ?? 0)} comes before itself:${ways.join('')}`)
  }
}

const STRENGTH: readonly ListAnomalyKind[] = ['G0', 'G1c', 'G-single', 'G2']

/** True when a cycle of the one kind is a cycle of the other, too. */
function weaker(found: ListAnomalyKind, other: CycleKind): boolean {
  const plain = other.replace('-realtime', '') as ListAnomalyKind
  const at = STRENGTH.indexOf(found.replace('-realtime', '') as ListAnomalyKind)
  const isWeaker = at >= 0 && at < STRENGTH.indexOf(plain)
  return isWeaker && (!found.endsWith('-realtime') || other.endsWith('-realtime'))
}

/** What the transaction appended to the list before that step. */
function ownBefore({ steps }: ListTransaction, at: number, key: string): readonly string[] {
  return steps.slice(0, at).flatMap((step) => ('append' in step && step.append === key ? [step.value] : []))
}
