import type {
  AlterDefaultPrivileges,
  Grant,
  GrantObject,
  GrantRole,
  Identifier,
  PrivilegeName,
  QualifiedName,
  RoleName,
} from '../ast.ts'
import type { Cursor } from './cursor.ts'
import { roleName, roleNames } from './parse-role.ts'

/** Behind GRANT. */
export const grant = (cursor: Cursor): Grant | GrantRole => granted(cursor, false, false)

/** Behind REVOKE. */
export function revoke(cursor: Cursor): Grant | GrantRole {
  if (cursor.skip('admin', 'option', 'for')) return membership(cursor, true, roleNames(cursor), true)
  return granted(cursor, true, cursor.skip('grant', 'option', 'for'))
}

function granted(cursor: Cursor, isRevoke: boolean, optionOnly: boolean): Grant | GrantRole {
  const { privileges, allColumns } = privilegeList(cursor)
  if (!cursor.skip('on')) {
    // Without ON the words were names of roles.
    if (privileges === null || optionOnly || privileges.some(({ columns }) => columns.length > 0))
      throw cursor.unexpected()
    const roles = privileges.map(({ name, span }): RoleName => ({ kind: 'role', who: 'name', name, span }))
    return membership(cursor, isRevoke, roles, false)
  }
  const target = grantTarget(cursor)
  cursor.need(isRevoke ? 'from' : 'to')
  const grantees = granteeNames(cursor)
  const grantOption = isRevoke ? optionOnly : cursor.skip('with', 'grant', 'option')
  grantedBy(cursor)
  return {
    kind: 'grant',
    revoke: isRevoke,
    privileges: privileges?.map((one) => ({ ...one, name: one.name.toUpperCase() })) ?? null,
    allColumns,
    ...target,
    grantees,
    grantOption,
    cascade: isRevoke && dropBehavior(cursor),
    span: cursor.span,
  }
}

/** The grantor is whoever may grant; PostgreSQL 15 takes nobody else either. */
function grantedBy(cursor: Cursor): void {
  if (cursor.skip('granted', 'by')) roleName(cursor)
}

/** @returns true for CASCADE */
function dropBehavior(cursor: Cursor): boolean {
  if (cursor.skip('cascade')) return true
  cursor.skip('restrict')
  return false
}

/** Behind the roles of GRANT and REVOKE of membership. */
function membership(
  cursor: Cursor,
  isRevoke: boolean,
  roles: readonly RoleName[],
  adminOnly: boolean,
): GrantRole {
  cursor.need(isRevoke ? 'from' : 'to')
  const members = granteeNames(cursor)
  const admin = isRevoke ? adminOnly : cursor.skip('with', 'admin', 'option')
  grantedBy(cursor)
  if (isRevoke) dropBehavior(cursor)
  return { kind: 'grantRole', revoke: isRevoke, roles, members, admin, span: cursor.span }
}

const granteeNames = (cursor: Cursor): readonly RoleName[] =>
  cursor.list(() => {
    cursor.skip('group')
    return roleName(cursor)
  })

function columnNames(cursor: Cursor): readonly Identifier[] {
  if (!cursor.sign('(')) return []
  const columns = cursor.list(() => cursor.name())
  cursor.needSign(')')
  return columns
}

/** Privileges keep the case in which they would be names of roles. */
function privilegeList(cursor: Cursor): Pick<Grant, 'privileges' | 'allColumns'> {
  if (cursor.skip('all')) {
    cursor.skip('privileges')
    return { privileges: null, allColumns: columnNames(cursor) }
  }
  const privileges = cursor.list((): PrivilegeName => {
    const { name, span } = cursor.anyName()
    return { name, columns: columnNames(cursor), span }
  })
  return { privileges, allColumns: [] }
}

const many: Readonly<Record<string, GrantObject>> = {
  tables: 'table',
  sequences: 'sequence',
  functions: 'function',
  procedures: 'function',
  routines: 'function',
}

const single: Readonly<Record<string, GrantObject>> = {
  table: 'table',
  sequence: 'sequence',
  schema: 'schema',
  database: 'database',
  type: 'type',
  domain: 'type',
  function: 'function',
  procedure: 'function',
  routine: 'function',
  language: 'language',
  tablespace: 'tablespace',
}

/** Behind ON. */
function grantTarget(cursor: Cursor): Pick<Grant, 'object' | 'names' | 'allInSchema'> {
  if (cursor.skip('all')) {
    const word = cursor.oneOf('tables', 'sequences', 'functions', 'procedures', 'routines')
    cursor.need('in', 'schema')
    const names = cursor.list(() => cursor.qualifiedName())
    return { object: many[word] ?? 'table', names, allInSchema: true }
  }
  for (const [word, object] of Object.entries(single)) {
    // A table may have the name of an object's kind.
    if (!cursor.sees(word) || cursor.sees(word, 'to') || cursor.sees(word, 'from')) continue
    cursor.skip(word)
    const names = cursor.list((): QualifiedName => {
      const name = cursor.qualifiedName()
      if (object === 'function') cursor.skipParentheses()
      return name
    })
    return { object, names, allInSchema: false }
  }
  return { object: 'table', names: cursor.list(() => cursor.qualifiedName()), allInSchema: false }
}

/** Behind ALTER DEFAULT PRIVILEGES. */
export function alterDefaultPrivileges(cursor: Cursor): AlterDefaultPrivileges {
  const forRoles: RoleName[] = []
  const schemas: Identifier[] = []
  for (;;) {
    if (cursor.skip('for')) {
      cursor.oneOf('role', 'user')
      forRoles.push(...roleNames(cursor))
    } else if (cursor.skip('in', 'schema')) schemas.push(...cursor.list(() => cursor.name()))
    else break
  }
  const isRevoke = cursor.oneOf('grant', 'revoke') === 'revoke'
  const optionOnly = isRevoke && cursor.skip('grant', 'option', 'for')
  const { privileges, allColumns } = privilegeList(cursor)
  if (allColumns.length > 0 || privileges?.some(({ columns }) => columns.length > 0) === true)
    throw cursor.unexpected()
  cursor.need('on')
  const objects = { tables: 'table', sequences: 'sequence', schemas: 'schema', types: 'type' } as const
  const word = cursor.oneOf('tables', 'sequences', 'schemas', 'types', 'functions', 'routines')
  cursor.need(isRevoke ? 'from' : 'to')
  const grantees = granteeNames(cursor)
  const grantOption = isRevoke ? optionOnly : cursor.skip('with', 'grant', 'option')
  if (isRevoke) dropBehavior(cursor)
  return {
    kind: 'alterDefaultPrivileges',
    forRoles,
    schemas,
    revoke: isRevoke,
    privileges: privileges?.map((one) => ({ ...one, name: one.name.toUpperCase() })) ?? null,
    object: word === 'functions' || word === 'routines' ? 'function' : objects[word],
    grantees,
    grantOption,
    span: cursor.span,
  }
}
