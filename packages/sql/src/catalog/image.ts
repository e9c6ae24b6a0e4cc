import type { AccessState } from '../access/access-state.ts'
import { isSqlError, SQLSTATE, sqlError } from '../errors.ts'
import { quoteIdentifier } from '../syntax/keywords.ts'
import { parseExpression } from '../syntax/parse.ts'
import { enumType } from '../types/enum.ts'
import { readIntervalModifier } from '../types/interval-fields.ts'
import {
  ENUM_ARRAYS,
  formatType,
  NAME,
  recordOf,
  type SqlType,
  TYPES,
  typeName,
  typeOid,
} from '../types/type.ts'
import { PUBLIC_OID } from './known-oids.ts'
import {
  catalogKey,
  INFORMATION_SCHEMA,
  keysOf,
  PUBLIC,
  parseWrittenName,
  type SearchPath,
  SYSTEM_SCHEMA,
  shownName,
} from './names.ts'
import type { CatalogEntry, ColumnSchema, DomainSchema, IndexSchema, TableSchema } from './schema.ts'

/** Schemas that are no entries. */
export const SYSTEM_SCHEMAS: Readonly<Record<string, number>> = {
  [SYSTEM_SCHEMA]: 11,
  [PUBLIC]: PUBLIC_OID,
  [INFORMATION_SCHEMA]: 13_183,
}

/** The number of the session's own schema. */
export const TEMPORARY_OID = 13_184

/** The numbers of tables of the system, by their place in the list. */
const VIRTUAL_OIDS = 12_000
/** The numbers of PostgreSQL's own catalogs, by which clients ask for descriptions. */
const KNOWN_OIDS: Readonly<Record<string, number>> = {
  'pg_catalog.pg_type': 1247,
  'pg_catalog.pg_attribute': 1249,
  'pg_catalog.pg_proc': 1255,
  'pg_catalog.pg_class': 1259,
  'pg_catalog.pg_attrdef': 2604,
  'pg_catalog.pg_constraint': 2606,
  'pg_catalog.pg_index': 2610,
  'pg_catalog.pg_namespace': 2615,
  'pg_catalog.pg_database': 1262,
  'pg_catalog.pg_description': 2609,
}
export const OWNER = 10

/** A table whose rows are made when it is read. */
export interface SystemTable {
  readonly name: string
  readonly columns: readonly { readonly name: string; readonly type: SqlType }[]
}

export type RelationKind = 'r' | 'v' | 'm' | 'i' | 'S' | 'c'

/** Whatever `pg_class` has a row for. */
export interface ImageRelation {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind: RelationKind
  readonly entry: CatalogEntry | null
  /** Of an index: its table, and itself unless it is the primary key. */
  readonly index: { readonly table: TableSchema; readonly index: IndexSchema | null } | null
  readonly virtual: SystemTable | null
}

export interface ImageType {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly type: SqlType
  readonly entry: CatalogEntry | null
}

/** A constraint with the table or domain that has it. */
export type ImageConstraint = {
  readonly oid: number
  readonly name: string
  readonly comment: string | null
} & (
  | { readonly kind: 'p' | 'u'; readonly table: TableSchema; readonly index: IndexSchema | null }
  | { readonly kind: 'c'; readonly table: TableSchema; readonly check: TableSchema['checks'][number] }
  | { readonly kind: 'f'; readonly table: TableSchema; readonly key: TableSchema['foreignKeys'][number] }
  | { readonly kind: 'd'; readonly domain: DomainSchema; readonly check: DomainSchema['checks'][number] }
)

export interface ImageSource {
  readonly entries: readonly CatalogEntry[]
  readonly virtualTables: Iterable<SystemTable>
  readonly path: SearchPath
  readonly user: string
  readonly access: AccessState
  readonly database: string
  /** Names of all databases of the cluster, where they are known. */
  readonly databases?: readonly string[]
  readonly routines?: readonly Routine[]
  /** Of the session that asks. */
  readonly cursors?: readonly ImageCursor[]
}

/** A function as `pg_proc` lists it. */
export interface Routine {
  readonly oid: number
  readonly name: string
  readonly kind: 'function' | 'aggregate'
  readonly args: readonly SqlType[]
  readonly returns: SqlType
  readonly strict: boolean
  readonly volatility: 'immutable' | 'stable' | 'volatile'
}

/** An open cursor. */
export interface ImageCursor {
  readonly name: string
  readonly statement: string
  readonly holdable: boolean
  readonly binary: boolean
  readonly scrollable: boolean
  readonly createdMicros: bigint
}

/** The catalog at one moment, in the order that `pg_catalog` gives it: objects by number. */
export class CatalogImage {
  readonly entries: readonly CatalogEntry[]
  readonly relations: readonly ImageRelation[]
  readonly types: readonly ImageType[]
  readonly constraints: readonly ImageConstraint[]
  readonly user: string
  readonly access: AccessState
  readonly database: string
  readonly databases: readonly string[]
  readonly routines: readonly Routine[]
  readonly path: SearchPath
  readonly cursors: readonly ImageCursor[]
  readonly #byKey: ReadonlyMap<string, CatalogEntry>
  readonly #relationsByOid: ReadonlyMap<number, ImageRelation>
  readonly #relationsByName: ReadonlyMap<string, ImageRelation>
  readonly #typesByOid: ReadonlyMap<number, ImageType>

  constructor({
    entries,
    virtualTables,
    path,
    user,
    access,
    database,
    databases = [],
    routines = [],
    cursors = [],
  }: ImageSource) {
    this.cursors = cursors
    this.entries = entries
    this.routines = routines
    this.user = user
    this.access = access
    this.database = database
    this.databases = databases
    this.path = path
    this.#byKey = new Map(entries.map((entry) => [keyOf(entry), entry]))
    this.relations = [...relationsOf(entries), ...virtualRelations(virtualTables)]
    this.types = typesOf(entries)
    this.constraints = constraintsOf(entries)
    this.#relationsByOid = new Map(this.relations.map((relation) => [relation.oid, relation]))
    this.#relationsByName = new Map(
      this.relations.map((relation) => [catalogKey(relation.schema, relation.name), relation]),
    )
    this.#typesByOid = new Map(this.types.map((type) => [type.oid, type]))
  }

  byKey(key: string): CatalogEntry | null {
    return this.#byKey.get(key) ?? null
  }

  relation(oid: number): ImageRelation | null {
    return this.#relationsByOid.get(oid) ?? null
  }

  type(oid: number): ImageType | null {
    return this.#typesByOid.get(oid) ?? null
  }

  /** The number of the type that a column was declared with. */
  columnType({ type, domain }: Pick<ColumnSchema, 'type' | 'domain'>): number {
    const entry = domain === null ? null : this.byKey(domain)
    return entry === null ? typeOid(type) : entry.oid
  }

  schemaOid(schema: string): number {
    if (schema === this.path.temporary) return TEMPORARY_OID
    const entry = this.entries.find((one) => one.kind === 'schema' && one.name === schema)
    return SYSTEM_SCHEMAS[schema] ?? entry?.oid ?? 0
  }

  /** The schemas of the search path that there are. */
  schemas(): readonly string[] {
    return this.path.schemas.filter((schema) => this.schemaOid(schema) !== 0)
  }

  /** The relation that a name means; null when it is none. */
  find(text: string): ImageRelation | null {
    const written = parseWrittenName(text)
    for (const key of keysOf(written, this.#searched())) {
      const found = this.#relationsByName.get(key)
      if (found !== undefined) return found
    }
    return null
  }

  #searched(): SearchPath {
    return { ...this.path, schemas: [SYSTEM_SCHEMA, ...this.path.schemas] }
  }

  /** True when the object is found without its schema. */
  isVisible({ schema, name }: { readonly schema: string; readonly name: string }): boolean {
    const { schemas, temporary } = this.#searched()
    for (const one of temporary === null ? schemas : [temporary, ...schemas]) {
      if (one === schema) return true
      if (this.#relationsByName.has(catalogKey(one, name))) return false
    }
    return false
  }

  /** A name as it must be written now: with its schema unless it is found without. */
  shown(object: { readonly schema: string; readonly name: string }): string {
    const name = quoteIdentifier(object.name)
    return this.isVisible(object) ? name : `${quoteIdentifier(object.schema)}.${name}`
  }

  /** What `::regclass`, `::regtype` and `::regnamespace` make of a text, as a number. @throws 42P01, 42704, 3F000 */
  oidOf(kind: string, text: string): number {
    if (/^\d+$/.test(text)) return Number(text)
    if (text === '-') return 0
    if (kind === 'regnamespace') return this.#schemaNamed(shownName(parseWrittenName(text)))
    const found = kind === 'regclass' ? this.find(text) : this.findType(text)
    if (found !== null) return found.oid
    const shown = shownName(parseWrittenName(text))
    const pseudo = kind === 'regclass' ? undefined : PSEUDO_TYPES[shown.replace(/^pg_catalog\./, '')]
    if (pseudo !== undefined) return pseudo
    throw kind === 'regclass'
      ? sqlError(SQLSTATE.undefinedTable, `relation "${shown}" does not exist`)
      : sqlError(SQLSTATE.undefinedObject, `type "${shown}" does not exist`)
  }

  /** The text of a number as one of those types. */
  nameOf(kind: NamedKind, oid: number): string {
    if (oid === 0) return '-'
    if (kind === 'regnamespace') return this.#schemaName(oid) ?? String(oid)
    if (kind === 'regtype') return this.formatType(oid, null) ?? String(oid)
    const relation = this.relation(oid)
    return relation === null ? String(oid) : this.shown(relation)
  }

  #schemaNamed(name: string): number {
    const oid = this.schemaOid(name)
    if (oid !== 0) return oid
    throw sqlError('3F000', `schema "${name}" does not exist`)
  }

  #schemaName(oid: number): string | null {
    const system = Object.entries(SYSTEM_SCHEMAS).find(([, one]) => one === oid)?.[0]
    const entry = this.entries.find((one) => one.kind === 'schema' && one.oid === oid)
    const name = system ?? entry?.name ?? (oid === TEMPORARY_OID ? this.path.temporary : null)
    return name === null ? null : quoteIdentifier(name)
  }

  findType(text: string): ImageType | null {
    const array = /\s*\[\]$/.test(text)
    const plain = text.replace(/\s*\[\]$/, '').trim()
    const written = shownName(parseWrittenName(plain)).replace(/^pg_catalog\./, '')
    const found = this.types.find(
      ({ schema, name, type, entry }) =>
        (type.element === undefined && entry === null && typeName(type) === written.toLowerCase()) ||
        name === written ||
        `${schema}.${name}` === written,
    )
    if (found === undefined) {
      // Words of the language, such as `int` and `decimal(5,2)`, mean what they mean in a cast.
      const spoken = spokenType(plain)
      return spoken === null || spoken === plain ? null : this.findType(array ? `${spoken}[]` : spoken)
    }
    if (!array) return found
    return (
      this.types.find(({ type }) => type.element !== undefined && typeOid(type.element) === found.oid) ?? null
    )
  }

  /** `format_type`; null for what is no type. */
  formatType(oid: number, modifier: number | null): string | null {
    const found = this.type(oid)
    if (found === null) return oid === 0 ? '-' : (pseudoNames.get(oid) ?? '???')
    const { entry, type } = found
    if (entry !== null) return this.shown(entry)
    // Without a length, and said so, it is the type of any length.
    if (type.id === 'char' && modifier !== null && modifier < 0) return 'bpchar'
    if (modifier === null || modifier < 0) return typeName(type)
    return formatType(modified(type, modifier))
  }
}

/** The name of the type that the words stand for; null for none. */
function spokenType(words: string): string | null {
  if (!/^[a-z][a-z0-9 ]*(\([0-9, ]*\))?[a-z ]*$/i.test(words)) return null
  try {
    const cast = parseExpression(`NULL::${words}`)
    return cast.kind === 'cast' ? cast.type.name : null
  } catch (error) {
    if (isSqlError(error) && error.detail.sqlstate === SQLSTATE.syntaxError) return null
    throw error
  }
}

/** Of what functions take and give, and no column has. Clients ask by them for functions of a kind. */
const PSEUDO_TYPES: Readonly<Record<string, number>> = {
  record: 2249,
  any: 2276,
  anyarray: 2277,
  void: 2278,
  trigger: 2279,
  internal: 2281,
  anyelement: 2283,
  event_trigger: 3838,
  anyrange: 3831,
  anymultirange: 4537,
  anycompatiblemultirange: 4538,
  anycompatiblerange: 5080,
}
const pseudoNames: ReadonlyMap<number, string> = new Map(
  Object.entries(PSEUDO_TYPES).map(([name, oid]) => [oid, name === 'any' ? '"any"' : name]),
)

const keyOf = (entry: CatalogEntry): string => catalogKey(entry.schema, entry.name)

/** The type with the modifiers that a packed number stands for. */
function modified(type: SqlType, modifier: number): SqlType {
  if (type.element !== undefined) return { ...type, element: modified(type.element, modifier) }
  if (type.id === 'numeric')
    return { ...type, precision: (modifier - 4) >> 16, scale: (modifier - 4) & 0x7ff }
  if (type.id === 'interval') {
    const { span, digits } = readIntervalModifier(modifier)
    return { ...type, length: digits, ...(span === null ? {} : { span }) }
  }
  return { ...type, length: type.id === 'varchar' || type.id === 'char' ? modifier - 4 : modifier }
}

function relationsOf(entries: readonly CatalogEntry[]): ImageRelation[] {
  const found: ImageRelation[] = []
  for (const entry of entries) {
    const common = { schema: entry.schema, name: entry.name, entry, index: null, virtual: null }
    if (entry.kind === 'view') found.push({ ...common, oid: entry.oid, kind: 'v' })
    if (entry.kind === 'sequence') found.push({ ...common, oid: entry.oid, kind: 'S' })
    if (entry.kind === 'composite') found.push({ ...common, oid: compositeOid(entry.oid), kind: 'c' })
    if (entry.kind !== 'table') continue
    found.push({ ...common, oid: entry.oid, kind: entry.materialized === null ? 'r' : 'm' })
    const { schema, primaryKey, indexes } = entry
    const ofIndex = (oid: number, name: string, index: IndexSchema | null): ImageRelation => ({
      oid,
      schema,
      name,
      kind: 'i',
      entry: null,
      index: { table: entry, index },
      virtual: null,
    })
    if (primaryKey !== null) found.push(ofIndex(indexOid(primaryKey.oid), primaryKey.name, null))
    for (const index of indexes) found.push(ofIndex(indexOid(index.oid), index.name, index))
  }
  return found
}

/** A constraint and its index share a number in the catalog, but not in what clients see. */
const INDEX_OIDS = 0x2000_0000
export const indexOid = (oid: number): number => INDEX_OIDS + oid

/** The relation that tells the fields of a composite type has a number of its own. */
const COMPOSITE_OIDS = 0x2800_0000
export const compositeOid = (oid: number): number => COMPOSITE_OIDS + oid

function virtualRelations(tables: Iterable<SystemTable>): ImageRelation[] {
  return [...tables].map((virtual, i) => {
    const [schema, name] = virtual.name.includes('.')
      ? virtual.name.split('.')
      : [SYSTEM_SCHEMA, virtual.name]
    return {
      oid: KNOWN_OIDS[virtual.name] ?? VIRTUAL_OIDS + i,
      schema: schema ?? SYSTEM_SCHEMA,
      name: name ?? virtual.name,
      kind: 'v',
      entry: null,
      index: null,
      virtual,
    }
  })
}

/** Types whose values name objects. */
export type NamedKind = 'regclass' | 'regtype' | 'regnamespace'

/** PostgreSQL's short names. */
const shortNames: Readonly<Partial<Record<SqlType['id'], string>>> = {
  boolean: 'bool',
  smallint: 'int2',
  integer: 'int4',
  bigint: 'int8',
  real: 'float4',
  double: 'float8',
  varchar: 'varchar',
  char: 'bpchar',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
  time: 'time',
  timetz: 'timetz',
}

function typesOf(entries: readonly CatalogEntry[]): ImageType[] {
  const found: ImageType[] = []
  for (const type of [...Object.values(TYPES), NAME]) {
    if (type.element !== undefined || type.id === 'enum' || type.id === 'record' || type.id === 'unknown')
      continue
    const name = shortNames[type.id] ?? typeName(type)
    found.push({ oid: typeOid(type), schema: SYSTEM_SCHEMA, name, type, entry: null })
    const array = { ...TYPES.array, element: type }
    found.push({ oid: typeOid(array), schema: SYSTEM_SCHEMA, name: `_${name}`, type: array, entry: null })
  }
  for (const entry of entries) {
    const { schema, name, oid } = entry
    if (entry.kind === 'domain') found.push({ oid, schema, name, type: entry.type, entry })
    if (entry.kind !== 'enum' && entry.kind !== 'composite') continue
    const type = entry.kind === 'enum' ? enumType(entry) : recordOf(entry.fields, { oid, schema, name })
    found.push({ oid, schema, name, type, entry })
    const array = { ...TYPES.array, element: type }
    found.push({ oid: ENUM_ARRAYS + oid, schema, name: `_${name}`, type: array, entry: null })
  }
  return found
}

function constraintsOf(entries: readonly CatalogEntry[]): ImageConstraint[] {
  const found: ImageConstraint[] = []
  for (const table of entries) {
    if (table.kind === 'domain')
      for (const check of table.checks) found.push({ ...check, kind: 'd', domain: table, check })
    if (table.kind !== 'table') continue
    const { primaryKey } = table
    if (primaryKey !== null) found.push({ ...primaryKey, kind: 'p', table, index: null })
    for (const index of table.indexes)
      if (index.constraint)
        found.push({ oid: index.oid, name: index.name, comment: index.comment, kind: 'u', table, index })
    for (const check of table.checks) found.push({ ...check, kind: 'c', table, check })
    for (const key of table.foreignKeys)
      found.push({ oid: key.oid, name: key.name, comment: key.comment, kind: 'f', table, key })
  }
  return found
}
