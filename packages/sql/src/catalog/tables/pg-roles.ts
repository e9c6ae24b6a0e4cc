import type { DefaultAcl } from '../../access/access-state.ts'
import type { Role } from '../../access/roles.ts'
import { settingName } from '../../session/settings/settings.ts'
import { textArray } from '../../types/array-text.ts'
import type { CatalogImage } from '../image.ts'
import { aclArray } from '../image-access.ts'
import { DATABASE_OID, DATABASE_OWNER } from '../known-oids.ts'
import type { VirtualTable } from '../virtual-table.ts'
import { type Row, table } from './make.ts'

const HIDDEN = '********'

/** Until when a password holds, as a timestamp. */
const until = ({ validUntil }: Role) => (validUntil === null ? null : BigInt(validUntil))

const attributes = (role: Role): Row => ({
  oid: role.oid,
  rolname: role.name,
  rolsuper: role.superuser,
  rolinherit: role.inherit,
  rolcreaterole: role.createRole,
  rolcreatedb: role.createDatabase,
  rolcanlogin: role.login,
  rolreplication: role.replication,
  rolconnlimit: role.connectionLimit,
  rolvaliduntil: until(role),
  rolbypassrls: role.bypassRowSecurity,
})

/** PostgreSQL's role for whoever owns the database; nobody logs in as it. */
const databaseOwner: Row = {
  oid: DATABASE_OWNER,
  rolname: 'pg_database_owner',
  rolsuper: false,
  rolinherit: true,
  rolcreaterole: false,
  rolcreatedb: false,
  rolcanlogin: false,
  rolreplication: false,
  rolconnlimit: -1,
  rolbypassrls: false,
}

/** Settings in the form of the catalog; null for none. */
function configOf(settings: Readonly<Record<string, string>> | undefined): string | null {
  const all = Object.entries(settings ?? {})
  return all.length === 0 ? null : textArray(all.map(([name, value]) => `${settingName(name)}=${value}`))
}

/** What a role begins with everywhere. */
const roleConfig = (catalog: CatalogImage, { oid }: Role): string | null =>
  configOf(catalog.access.facts.beginnings.find(({ role, here }) => role === oid && !here)?.settings)

const asUser = (role: Role): Row => ({
  usename: role.name,
  usesysid: role.oid,
  usecreatedb: role.createDatabase,
  usesuper: role.superuser,
  userepl: role.replication,
  usebypassrls: role.bypassRowSecurity,
  valuntil: until(role),
})

const users = 'usename, usesysid oid, usecreatedb bool, usesuper bool, userepl bool, usebypassrls bool'

const defaultLetters: Readonly<Record<DefaultAcl['kind'], string>> = {
  table: 'r',
  sequence: 'S',
  schema: 'n',
  type: 'T',
  function: 'f',
}

/** Roles, who belongs to which, and what they begin with. */
export const roleTables: readonly VirtualTable[] = [
  table(
    'pg_catalog.pg_roles',
    `rolname, rolsuper bool, rolinherit bool, rolcreaterole bool, rolcreatedb bool, rolcanlogin bool,
     rolreplication bool, rolconnlimit int4, rolpassword, rolvaliduntil time, rolbypassrls bool, rolconfig text[], oid oid`,
    ({ catalog }) =>
      [
        ...catalog.access.roles.map((role) => ({
          ...attributes(role),
          rolconfig: roleConfig(catalog, role),
        })),
        databaseOwner,
      ].map((row) => ({ ...row, rolpassword: HIDDEN })),
  ),
  {
    ...table(
      'pg_catalog.pg_authid',
      `oid oid, rolname, rolsuper bool, rolinherit bool, rolcreaterole bool, rolcreatedb bool, rolcanlogin bool,
       rolreplication bool, rolbypassrls bool, rolconnlimit int4, rolpassword, rolvaliduntil time`,
      ({ catalog }) => [
        ...catalog.access.roles.map((role) => ({ ...attributes(role), rolpassword: role.password })),
        databaseOwner,
      ],
    ),
    secret: true,
  },
  table('pg_catalog.pg_user', `${users}, passwd, valuntil time, useconfig text[]`, ({ catalog }) =>
    catalog.access.roles
      .filter(({ login }) => login)
      .map((role) => ({
        ...asUser(role),
        passwd: HIDDEN,
        useconfig: roleConfig(catalog, role),
      })),
  ),
  {
    ...table('pg_catalog.pg_shadow', `${users}, passwd, valuntil time, useconfig text[]`, ({ catalog }) =>
      catalog.access.roles
        .filter(({ login }) => login)
        .map((role) => ({
          ...asUser(role),
          passwd: role.password,
          useconfig: roleConfig(catalog, role),
        })),
    ),
    secret: true,
  },
  table('pg_catalog.pg_group', 'groname, grosysid oid, grolist oid[]', ({ catalog }) => {
    const { roles } = catalog.access
    return roles
      .filter(({ login }) => !login)
      .map(({ oid, name }) => {
        const members = roles.filter(({ memberOf }) => memberOf.some(({ role }) => role === oid))
        return { groname: name, grosysid: oid, grolist: `{${members.map((one) => one.oid).join(',')}}` }
      })
  }),
  table(
    'pg_catalog.pg_auth_members',
    'roleid oid, member oid, grantor oid, admin_option bool',
    ({ catalog }) =>
      catalog.access.roles.flatMap(({ oid, memberOf }) =>
        memberOf.map(({ role, admin, grantor }) => ({
          roleid: role,
          member: oid,
          grantor,
          admin_option: admin,
        })),
      ),
  ),
  table(
    'pg_catalog.pg_default_acl',
    'oid oid, defaclrole oid, defaclnamespace oid, defaclobjtype, defaclacl text[], tableoid oid',
    ({ catalog }) =>
      catalog.access.facts.defaults.map(({ role, schema, kind, acl }, i) => ({
        oid: i + 1,
        defaclrole: role,
        defaclnamespace: schema,
        defaclobjtype: defaultLetters[kind],
        defaclacl: aclArray(catalog, acl),
        tableoid: 826,
      })),
  ),
  table('pg_catalog.pg_db_role_setting', 'setdatabase oid, setrole oid, setconfig text[]', ({ catalog }) =>
    catalog.access.facts.beginnings.map(({ role, here, settings }) => ({
      setdatabase: here ? DATABASE_OID : 0,
      setrole: role,
      setconfig: configOf(settings),
    })),
  ),
]
