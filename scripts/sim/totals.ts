import { storm } from '@cluster/testkit'
import type { Happenings, SeedReport } from '../../packages/node/test/sim/report.ts'

interface Count {
  total: number
  /** Seeds in which it happened. */
  seeds: number
}

/** Only these suites can show it; all others every suite can. */
const onlyIn: Readonly<Record<string, string>> = {
  takeOvers: 'distribution',
  lossesBeyond: 'distribution',
  killCopier: 'distribution',
  killSource: 'distribution',
  bundles: 'serializer',
  bundlesRefused: 'serializer',
  repeated: 'serializer',
  forks: 'serializer',
}
/** In fewer seeds than this something counts as rare. */
const RARE = 0.01

/** Sums of what happened over all seeds. */
export class Totals {
  readonly #faults = new Map<string, Count>()
  readonly #happenings = new Map<string, Count>()
  readonly #errors = new Map<string, number>()
  readonly #seedsBySuite = new Map<string, number>()
  #virtualMs = 0
  #events = 0
  #cpuMs = 0
  #called = 0
  #acknowledged = 0
  #unknown = 0

  constructor() {
    for (const kind of Object.keys(storm)) this.#faults.set(kind, { total: 0, seeds: 0 })
  }

  add(report: SeedReport, cpuMs: number): void {
    this.#seedsBySuite.set(report.suite, (this.#seedsBySuite.get(report.suite) ?? 0) + 1)
    this.#virtualMs += report.virtualMs
    this.#events += report.events
    this.#cpuMs += cpuMs
    this.#called += report.operations.called
    this.#acknowledged += report.operations.acknowledged
    this.#unknown += report.operations.unknown
    const bump = (counts: Map<string, Count>, name: string, by: number): void => {
      const count = counts.get(name) ?? { total: 0, seeds: 0 }
      counts.set(name, count)
      count.total += by
      if (by > 0) count.seeds++
    }
    for (const [kind, by] of Object.entries(report.faults)) bump(this.#faults, kind, by)
    for (const [name, by] of Object.entries(report.happenings) as [keyof Happenings, number][])
      if (onlyIn[name] === undefined || onlyIn[name] === report.suite) bump(this.#happenings, name, by)
    for (const [code, by] of Object.entries(report.errors))
      this.#errors.set(code, (this.#errors.get(code) ?? 0) + by)
  }

  get seeds(): number {
    let sum = 0
    for (const count of this.#seedsBySuite.values()) sum += count
    return sum
  }

  /** What happened in less than one seed of a hundred; nothing for fewer than 100 seeds. */
  rare(): string[] {
    return [...this.#faults, ...this.#happenings].flatMap(([name, { seeds }]) => {
      const suite = onlyIn[name]
      const of = suite === undefined ? this.seeds : (this.#seedsBySuite.get(suite) ?? 0)
      return of >= 100 && seeds < of * RARE ? [`${name} in ${seeds} of ${of} seeds`] : []
    })
  }

  lines(): string[] {
    const list = (counts: Map<string, Count>): string[] =>
      [...counts]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(
          ([name, { total, seeds }]) =>
            `  ${name.padEnd(20)} ${String(total).padStart(9)}  in ${seeds} seeds`,
        )
    const { seeds } = this
    return [
      'faults',
      ...list(this.#faults),
      'happenings',
      ...list(this.#happenings),
      'errors that clients met',
      ...[...this.#errors]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([code, n]) => `  ${code.padEnd(20)} ${String(n).padStart(9)}`),
      `${this.#called} operations, ${this.#acknowledged} acknowledged, ${this.#unknown} unknown`,
      `${Math.round(this.#virtualMs / 1_000)} virtual seconds, ${this.#events} events, ${(this.#cpuMs / 1_000).toFixed(1)} processor seconds, ${(this.#cpuMs / 1_000 / Math.max(1, seeds)).toFixed(2)} a seed`,
    ]
  }

  toJSON(): unknown {
    return {
      seeds: Object.fromEntries(this.#seedsBySuite),
      faults: Object.fromEntries(this.#faults),
      happenings: Object.fromEntries(this.#happenings),
      errors: Object.fromEntries(this.#errors),
      operations: { called: this.#called, acknowledged: this.#acknowledged, unknown: this.#unknown },
      virtualMs: this.#virtualMs,
      events: this.#events,
      cpuMs: Math.round(this.#cpuMs),
      rare: this.rare(),
    }
  }
}
