import { TEMPORARY_PREFIX } from '../catalog/names.ts'
import type { CatalogEntry } from '../catalog/schema.ts'
import type { Definition, QualifiedName } from '../syntax/ast.ts'
import { type AccessFacts, type DefaultAcl, kindOf } from './access-state.ts'
import { BOOTSTRAP_OID } from './roles.ts'
import { type AccessContext, find, findSchema, withObject } from './statements/context.ts'
import { initialAcl } from './statements/default-privileges.ts'

/** The name that a statement makes something under; null for one that makes nothing of its own. */
function nameMade(statement: Definition): QualifiedName | null {
  switch (statement.kind) {
    case 'createTable':
    case 'createTableAs':
      return statement.table
    case 'createView':
    case 'createMaterializedView':
    case 'createSequence':
    case 'createEnum':
    case 'createDomain':
      return statement.name
    default:
      return null
  }
}

/** What stands under the name before the statement runs; `undefined`: it makes nothing. */
export async function numberBefore(
  context: AccessContext,
  statement: Definition,
): Promise<number | null | undefined> {
  if (statement.kind === 'createSchema') return (await findSchema(context, statement.name.name))?.oid ?? null
  const name = nameMade(statement)
  return name === null ? undefined : ((await find(context, name))?.oid ?? null)
}

/**
 * Gives what a statement has made to whoever ran it, with the privileges that were said to be usual.
 * @param before what `numberBefore` said
 */
export async function withNewObjects(
  context: AccessContext,
  statement: Definition,
  before: number | null,
): Promise<AccessFacts> {
  const { state, current } = context
  if (statement.kind === 'createSchema') {
    const made = await findSchema(context, statement.name.name)
    if (made === null || made.oid === before) return state.facts
    const owner = statement.owner === null ? current.oid : state.needRole(statement.owner.name).oid
    const acl = initialAcl(state, current.oid, 0, 'schema')
    return withObject(state.facts, { oid: made.oid, owner, acl, columns: {} })
  }
  const name = nameMade(statement)
  const made = name === null ? null : await find(context, name)
  if (made === null || made.oid === before || made.schema.startsWith(TEMPORARY_PREFIX)) return state.facts
  const sequences = made.kind === 'table' ? await sequencesOf(context, made) : []
  const schema = (await findSchema(context, made.schema))?.oid ?? 0
  return [made, ...sequences].reduce((facts, entry) => {
    const kind = kindOf(entry) as DefaultAcl['kind']
    const acl = initialAcl(state, current.oid, schema, kind)
    // A sequence of a column has its owner from the table.
    const owner = entry === made ? current.oid : BOOTSTRAP_OID
    return withObject(facts, { oid: entry.oid, owner, acl, columns: {} })
  }, state.facts)
}

async function sequencesOf(
  { catalog, transaction }: AccessContext,
  table: CatalogEntry & { kind: 'table' },
): Promise<readonly CatalogEntry[]> {
  const found: CatalogEntry[] = []
  for (const { sequence } of table.columns) {
    const entry = sequence === null ? null : await catalog.entry(transaction, sequence)
    if (entry !== null) found.push(entry)
  }
  return found
}
