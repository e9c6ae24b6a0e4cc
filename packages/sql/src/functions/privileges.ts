import type { Value } from '@cluster/core'
import type { Guarded } from '../access/access-state.ts'
import {
  type AccessKind,
  COLUMN_LETTERS,
  defaultAcl,
  EVERYBODY,
  type Letter,
  letterOf,
  lettersOf,
  parseAclText,
} from '../access/privileges.ts'
import type { CatalogImage } from '../catalog/image.ts'
import { aclArray, guardedAs, guardedIn } from '../catalog/image-access.ts'
import { DATABASE_OID, DATABASE_OWNER } from '../catalog/known-oids.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import { textArray, toArray } from '../types/array-text.ts'
import { arrayOf, TEXT, type TypeId } from '../types/type.ts'
import { contextual } from './define.ts'
import type { ScalarFunction } from './function.ts'

/** What a function asks whether a role may do it. */
interface Asked {
  readonly letter: Letter
  readonly option: boolean
}

/** `SELECT, INSERT WITH GRANT OPTION`: one of them is enough. @throws 22023 */
function askedIn(text: string, letters: string): readonly Asked[] {
  return text.split(',').map((part) => {
    const name = part.trim().toUpperCase()
    const plain = name.replace(/\s+WITH\s+GRANT\s+OPTION$/, '')
    const letter = letterOf(plain)
    if (letter === null || !letters.includes(letter))
      throw sqlError(SQLSTATE.invalidParameterValue, `unrecognized privilege type: "${part.trim()}"`)
    return { letter, option: plain !== name }
  })
}

/** @throws 42704 */
function roleIn({ access, user }: CatalogImage, given: Value | undefined): number {
  if (typeof given === 'number') return given
  return access.needRole(typeof given === 'string' ? given : user).oid
}

/** Null for an object that is not there by its number. @throws 42P01, 42704, 3F000 */
type Find = (catalog: CatalogImage, object: Value) => Guarded | 'everybody' | null

const relation: Find = (catalog, object) => {
  const oid = typeof object === 'number' ? object : catalog.oidOf('regclass', String(object))
  const found = catalog.relation(oid)
  if (found === null) return null
  const entry = found.entry ?? found.index?.table ?? null
  return entry === null ? 'everybody' : guardedIn(catalog, entry)
}

const schema: Find = (catalog, object) => {
  const oid = typeof object === 'number' ? object : catalog.schemaOid(String(object))
  if (oid === 0) {
    if (typeof object === 'number') return null
    throw sqlError('3F000', `schema "${String(object)}" does not exist`)
  }
  // What belongs to the system may be looked into by everybody.
  return ['pg_catalog', 'information_schema'].some((name) => catalog.schemaOid(name) === oid)
    ? 'everybody'
    : guardedAs(oid, 'schema')
}

const database: Find = (catalog, object) => {
  if (object === DATABASE_OID || object === catalog.database) return guardedAs(DATABASE_OID, 'database')
  // Roles and rights of other databases are known there alone.
  if (typeof object === 'number' || catalog.databases.includes(String(object))) return null
  throw sqlError('3D000', `database "${String(object)}" does not exist`)
}

const type: Find = (catalog, object) => {
  const oid = typeof object === 'number' ? object : catalog.oidOf('regtype', String(object))
  const entry = catalog.type(oid)?.entry ?? null
  return entry === null ? 'everybody' : guardedIn(catalog, entry)
}

/** Functions, languages and tablespaces are all the system's. */
const everything: Find = () => 'everybody'

/** Overloads with and without the role, by names and by numbers. */
function asking(
  name: string,
  types: readonly TypeId[],
  answer: (catalog: CatalogImage, role: number, ...args: readonly Value[]) => Value,
): ScalarFunction[] {
  const made = (before: readonly TypeId[]): ScalarFunction =>
    contextual(name, [...before, ...types], 'boolean', 'stable', (session, ...args) => {
      const catalog = session.catalog()
      const role = roleIn(catalog, before.length === 0 ? undefined : args[0])
      return answer(catalog, role, ...args.slice(before.length))
    })
  return [made([]), made(['text']), made(['oid'])]
}

const objectTypes: readonly TypeId[] = ['text', 'oid']

function onObjects(word: string, kind: AccessKind, find: Find): ScalarFunction[] {
  return objectTypes.flatMap((id) =>
    asking(`has_${word}_privilege`, [id, 'text'], (catalog, role, object, privileges) => {
      const asked = askedIn(String(privileges), lettersOf(kind))
      const found = find(catalog, object ?? null)
      if (found === null) return null
      if (found === 'everybody')
        return catalog.access.isSuperuser(role) || asked.some(({ letter }) => 'rUX'.includes(letter))
      return asked.some(({ letter, option }) => catalog.access.may(role, found, letter, option))
    }),
  )
}

const anyColumn = objectTypes.flatMap((id) =>
  asking('has_any_column_privilege', [id, 'text'], (catalog, role, object, privileges) => {
    const found = relation(catalog, object ?? null)
    const asked = askedIn(String(privileges), COLUMN_LETTERS)
    if (found === null) return null
    if (found === 'everybody') return asked.some(({ letter }) => letter === 'r')
    return asked.some(
      ({ letter, option }) =>
        catalog.access.may(role, found, letter, option) ||
        (!option && catalog.access.mayAnyColumn(role, found.oid, letter)),
    )
  }),
)

/** The slot of a column by its name or number; null when there is none of the number. @throws 42703 */
function slotOf(catalog: CatalogImage, oid: number, column: Value): number | null {
  if (typeof column === 'number') return column - 1
  const entry = catalog.relation(oid)?.entry
  const named =
    entry?.kind === 'table'
      ? entry.columns.find(({ name }) => name === column)?.slot
      : entry?.kind === 'view'
        ? entry.result.findIndex(({ name }) => name === column)
        : 0
  if (named !== undefined && named >= 0) return named
  throw sqlError(
    SQLSTATE.undefinedColumn,
    `column "${String(column)}" of relation "${entry?.name ?? ''}" does not exist`,
  )
}

const columns = objectTypes.flatMap((table) =>
  (['text', 'integer'] as const).flatMap((column) =>
    asking('has_column_privilege', [table, column, 'text'], (catalog, role, object, name, privileges) => {
      const found = relation(catalog, object ?? null)
      const asked = askedIn(String(privileges), COLUMN_LETTERS)
      if (found === null) return null
      if (found === 'everybody') return asked.some(({ letter }) => letter === 'r')
      const slot = slotOf(catalog, found.oid, name ?? null)
      return asked.some(
        ({ letter, option }) =>
          catalog.access.may(role, found, letter, option) ||
          (slot !== null && catalog.access.mayColumn(role, found.oid, slot, letter, option)),
      )
    }),
  ),
)

const membership = objectTypes.flatMap((id) =>
  asking('pg_has_role', [id, 'text'], (catalog, role, other, privilege) => {
    const { access } = catalog
    const oid = roleIn(catalog, other)
    const word = String(privilege).trim().toUpperCase()
    if (word === 'USAGE') return access.hasRightsOf(role, oid)
    if (word === 'MEMBER') return access.mayBecome(role, oid)
    if (/^(USAGE|MEMBER)\s+WITH\s+(ADMIN|GRANT)\s+OPTION$/.test(word))
      return (
        access.isSuperuser(role) ||
        (access.role(role)?.memberOf.some((one) => one.role === oid && one.admin) ?? false)
      )
    throw sqlError(SQLSTATE.invalidParameterValue, `unrecognized privilege type: "${String(privilege)}"`)
  }),
)

const kindOfLetter: Readonly<Record<string, AccessKind>> = {
  r: 'table',
  s: 'sequence',
  S: 'sequence',
  n: 'schema',
  d: 'database',
  T: 'type',
  f: 'function',
  l: 'language',
  t: 'tablespace',
}

/** An access list with its roles by number; what is nobody's name stays out. PUBLIC is 0. */
export const numberedAcl: ScalarFunction = {
  ...contextual('aclexplode', ['array'], 'array', 'stable', (session, acl) => {
    const { access } = session.catalog()
    const numberOf = (name: string): number | null =>
      name === ''
        ? EVERYBODY
        : name === 'pg_database_owner'
          ? DATABASE_OWNER
          : (access.roleNamed(name)?.oid ?? null)
    return textArray(
      toArray(TEXT, acl as string).items.flatMap((text) => {
        const item = parseAclText(String(text))
        if (item === null) throw sqlError('22P02', `malformed access list: "${text}"`)
        const [grantee, grantor] = [numberOf(item.grantee), numberOf(item.grantor)]
        if (grantee === null || grantor === null) return []
        const letters = [...item.letters].map((letter) =>
          item.grantable.includes(letter) ? `${letter}*` : letter,
        )
        return [`${grantee}=${letters.join('')}/${grantor}`]
      }),
    )
  }),
  args: [arrayOf(TEXT)],
  returns: arrayOf(TEXT),
}

/** Functions that tell who may do what. */
export const privilegeFunctions: readonly ScalarFunction[] = [
  ...onObjects('table', 'table', relation),
  ...onObjects('sequence', 'sequence', relation),
  ...onObjects('schema', 'schema', schema),
  ...onObjects('database', 'database', database),
  ...onObjects('type', 'type', type),
  ...onObjects('function', 'function', everything),
  ...onObjects('language', 'language', everything),
  ...onObjects('tablespace', 'tablespace', everything),
  ...anyColumn,
  ...columns,
  ...membership,
  ...(['text', 'char'] as const).map((id) => ({
    ...contextual('acldefault', [id, 'oid'], 'array', 'stable', (session, letter, owner) => {
      const kind = kindOfLetter[String(letter)]
      const acl = letter === 'c' ? [] : kind === undefined ? null : defaultAcl(kind, owner as number)
      return aclArray(session.catalog(), acl)
    }),
    returns: arrayOf(TEXT),
  })),
]
