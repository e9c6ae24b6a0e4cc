import { DATABASE_OID, PUBLIC_OID } from '../../catalog/known-oids.ts'
import { PUBLIC } from '../../catalog/names.ts'
import type { CatalogEntry } from '../../catalog/schema.ts'
import type { ObjectAccess } from '../access-state.ts'
import { type AccessContext, wordOf } from './context.ts'

interface KnownObject {
  readonly object: ObjectAccess
  /** Null for the database and the schema `public`, which are no entries. */
  readonly entry: CatalogEntry | null
  readonly shown: string
}

/** Objects about which something is stored, with how they are called; those that are gone are left out. */
export async function knownObjects({
  catalog,
  transaction,
  state,
  database,
}: Pick<AccessContext, 'catalog' | 'transaction' | 'state' | 'database'>): Promise<readonly KnownObject[]> {
  const { objects } = state.facts
  if (objects.length === 0) return []
  const entries = new Map((await catalog.entries(transaction)).map((entry) => [entry.oid, entry]))
  return objects.flatMap((object): KnownObject[] => {
    const entry = entries.get(object.oid) ?? null
    if (entry !== null) {
      const place = entry.schema === '' || entry.schema === PUBLIC ? '' : `${entry.schema}.`
      return [{ object, entry, shown: `${wordOf(entry)} ${place}${entry.name}` }]
    }
    if (object.oid === PUBLIC_OID) return [{ object, entry, shown: 'schema public' }]
    return object.oid === DATABASE_OID ? [{ object, entry, shown: `database ${database}` }] : []
  })
}

/** What keeps a role from being dropped, as PostgreSQL lists it. */
export async function dependenciesOf(context: AccessContext, role: number): Promise<readonly string[]> {
  const found: string[] = []
  for (const { object, shown } of await knownObjects(context)) {
    if (object.owner === role) found.push(`owner of ${shown}`)
    const all = [...(object.acl ?? []), ...Object.values(object.columns).flat()]
    const named = all.some(({ grantee, grantor }) => grantee === role || grantor === role)
    if (named && object.owner !== role) found.push(`privileges for ${shown}`)
  }
  const { defaults } = context.state.facts
  if (defaults.some((one) => one.role === role || one.acl.some(({ grantee }) => grantee === role)))
    found.push('default privileges')
  return found
}
