import { storm } from '@cluster/testkit'
import { nothingHappened, type SeedReport } from '../../packages/node/test/sim/report.ts'

interface Count {
  total: number
  /** Seeds in which it happened. */
  seeds: number
}

type Counts = Record<string, Count>

/** Only these suites can show it; all others every suite can. */
const onlyIn: Readonly<Record<string, readonly string[]>> = {
  takeOvers: ['distribution'],
  lossesBeyond: ['distribution'],
  killCopier: ['distribution'],
  killSource: ['distribution'],
  bundles: ['serializer'],
  bundlesRefused: ['serializer'],
  forks: ['serializer'],
  upgrades: ['serializer'],
  witnessTerms: ['serializer'],
  repeated: ['serializer', 'distribution', 'objects'],
}

/** Struck by the suites themselves, so without a weight in the storm. */
const struck = ['killCopier', 'killSource', 'killJoiner']

/** In fewer seeds than this something counts as rare. */
const RARE = 0.01
/** A larger share of seeds that do not count is a failure by itself. */
const IDLE = 0.05

/** What is kept of totals, to go on later. */
export interface TotalsState {
  readonly faults: Counts
  readonly happenings: Counts
  readonly errors: Record<string, number>
  readonly seedsBySuite: Record<string, number>
  readonly tooLittle: number
  readonly sums: Sums
}

interface Sums {
  virtualMs: number
  events: number
  cpuMs: number
  called: number
  acknowledged: number
  unknown: number
}

const none = (names: readonly string[]): Counts =>
  Object.fromEntries(names.map((name) => [name, { total: 0, seeds: 0 }]))

function bump(counts: Counts, name: string, by: number): void {
  const count = counts[name] ?? { total: 0, seeds: 0 }
  counts[name] = count
  count.total += by
  if (by > 0) count.seeds++
}

/** Sums of what happened over all seeds that count. */
export class Totals {
  readonly #faults: Counts
  readonly #happenings: Counts
  readonly #errors: Record<string, number>
  readonly #seedsBySuite: Record<string, number>
  readonly #sums: Sums
  #tooLittle: number

  /** @param state of an earlier run, to go on from */
  constructor(state: TotalsState | null = null) {
    this.#faults = { ...none([...Object.keys(storm), ...struck]), ...state?.faults }
    this.#happenings = { ...none(Object.keys(nothingHappened)), ...state?.happenings }
    this.#errors = { ...state?.errors }
    this.#seedsBySuite = { ...state?.seedsBySuite }
    this.#tooLittle = state?.tooLittle ?? 0
    this.#sums = state?.sums ?? {
      virtualMs: 0,
      events: 0,
      cpuMs: 0,
      called: 0,
      acknowledged: 0,
      unknown: 0,
    }
  }

  add(report: SeedReport, cpuMs: number): void {
    const sums = this.#sums
    sums.cpuMs += cpuMs
    // Too little happened in it to say anything.
    if (report.problem === null && report.tooLittle !== null) {
      this.#tooLittle++
      return
    }
    this.#seedsBySuite[report.suite] = (this.#seedsBySuite[report.suite] ?? 0) + 1
    sums.virtualMs += report.virtualMs
    sums.events += report.events
    sums.called += report.operations.called
    sums.acknowledged += report.operations.acknowledged
    sums.unknown += report.operations.unknown
    for (const [kind, by] of Object.entries(report.faults)) bump(this.#faults, kind, by)
    for (const [name, by] of Object.entries(report.happenings)) bump(this.#happenings, name, by)
    for (const [code, by] of Object.entries(report.errors))
      this.#errors[code] = (this.#errors[code] ?? 0) + by
  }

  /** Seeds that count. */
  get seeds(): number {
    return Object.values(this.#seedsBySuite).reduce((sum, count) => sum + count, 0)
  }

  /** Seeds that do not. */
  get tooLittle(): number {
    return this.#tooLittle
  }

  /** What happened in less than one seed of a hundred; nothing for fewer than 100 seeds. */
  rare(): string[] {
    const rare = Object.entries({ ...this.#faults, ...this.#happenings }).flatMap(([name, { seeds }]) => {
      const of = this.#seedsThatShow(onlyIn[name])
      return of >= 100 && seeds < of * RARE ? [`${name} in ${seeds} of ${of} seeds`] : []
    })
    const played = this.seeds + this.#tooLittle
    if (played >= 100 && this.#tooLittle > played * IDLE)
      rare.push(`${this.#tooLittle} of ${played} seeds do not count, as too little happened in them`)
    return rare
  }

  /** Seeds of these suites; of all without any. */
  #seedsThatShow(suites: readonly string[] | undefined): number {
    if (suites === undefined) return this.seeds
    return suites.reduce((sum, suite) => sum + (this.#seedsBySuite[suite] ?? 0), 0)
  }

  lines(): string[] {
    const list = (counts: Counts): string[] =>
      Object.entries(counts)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(
          ([name, { total, seeds }]) =>
            `  ${name.padEnd(20)} ${String(total).padStart(9)}  in ${seeds} seeds`,
        )
    const { seeds } = this
    const { called, acknowledged, unknown, virtualMs, events, cpuMs } = this.#sums
    return [
      'faults',
      ...list(this.#faults),
      'happenings',
      ...list(this.#happenings),
      'errors that clients met',
      ...Object.entries(this.#errors)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([code, n]) => `  ${code.padEnd(20)} ${String(n).padStart(9)}`),
      `${called} operations, ${acknowledged} acknowledged, ${unknown} unknown`,
      `${Math.round(virtualMs / 1_000)} virtual seconds, ${events} events, ${(cpuMs / 1_000).toFixed(1)} processor seconds, ${(cpuMs / 1_000 / Math.max(1, seeds + this.#tooLittle)).toFixed(2)} a seed`,
      ...(this.#tooLittle > 0
        ? [`${this.#tooLittle} seeds held and do not count: too little happened in them`]
        : []),
    ]
  }

  state(): TotalsState {
    return {
      faults: this.#faults,
      happenings: this.#happenings,
      errors: this.#errors,
      seedsBySuite: this.#seedsBySuite,
      tooLittle: this.#tooLittle,
      sums: this.#sums,
    }
  }

  toJSON(): unknown {
    return { ...this.state(), rare: this.rare() }
  }
}
