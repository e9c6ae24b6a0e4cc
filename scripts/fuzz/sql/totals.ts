import type { RoundReport } from './round.ts'

interface Counts {
  made: number
  executed: number
}

const percent = (part: number, whole: number): string =>
  `${whole === 0 ? '0.0' : ((part / whole) * 100).toFixed(1)} %`

/** What all rounds together did. */
export class Totals {
  made = 0
  executed = 0
  checks = 0
  failures = 0
  readonly #kinds = new Map<string, Counts>()
  readonly #refusals = new Map<string, number>()

  add({ statements, checks, failures }: RoundReport): void {
    this.checks += checks
    this.failures += failures.length
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
    return [
      ...kinds.map(
        ([kind, { made, executed }]) =>
          `${kind.padEnd(14)} ${percent(made, this.made).padStart(7)} of statements, ${percent(executed, made)} executed`,
      ),
      `refused: ${refused.map(([state, count]) => `${state} ${count}`).join(', ')}`,
      `${this.made} statements, ${percent(this.executed, this.made)} executed, ${this.checks} compared, ${this.failures} failures`,
    ]
  }
}
