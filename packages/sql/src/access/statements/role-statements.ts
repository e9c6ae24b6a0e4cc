import { sqlError } from '../../errors.ts'
import type {
  AlterRole,
  CommentRole,
  CreateRole,
  DropRole,
  RenameRole,
  RoleOptions,
} from '../../syntax/ast.ts'
import type { AccessFacts } from '../access-state.ts'
import { SALT_BYTES, verifierText } from '../password.ts'
import { BOOTSTRAP_OID, newRole, type Role } from '../roles.ts'
import { type AccessContext, roleOf, withRole } from './context.ts'
import { withMembers } from './membership.ts'
import { dependenciesOf } from './role-dependencies.ts'

/** Numbers below are PostgreSQL's own. */
const FIRST_OID = 16_384

/** CREATE ROLE. @throws 42501, 42710, 42939, 22023 */
export async function createRole(context: AccessContext, statement: CreateRole): Promise<AccessFacts> {
  const { current, state, catalog, transaction } = context
  const { name: given, options, inRoles, members, admins } = statement
  const name = newName(given.who === 'name' ? given.name : given.who)
  if (!current.superuser) {
    if (options.superuser === true) throw refused('must be superuser to create superusers')
    if (options.replication === true) throw refused('must be superuser to create replication users')
    if (options.bypassRowSecurity === true) throw refused('must be superuser to create bypassrls users')
    if (!current.createRole) throw refused('permission denied to create role')
  }
  if (state.roleNamed(name) !== null) throw sqlError('42710', `role "${name}" already exists`)
  const oid = FIRST_OID + (await catalog.draw(transaction))
  const role = withOptions(context, newRole(oid, name), options)
  let facts = withRole(state.facts, role)
  for (const one of inRoles)
    facts = withMembers(context, facts, roleOf(context, one), [role], false, current.oid)
  facts = withMembers(
    context,
    facts,
    role,
    members.map((one) => roleOf(context, one)),
    false,
    current.oid,
  )
  return withMembers(
    context,
    facts,
    role,
    admins.map((one) => roleOf(context, one)),
    true,
    current.oid,
  )
}

/** ALTER ROLE. @throws 42501, 42704, 22023 */
export function alterRole(context: AccessContext, { name, options }: AlterRole): AccessFacts {
  const { current, state } = context
  const role = roleOf(context, name)
  if (!current.superuser) {
    if (role.superuser || options.superuser !== undefined)
      throw refused('must be superuser to alter superuser roles or change superuser attribute')
    if (role.replication || options.replication !== undefined)
      throw refused('must be superuser to alter replication roles or change replication attribute')
    if (options.bypassRowSecurity !== undefined)
      throw refused('must be superuser to change bypassrls attribute')
    const ownPassword =
      role.oid === current.oid && Object.keys(options).every((option) => option === 'password')
    if (!current.createRole && !ownPassword) throw refused('permission denied')
  }
  if (role.oid === BOOTSTRAP_OID && options.superuser === false)
    throw sqlError('0A000', `role "${role.name}" must keep the SUPERUSER attribute`, {
      hint: 'It owns the database.',
    })
  return withRole(state.facts, withOptions(context, role, options))
}

/** COMMENT ON ROLE. @throws 42501, 42704 */
export function commentRole(context: AccessContext, { name, text }: CommentRole): AccessFacts {
  const { current, state } = context
  const role = roleOf(context, name)
  if (!current.superuser && (role.superuser || !current.createRole))
    throw refused(role.superuser ? 'must be superuser to alter superusers' : 'permission denied')
  // An empty text is no comment, as in PostgreSQL.
  return withRole(state.facts, { ...role, comment: text === '' ? null : text })
}

/** ALTER ROLE … RENAME TO. @throws 42501, 42704, 42710, 42939, 0A000 */
export function renameRole(context: AccessContext, { name, to }: RenameRole): AccessFacts {
  const { current, session, state } = context
  const role = roleOf(context, name)
  if (role.oid === session.oid) throw sqlError('0A000', 'session user cannot be renamed')
  if (role.oid === current.oid) throw sqlError('0A000', 'current user cannot be renamed')
  if (role.oid === BOOTSTRAP_OID)
    throw sqlError('0A000', `role "${role.name}" cannot be renamed`, { hint: 'It owns the database.' })
  if (role.superuser && !current.superuser) throw refused('must be superuser to rename superusers')
  if (!current.superuser && !current.createRole) throw refused('permission denied to rename role')
  const next = newName(to.name)
  if (state.roleNamed(next) !== null) throw sqlError('42710', `role "${next}" already exists`)
  return withRole(state.facts, { ...role, name: next })
}

/** DROP ROLE. @throws 42501, 42704, 2BP01, 55006 */
export async function dropRole(context: AccessContext, { names, ifExists }: DropRole): Promise<AccessFacts> {
  const { current, session, state } = context
  if (!current.superuser && !current.createRole) throw refused('permission denied to drop role')
  const gone = new Set<number>()
  for (const name of names) {
    if (ifExists && name.who === 'name' && state.roleNamed(name.name) === null) continue
    const role = roleOf(context, name)
    if (role.oid === current.oid) throw sqlError('55006', 'current user cannot be dropped')
    if (role.oid === session.oid) throw sqlError('55006', 'session user cannot be dropped')
    if (role.oid < FIRST_OID)
      throw sqlError('2BP01', `cannot drop role ${role.name} because it is required by the database system`)
    if (role.superuser && !current.superuser) throw refused('must be superuser to drop superusers')
    const dependents = await dependenciesOf(context, role.oid)
    if (dependents.length > 0)
      throw sqlError('2BP01', `role "${role.name}" cannot be dropped because some objects depend on it`, {
        detail: dependents.join('\n'),
        hint: 'REASSIGN OWNED and DROP OWNED take them from it.',
      })
    gone.add(role.oid)
  }
  const left = state.facts.roles.filter(({ oid }) => !gone.has(oid))
  return {
    ...state.facts,
    beginnings: state.facts.beginnings.filter(({ role }) => !gone.has(role)),
    roles: left.map((role) => ({
      ...role,
      memberOf: role.memberOf.filter((membership) => !gone.has(membership.role)),
    })),
  }
}

const refused = (message: string) => sqlError('42501', message)

/** @throws 42939 */
function newName(name: string): string {
  if (['public', 'none', 'current', 'session'].includes(name))
    throw sqlError('42939', `role name "${name}" is reserved`)
  if (name.startsWith('pg_'))
    throw sqlError('42939', `role name "${name}" is reserved`, {
      detail: 'Role names starting with "pg_" are reserved.',
    })
  return name
}

function withOptions({ random, moment }: AccessContext, role: Role, options: RoleOptions): Role {
  const { password, validUntil, connectionLimit, ...flags } = options
  if (connectionLimit !== undefined && connectionLimit < -1)
    throw sqlError('22023', `invalid connection limit: ${connectionLimit}`)
  const verifier =
    password === undefined
      ? role.password
      : password === null || password === ''
        ? null
        : verifierText(password, random.bytes(SALT_BYTES))
  return {
    ...role,
    ...flags,
    connectionLimit: connectionLimit ?? role.connectionLimit,
    password: verifier,
    validUntil: validUntil === undefined ? role.validUntil : moment(validUntil).toString(),
  }
}
