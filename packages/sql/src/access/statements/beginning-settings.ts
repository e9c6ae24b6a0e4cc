import { sqlError } from '../../errors.ts'
import type { AlterSettings } from '../../syntax/ast.ts'
import type { AccessFacts, BeginningSettings } from '../access-state.ts'
import { type AccessContext, DATABASE, roleOf } from './context.ts'

/**
 * ALTER ROLE … SET and ALTER DATABASE … SET, and RESET.
 * @throws 42501, 42704, 22023, 3D000
 */
export function alterSettings(context: AccessContext, statement: AlterSettings): AccessFacts {
  const { database, state, settings } = context
  if (statement.database !== null && statement.database.name !== database)
    throw sqlError('3D000', `database "${statement.database.name}" does not exist`, {
      hint: `Only of the database of the session: ${database}.`,
    })
  const role = whose(context, statement)
  const here = statement.database !== null
  const { beginnings } = state.facts
  const isIt = (one: BeginningSettings): boolean => one.role === role && one.here === here
  const next = { ...beginnings.find(isIt)?.settings }
  const { name, values } = statement
  if (name === null) for (const known of Object.keys(next)) delete next[known]
  else {
    const value =
      values === null
        ? settings.check(name)
        : values === 'current'
          ? settings.get(name)
          : settings.check(name, values)
    if (value === null) delete next[name]
    else next[name] = value
  }
  const others = beginnings.filter((one) => !isIt(one))
  const all = Object.keys(next).length === 0 ? others : [...others, { role, here, settings: next }]
  return { ...state.facts, beginnings: all }
}

/** The role that the settings are of; 0: all. @throws 42501, 42704 */
function whose(context: AccessContext, { role: name, database }: AlterSettings): number {
  const { current, state } = context
  if (name === null) {
    const allowed =
      database === null ? current.superuser : current.superuser || state.owns(current.oid, DATABASE)
    if (!allowed)
      throw database === null
        ? sqlError('42501', 'must be superuser to alter settings globally')
        : sqlError('42501', `must be owner of database ${database.name}`)
    return 0
  }
  const role = roleOf(context, name)
  const allowed = current.superuser || role.oid === current.oid || (current.createRole && !role.superuser)
  if (!allowed)
    throw sqlError('42501', role.superuser ? 'must be superuser to alter superusers' : 'permission denied')
  return role.oid
}
