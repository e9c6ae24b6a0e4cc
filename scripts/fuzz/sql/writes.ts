import type { Dice } from './dice.ts'
import { literal, type Visible } from './expressions.ts'
import type { Queries } from './queries.ts'
import type { FuzzColumn, FuzzTable, Schema } from './schema.ts'

/** A statement that changes rows. */
export interface FuzzWrite {
  readonly kind: string
  readonly sql: string
  /** Asks how many rows it will change; null: that cannot be asked. */
  readonly count: string | null
}

const plainColumns = (table: FuzzTable): readonly FuzzColumn[] =>
  table.columns.filter(({ computed }) => !computed)
const refs = (table: FuzzTable, alias: string): Visible[] =>
  table.columns.map(({ name, kind }) => ({ ref: `${alias}.${name}`, kind }))

/** Makes INSERT, UPDATE, DELETE and MERGE. */
export class Writes {
  readonly #dice: Dice
  readonly #schema: Schema
  readonly #queries: Queries

  constructor(dice: Dice, schema: Schema, queries: Queries) {
    this.#dice = dice
    this.#schema = schema
    this.#queries = queries
  }

  /** @returns null without a table to write */
  any(): FuzzWrite | null {
    const dice = this.#dice
    const tables = this.#schema.tables.filter(({ view }) => !view || dice.chance(30))
    if (tables.length === 0) return null
    const table = dice.pick(tables)
    return dice.weighted<() => FuzzWrite>([
      [50, () => this.#insert(table)],
      [25, () => this.#update(table)],
      [13, () => this.#delete(table)],
      [6, () => this.#merge(table)],
      [4, () => this.#inWith(table)],
      [1, () => ({ kind: 'TRUNCATE', sql: `TRUNCATE ${table.name}`, count: null })],
    ])()
  }

  /** A key that is seldom taken, or any value. */
  #value(table: FuzzTable, { name, kind }: FuzzColumn): string {
    const dice = this.#dice
    if (table.key.includes(name)) {
      if (kind === 'int') return String(dice.below(400))
      if (kind === 'bigint') return String(dice.below(100_000))
      if (kind === 'text') return `'k${dice.below(400)}'`
    }
    if (dice.chance(8)) return 'DEFAULT'
    return dice.chance(80) ? literal(dice, kind) : this.#queries.values.of(kind, [], 1)
  }

  #returning(table: FuzzTable): string {
    const dice = this.#dice
    if (!dice.chance(30)) return ''
    return ` RETURNING ${dice.pick(['*', table.columns.map(({ name }) => name).join(', '), `${table.name}.*`])}`
  }

  #insert(table: FuzzTable): FuzzWrite {
    const dice = this.#dice
    const wanted = plainColumns(table).filter(({ name }) => table.key.includes(name) || dice.chance(85))
    if (wanted.length === 0)
      return { kind: 'INSERT', sql: `INSERT INTO ${table.name} DEFAULT VALUES`, count: null }
    const names = wanted.map(({ name }) => name).join(', ')
    const rows = dice.some(1, 4, () => `(${wanted.map((column) => this.#value(table, column)).join(', ')})`)
    const sets = plainColumns(table).filter(({ name }) => !table.key.includes(name))
    const conflict =
      table.key.length === 0 || table.view || !dice.chance(35)
        ? ''
        : sets.length === 0 || dice.chance(50)
          ? ` ON CONFLICT ${dice.pick(['', `(${table.key.join(', ')}) `])}DO NOTHING`
          : ` ON CONFLICT (${table.key.join(', ')}) DO UPDATE SET ${sets
              .slice(0, 2)
              .map(({ name }) => `${name} = ${dice.pick(['excluded', table.name])}.${name}`)
              .join(', ')}`
    return {
      kind: conflict === '' ? 'INSERT' : 'UPSERT',
      sql: `INSERT INTO ${table.name} (${names}) VALUES ${rows.join(', ')}${conflict}${this.#returning(table)}`,
      count: null,
    }
  }

  #assignments(table: FuzzTable, visible: readonly Visible[]): string {
    const dice = this.#dice
    const free = plainColumns(table).filter(({ name }) => !table.key.includes(name) || dice.chance(5))
    const columns = dice.shuffled(free.length === 0 ? plainColumns(table) : free).slice(0, dice.between(1, 2))
    if (columns.length === 0) return ''
    return columns
      .map(({ name, kind }) => `${name} = ${this.#queries.values.of(kind, visible, dice.between(0, 2))}`)
      .join(', ')
  }

  #update(table: FuzzTable): FuzzWrite {
    const dice = this.#dice
    const visible = refs(table, table.name)
    const sets = this.#assignments(table, visible)
    if (sets === '') return this.#delete(table)
    const where = dice.chance(90)
      ? ` WHERE ${this.#queries.values.condition(visible, dice.between(0, 2))}`
      : ''
    const other = dice.pick(this.#schema.tables)
    if (dice.chance(15) && other.name !== table.name) {
      const all = [...visible, ...refs(other, 'o')]
      return {
        kind: 'UPDATE',
        sql: `UPDATE ${table.name} SET ${sets} FROM ${other.name} AS o WHERE ${this.#queries.values.condition(all, 1)}`,
        count: null,
      }
    }
    return {
      kind: 'UPDATE',
      sql: `UPDATE ${table.name} SET ${sets}${where}${this.#returning(table)}`,
      count: `SELECT count(*) FROM ${table.name}${where}`,
    }
  }

  #delete(table: FuzzTable): FuzzWrite {
    const dice = this.#dice
    const visible = refs(table, table.name)
    // Few rows go, so that there are some.
    const key = table.columns.find(({ name, kind }) => table.key.includes(name) && kind === 'int')
    const few = key === undefined ? '' : ` AND ${table.name}.${key.name} % 5 = ${dice.below(5)}`
    const where = ` WHERE ${this.#queries.values.condition(visible, dice.between(0, 2))}${few}`
    return {
      kind: 'DELETE',
      sql: `DELETE FROM ${table.name}${where}${this.#returning(table)}`,
      count: `SELECT count(*) FROM ${table.name}${where}`,
    }
  }

  #merge(table: FuzzTable): FuzzWrite {
    const dice = this.#dice
    const [key] = table.key
    const column = table.columns.find(({ name }) => name === key)
    if (key === undefined || column === undefined || table.key.length > 1 || table.view)
      return this.#insert(table)
    const value = (): string => this.#value(table, column)
    const visible = refs(table, 't')
    const sets = this.#assignments(table, visible)
    const update = sets === '' ? 'DO NOTHING' : `UPDATE SET ${sets.replaceAll(`${table.name}.`, 't.')}`
    return {
      kind: 'MERGE',
      sql: `MERGE INTO ${table.name} AS t USING (SELECT DISTINCT s FROM (VALUES (${value()}), (${value()})) AS v(s)) AS m ON t.${key} = m.s WHEN MATCHED THEN ${dice.pick([update, 'DELETE', 'DO NOTHING'])} WHEN NOT MATCHED THEN INSERT (${key}) VALUES (m.s)`,
      count: null,
    }
  }

  /** Rows that go, and a query over them. */
  #inWith(table: FuzzTable): FuzzWrite {
    const { sql } = this.#dice.chance(50) ? this.#delete(table) : this.#update(table)
    const bare = sql.replace(/ RETURNING .*$/, '')
    return {
      kind: 'WITH … DML',
      sql: `WITH w AS (${bare} RETURNING ${table.name}.*) SELECT count(*) FROM w`,
      count: null,
    }
  }
}
