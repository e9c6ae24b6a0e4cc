import { type Guarded, guarded } from '../access/access-state.ts'
import { type AccessKind, type Acl, aclText, defaultAcl, EVERYBODY } from '../access/privileges.ts'
import { BOOTSTRAP_OID } from '../access/roles.ts'
import { textArray } from '../types/array-text.ts'
import type { CatalogImage, ImageRelation } from './image.ts'
import { DATABASE_OWNER } from './known-oids.ts'
import type { CatalogEntry } from './schema.ts'

/** Owners and access lists, as `pg_catalog` has them. */

export const guardedIn = (catalog: CatalogImage, entry: CatalogEntry): Guarded =>
  guarded(entry, (key) => catalog.byKey(key))

/** What has no entry, such as the schema `public`. */
export const guardedAs = (oid: number, kind: AccessKind): Guarded => ({ oid, kind, ownedAs: oid })

export const ownerOf = (catalog: CatalogImage, entry: CatalogEntry | null): number =>
  entry === null ? BOOTSTRAP_OID : catalog.access.ownerOf(guardedIn(catalog, entry))

export const ownerName = (catalog: CatalogImage, entry: CatalogEntry | null): string =>
  catalog.access.nameOf(ownerOf(catalog, entry))

/** The number of the owner of whatever `pg_class` has a row for. */
export const relationOwner = (catalog: CatalogImage, { entry, index }: ImageRelation): number =>
  ownerOf(catalog, entry ?? index?.table ?? null)

/** A list in the form of the catalog; null for none. */
export function aclArray(catalog: CatalogImage, acl: Acl | null): string | null {
  if (acl === null) return null
  const nameOf = (oid: number): string =>
    oid === DATABASE_OWNER ? 'pg_database_owner' : catalog.access.nameOf(oid)
  return textArray(acl.map((item) => aclText(item, nameOf)))
}

/** `relacl` and its like. Tables of the system may be read by everybody. */
export function relationAcl(catalog: CatalogImage, { entry, virtual }: ImageRelation): string | null {
  if (virtual !== null)
    return aclArray(catalog, [
      ...defaultAcl('table', BOOTSTRAP_OID),
      { grantee: EVERYBODY, grantor: BOOTSTRAP_OID, letters: 'r', grantable: '' },
    ])
  return entry === null ? null : aclArray(catalog, catalog.access.aclOf(guardedIn(catalog, entry)))
}
