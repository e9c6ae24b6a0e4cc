import type {
  AccessStatement,
  AlterSettings,
  ChannelStatement,
  DatabaseStatement,
  Grant,
  IdentityStatement,
  PrivilegeName,
  RoleName,
  RoleOptions,
  Statement,
} from './ast.ts'
import { quoteIdentifier, quoteLiteral } from './keywords.ts'
import { printIdentifier, printName } from './print-query.ts'

type Printed = AccessStatement | IdentityStatement | ChannelStatement | DatabaseStatement

const KINDS: ReadonlySet<Statement['kind']> = new Set<Printed['kind']>([
  'createDatabase',
  'dropDatabase',
  'createRole',
  'alterRole',
  'alterSettings',
  'commentRole',
  'renameRole',
  'dropRole',
  'grantRole',
  'grant',
  'alterDefaultPrivileges',
  'ownerTo',
  'reassignOwned',
  'dropOwned',
  'setRole',
  'setSessionAuthorization',
  'listen',
  'unlisten',
  'notify',
])

/** True for a statement about roles, privileges, owners, channels or whole databases. */
export const isAccess = (node: Statement): node is Printed => KINDS.has(node.kind)

export function printAccess(node: Printed): string {
  switch (node.kind) {
    case 'createDatabase': {
      const options = node.options.map(
        ([name, value]) => ` ${name.toUpperCase()} = ${value === null ? 'DEFAULT' : quoteLiteral(value)}`,
      )
      return `CREATE DATABASE ${printIdentifier(node.name)}${options.join('')}`
    }
    case 'dropDatabase':
      return `DROP DATABASE ${node.ifExists ? 'IF EXISTS ' : ''}${printIdentifier(node.name)}${node.force ? ' (FORCE)' : ''}`
    case 'createRole': {
      const { name, options, inRoles, members, admins } = node
      const lists = [
        ...(inRoles.length === 0 ? [] : [`IN ROLE ${roles(inRoles)}`]),
        ...(members.length === 0 ? [] : [`ROLE ${roles(members)}`]),
        ...(admins.length === 0 ? [] : [`ADMIN ${roles(admins)}`]),
      ]
      return ['CREATE ROLE', role(name), ...printOptions(options), ...lists].join(' ')
    }
    case 'alterRole':
      return ['ALTER ROLE', role(node.name), ...printOptions(node.options)].join(' ')
    case 'alterSettings':
      return printSettings(node)
    case 'commentRole':
      return `COMMENT ON ROLE ${role(node.name)} IS ${node.text === null ? 'NULL' : quoteLiteral(node.text)}`
    case 'renameRole':
      return `ALTER ROLE ${role(node.name)} RENAME TO ${printIdentifier(node.to)}`
    case 'dropRole':
      return `DROP ROLE ${node.ifExists ? 'IF EXISTS ' : ''}${roles(node.names)}`
    case 'grantRole': {
      const { admin, members } = node
      return node.revoke
        ? `REVOKE ${admin ? 'ADMIN OPTION FOR ' : ''}${roles(node.roles)} FROM ${roles(members)}`
        : `GRANT ${roles(node.roles)} TO ${roles(members)}${admin ? ' WITH ADMIN OPTION' : ''}`
    }
    case 'grant':
      return printGrant(node)
    case 'alterDefaultPrivileges': {
      const forRoles = node.forRoles.length === 0 ? '' : ` FOR ROLE ${roles(node.forRoles)}`
      const schemas =
        node.schemas.length === 0 ? '' : ` IN SCHEMA ${node.schemas.map(printIdentifier).join(', ')}`
      const what = `${privileges(node.privileges)} ON ${node.object.toUpperCase()}S`
      return `ALTER DEFAULT PRIVILEGES${forRoles}${schemas} ${direction(node, what)}`
    }
    case 'ownerTo': {
      const exists = node.ifExists ? 'IF EXISTS ' : ''
      return `ALTER ${node.object.toUpperCase()} ${exists}${printName(node.name)} OWNER TO ${role(node.owner)}`
    }
    case 'reassignOwned':
      return `REASSIGN OWNED BY ${roles(node.from)} TO ${role(node.to)}`
    case 'dropOwned':
      return `DROP OWNED BY ${roles(node.roles)}${node.cascade ? ' CASCADE' : ''}`
    case 'setRole':
      return `SET ${node.local ? 'LOCAL ' : ''}ROLE ${node.role === null ? 'NONE' : quoteLiteral(node.role)}`
    case 'setSessionAuthorization':
      return `SET ${node.local ? 'LOCAL ' : ''}SESSION AUTHORIZATION ${node.role === null ? 'DEFAULT' : quoteLiteral(node.role)}`
    case 'listen':
      return `LISTEN ${printIdentifier(node.channel)}`
    case 'unlisten':
      return `UNLISTEN ${node.channel === null ? '*' : printIdentifier(node.channel)}`
    case 'notify': {
      const payload = node.payload === '' ? '' : `, ${quoteLiteral(node.payload)}`
      return `NOTIFY ${printIdentifier(node.channel)}${payload}`
    }
  }
}

const words = { current: 'CURRENT_USER', session: 'SESSION_USER', public: 'PUBLIC' } as const

// A role named like one of the words is written in quotes.
const role = ({ who, name }: RoleName): string => (who === 'name' ? quoteRole(name) : words[who])

const quoteRole = (name: string): string => (name === 'public' ? '"public"' : quoteIdentifier(name))

const roles = (names: readonly RoleName[]): string => names.map(role).join(', ')

function printSettings({ role: of, database, name, values }: AlterSettings): string {
  const whose =
    of === null && database !== null
      ? `DATABASE ${printIdentifier(database)}`
      : `ROLE ${of === null ? 'ALL' : role(of)}${database === null ? '' : ` IN DATABASE ${printIdentifier(database)}`}`
  const setting = name?.split('.').map(quoteIdentifier).join('.')
  if (values === null) return `ALTER ${whose} RESET ${setting ?? 'ALL'}`
  const to = values === 'current' ? 'FROM CURRENT' : `TO ${values.map(quoteLiteral).join(', ')}`
  return `ALTER ${whose} SET ${setting} ${to}`
}

function printOptions(options: RoleOptions): readonly string[] {
  const flag = (value: boolean | undefined, word: string): readonly string[] =>
    value === undefined ? [] : [value ? word : `NO${word}`]
  const { connectionLimit, password, validUntil } = options
  return [
    ...flag(options.superuser, 'SUPERUSER'),
    ...flag(options.createDatabase, 'CREATEDB'),
    ...flag(options.createRole, 'CREATEROLE'),
    ...flag(options.inherit, 'INHERIT'),
    ...flag(options.login, 'LOGIN'),
    ...flag(options.replication, 'REPLICATION'),
    ...flag(options.bypassRowSecurity, 'BYPASSRLS'),
    ...(connectionLimit === undefined ? [] : [`CONNECTION LIMIT ${connectionLimit}`]),
    ...(password === undefined ? [] : [`PASSWORD ${password === null ? 'NULL' : quoteLiteral(password)}`]),
    ...(validUntil === undefined ? [] : [`VALID UNTIL ${quoteLiteral(validUntil)}`]),
  ]
}

function privileges(list: readonly PrivilegeName[] | null, allColumns: Grant['allColumns'] = []): string {
  const of = (columns: Grant['allColumns']): string =>
    columns.length === 0 ? '' : ` (${columns.map(printIdentifier).join(', ')})`
  if (list === null) return `ALL PRIVILEGES${of(allColumns)}`
  return list.map(({ name, columns }) => `${name}${of(columns)}`).join(', ')
}

function printGrant(node: Grant): string {
  const names = node.names.map(printName).join(', ')
  const kind = node.object.toUpperCase()
  const target = node.allInSchema ? `ALL ${kind}S IN SCHEMA ${names}` : `${kind} ${names}`
  const text = direction(node, `${privileges(node.privileges, node.allColumns)} ON ${target}`)
  return node.cascade ? `${text} CASCADE` : text
}

function direction(
  {
    revoke,
    grantOption,
    grantees,
  }: { readonly revoke: boolean; readonly grantOption: boolean; readonly grantees: readonly RoleName[] },
  what: string,
): string {
  return revoke
    ? `REVOKE ${grantOption ? 'GRANT OPTION FOR ' : ''}${what} FROM ${roles(grantees)}`
    : `GRANT ${what} TO ${roles(grantees)}${grantOption ? ' WITH GRANT OPTION' : ''}`
}
