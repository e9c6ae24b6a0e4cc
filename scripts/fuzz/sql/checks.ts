import { formatValue, type SqlResult } from '@cluster/sql'
import type { Dice } from './dice.ts'
import type { PlainSelect } from './queries.ts'

/** Asks a session; `problem` is set for what is no error of SQL. */
export type Asker = (sql: string) => Promise<{
  readonly result: SqlResult | null
  readonly sqlstate: string | null
  readonly problem: string | null
}>

/** Rows as texts, sorted: their order is not compared. Sums of floats depend on it in their last digits. */
function rowsOf({ columns, rows }: SqlResult): string[] {
  return rows
    .map((row) =>
      row
        .map((value, i) => {
          const type = columns[i]?.type
          if (value === null || type === undefined) return 'NULL'
          if (type.id === 'double' || type.id === 'real') return Number(value).toPrecision(9)
          return formatValue(type, value)
        })
        .join('|'),
    )
    .sort()
}

/** The first row that is in one result alone; null when they are the same. */
export function difference(a: readonly string[], b: readonly string[]): string | null {
  if (a.length === b.length && a.every((row, i) => row === b[i])) return null
  const left = new Map<string, number>()
  for (const row of a) left.set(row, (left.get(row) ?? 0) + 1)
  for (const row of b) left.set(row, (left.get(row) ?? 0) - 1)
  const [row, surplus] = [...left].find(([, count]) => count !== 0) ?? ['', 0]
  return `${a.length} rows against ${b.length}; only the ${surplus > 0 ? 'first' : 'second'} has ${row}`
}

/**
 * An error of data may hide behind another plan, which does not compute the value that cannot be; so may memory and
 * steps that run out.
 */
const dependsOnPlan = (sqlstate: string | null): boolean =>
  sqlstate !== null &&
  (sqlstate.startsWith('22') ||
    sqlstate.startsWith('53') ||
    sqlstate === '21000' ||
    sqlstate === '54000' ||
    sqlstate === '2201B')

/** Asks the same in several ways and compares. */
export class Checks {
  readonly #dice: Dice
  readonly #asked: Asker
  readonly #naive: Asker
  readonly #fail: (problem: string) => void
  made = 0

  constructor(dice: Dice, asked: Asker, naive: Asker, fail: (problem: string) => void) {
    this.#dice = dice
    this.#asked = asked
    this.#naive = naive
    this.#fail = fail
  }

  /** The query as it is written, without indexes and rewriting. */
  async otherPlan(sql: string, result: SqlResult): Promise<void> {
    const { result: other, sqlstate, problem } = await this.#naive(sql)
    if (problem !== null) return this.#fail(`as written: ${problem}`)
    if (other === null) {
      if (!dependsOnPlan(sqlstate)) this.#fail(`as written it is refused with ${sqlstate}`)
      return
    }
    this.made++
    const wrong = difference(rowsOf(result), rowsOf(other))
    if (wrong !== null) this.#fail(`another plan gives other rows: ${wrong}`)
  }

  /** How many rows meet a condition, counted without a plan; null when that cannot be said. */
  async countOf(sql: string): Promise<number | null> {
    const { result, problem } = await this.#naive(sql)
    if (problem !== null) this.#fail(`as written: ${problem}`)
    if (result === null) return null
    this.made++
    return Number(result.rows[0]?.[0])
  }

  /**
   * A condition is true, false or NULL for every row: the three together give all rows (TLP), and it is true
   * as often as it is when it is computed for every row instead of looked for (NoREC).
   * @see Rigger & Su 2020, ternary logic partitioning and non-optimizing reference engine construction
   */
  async partitioned({ items, from, where }: PlainSelect): Promise<void> {
    const head = `SELECT ${items.join(', ')} FROM ${from}`
    const parts = [where, `NOT (${where})`, `(${where}) IS NULL`].map((one) => `${head} WHERE ${one}`)
    const whole = await this.#rows(head)
    if (whole === null) return
    if (this.#dice.chance(50)) {
      const all: string[] = []
      for (const part of parts) {
        const rows = await this.#rows(part)
        if (rows === null) return
        for (const row of rows) all.push(row)
      }
      this.made++
      const wrong = difference(whole, all.sort())
      if (wrong !== null)
        this.#fail(`a condition, its opposite and its being NULL do not give all rows: ${wrong}`)
      return
    }
    const found = await this.#rows(`SELECT count(*) FROM ${from} WHERE ${where}`)
    const counted = await this.#rows(
      `SELECT coalesce(sum(CASE WHEN ${where} THEN 1 ELSE 0 END), 0) FROM ${from}`,
    )
    if (found === null || counted === null) return
    this.made++
    if (found[0] !== counted[0])
      this.#fail(`a condition finds ${found[0]} rows, and is true for ${counted[0]}`)
  }

  async #rows(sql: string): Promise<string[] | null> {
    const { result, problem } = await this.#asked(sql)
    if (problem !== null) this.#fail(`${sql}: ${problem}`)
    return result === null ? null : rowsOf(result)
  }
}
