import { sqlError } from '../../errors.ts'
import type { AlterDefaultPrivileges } from '../../syntax/ast.ts'
import type { AccessFacts, AccessState, DefaultAcl } from '../access-state.ts'
import { type Acl, defaultAcl, inOrder, lettersOf, withGranted, withRevoked } from '../privileges.ts'
import { type AccessContext, granteeOf, needSchemaAccess, roleOf } from './context.ts'
import { invalidPrivilege, knownLetter } from './grants.ts'

/** Stands for "in every schema". */
const EVERY_SCHEMA = 0

/** ALTER DEFAULT PRIVILEGES. @throws 42501, 42601, 42704, 0LP01, 3F000 */
export async function alterDefaultPrivileges(
  context: AccessContext,
  statement: AlterDefaultPrivileges,
): Promise<AccessFacts> {
  const { state, current } = context
  const { object: kind } = statement
  const letters =
    statement.privileges === null
      ? lettersOf(kind)
      : inOrder(
          statement.privileges.map((privilege) => {
            const letter = knownLetter(privilege)
            if (!lettersOf(kind).includes(letter)) throw invalidPrivilege(privilege, kind)
            return letter
          }),
        )
  const roles =
    statement.forRoles.length === 0 ? [current] : statement.forRoles.map((one) => roleOf(context, one))
  const schemas = [EVERY_SCHEMA]
  if (statement.schemas.length > 0) {
    schemas.length = 0
    for (const { name } of statement.schemas) schemas.push((await needSchemaAccess(context, name)).oid)
  }
  let { facts } = state
  for (const role of roles) {
    if (!state.hasRightsOf(current.oid, role.oid))
      throw sqlError('42501', 'permission denied to change default privileges')
    for (const schema of schemas) {
      const before = facts.defaults.find((one) => isFor(one, role.oid, schema, kind))
      // Those of one schema are given on top of those of all.
      const start: Acl = before?.acl ?? (schema === EVERY_SCHEMA ? defaultAcl(kind, role.oid) : [])
      const acl = statement.grantees.reduce<Acl>((list, name) => {
        const item = { grantee: granteeOf(context, name), grantor: role.oid, letters, grantable: '' }
        return statement.revoke
          ? withRevoked(list, item, statement.grantOption)
          : withGranted(list, { ...item, grantable: statement.grantOption ? letters : '' })
      }, start)
      const others = facts.defaults.filter((one) => one !== before)
      facts = { ...facts, defaults: [...others, { role: role.oid, schema, kind, acl }] }
    }
  }
  return facts
}

const isFor = (one: DefaultAcl, role: number, schema: number, kind: DefaultAcl['kind']): boolean =>
  one.role === role && one.schema === schema && one.kind === kind

/** The access list that an object of a role begins with; null: nothing was said about such objects. */
export function initialAcl(
  { facts }: AccessState,
  role: number,
  schema: number,
  kind: DefaultAcl['kind'],
): Acl | null {
  const everywhere = facts.defaults.find((one) => isFor(one, role, EVERY_SCHEMA, kind))
  const here = facts.defaults.find((one) => schema !== EVERY_SCHEMA && isFor(one, role, schema, kind))
  if (everywhere === undefined && here === undefined) return null
  return (here?.acl ?? []).reduce<Acl>(withGranted, everywhere?.acl ?? defaultAcl(kind, role))
}
