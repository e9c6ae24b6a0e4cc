import type { RandomParameters } from './query-load.ts'

/** The tables of the suite sql. A dimension has as many rows as `items.dim` has values. */
export const TABLES: readonly string[] = [
  `CREATE TABLE items (id integer PRIMARY KEY, grp integer NOT NULL, dim integer NOT NULL, amount integer NOT NULL,
    code integer NOT NULL, price double precision NOT NULL, name text NOT NULL)`,
  'CREATE TABLE dims (id integer PRIMARY KEY, weight integer NOT NULL, label text NOT NULL)',
  ...Array.from(
    { length: 10 },
    (_, i) =>
      `CREATE TABLE chain${i} (id integer PRIMARY KEY, next integer NOT NULL, value integer NOT NULL)`,
  ),
]

const DIMS = 10_000
const CHAIN_ROWS = 1_000

/** SELECT of the rows `from` … `to` of a table, over a series `g` of bigints. */
const itemColumns = `g, g * 7919 % 1000, g * 104729 % ${DIMS}, g * 31 % 100003, g * 7907 % 1000003,
  (g % 997) * 0.25, 'name ' || (g % 5000)`
const dimColumns = `g, g % 100, 'label ' || g`
const chainColumns = `g, g * 7 % ${CHAIN_ROWS}, g % 50`

/** Rows of one INSERT. */
const STEP = 4_000

export interface Load {
  /** The values of the columns, over a whole number `g`. */
  readonly columns: string
  readonly table: string
  readonly from: number
  readonly to: number
}

/** What fills the tables, in steps that a transaction can hold. */
export function loads(rows: number): readonly Load[] {
  const steps: Load[] = []
  const add = (table: string, columns: string, from: number, to: number): void => {
    for (let at = from; at <= to; at += STEP)
      steps.push({ table, columns, from: at, to: Math.min(to, at + STEP - 1) })
  }
  add('items', itemColumns, 1, rows)
  add('dims', dimColumns, 0, DIMS - 1)
  for (let i = 0; i < 10; i++) add(`chain${i}`, chainColumns, 0, CHAIN_ROWS - 1)
  return steps
}

export const INDEX = 'CREATE INDEX items_code ON items (code)'

/** Our own and PostgreSQL's. The double is exact, whatever type the literal has. */
export const insertText = ({ table, columns, from, to }: Load): string =>
  `INSERT INTO ${table} SELECT ${columns} FROM generate_series(${from}::bigint, ${to}::bigint) AS g`

export const sqliteInsertText = ({ table, columns, from, to }: Load): string =>
  `INSERT INTO ${table} WITH RECURSIVE series (g) AS (SELECT ${from} UNION ALL SELECT g + 1 FROM series WHERE g < ${to})
  SELECT ${columns} FROM series`

export interface SqlPart {
  readonly name: string
  readonly what: string
  readonly sql: string
  readonly parameters: RandomParameters | null
  /** How many times as fast as the better peer it shall be. */
  readonly times: number
  /** Bytes that have to come to the asked node of three: what two thirds of the rows come to where they are. */
  readonly needed: number
}

/** Bytes of a value in the leanest form that keeps it, by and large. */
const VALUE = 4
const AWAY = 2

export function parts(rows: number): readonly SqlPart[] {
  return [
    {
      name: 'filter',
      what: 'filter and sum',
      sql: 'SELECT sum(amount) FROM items WHERE grp < 500',
      parameters: null,
      times: 4,
      needed: AWAY * 2 * VALUE,
    },
    {
      name: 'group',
      what: 'group by 1,000 keys',
      sql: 'SELECT grp, count(*), sum(amount) FROM items GROUP BY grp',
      parameters: null,
      times: 4,
      needed: AWAY * 1_000 * 4 * VALUE,
    },
    {
      name: 'join',
      what: 'hash join with 10,000 rows, and sum',
      sql: 'SELECT sum(i.amount), sum(d.weight) FROM items i JOIN dims d ON d.id = i.dim',
      parameters: null,
      times: 4,
      // The dimension goes everywhere, sums come back.
      needed: AWAY * (DIMS * 2 * VALUE + 4 * VALUE),
    },
    {
      name: 'sort',
      what: 'first 10 of a sort',
      sql: 'SELECT id, amount FROM items ORDER BY amount DESC, id LIMIT 10',
      parameters: null,
      times: 1,
      needed: AWAY * 10 * 2 * VALUE,
    },
    {
      name: 'point',
      what: 'one row by primary key',
      sql: 'SELECT amount, name FROM items WHERE id = $1',
      parameters: { from: 1, to: rows, span: null },
      times: 1,
      needed: 20,
    },
    {
      name: 'range',
      what: '100 rows by a range of an index',
      sql: 'SELECT id, amount FROM items WHERE code BETWEEN $1 AND $2',
      parameters: { from: 1, to: Math.max(1, Math.min(rows, 1_000_003) - 100), span: 99 },
      times: 1,
      needed: Math.round((100 * 2 * VALUE * AWAY) / 3),
    },
  ]
}

/** A typical statement: two tables, conditions, grouping, order. */
export const TYPICAL = `SELECT d.label, count(*), sum(i.amount) FROM items i JOIN dims d ON d.id = i.dim
  WHERE i.grp = 5 AND i.amount > 100 GROUP BY d.label ORDER BY d.label LIMIT 10`

export const TEN_TABLES = `SELECT count(*) FROM chain0 ${Array.from(
  { length: 9 },
  (_, i) => `JOIN chain${i + 1} ON chain${i + 1}.id = chain${i}.next`,
).join(' ')} WHERE chain0.value = 7 AND chain9.value = 3`
