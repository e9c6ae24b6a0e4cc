import type { Value } from '@cluster/core'
import type { Session } from '@cluster/sql'

/** A table whose rows are to be written. */
export interface ExportedTable {
  /** Quoted, with its schema. */
  readonly name: string
  /** Quoted; those that can be copied. */
  readonly columns: readonly string[]
}

/** The definitions of a database as SQL that it and PostgreSQL read, in an order in which each finds what it stands on. */
export interface SchemaText {
  /** What has to be there before rows are. */
  readonly before: readonly string[]
  readonly tables: readonly ExportedTable[]
  /** Where sequences go on, indexes, constraints between tables, views and comments. */
  readonly after: readonly string[]
}

type Row = Readonly<Record<string, Value>>

/** Definitions that clients have made. */
const OURS = `n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname NOT LIKE 'pg_temp%'`

const queries = {
  schemas: `SELECT n.nspname AS schema FROM pg_namespace n WHERE ${OURS} AND n.nspname <> 'public' ORDER BY n.oid`,
  types: `SELECT t.oid, n.nspname AS schema, t.typname AS name, t.typtype AS kind, t.typnotnull AS strict,
      t.typdefault AS preset, format_type(t.typbasetype, t.typtypmod) AS base
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE t.typtype IN ('e', 'd') AND ${OURS} ORDER BY t.oid`,
  labels: 'SELECT enumtypid AS type, enumlabel AS label FROM pg_enum ORDER BY enumtypid, enumsortorder',
  relations: `SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind, c.reloptions::text AS options
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE ${OURS} AND c.relkind IN ('r', 'v', 'm', 'S') AND c.relpersistence = 'p' ORDER BY c.oid`,
  columns: `SELECT a.attrelid AS relation, a.attnum AS number, a.attname AS name,
      format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS strict, a.attidentity AS identity,
      a.attgenerated AS generated, pg_get_expr(d.adbin, d.adrelid) AS preset
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE ${OURS} AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum`,
  constraints: `SELECT oid, conname AS name, contype AS kind, conrelid AS relation, contypid AS type,
      confrelid AS target, pg_get_constraintdef(oid) AS text
    FROM pg_constraint ORDER BY conrelid, oid`,
  sequences: `SELECT s.seqrelid AS oid, format_type(s.seqtypid, -1) AS type, s.seqstart AS start,
      s.seqincrement AS step, s.seqmax AS max, s.seqmin AS min, s.seqcache AS cache, s.seqcycle AS cycle,
      d.refobjid AS owner, d.refobjsubid AS number, d.deptype AS tie
    FROM pg_sequence s LEFT JOIN pg_depend d ON d.objid = s.seqrelid`,
  indexes: `SELECT i.indrelid AS relation, pg_get_indexdef(i.indexrelid) AS text FROM pg_index i
    WHERE NOT i.indisprimary AND i.indexrelid NOT IN (SELECT conindid FROM pg_constraint WHERE contype <> 'f')
    ORDER BY i.indexrelid`,
  comments: `SELECT objoid AS oid, objsubid AS number, description AS text FROM pg_description
    WHERE classoid = 1259 ORDER BY objoid, objsubid`,
} as const

type Catalog = Readonly<Record<keyof typeof queries, readonly Row[]>>

const quoted = (name: Value | undefined): string => `"${String(name).replaceAll('"', '""')}"`
const literal = (text: Value | undefined): string => `'${String(text).replaceAll("'", "''")}'`
const named = ({ schema, name }: Row): string => `${quoted(schema)}.${quoted(name)}`

/**
 * Reads the definitions.
 * @param only the tables that are wanted, as `name` or `schema.name`, with what they need; null: everything
 * @throws 42P01 when there is no such table
 */
export async function schemaText(
  session: Session,
  only: readonly string[] | null,
  noSuchTable: (name: string) => Error,
): Promise<SchemaText> {
  const read: Partial<Record<keyof typeof queries, readonly Row[]>> = {}
  for (const [name, text] of Object.entries(queries)) {
    const { columns, rows } = await session.query(text)
    read[name as keyof typeof queries] = rows.map((row) =>
      Object.fromEntries(columns.map((column, i) => [column.name, row[i] ?? null])),
    )
  }
  const catalog = read as Catalog
  const tables = chosen(catalog, only, noSuchTable)
  const inside = new Set(tables.map(({ oid }) => oid))
  const owned = new Map(catalog.sequences.map((sequence) => [sequence['oid'], sequence]))
  // A sequence goes with the table that owns it; one of nobody is there when everything is.
  const sequences = catalog.relations.filter(({ oid, kind }) => {
    const owner = owned.get(oid ?? null)?.['owner'] ?? null
    return kind === 'S' && (owner === null ? only === null : inside.has(owner))
  })
  const free = sequences.filter(({ oid }) => owned.get(oid ?? null)?.['tie'] !== 'i')
  return {
    before: [
      ...catalog.schemas.map(({ schema }) => `CREATE SCHEMA IF NOT EXISTS ${quoted(schema)}`),
      ...catalog.types.map((type) => typeDefinition(type, catalog)),
      ...free.map((sequence) => sequenceDefinition(sequence, owned.get(sequence['oid'] ?? null))),
      ...tables.map((table) => tableDefinition(table, catalog)),
      ...free.flatMap((sequence) => ownership(sequence, owned.get(sequence['oid'] ?? null), catalog)),
    ],
    tables: tables.map((table) => ({
      name: named(table),
      columns: columnsOf(table, catalog)
        .filter(({ generated }) => generated === '')
        .map(({ name }) => quoted(name)),
    })),
    after: [
      ...(await standings(session, sequences)),
      ...constraints(catalog, tables, inside, ['u']),
      ...catalog.indexes.flatMap(({ relation, text }) =>
        inside.has(relation ?? null) ? [String(text)] : [],
      ),
      ...constraints(catalog, tables, inside, ['f']),
      ...(only === null ? await views(session, catalog) : []),
      ...comments(catalog, tables),
    ],
  }
}

function chosen(
  { relations }: Catalog,
  only: readonly string[] | null,
  noSuchTable: (name: string) => Error,
): readonly Row[] {
  const tables = relations.filter(({ kind }) => kind === 'r')
  if (only === null) return tables
  const found = only.map((wanted) => {
    const table = tables.find(
      ({ schema, name }) => wanted === `${schema}.${name}` || (schema === 'public' && wanted === name),
    )
    if (table === undefined) throw noSuchTable(wanted)
    return table
  })
  return tables.filter((table) => found.includes(table))
}

function typeDefinition(type: Row, { labels, constraints: all }: Catalog): string {
  if (type['kind'] === 'e') {
    const own = labels.filter((label) => label['type'] === type['oid']).map(({ label }) => literal(label))
    return `CREATE TYPE ${named(type)} AS ENUM (${own.join(', ')})`
  }
  const checks = all.filter((one) => one['type'] === type['oid'])
  return [
    `CREATE DOMAIN ${named(type)} AS ${type['base']}`,
    ...(type['preset'] === null ? [] : [`DEFAULT ${type['preset']}`]),
    ...(type['strict'] === true ? ['NOT NULL'] : []),
    ...checks.map(({ name, text }) => `CONSTRAINT ${quoted(name)} ${text}`),
  ].join(' ')
}

const columnsOf = ({ oid }: Row, { columns }: Catalog): readonly Row[] =>
  columns.filter(({ relation }) => relation === oid)

function tableDefinition(table: Row, catalog: Catalog): string {
  const lines = [
    ...columnsOf(table, catalog).map(columnDefinition),
    ...catalog.constraints
      .filter(({ relation, kind }) => relation === table['oid'] && (kind === 'p' || kind === 'c'))
      .map(({ name, text }) => `CONSTRAINT ${quoted(name)} ${text}`),
  ]
  // Where copies are is nothing that PostgreSQL knows; to it this is a comment.
  const everywhere = String(table['options'] ?? '').includes('redundancy=all')
  const storage = everywhere ? " /*cluster WITH (redundancy = 'all') */" : ''
  return `CREATE TABLE ${named(table)} (\n  ${lines.join(',\n  ')}\n)${storage}`
}

function columnDefinition({ name, type, strict, identity, generated, preset }: Row): string {
  return [
    quoted(name),
    String(type),
    ...(generated === 's' ? [`GENERATED ALWAYS AS (${preset}) STORED`] : []),
    ...(identity === 'a' || identity === 'd'
      ? [`GENERATED ${identity === 'a' ? 'ALWAYS' : 'BY DEFAULT'} AS IDENTITY`]
      : []),
    ...(generated !== 's' && preset !== null ? [`DEFAULT ${preset}`] : []),
    ...(strict === true ? ['NOT NULL'] : []),
  ].join(' ')
}

function sequenceDefinition(sequence: Row, facts: Row | undefined): string {
  if (facts === undefined) return `CREATE SEQUENCE ${named(sequence)}`
  const { type, step, min, max, start, cache, cycle } = facts
  return [
    `CREATE SEQUENCE ${named(sequence)} AS ${type} INCREMENT BY ${step} MINVALUE ${min} MAXVALUE ${max}`,
    `START WITH ${start} CACHE ${cache}${cycle === true ? ' CYCLE' : ''}`,
  ].join(' ')
}

function ownership(sequence: Row, facts: Row | undefined, { relations, columns }: Catalog): string[] {
  const table = relations.find(({ oid }) => oid === facts?.['owner'])
  const column = columns.find(
    ({ relation, number }) => relation === table?.['oid'] && number === facts?.['number'],
  )
  if (table === undefined || column === undefined) return []
  return [`ALTER SEQUENCE ${named(sequence)} OWNED BY ${named(table)}.${quoted(column['name'])}`]
}

/** Sequences go on behind what was given out. */
async function standings(session: Session, sequences: readonly Row[]): Promise<readonly string[]> {
  const set: string[] = []
  for (const sequence of sequences) {
    const { rows } = await session.query(`SELECT last_value, is_called FROM ${named(sequence)}`)
    const [last, called] = rows[0] ?? []
    set.push(`SELECT setval(${literal(named(sequence))}, ${last}, ${called === true})`)
  }
  return set
}

function constraints(
  { constraints: all }: Catalog,
  tables: readonly Row[],
  inside: ReadonlySet<Value | undefined>,
  kinds: readonly string[],
): string[] {
  return all.flatMap(({ name, kind, relation, target, text }) => {
    const table = tables.find(({ oid }) => oid === relation)
    if (table === undefined || !kinds.includes(String(kind))) return []
    if (kind === 'f' && !inside.has(target)) return []
    return [`ALTER TABLE ${named(table)} ADD CONSTRAINT ${quoted(name)} ${text}`]
  })
}

async function views(session: Session, { relations }: Catalog): Promise<readonly string[]> {
  const made: string[] = []
  for (const view of relations) {
    if (view['kind'] !== 'v' && view['kind'] !== 'm') continue
    const { rows } = await session.query('SELECT pg_get_viewdef($1::oid)', [String(view['oid'])])
    const text = String(rows[0]?.[0]).trim().replace(/;$/, '')
    const check = /check_option=(\w+)/.exec(String(view['options'] ?? ''))?.[1]
    const option = check === undefined ? '' : ` WITH ${check.toUpperCase()} CHECK OPTION`
    const word = view['kind'] === 'v' ? 'VIEW' : 'MATERIALIZED VIEW'
    made.push(`CREATE ${word} ${named(view)} AS ${text}${option}`)
  }
  return made
}

function comments({ comments: all, columns }: Catalog, tables: readonly Row[]): string[] {
  return all.flatMap(({ oid, number, text }) => {
    const table = tables.find((one) => one['oid'] === oid)
    if (table === undefined) return []
    if (number === 0) return [`COMMENT ON TABLE ${named(table)} IS ${literal(text)}`]
    const column = columns.find((one) => one['relation'] === oid && one['number'] === number)
    if (column === undefined) return []
    return [`COMMENT ON COLUMN ${named(table)}.${quoted(column['name'])} IS ${literal(text)}`]
  })
}
