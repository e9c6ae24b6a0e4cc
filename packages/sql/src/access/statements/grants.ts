import { SQLSTATE, sqlError } from '../../errors.ts'
import type { Grant, Identifier, PrivilegeName } from '../../syntax/ast.ts'
import { type AccessFacts, AccessState, type Guarded, kindOf } from '../access-state.ts'
import { denied } from '../permit.ts'
import {
  type AccessKind,
  type Acl,
  COLUMN_LETTERS,
  type Letter,
  letterOf,
  lettersOf,
  withGranted,
} from '../privileges.ts'
import {
  type AccessContext,
  DATABASE,
  granteeOf,
  guardedEntry,
  need,
  needSchemaAccess,
  storedOr,
  withObject,
  wordOf,
} from './context.ts'
import { revokedFrom } from './revoking.ts'

/** An object of GRANT or REVOKE. */
interface Target {
  readonly guarded: Guarded
  readonly word: string
  readonly name: string
  /** Slots of its columns by name; null: columns of it have no privileges of their own. */
  readonly slots: ReadonlyMap<string, number> | null
}

/** GRANT and REVOKE of privileges. @throws 42501, 42601, 42703, 42704, 42P01, 0LP01, 2BP01, 3F000 */
export async function grantPrivileges(context: AccessContext, statement: Grant): Promise<AccessFacts> {
  // Functions and languages are all built in: everybody may use them, whatever is said.
  if (['function', 'language', 'tablespace'].includes(statement.object)) return context.state.facts
  let { facts } = context.state
  const grantees = statement.grantees.map((name) => granteeOf(context, name))
  for (const target of await targetsOf(context, statement)) {
    const wanted = wantedOf(statement, target)
    for (const { letters, column } of wanted)
      for (const grantee of grantees)
        facts = changed({ ...context, state: new AccessState(facts, context.state.bootstrap) }, statement, {
          target,
          letters,
          column,
          grantee,
        })
  }
  return facts
}

async function targetsOf(context: AccessContext, statement: Grant): Promise<readonly Target[]> {
  const { object, names, allInSchema } = statement
  const targets: Target[] = []
  for (const name of names) {
    const own = name.parts.at(-1)?.name ?? ''
    if (allInSchema) targets.push(...(await allIn(context, own, object)))
    else if (object === 'schema')
      targets.push({ guarded: await needSchemaAccess(context, own), word: 'schema', name: own, slots: null })
    else if (object === 'database') {
      if (own !== context.database) throw sqlError('3D000', `database "${own}" does not exist`)
      targets.push({ guarded: DATABASE, word: 'database', name: own, slots: null })
    } else {
      const entry = await need(context, name, object === 'type')
      const kind = kindOf(entry)
      const fits = kind === object || (object === 'table' && kind === 'sequence')
      if (!fits || entry.kind === 'index')
        throw sqlError(
          SQLSTATE.wrongObjectType,
          entry.kind === 'index' ? `"${own}" is an index` : `"${own}" is not a ${object}`,
        )
      targets.push(await entryTarget(context, entry))
    }
  }
  return targets
}

async function entryTarget(context: AccessContext, entry: Awaited<ReturnType<typeof need>>): Promise<Target> {
  const slots = entry.kind === 'table' ? new Map(entry.columns.map(({ name, slot }) => [name, slot])) : null
  return { guarded: await guardedEntry(context, entry), word: wordOf(entry), name: entry.name, slots }
}

async function allIn(context: AccessContext, schema: string, object: Grant['object']): Promise<Target[]> {
  await needSchemaAccess(context, schema)
  const entries = await context.catalog.entries(context.transaction)
  const own = entries.filter(
    (entry) => entry.schema === schema && entry.kind !== 'index' && kindOf(entry) === object,
  )
  return Promise.all(own.map((entry) => entryTarget(context, entry)))
}

interface Wanted {
  readonly letters: string
  /** The slot; null: the whole object. */
  readonly column: number | null
}

/** What the statement gives or takes. @throws 42601, 42703, 0LP01, 0A000 */
function wantedOf({ privileges, allColumns, object }: Grant, target: Target): readonly Wanted[] {
  const { kind } = target.guarded
  if (privileges === null) {
    if (allColumns.length === 0) return [{ letters: lettersOf(kind), column: null }]
    return allColumns.map((column) => ({ letters: COLUMN_LETTERS, column: slotOf(target, column) }))
  }
  return privileges.flatMap((privilege): readonly Wanted[] => {
    const letter = knownLetter(privilege)
    if (privilege.columns.length === 0) {
      // GRANT ON a sequence without the word may name what tables have.
      if (!lettersOf(kind).includes(letter))
        throw invalidPrivilege(privilege, object === 'table' ? kind : object)
      return [{ letters: letter, column: null }]
    }
    if (!COLUMN_LETTERS.includes(letter)) throw invalidPrivilege(privilege, 'column')
    return privilege.columns.map((column) => ({ letters: letter, column: slotOf(target, column) }))
  })
}

/** @throws 42601 */
export function knownLetter({ name }: PrivilegeName): Letter {
  const letter = letterOf(name)
  if (letter === null)
    throw sqlError(SQLSTATE.syntaxError, `unrecognized privilege type "${name.toLowerCase()}"`)
  return letter
}

export const invalidPrivilege = ({ name }: PrivilegeName, kind: AccessKind | 'column') =>
  sqlError('0LP01', `invalid privilege type ${name} for ${kind === 'table' ? 'relation' : kind}`)

function slotOf({ slots, name }: Target, column: Identifier): number {
  if (slots === null)
    throw sqlError(SQLSTATE.featureNotSupported, `columns of "${name}" have no privileges of their own`, {
      hint: 'Columns of tables have; grant on the whole view instead.',
    })
  const slot = slots.get(column.name)
  if (slot !== undefined) return slot
  throw sqlError(SQLSTATE.undefinedColumn, `column "${column.name}" of relation "${name}" does not exist`)
}

interface Change extends Wanted {
  readonly target: Target
  readonly grantee: number
}

function changed(
  context: AccessContext,
  statement: Pick<Grant, 'revoke' | 'grantOption' | 'cascade'>,
  { target, letters, column, grantee }: Change,
): AccessFacts {
  const { state } = context
  const { grantor, letters: allowed } = grantorOf(context, target, letters, column)
  if (allowed === '') return state.facts
  const object = storedOr(state, target.guarded)
  const apply = (acl: Acl): Acl =>
    statement.revoke
      ? revokedFrom(acl, { grantee, letters: allowed, owner: state.ownerOf(target.guarded), ...statement })
      : withGranted(acl, {
          grantee,
          grantor,
          letters: allowed,
          grantable: statement.grantOption ? allowed : '',
        })
  const columns = { ...object.columns }
  if (column !== null) {
    columns[String(column)] = apply(columns[String(column)] ?? [])
    return withObject(state.facts, { ...object, columns: withoutEmpty(columns) })
  }
  // What is taken of the table is taken of its columns, too.
  if (statement.revoke) for (const [slot, acl] of Object.entries(columns)) columns[slot] = apply(acl)
  return withObject(state.facts, {
    ...object,
    acl: apply(state.effectiveAcl(target.guarded)),
    columns: withoutEmpty(columns),
  })
}

const withoutEmpty = (columns: Readonly<Record<string, Acl>>): Readonly<Record<string, Acl>> =>
  Object.fromEntries(Object.entries(columns).filter(([, acl]) => acl.length > 0))

/**
 * In whose name the change is made, and what of it that role may give: the owner's for whoever has the owner's rights.
 * @throws 42501 for a role that has nothing to say there
 */
function grantorOf(
  { state, current }: AccessContext,
  { guarded, word, name }: Target,
  letters: string,
  column: number | null,
): { readonly grantor: number; readonly letters: string } {
  if (state.owns(current.oid, guarded)) return { grantor: state.ownerOf(guarded), letters }
  const has = (role: number, letter: Letter, option: boolean): boolean =>
    state.may(role, guarded, letter, option) ||
    (column !== null && state.mayColumn(role, guarded.oid, column, letter, option))
  // Of the roles whose rights it has, the one that may give most of it.
  const [best] = [...state.closure(current.oid)]
    .map((grantor) => ({ grantor, letters: heldBy(state, guarded, column, grantor, letters) }))
    .sort((a, b) => b.letters.length - a.letters.length)
  const any = [...lettersOf(guarded.kind)].some((letter) => has(current.oid, letter as Letter, false))
  if (best === undefined || (best.letters === '' && !any)) throw denied(word, name)
  return best
}

/** The letters that a role itself was given with the right to give them on. */
function heldBy(
  state: AccessState,
  guarded: Guarded,
  column: number | null,
  role: number,
  letters: string,
): string {
  const acl = [
    ...state.effectiveAcl(guarded),
    ...(column === null ? [] : (state.columnAcl(guarded.oid, column) ?? [])),
  ]
  const own = acl.filter(({ grantee }) => grantee === role)
  return [...letters].filter((letter) => own.some(({ grantable }) => grantable.includes(letter))).join('')
}
