import type { QualifiedName } from '../syntax/ast.ts'

/** The schema that is there from the start. */
export const PUBLIC = 'public'
/** The schema of tables about the catalog; every search begins with it. */
export const SYSTEM_SCHEMA = 'pg_catalog'
export const INFORMATION_SCHEMA = 'information_schema'
/** What names of the session's own schema for temporary objects begin with. */
/** Columns that every table of PostgreSQL has besides its own. */
export const SYSTEM_COLUMNS: ReadonlySet<string> = new Set([
  'tableoid',
  'ctid',
  'xmin',
  'cmin',
  'xmax',
  'cmax',
])

export const TEMPORARY_PREFIX = 'pg_temp'
/** No name has it, so joined names stay apart. */
const JOINT = '\u0000'

/** Under which key the catalog keeps an object. That of one in `public` is its name. */
export const catalogKey = (schema: string, name: string): string =>
  schema === PUBLIC ? name : `${schema}${JOINT}${name}`

/** Under which key the catalog keeps a schema. */
export const schemaKey = (name: string): string => JOINT + name

/** The schema and the name in a key. */
export function namesOfKey(key: string): { readonly schema: string; readonly name: string } {
  const at = key.indexOf(JOINT)
  return at < 0
    ? { schema: PUBLIC, name: key }
    : { schema: key.slice(0, at), name: key.slice(at + JOINT.length) }
}

/** A name as a statement has it, as one text: `table`, or schema and table. */
export const writtenName = ({ parts }: Pick<QualifiedName, 'parts'>): string =>
  parts
    .slice(-2)
    .map(({ name }) => name)
    .join(JOINT)

/** A written name for a message: `schema.table`. */
export const shownName = (written: string): string => written.replace(JOINT, '.')

/** A written name, read from a text such as `'public.items'` or `'"My table"'`. */
export function parseWrittenName(text: string): string {
  const parts: string[] = []
  for (const [, quoted, plain] of text.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^".]+))\s*(?:\.|$)/g))
    parts.push(quoted === undefined ? (plain ?? '').trim().toLowerCase() : quoted.replaceAll('""', '"'))
  return parts.slice(-2).join(JOINT)
}

/** Where names without a schema are looked for. */
export interface SearchPath {
  /** In this order; those that do not exist are passed over. */
  readonly schemas: readonly string[]
  /** The schema of the session's temporary objects, which comes first; null while it has none. */
  readonly temporary: string | null
}

/** The keys under which a written name may be found, best first. */
export function keysOf(written: string, { schemas, temporary }: SearchPath): readonly string[] {
  const at = written.indexOf(JOINT)
  if (at < 0) {
    const all = temporary === null ? schemas : [temporary, ...schemas]
    return all.map((schema) => catalogKey(schema, written))
  }
  const schema = written.slice(0, at)
  const name = written.slice(at + JOINT.length)
  if (schema === TEMPORARY_PREFIX) return temporary === null ? [] : [catalogKey(temporary, name)]
  return [catalogKey(schema, name)]
}

/** The names under which a table of the system may be meant: those of `pg_catalog` need no schema. */
export function systemNames(written: string, { schemas }: SearchPath): readonly string[] {
  const at = written.indexOf(JOINT)
  if (at >= 0) {
    const [schema, name] = [written.slice(0, at), written.slice(at + JOINT.length)]
    // What a composer adds has no schema of its own.
    return schema === SYSTEM_SCHEMA ? [`${schema}.${name}`, name] : [`${schema}.${name}`]
  }
  const named = [`${SYSTEM_SCHEMA}.${written}`, written]
  return schemas.includes(INFORMATION_SCHEMA) ? [...named, `${INFORMATION_SCHEMA}.${written}`] : named
}
