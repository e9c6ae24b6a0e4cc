import type {
  AccessStatement,
  AlterDomain,
  AlterObject,
  AlterTable,
  ChannelStatement,
  DatabaseStatement,
  Discard,
  DropAbsent,
  ExtensionStatement,
  IdentityStatement,
  Maintain,
  OwnerTo,
} from '../ast.ts'
import type { Token } from '../scanner.ts'
import { Semicolon } from '../tokens.ts'
import { dropAbsent } from './absent.ts'
import { Cursor } from './cursor.ts'
import { alteration } from './parse-alter.ts'
import { databaseStatement } from './parse-database.ts'
import { alterDefaultPrivileges, grant, revoke } from './parse-grant.ts'
import {
  alterRole,
  createRole,
  dropRole,
  roleName,
  roleNames,
  setRole,
  setSessionAuthorization,
} from './parse-role.ts'
import { databaseSettings } from './parse-settings.ts'
import { upkeep } from './parse-upkeep.ts'

type Parsed =
  | AccessStatement
  | AlterDomain
  | AlterObject
  | AlterTable
  | IdentityStatement
  | ChannelStatement
  | DatabaseStatement
  | Discard
  | DropAbsent
  | ExtensionStatement
  | Maintain

const ROLE_WORDS = ['role', 'user', 'group'] as const

/**
 * Reads one statement about roles, privileges, owners, channels, whole databases or their upkeep, or a change that needs no
 * expression.
 * @returns null for any other statement
 * @throws 42601
 */
export function parseAccess(source: string, tokens: readonly Token[]): Parsed | null {
  const cursor = new Cursor(source, tokens)
  const parsed = begin(cursor)
  if (parsed === null) return alteration(new Cursor(source, tokens))
  if (!cursor.done) throw cursor.unexpected()
  return parsed
}

function begin(cursor: Cursor): Parsed | null {
  if (cursor.skip('grant')) return grant(cursor)
  if (cursor.skip('revoke')) return revoke(cursor)
  for (const word of ROLE_WORDS) {
    if (cursor.skip('create', word)) return createRole(cursor, word)
    if (cursor.skip('alter', word)) return alterRole(cursor, word)
    if (cursor.skip('drop', word)) return dropRole(cursor)
  }
  if (cursor.skip('alter', 'default', 'privileges')) return alterDefaultPrivileges(cursor)
  if (cursor.skip('reassign', 'owned', 'by')) {
    const from = roleNames(cursor)
    cursor.need('to')
    const to = roleName(cursor)
    return { kind: 'reassignOwned', from, to, span: cursor.span }
  }
  if (cursor.skip('drop', 'owned', 'by')) {
    const roles = roleNames(cursor)
    const cascade = cursor.skip('cascade')
    if (!cascade) cursor.skip('restrict')
    return { kind: 'dropOwned', roles, cascade, span: cursor.span }
  }
  if (cursor.skip('comment', 'on', 'role')) {
    const name = roleName(cursor)
    cursor.need('is')
    const text = cursor.skip('null') ? null : cursor.string()
    return { kind: 'commentRole', name, text, span: cursor.span }
  }
  return (
    databaseStatement(cursor) ??
    databaseSettings(cursor) ??
    identity(cursor) ??
    channel(cursor) ??
    upkeep(cursor) ??
    dropAbsent(cursor) ??
    ownerTo(cursor)
  )
}

function identity(cursor: Cursor): IdentityStatement | null {
  if (cursor.skip('reset', 'role')) return { kind: 'setRole', role: null, local: false, span: cursor.span }
  if (cursor.skip('reset', 'session', 'authorization'))
    return { kind: 'setSessionAuthorization', role: null, local: false, span: cursor.span }
  for (const [scope, local] of [
    [[], false],
    [['session'], false],
    [['local'], true],
  ] as const) {
    // `SET role = x` and `SET role TO x` are the same statement in other words.
    if (cursor.skip('set', ...scope, 'role')) {
      if (!cursor.sign('=')) cursor.skip('to')
      return setRole(cursor, local)
    }
    if (cursor.skip('set', ...scope, 'session', 'authorization'))
      return setSessionAuthorization(cursor, local)
  }
  return null
}

function channel(cursor: Cursor): ChannelStatement | null {
  if (cursor.skip('listen')) return { kind: 'listen', channel: cursor.name(), span: cursor.span }
  if (cursor.skip('unlisten')) {
    const all = cursor.sign('*')
    return { kind: 'unlisten', channel: all ? null : cursor.name(), span: cursor.span }
  }
  if (!cursor.skip('notify')) return null
  const name = cursor.name()
  const payload = cursor.sign(',') ? cursor.string() : ''
  return { kind: 'notify', channel: name, payload, span: cursor.span }
}

const OWNED: readonly (readonly [words: readonly string[], object: OwnerTo['object']])[] = [
  [['materialized', 'view'], 'materialized view'],
  [['table'], 'table'],
  [['index'], 'index'],
  [['view'], 'view'],
  [['sequence'], 'sequence'],
  [['schema'], 'schema'],
  [['type'], 'type'],
  [['domain'], 'domain'],
  [['database'], 'database'],
]

/** ALTER … OWNER TO that is all of its statement; null for every other change. */
function ownerTo(cursor: Cursor): OwnerTo | null {
  if (!cursor.endsLike('owner', 'to')) return null
  for (const [words, object] of OWNED) {
    if (!cursor.skip('alter', ...words)) continue
    const ifExists = cursor.skip('if', 'exists')
    if (object === 'table') cursor.skip('only')
    const name = cursor.qualifiedName()
    if (!cursor.skip('owner', 'to')) return null
    const owner = roleName(cursor)
    return { kind: 'ownerTo', object, name, ifExists, owner, span: cursor.span }
  }
  return null
}

/** The tokens of each statement of a source, without the semicolons; empty ones are left out. */
export function statementsIn(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const statements: Token[][] = [[]]
  for (const token of tokens)
    if (token.tokenType === Semicolon) statements.push([])
    else statements.at(-1)?.push(token)
  return statements.filter((statement) => statement.length > 0)
}

const FIRST = new Set(
  'grant revoke create alter drop reassign set reset listen unlisten notify comment discard reindex cluster checkpoint'.split(
    ' ',
  ),
)

/** True when the words may begin a statement that `parseAccess` reads: most texts need no second look. */
export const mayBeAccess = (tokens: readonly Token[]): boolean =>
  tokens.some((token, i) => (i === 0 || tokens[i - 1]?.tokenType === Semicolon) && FIRST.has(token.value))
