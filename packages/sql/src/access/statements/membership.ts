import { sqlError } from '../../errors.ts'
import type { GrantRole } from '../../syntax/ast.ts'
import { type AccessFacts, AccessState } from '../access-state.ts'
import type { Role } from '../roles.ts'
import { type AccessContext, roleOf, withRole } from './context.ts'

/** GRANT and REVOKE of roles. @throws 42501, 42704, 0LP01 */
export function grantRole(context: AccessContext, statement: GrantRole): AccessFacts {
  const { current, state } = context
  const members = statement.members.map((name) => roleOf(context, name))
  let { facts } = state
  for (const name of statement.roles) {
    const role = roleOf(context, name)
    checkAdmin(context, role)
    facts = statement.revoke
      ? withoutMembers(context, facts, role, members, statement.admin)
      : withMembers(context, facts, role, members, statement.admin, current.oid)
  }
  return facts
}

/** @throws 42501 */
function checkAdmin({ current, state }: AccessContext, role: Role): void {
  if (current.superuser) return
  if (role.superuser) throw sqlError('42501', 'must be superuser to alter superusers')
  if (current.createRole) return
  const rights = state.closure(current.oid)
  const isAdmin = state.roles.some(
    ({ oid, memberOf }) => rights.has(oid) && memberOf.some((one) => one.role === role.oid && one.admin),
  )
  if (!isAdmin) throw sqlError('42501', `must have admin option on role "${role.name}"`)
}

/** @throws 0LP01 for a role that would be a member of itself */
export function withMembers(
  { state: { bootstrap } }: AccessContext,
  facts: AccessFacts,
  role: Role,
  members: readonly Role[],
  admin: boolean,
  grantor: number,
): AccessFacts {
  let next = facts
  for (const { oid, name } of members) {
    const state = new AccessState(next, bootstrap)
    if (state.closure(role.oid, 'members').has(oid))
      throw sqlError('0LP01', `role "${role.name}" is a member of role "${name}"`)
    const member = state.needRole(name)
    const before = member.memberOf.find((one) => one.role === role.oid)
    const others = member.memberOf.filter((one) => one !== before)
    const membership = { role: role.oid, admin: admin || before?.admin === true, grantor }
    next = withRole(next, { ...member, memberOf: [...others, membership] })
  }
  return next
}

function withoutMembers(
  { state: { bootstrap } }: AccessContext,
  facts: AccessFacts,
  role: Role,
  members: readonly Role[],
  adminOnly: boolean,
): AccessFacts {
  let next = facts
  for (const { name } of members) {
    const member = new AccessState(next, bootstrap).needRole(name)
    const memberOf = member.memberOf.flatMap((one) =>
      one.role !== role.oid ? [one] : adminOnly ? [{ ...one, admin: false }] : [],
    )
    next = withRole(next, { ...member, memberOf })
  }
  return next
}
