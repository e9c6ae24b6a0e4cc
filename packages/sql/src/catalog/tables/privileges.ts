import type { Letter } from '../../access/privileges.ts'
import { type Acl, COLUMN_LETTERS, EVERYBODY, lettersOf, privilegeName } from '../../access/privileges.ts'
import type { CatalogImage } from '../image.ts'
import { guardedAs, guardedIn } from '../image-access.ts'
import { DATABASE_OID } from '../known-oids.ts'
import type { CatalogEntry } from '../schema.ts'
import type { VirtualTable } from '../virtual-table.ts'
import { type Row, table } from './make.ts'

const schema = (name: string): string => `information_schema.${name}`
const yesNo = (value: boolean): string => (value ? 'YES' : 'NO')

interface Given {
  readonly grantor: string
  readonly grantee: string
  readonly privilege_type: string
  readonly is_grantable: string
}

/** One row a privilege. The owner of an object may give on what it has. */
function given(catalog: CatalogImage, acl: Acl, owner: number, letters: string): readonly Given[] {
  const { access } = catalog
  return acl.flatMap((item) =>
    [...item.letters]
      .filter((letter) => letters.includes(letter))
      .map((letter) => ({
        grantor: access.nameOf(item.grantor),
        grantee: item.grantee === EVERYBODY ? 'PUBLIC' : access.nameOf(item.grantee),
        privilege_type: privilegeName(letter as Letter),
        is_grantable: yesNo(item.grantee === owner || item.grantable.includes(letter)),
      })),
  )
}

/** What the current role has a part in: it gave or got it, or everybody has. */
function concerns({ access, user }: CatalogImage, { grantor, grantee }: Given, everybody: boolean): boolean {
  if (grantee === 'PUBLIC') return everybody
  const role = access.roleNamed(user)
  if (role === null) return false
  const of = (name: string): boolean => {
    const other = access.roleNamed(name)
    return other !== null && access.closure(role.oid).has(other.oid)
  }
  return role.superuser || of(grantor) || of(grantee)
}

const relations = ({ entries }: CatalogImage): readonly CatalogEntry[] =>
  entries.filter((entry) => entry.kind === 'view' || (entry.kind === 'table' && entry.materialized === null))

const placeOf = (catalog: CatalogImage, entry: CatalogEntry): Row => ({
  table_catalog: catalog.database,
  table_schema: entry.schema,
  table_name: entry.name,
})

function tablePrivileges(catalog: CatalogImage, everybody: boolean): Row[] {
  return relations(catalog).flatMap((entry) => {
    const object = guardedIn(catalog, entry)
    const { access } = catalog
    return given(catalog, access.effectiveAcl(object), access.ownerOf(object), lettersOf('table'))
      .filter((one) => concerns(catalog, one, everybody))
      .map((one) => ({
        ...one,
        ...placeOf(catalog, entry),
        with_hierarchy: yesNo(one.privilege_type === 'SELECT'),
      }))
  })
}

function columnPrivileges(catalog: CatalogImage, everybody: boolean): Row[] {
  const { access } = catalog
  return relations(catalog).flatMap((entry) => {
    const object = guardedIn(catalog, entry)
    const owner = access.ownerOf(object)
    const columns =
      entry.kind === 'table'
        ? entry.columns.map(({ name, slot }) => ({ name, acl: access.columnAcl(entry.oid, slot) ?? [] }))
        : entry.kind === 'view'
          ? entry.result.map(({ name }) => ({ name, acl: [] }))
          : []
    return columns.flatMap(({ name, acl }) => {
      const all = [
        ...given(catalog, access.effectiveAcl(object), owner, COLUMN_LETTERS),
        ...given(catalog, acl, owner, COLUMN_LETTERS),
      ]
      const seen = new Map(all.map((one) => [`${one.grantee}\u0000${one.privilege_type}`, one]))
      return [...seen.values()]
        .filter((one) => concerns(catalog, one, everybody))
        .map((one) => ({ ...one, ...placeOf(catalog, entry), column_name: name }))
    })
  })
}

function usagePrivileges(catalog: CatalogImage): Row[] {
  const { access } = catalog
  return catalog.entries.flatMap((entry) => {
    if (entry.kind !== 'sequence' && entry.kind !== 'domain') return []
    const object = guardedIn(catalog, entry)
    return given(catalog, access.effectiveAcl(object), access.ownerOf(object), 'U')
      .filter((one) => concerns(catalog, one, true))
      .map((one) => ({
        ...one,
        object_catalog: catalog.database,
        object_schema: entry.schema,
        object_name: entry.name,
        object_type: entry.kind.toUpperCase(),
      }))
  })
}

const ofTables =
  'grantor, grantee, table_catalog, table_schema, table_name, privilege_type, is_grantable, with_hierarchy'
const ofColumns =
  'grantor, grantee, table_catalog, table_schema, table_name, column_name, privilege_type, is_grantable'

/** The views of information_schema about roles and privileges. */
export const privilegeTables: readonly VirtualTable[] = [
  table(schema('table_privileges'), ofTables, ({ catalog }) => tablePrivileges(catalog, true)),
  table(schema('role_table_grants'), ofTables, ({ catalog }) => tablePrivileges(catalog, false)),
  table(schema('column_privileges'), ofColumns, ({ catalog }) => columnPrivileges(catalog, true)),
  table(schema('role_column_grants'), ofColumns, ({ catalog }) => columnPrivileges(catalog, false)),
  table(
    schema('usage_privileges'),
    'grantor, grantee, object_catalog, object_schema, object_name, object_type, privilege_type, is_grantable',
    ({ catalog }) => usagePrivileges(catalog),
  ),
  table(schema('enabled_roles'), 'role_name', ({ catalog }) => {
    const { access, user } = catalog
    const role = access.roleNamed(user)
    if (role === null) return []
    return access.roles
      .filter(({ oid }) => access.mayBecome(role.oid, oid))
      .map(({ name }) => ({ role_name: name }))
  }),
  table(schema('applicable_roles'), 'grantee, role_name, is_grantable', ({ catalog }) => {
    const { access, user } = catalog
    const role = access.roleNamed(user)
    if (role === null) return []
    return access.roles.flatMap(({ oid, name, memberOf }) =>
      access.mayBecome(role.oid, oid)
        ? memberOf.map((one) => ({
            grantee: name,
            role_name: access.nameOf(one.role),
            is_grantable: yesNo(one.admin),
          }))
        : [],
    )
  }),
]

/** The owner of the database. */
export const databaseOwner = ({ access }: CatalogImage): number =>
  access.ownerOf(guardedAs(DATABASE_OID, 'database'))
