import type { Random, Transaction } from '@cluster/core'
import type { Catalog } from '../../catalog/catalog.ts'
import { DATABASE_OID, PUBLIC_OID } from '../../catalog/known-oids.ts'
import { keysOf, PUBLIC, type SearchPath, schemaKey, shownName, writtenName } from '../../catalog/names.ts'
import type { CatalogEntry } from '../../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../../errors.ts'
import type { QualifiedName, RoleName } from '../../syntax/ast.ts'
import {
  type AccessFacts,
  type AccessState,
  type Guarded,
  guarded,
  type ObjectAccess,
} from '../access-state.ts'
import { EVERYBODY } from '../privileges.ts'
import { BOOTSTRAP_OID, type Role } from '../roles.ts'

/** What a statement about access works with. */
export interface AccessContext {
  readonly transaction: Transaction
  readonly catalog: Catalog
  readonly path: SearchPath
  readonly database: string
  readonly random: Random
  readonly state: AccessState
  /** Whose rights count. */
  readonly current: Role
  /** Who opened the session. */
  readonly session: Role
  /** Of the session. */
  readonly settings: {
    /** @throws 42704 */
    get(name: string): string
    /** As it is kept; null without values, or when it cannot be other than it is. @throws 42704, 22023 */
    check(name: string, values?: readonly string[]): string | null
  }
  /** Microseconds since 1970 that a text stands for. */
  readonly moment: (text: string) => bigint
}

/** The number of a role that a statement names. @throws 42704; 0LP01 for PUBLIC */
export function roleOf({ state, current, session }: AccessContext, { who, name }: RoleName): Role {
  if (who === 'current') return current
  if (who === 'session') return session
  if (who === 'public') throw sqlError('42704', 'role "public" does not exist')
  return state.needRole(name)
}

/** As `roleOf`; PUBLIC is everybody. */
export const granteeOf = (context: AccessContext, name: RoleName): number =>
  name.who === 'public' ? EVERYBODY : roleOf(context, name).oid

/** What is stored of an object, or what holds where nothing is. */
export const storedOr = (state: AccessState, { oid, ownedAs }: Guarded): ObjectAccess =>
  state.stored(oid) ?? { oid, owner: state.ownerOf({ ownedAs }), acl: null, columns: {} }

/** The facts with an object's changed; one about which there is nothing to say is left out. */
export function withObject(facts: AccessFacts, object: ObjectAccess): AccessFacts {
  const plain =
    object.owner === BOOTSTRAP_OID && object.acl === null && Object.keys(object.columns).length === 0
  const others = facts.objects.filter(({ oid }) => oid !== object.oid)
  return { ...facts, objects: plain ? others : [...others, object] }
}

/** The facts with a role's changed. */
export const withRole = (facts: AccessFacts, role: Role): AccessFacts => ({
  ...facts,
  roles: [...facts.roles.filter(({ oid }) => oid !== role.oid), role],
})

/** Entries that belong to others, such as indexes, take their rights from these. */
export async function guardedEntry(
  { catalog, transaction }: Pick<AccessContext, 'catalog' | 'transaction'>,
  entry: CatalogEntry,
): Promise<Guarded> {
  const key =
    entry.kind === 'index' ? entry.table : entry.kind === 'sequence' ? entry.ownedBy?.table : undefined
  const table = key === undefined ? null : await catalog.entry(transaction, key)
  return guarded(entry, () => table)
}

/** The database itself. */
export const DATABASE: Guarded = { oid: DATABASE_OID, kind: 'database', ownedAs: DATABASE_OID }

/** Null when there is none of the name. */
export async function findSchema(
  { catalog, transaction }: Pick<AccessContext, 'catalog' | 'transaction'>,
  name: string,
): Promise<Guarded | null> {
  if (name === PUBLIC) return { oid: PUBLIC_OID, kind: 'schema', ownedAs: PUBLIC_OID }
  const entry = await catalog.entry(transaction, schemaKey(name))
  return entry === null ? null : { oid: entry.oid, kind: 'schema', ownedAs: entry.oid }
}

/** @throws 3F000 */
export async function needSchemaAccess(context: AccessContext, name: string): Promise<Guarded> {
  const found = await findSchema(context, name)
  if (found !== null) return found
  throw sqlError('3F000', `schema "${name}" does not exist`)
}

/** What a name stands for; null when it is nothing. */
export async function find(
  { catalog, transaction, path }: Pick<AccessContext, 'catalog' | 'transaction' | 'path'>,
  name: QualifiedName,
): Promise<CatalogEntry | null> {
  for (const key of keysOf(writtenName(name), path)) {
    const entry = await catalog.entry(transaction, key)
    if (entry !== null) return entry
  }
  return null
}

/** @throws 42P01, 42704 for a type */
export async function need(
  context: AccessContext,
  name: QualifiedName,
  isType = false,
): Promise<CatalogEntry> {
  const found = await find(context, name)
  if (found !== null) return found
  const text = shownName(writtenName(name))
  throw isType
    ? sqlError(SQLSTATE.undefinedObject, `type "${text}" does not exist`)
    : sqlError(SQLSTATE.undefinedTable, `relation "${text}" does not exist`)
}

/** How a message calls an entry. */
export function wordOf(entry: CatalogEntry): string {
  if (entry.kind === 'table') return entry.materialized === null ? 'table' : 'materialized view'
  return entry.kind === 'enum' || entry.kind === 'domain' ? 'type' : entry.kind
}
