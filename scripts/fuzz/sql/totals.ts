import type { RoundReport } from './round.ts'

interface Counts {
  made: number
  executed: number
}

/** What is kept of totals, to go on later. */
export interface TotalsState {
  readonly checks: number
  readonly failures: number
  /** Milliseconds of the processor. */
  readonly cpuMs: number
  readonly kinds: Readonly<Record<string, Counts>>
  readonly refusals: Readonly<Record<string, number>>
}

const percent = (part: number, whole: number): string =>
  `${whole === 0 ? '0.0' : ((part / whole) * 100).toFixed(1)} %`

/** What all rounds together did. */
export class Totals {
  made = 0
  executed = 0
  checks: number
  failures: number
  cpuMs: number
  readonly #kinds: Map<string, Counts>
  readonly #refusals: Map<string, number>

  /** @param state of an earlier run, to go on from */
  constructor(state: TotalsState | null = null) {
    this.checks = state?.checks ?? 0
    this.failures = state?.failures ?? 0
    this.cpuMs = state?.cpuMs ?? 0
    this.#kinds = new Map(Object.entries(state?.kinds ?? {}).map(([kind, counts]) => [kind, { ...counts }]))
    this.#refusals = new Map(Object.entries(state?.refusals ?? {}))
    for (const { made, executed } of this.#kinds.values()) {
      this.made += made
      this.executed += executed
    }
  }

  add({ statements, checks, failures }: RoundReport, cpuMs: number): void {
    this.checks += checks
    this.failures += failures.length
    this.cpuMs += cpuMs
    for (const { kind, sqlstate } of statements) {
      this.made++
      const counts = this.#kinds.get(kind) ?? { made: 0, executed: 0 }
      counts.made++
      if (sqlstate === null) {
        this.executed++
        counts.executed++
      } else this.#refusals.set(sqlstate, (this.#refusals.get(sqlstate) ?? 0) + 1)
      this.#kinds.set(kind, counts)
    }
  }

  get executedShare(): number {
    return this.made === 0 ? 0 : this.executed / this.made
  }

  lines(): string[] {
    const kinds = [...this.#kinds].sort(([, a], [, b]) => b.made - a.made)
    const refused = [...this.#refusals].sort(([, a], [, b]) => b - a)
    const width = Math.max(0, ...kinds.map(([kind]) => kind.length))
    const seconds = this.cpuMs / 1_000
    return [
      ...kinds.map(
        ([kind, { made, executed }]) =>
          `${kind.padEnd(width)} ${percent(made, this.made).padStart(7)} of statements, ${percent(executed, made)} executed`,
      ),
      `refused: ${refused.map(([state, count]) => `${state} ${count}`).join(', ')}`,
      `${this.made} statements, ${percent(this.executed, this.made)} executed, ${this.checks} compared, ${this.failures} failures`,
      `${seconds.toFixed(1)} processor seconds, ${Math.round(this.made / Math.max(seconds, 0.001))} statements in each`,
    ]
  }

  state(): TotalsState {
    const { checks, failures, cpuMs } = this
    return {
      checks,
      failures,
      cpuMs,
      kinds: Object.fromEntries(this.#kinds),
      refusals: Object.fromEntries(this.#refusals),
    }
  }
}
