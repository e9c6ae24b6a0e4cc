import { SQLSTATE, sqlError } from '../../errors.ts'
import type {
  AlterRole,
  AlterSettings,
  CreateRole,
  DropRole,
  GrantRole,
  RenameRole,
  RoleName,
  RoleOptions,
  SetRole,
  SetSessionAuthorization,
} from '../ast.ts'
import type { Cursor } from './cursor.ts'
import { roleSettings } from './parse-settings.ts'

/** A role, or a word that stands for one. */
export function roleName(cursor: Cursor): RoleName {
  const before = cursor.span.end
  const words = { current_user: 'current', current_role: 'current', session_user: 'session' } as const
  for (const [word, who] of Object.entries(words))
    if (cursor.skip(word))
      return { kind: 'role', who, name: '', span: { start: before, end: cursor.span.end } }
  if (cursor.skip('public')) return { kind: 'role', who: 'public', name: '', span: cursor.span }
  const { name, span } = cursor.name()
  return { kind: 'role', who: 'name', name, span }
}

export const roleNames = (cursor: Cursor): readonly RoleName[] => cursor.list(() => roleName(cursor))

/** Options that are a word, or the word with NO before it. */
const flags: Readonly<Record<string, keyof RoleOptions>> = {
  superuser: 'superuser',
  createdb: 'createDatabase',
  createrole: 'createRole',
  createuser: 'createRole',
  inherit: 'inherit',
  login: 'login',
  replication: 'replication',
  bypassrls: 'bypassRowSecurity',
}

function flag(cursor: Cursor): RoleOptions | null {
  for (const [word, option] of Object.entries(flags)) {
    if (cursor.skip(word)) return { [option]: true }
    if (cursor.skip(`no${word}`)) return { [option]: false }
  }
  return null
}

function option(cursor: Cursor): RoleOptions | null {
  const found = flag(cursor)
  if (found !== null) return found
  if (cursor.skip('connection')) {
    cursor.need('limit')
    return { connectionLimit: cursor.integer() }
  }
  if (cursor.sees('encrypted') || cursor.sees('password')) {
    cursor.skip('encrypted')
    cursor.need('password')
    return { password: cursor.skip('null') ? null : cursor.string() }
  }
  if (cursor.skip('valid')) {
    cursor.need('until')
    return { validUntil: cursor.string() }
  }
  return null
}

/** @throws 42601 for an option that is said twice */
function both(options: RoleOptions, one: RoleOptions): RoleOptions {
  if (Object.keys(one).some((name) => name in options))
    throw sqlError(SQLSTATE.syntaxError, 'conflicting or redundant options')
  return { ...options, ...one }
}

/** Behind CREATE ROLE, USER or GROUP. */
export function createRole(cursor: Cursor, word: 'role' | 'user' | 'group'): CreateRole {
  const name = roleName(cursor)
  cursor.skip('with')
  // CREATE USER is CREATE ROLE … LOGIN.
  let options: RoleOptions = {}
  const inRoles: RoleName[] = []
  const members: RoleName[] = []
  const admins: RoleName[] = []
  while (!cursor.done) {
    const one = option(cursor)
    if (one !== null) options = both(options, one)
    else if (cursor.skip('in', 'role') || cursor.skip('in', 'group')) inRoles.push(...roleNames(cursor))
    else if (cursor.skip('role') || cursor.skip('user')) members.push(...roleNames(cursor))
    else if (cursor.skip('admin')) admins.push(...roleNames(cursor))
    else if (cursor.skip('sysid')) cursor.integer()
    else throw cursor.unexpected()
  }
  if (word === 'user') options = { login: true, ...options }
  return { kind: 'createRole', name, options, inRoles, members, admins, span: cursor.span }
}

/** Behind ALTER ROLE, USER or GROUP. */
export function alterRole(
  cursor: Cursor,
  word: 'role' | 'user' | 'group',
): AlterRole | AlterSettings | RenameRole | GrantRole {
  if (word !== 'group' && cursor.skip('all')) {
    const settings = roleSettings(cursor, null)
    if (settings === null) throw cursor.unexpected()
    return settings
  }
  const name = roleName(cursor)
  const settings = word === 'group' ? null : roleSettings(cursor, name)
  if (settings !== null) return settings
  if (cursor.skip('rename')) {
    cursor.need('to')
    const to = cursor.name()
    return { kind: 'renameRole', name, to, span: cursor.span }
  }
  if (word === 'group') {
    const revoke = cursor.oneOf('add', 'drop') === 'drop'
    cursor.need('user')
    const members = roleNames(cursor)
    return { kind: 'grantRole', revoke, roles: [name], members, admin: false, span: cursor.span }
  }
  cursor.skip('with')
  let options: RoleOptions = {}
  while (!cursor.done) {
    const one = option(cursor)
    if (one === null) throw cursor.unexpected()
    options = both(options, one)
  }
  return { kind: 'alterRole', name, options, span: cursor.span }
}

/** Behind DROP ROLE, USER or GROUP. */
export function dropRole(cursor: Cursor): DropRole {
  const ifExists = cursor.skip('if', 'exists')
  return { kind: 'dropRole', names: roleNames(cursor), ifExists, span: cursor.span }
}

/** Behind SET [SESSION | LOCAL] ROLE. */
export function setRole(cursor: Cursor, local: boolean): SetRole {
  const role = cursor.skip('none') ? null : cursor.seesString ? cursor.string() : cursor.name().name
  return { kind: 'setRole', role, local, span: cursor.span }
}

/** Behind SET [SESSION | LOCAL] SESSION AUTHORIZATION. */
export function setSessionAuthorization(cursor: Cursor, local: boolean): SetSessionAuthorization {
  const role = cursor.skip('default') ? null : cursor.seesString ? cursor.string() : cursor.name().name
  return { kind: 'setSessionAuthorization', role, local, span: cursor.span }
}
