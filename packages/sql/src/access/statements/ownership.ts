import type { CatalogEntry } from '../../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../../errors.ts'
import type { DropOwned, OwnerTo, ReassignOwned } from '../../syntax/ast.ts'
import type { AccessFacts, Guarded, ObjectAccess } from '../access-state.ts'
import { denied, notOwner } from '../permit.ts'
import { type Acl, withGranted } from '../privileges.ts'
import { BOOTSTRAP_OID, type Role } from '../roles.ts'
import {
  type AccessContext,
  DATABASE,
  find,
  findSchema,
  guardedEntry,
  need,
  needSchemaAccess,
  roleOf,
  storedOr,
  withObject,
  wordOf,
} from './context.ts'
import { knownObjects } from './role-dependencies.ts'

/** ALTER … OWNER TO. @throws 42501, 42704, 42809, 42P01, 3F000, 3D000 */
export async function ownerTo(context: AccessContext, statement: OwnerTo): Promise<AccessFacts> {
  const { object, name, ifExists } = statement
  const own = name.parts.at(-1)?.name ?? ''
  const owner = roleOf(context, statement.owner)
  if (object === 'database') {
    if (own !== context.database) throw sqlError('3D000', `database "${own}" does not exist`)
    return given(context, { guarded: DATABASE, word: 'database', name: own, schema: null }, owner)
  }
  if (object === 'schema') {
    const guarded = await needSchemaAccess(context, own)
    return given(context, { guarded, word: 'schema', name: own, schema: null }, owner)
  }
  if (ifExists && (await find(context, name)) === null) return context.state.facts
  const isType = object === 'type' || object === 'domain'
  const entry = await need(context, name, isType)
  if (!fits(entry, object))
    throw sqlError(
      SQLSTATE.wrongObjectType,
      `"${entry.name}" is not ${object === 'index' ? 'an' : 'a'} ${object}`,
    )
  // An index has the owner of its table, whatever is said.
  if (entry.kind === 'index') return context.state.facts
  if (entry.kind === 'sequence' && entry.ownedBy !== null) {
    const table = await context.catalog.entry(context.transaction, entry.ownedBy.table)
    throw sqlError(SQLSTATE.featureNotSupported, `cannot change owner of sequence "${entry.name}"`, {
      detail: `Sequence "${entry.name}" is linked to table "${table?.name ?? ''}".`,
    })
  }
  const guarded = await guardedEntry(context, entry)
  return given(context, { guarded, word: wordOf(entry), name: entry.name, schema: entry.schema }, owner)
}

function fits(entry: CatalogEntry, object: OwnerTo['object']): boolean {
  // ALTER TABLE takes other relations as well, as in PostgreSQL.
  if (object === 'table') return ['table', 'view', 'sequence', 'index'].includes(entry.kind)
  if (object === 'type') return entry.kind === 'enum' || entry.kind === 'domain'
  return wordOf(entry) === object || entry.kind === object
}

interface Owned {
  readonly guarded: Guarded
  readonly word: string
  readonly name: string
  readonly schema: string | null
}

/** @throws 42501 */
async function given(
  context: AccessContext,
  { guarded, word, name, schema }: Owned,
  owner: Role,
): Promise<AccessFacts> {
  const { state, current } = context
  const before = state.ownerOf(guarded)
  if (before === owner.oid) return state.facts
  if (!current.superuser) {
    if (!state.owns(current.oid, guarded)) throw notOwner(word, name)
    if (!state.mayBecome(current.oid, owner.oid))
      throw sqlError('42501', `must be member of role "${owner.name}"`)
    const inside = schema === null ? null : await findSchema(context, schema)
    if (inside !== null && !state.may(owner.oid, inside, 'C')) throw denied('schema', schema ?? '')
  }
  return withObject(state.facts, withOwner(storedOr(state, guarded), before, owner.oid))
}

/** The object of another owner, who has what the one before had. */
function withOwner(object: ObjectAccess, before: number, owner: number): ObjectAccess {
  const role = (oid: number): number => (oid === before ? owner : oid)
  const moved = (acl: Acl): Acl =>
    acl.reduce<Acl>(
      (list, item) =>
        withGranted(list, { ...item, grantee: role(item.grantee), grantor: role(item.grantor) }),
      [],
    )
  const columns = Object.entries(object.columns).map(([slot, acl]) => [slot, moved(acl)] as const)
  return {
    ...object,
    owner,
    acl: object.acl === null ? null : moved(object.acl),
    columns: Object.fromEntries(columns),
  }
}

/** REASSIGN OWNED. @throws 42501, 42704, 2BP01 */
export async function reassignOwned(
  context: AccessContext,
  { from, to }: ReassignOwned,
): Promise<AccessFacts> {
  const { state } = context
  const owner = roleOf(context, to)
  const old = rolesWithRights(context, from, 'reassign objects')
  let { facts } = state
  if (old.has(BOOTSTRAP_OID))
    throw sqlError(
      '2BP01',
      `cannot reassign ownership of objects owned by role ${state.bootstrap} because they are required by the database system`,
    )
  if (!state.mayBecome(context.current.oid, owner.oid))
    throw sqlError('42501', 'permission denied to reassign objects')
  for (const { object } of await knownObjects(context))
    if (old.has(object.owner)) facts = withObject(facts, withOwner(object, object.owner, owner.oid))
  return facts
}

/** @throws 42501 */
function rolesWithRights(
  context: AccessContext,
  names: ReassignOwned['from'],
  what: string,
): ReadonlySet<number> {
  const { state, current } = context
  const roles = names.map((name) => roleOf(context, name))
  for (const role of roles)
    if (!state.hasRightsOf(current.oid, role.oid)) throw sqlError('42501', `permission denied to ${what}`)
  return new Set(roles.map(({ oid }) => oid))
}

/**
 * DROP OWNED: takes all privileges from the roles, and says what is left to drop.
 * @throws 42501, 42704, 2BP01
 */
export async function dropOwned(
  context: AccessContext,
  statement: DropOwned,
): Promise<{ readonly facts: AccessFacts; readonly drops: readonly CatalogEntry[] }> {
  const { state } = context
  const roles = rolesWithRights(context, statement.roles, 'drop objects')
  if (roles.has(BOOTSTRAP_OID))
    throw sqlError(
      '2BP01',
      `cannot drop objects owned by role ${state.bootstrap} because they are required by the database system`,
    )
  let { facts } = state
  const drops: CatalogEntry[] = []
  for (const { object, entry } of await knownObjects(context)) {
    if (roles.has(object.owner) && entry !== null) {
      // A sequence of a column goes with its table.
      if (entry.kind !== 'sequence' || entry.ownedBy === null) drops.push(entry)
      continue
    }
    const without = (acl: Acl): Acl =>
      acl.filter(({ grantee, grantor }) => !roles.has(grantee) && !roles.has(grantor))
    const columns = Object.entries(object.columns).map(([slot, acl]) => [slot, without(acl)] as const)
    facts = withObject(facts, {
      ...object,
      acl: object.acl === null ? null : without(object.acl),
      columns: Object.fromEntries(columns.filter(([, acl]) => acl.length > 0)),
    })
  }
  const defaults = facts.defaults.flatMap((one) =>
    roles.has(one.role) ? [] : [{ ...one, acl: one.acl.filter(({ grantee }) => !roles.has(grantee)) }],
  )
  return { facts: { ...facts, defaults }, drops }
}
