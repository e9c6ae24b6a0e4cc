import type { Dice } from './dice.ts'
import { Expressions, literal, type Visible } from './expressions.ts'
import type { Queries } from './queries.ts'
import { declared, type FuzzColumn, type FuzzTable, type Kind, type Schema } from './schema.ts'

export interface FuzzDefinition {
  readonly kind: string
  readonly sql: string
  /** Counts its rows, and takes it away again; null for what holds none of its own making. */
  readonly rows: { readonly count: string; readonly drop: string } | null
  /** What the schema is when it went well. */
  readonly done: () => void
}

const TABLES_MAX = 6
const keyKinds: readonly Kind[] = ['int', 'int', 'int', 'bigint', 'text']
const columnKinds: readonly Kind[] = [
  'int',
  'int',
  'text',
  'numeric',
  'bool',
  'date',
  'timestamp',
  'bigint',
  'double',
  'jsonb',
  'ints',
  'interval',
  'bits',
  'uuid',
]

const rowsOf = (word: string, name: string): FuzzDefinition['rows'] => ({
  count: `SELECT count(*) FROM ${name}`,
  drop: `DROP ${word} ${name}`,
})

/** Makes statements that change the catalog. */
export class Definitions {
  readonly #dice: Dice
  readonly #schema: Schema
  readonly #queries: Queries
  readonly #plain: Expressions

  constructor(dice: Dice, schema: Schema, queries: Queries) {
    this.#dice = dice
    this.#schema = schema
    this.#queries = queries
    this.#plain = new Expressions(dice)
  }

  any(): FuzzDefinition {
    const dice = this.#dice
    const { tables } = this.#schema
    const bases = tables.filter(({ view }) => !view)
    if (bases.length < 2) return this.table()
    const table = dice.pick(bases)
    return dice.weighted<() => FuzzDefinition>([
      [tables.length < TABLES_MAX ? 4 : 0, () => this.table()],
      [tables.length < TABLES_MAX ? 3 : 0, () => this.#view()],
      [tables.length < TABLES_MAX ? 2 : 0, () => this.#copy()],
      [10, () => this.#index(table)],
      [this.#schema.indexes.length > 0 ? 3 : 0, () => this.#dropIndex()],
      [tables.length > 3 ? 3 : 0, () => this.#drop()],
      [5, () => this.#addColumn(table)],
      [3, () => this.#dropColumn(table)],
      [3, () => this.#alterColumn(table)],
      [2, () => this.#rename(table)],
      [2, () => this.#constraint(table)],
    ])()
  }

  table(): FuzzDefinition {
    const dice = this.#dice
    const name = this.#schema.fresh('t')
    const key: FuzzColumn = { name: 'id', kind: dice.pick(keyKinds), computed: false }
    const columns = dice.some(
      2,
      5,
      (i): FuzzColumn => ({ name: `c${i}`, kind: dice.pick(columnKinds), computed: false }),
    )
    const visible = columns.map(({ name: ref, kind }): Visible => ({ ref, kind }))
    const extra: FuzzColumn[] = dice.chance(15) ? [{ name: 'g', kind: 'int', computed: true }] : []
    const keyed = dice.chance(90)
    const parts = [
      `id ${declared[key.kind]}${keyed ? ' PRIMARY KEY' : ''}`,
      ...columns.map((column) => this.#column(column)),
      ...extra.map(({ name: own }) => `${own} integer GENERATED ALWAYS AS (${this.#stored(visible)}) STORED`),
    ]
    const [first] = columns
    if (dice.chance(10) && first !== undefined)
      parts.push(`CHECK (${first.name} IS NOT NULL OR id IS NOT NULL)`)
    const end = dice.chance(10) ? " WITH (redundancy = 'all')" : ''
    const made: FuzzTable = {
      name,
      columns: [key, ...columns, ...extra],
      key: keyed ? ['id'] : [],
      view: false,
    }
    return {
      kind: 'CREATE TABLE',
      sql: `CREATE TABLE ${name} (${parts.join(', ')})${end}`,
      rows: null,
      done: () => this.#schema.put(made),
    }
  }

  /** Of values that make no trouble. */
  #stored(visible: readonly Visible[]): string {
    const whole = visible.filter(({ kind }) => kind === 'int')
    const texts = visible.filter(({ kind }) => kind === 'text')
    const [number, text] = [whole[0]?.ref, texts[0]?.ref]
    if (number !== undefined) return `${number} / 2`
    return text === undefined ? '1 + 1' : `length(${text})`
  }

  #column({ name, kind }: FuzzColumn): string {
    const dice = this.#dice
    const suffix = dice.weighted([
      [12, ''],
      [4, ` DEFAULT ${literal(dice, kind)}`],
      [1, ' UNIQUE'],
    ])
    const type = kind === 'text' && dice.chance(25) ? 'varchar(20)' : declared[kind]
    return `${name} ${type}${suffix}`
  }

  #view(): FuzzDefinition {
    const name = this.#schema.fresh('v')
    const { sql, outputs } = this.#queries.query()
    const columns = outputs.map((output): FuzzColumn => ({ ...output, computed: true }))
    const word = this.#dice.pick(['VIEW', 'VIEW', 'MATERIALIZED VIEW'])
    return {
      kind: `CREATE ${word}`,
      sql: `CREATE ${word} ${name} AS ${sql}`,
      rows: rowsOf(word, name),
      done: () => this.#schema.put({ name, columns, key: [], view: true }),
    }
  }

  #copy(): FuzzDefinition {
    const name = this.#schema.fresh('t')
    const { sql, outputs } = this.#queries.query()
    const columns = outputs.map((output): FuzzColumn => ({ ...output, computed: false }))
    return {
      kind: 'CREATE TABLE AS',
      sql: `CREATE TABLE ${name} AS ${sql}`,
      rows: rowsOf('TABLE', name),
      done: () => this.#schema.put({ name, columns, key: [], view: false }),
    }
  }

  #index(table: FuzzTable): FuzzDefinition {
    const dice = this.#dice
    const name = this.#schema.fresh('i')
    const visible = table.columns.map((column): Visible => ({ ref: column.name, kind: column.kind }))
    const parts = dice.some(1, 2, () => {
      const { ref, kind } = dice.pick(visible)
      const part =
        kind === 'text' && dice.chance(25)
          ? `lower(${ref})`
          : kind === 'int' && dice.chance(20)
            ? `(${ref} % 3)`
            : ref
      return part + dice.pick(['', '', ' DESC', ' DESC NULLS LAST'])
    })
    const where = dice.chance(20) ? ` WHERE ${this.#simpleCondition(visible)}` : ''
    return {
      kind: 'CREATE INDEX',
      sql: `CREATE ${dice.chance(8) ? 'UNIQUE ' : ''}INDEX ${name} ON ${table.name} (${parts.join(', ')})${where}`,
      rows: null,
      done: () => {
        this.#schema.indexes = [...this.#schema.indexes, { name, table: table.name }]
      },
    }
  }

  #simpleCondition(visible: readonly Visible[]): string {
    const dice = this.#dice
    const { ref, kind } = dice.pick(visible)
    return kind === 'int' && dice.chance(60) ? `${ref} > ${dice.below(5)}` : `${ref} IS NOT NULL`
  }

  #dropIndex(): FuzzDefinition {
    const { name } = this.#dice.pick(this.#schema.indexes)
    return {
      kind: 'DROP INDEX',
      sql: `DROP INDEX ${name}`,
      rows: null,
      done: () => {
        this.#schema.indexes = this.#schema.indexes.filter((index) => index.name !== name)
      },
    }
  }

  #drop(): FuzzDefinition {
    const { name, view } = this.#dice.pick(this.#schema.tables)
    const word = view ? 'VIEW' : 'TABLE'
    return {
      kind: `DROP ${word}`,
      sql: `DROP ${word} ${name}`,
      rows: null,
      done: () => this.#schema.drop(name),
    }
  }

  #changed(table: FuzzTable, columns: readonly FuzzColumn[]): () => void {
    return () => this.#schema.put({ ...table, columns })
  }

  #addColumn(table: FuzzTable): FuzzDefinition {
    const column: FuzzColumn = {
      name: this.#schema.fresh('x'),
      kind: this.#dice.pick(columnKinds),
      computed: false,
    }
    return {
      kind: 'ALTER TABLE',
      sql: `ALTER TABLE ${table.name} ADD COLUMN ${this.#column(column)}`,
      rows: null,
      done: this.#changed(table, [...table.columns, column]),
    }
  }

  #dropColumn(table: FuzzTable): FuzzDefinition {
    const free = table.columns.filter(({ name }) => !table.key.includes(name))
    if (free.length < 2) return this.#addColumn(table)
    const { name } = this.#dice.pick(free)
    return {
      kind: 'ALTER TABLE',
      sql: `ALTER TABLE ${table.name} DROP COLUMN ${name}`,
      rows: null,
      done: this.#changed(
        table,
        table.columns.filter((column) => column.name !== name),
      ),
    }
  }

  #alterColumn(table: FuzzTable): FuzzDefinition {
    const dice = this.#dice
    const column = dice.pick(table.columns)
    const [sql, columns] = dice.pick<readonly [string, readonly FuzzColumn[]]>([
      [`SET DEFAULT ${literal(dice, column.kind)}`, table.columns],
      ['DROP DEFAULT', table.columns],
      ['DROP NOT NULL', table.columns],
      ['SET NOT NULL', table.columns],
      [
        `TYPE text USING ${this.#plain.of('text', [{ ref: column.name, kind: column.kind }], 1)}`,
        table.columns.map((one) => (one === column ? { ...one, kind: 'text' as const } : one)),
      ],
    ])
    return {
      kind: 'ALTER TABLE',
      sql: `ALTER TABLE ${table.name} ALTER COLUMN ${column.name} ${sql}`,
      rows: null,
      done: this.#changed(table, columns),
    }
  }

  #rename(table: FuzzTable): FuzzDefinition {
    const dice = this.#dice
    const column = dice.pick(table.columns)
    const to = this.#schema.fresh('r')
    return {
      kind: 'ALTER TABLE',
      sql: `ALTER TABLE ${table.name} RENAME COLUMN ${column.name} TO ${to}`,
      rows: null,
      done: () =>
        this.#schema.put({
          ...table,
          columns: table.columns.map((one) => (one === column ? { ...one, name: to } : one)),
          key: table.key.map((name) => (name === column.name ? to : name)),
        }),
    }
  }

  #constraint(table: FuzzTable): FuzzDefinition {
    const dice = this.#dice
    const name = this.#schema.fresh('k')
    const column = dice.pick(table.columns)
    const other = dice.pick(this.#schema.tables)
    const [key] = other.key
    const what = dice.pick([
      `CHECK (${column.name} IS NULL OR ${column.name} IS NOT NULL)`,
      `UNIQUE (${column.name})`,
      key === undefined ? `CHECK (true)` : `FOREIGN KEY (${column.name}) REFERENCES ${other.name} (${key})`,
    ])
    return {
      kind: 'ALTER TABLE',
      sql: `ALTER TABLE ${table.name} ADD CONSTRAINT ${name} ${what}`,
      rows: null,
      done: () => {},
    }
  }
}
