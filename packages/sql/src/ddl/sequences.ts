import { errorAt } from '../binder/context.ts'
import { catalogKey, shownName, writtenName } from '../catalog/names.ts'
import type { SequenceSchema, TableSchema } from '../catalog/schema.ts'
import { resetSequence } from '../catalog/sequence-state.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { AlterSequence, CreateSequence, QualifiedName, SequenceOption } from '../syntax/ast.ts'
import { quoteIdentifier, quoteLiteral } from '../syntax/keywords.ts'
import { ConstraintNames } from './constraint-names.ts'
import {
  alreadyExists,
  change,
  type DdlContext,
  keyOf,
  lookUp,
  newName,
  newObject,
  noRelation,
  takenBy,
} from './context.ts'

type Fields = Pick<
  SequenceSchema,
  'type' | 'start' | 'increment' | 'min' | 'max' | 'cache' | 'cycle' | 'ownedBy'
>
type Owner = NonNullable<SequenceSchema['ownedBy']>

const bounds = { smallint: 32_767n, integer: 2_147_483_647n, bigint: 9_223_372_036_854_775_807n } as const

/** @returns null when it exists already and IF NOT EXISTS was said. @throws 42P07, 22023 */
export async function createSequence(
  context: DdlContext,
  statement: CreateSequence,
): Promise<SequenceSchema | null> {
  const named = await newName(context, statement.name, statement.temporary)
  if ((await takenBy(context, named)) !== null) {
    if (statement.ifNotExists) return null
    throw alreadyExists(named.name)
  }
  const fields = await fieldsOf(context, null, statement.options)
  return storeSequence(context, named, fields, statement.temporary)
}

/** The sequence of a serial or identity column. */
export async function createOwnedSequence(
  context: DdlContext,
  table: { readonly schema: string; readonly name: string; readonly temporary: boolean },
  column: { readonly name: string; readonly slot: number; readonly type: SequenceSchema['type'] },
  options: readonly SequenceOption[],
): Promise<SequenceSchema> {
  const asked = options.find((option) => option.kind === 'sequenceName')
  const rest = options.filter((option) => option !== asked)
  const fields = await fieldsOf(context, null, rest, column.type)
  const ownedBy = { table: catalogKey(table.schema, table.name), slot: column.slot }
  if (asked?.kind === 'sequenceName') {
    const named = await newName(context, asked.name, table.temporary)
    if ((await takenBy(context, named)) !== null) throw alreadyExists(named.name)
    return storeSequence(context, named, { ...fields, ownedBy }, table.temporary)
  }
  const names = new ConstraintNames(context, table.schema, table.name)
  const name = await names.take(null, [column.name, 'seq'])
  return storeSequence(context, { schema: table.schema, name }, { ...fields, ownedBy }, table.temporary)
}

async function storeSequence(
  context: DdlContext,
  named: { readonly schema: string; readonly name: string },
  fields: Fields,
  temporary: boolean,
): Promise<SequenceSchema> {
  const sequence: SequenceSchema = {
    kind: 'sequence',
    ...(await newObject(context, named)),
    ...fields,
    temporary,
  }
  context.catalog.put(context.transaction, sequence)
  resetSequence(context, sequence, { next: sequence.start, called: false })
  return sequence
}

/** @throws 42P01, 22023 */
export async function alterSequence(context: DdlContext, statement: AlterSequence): Promise<void> {
  const { change: what } = statement
  const sequence = await needSequence(context, statement.name, statement.ifExists)
  if (sequence === null || what.kind !== 'options') return
  await changeSequence(context, sequence, what.options)
}

/** ALTER SEQUENCE, or SET on an identity column. */
export async function changeSequence(
  context: DdlContext,
  sequence: SequenceSchema,
  options: readonly SequenceOption[],
): Promise<SequenceSchema> {
  const fields = await fieldsOf(context, sequence, options)
  // A new version makes every node forget the values that it has put by.
  const changed = await change(context, { ...sequence, ...fields })
  const restart = options.find((option) => option.kind === 'restart')
  if (restart?.kind === 'restart') {
    const next = BigInt(restart.value ?? changed.start)
    checkStart('RESTART', next, changed)
    resetSequence(context, changed, { next: next.toString(), called: false })
  }
  return changed
}

/** The sequence of that name. @throws 42P01, 42809 */
export async function needSequence(
  context: DdlContext,
  name: QualifiedName,
  ifExists = false,
): Promise<SequenceSchema | null> {
  const entry = await lookUp(context, name)
  if (entry?.kind === 'sequence') return entry
  if (entry !== null) throw sqlError(SQLSTATE.wrongObjectType, `"${entry.name}" is not a sequence`)
  if (ifExists) return null
  throw await noRelation(context, name)
}

/** `nextval('schema.name'::regclass)`: the default of a serial column. */
export function nextvalText({ schema, name }: Pick<SequenceSchema, 'schema' | 'name'>): string {
  const text = `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`
  return `nextval(${quoteLiteral(text)}::regclass)`
}

const invalid = (message: string, hint?: string) =>
  sqlError(SQLSTATE.invalidParameterValue, message, { hint })

/** @param before null for a new sequence */
async function fieldsOf(
  context: DdlContext,
  before: SequenceSchema | null,
  options: readonly SequenceOption[],
  type: SequenceSchema['type'] = 'bigint',
): Promise<Fields> {
  const seen = new Set<string>()
  for (const option of options) {
    if (seen.has(option.kind))
      throw errorAt(context.bind, option, SQLSTATE.syntaxError, 'conflicting or redundant options')
    seen.add(option.kind)
    if (option.kind === 'sequenceName')
      throw errorAt(context.bind, option, SQLSTATE.syntaxError, 'invalid sequence option SEQUENCE NAME')
  }
  const typed = options.find((option) => option.kind === 'as')
  const own = typed?.kind === 'as' ? typeOf(typed.type.name) : (before?.type ?? type)
  const text = (
    kind: 'increment' | 'start' | 'cache' | 'minvalue' | 'maxvalue',
  ): string | null | undefined => {
    const option = options.find((one) => one.kind === kind)
    return option === undefined || !('value' in option) ? undefined : option.value
  }
  const increment = BigInt(text('increment') ?? before?.increment ?? 1)
  if (increment === 0n) throw invalid('INCREMENT must not be zero')
  const most = bounds[own]
  const rising = increment > 0n
  const least = -most - 1n
  // A bound that came with the old type goes with it.
  const kept = before !== null && before.type === own ? before : null
  const maxText = text('maxvalue') === undefined ? kept?.max : text('maxvalue')
  const minText = text('minvalue') === undefined ? kept?.min : text('minvalue')
  const max = maxText == null ? (rising ? most : -1n) : BigInt(maxText)
  const min = minText == null ? (rising ? 1n : least) : BigInt(minText)
  if (max > most || max < least)
    throw invalid(`MAXVALUE (${max}) is out of range for sequence data type ${own}`)
  if (min > most || min < least)
    throw invalid(`MINVALUE (${min}) is out of range for sequence data type ${own}`)
  if (min >= max) throw invalid(`MINVALUE (${min}) must be less than MAXVALUE (${max})`)
  const start = BigInt(text('start') ?? before?.start ?? (rising ? min : max))
  checkStart('START', start, { min: min.toString(), max: max.toString() })
  const cache = Number(text('cache') ?? before?.cache ?? 1)
  if (cache < 1) throw invalid(`CACHE (${cache}) must be greater than zero`)
  const cycle = options.find((option) => option.kind === 'cycle')
  const owner = options.find((option) => option.kind === 'ownedBy')
  return {
    type: own,
    start: start.toString(),
    increment: increment.toString(),
    min: min.toString(),
    max: max.toString(),
    cache: Math.min(cache, 100_000),
    cycle: cycle?.kind === 'cycle' ? cycle.on : (before?.cycle ?? false),
    ownedBy: owner?.kind === 'ownedBy' ? await ownerOf(context, owner.owner) : (before?.ownedBy ?? null),
  }
}

function checkStart(word: string, start: bigint, { min, max }: Pick<SequenceSchema, 'min' | 'max'>): void {
  if (start < BigInt(min)) throw invalid(`${word} value (${start}) cannot be less than MINVALUE (${min})`)
  if (start > BigInt(max)) throw invalid(`${word} value (${start}) cannot be greater than MAXVALUE (${max})`)
}

function typeOf(name: string): SequenceSchema['type'] {
  if (name === 'smallint' || name === 'integer' || name === 'bigint') return name
  throw invalid('sequence type must be smallint, integer, or bigint')
}

/** OWNED BY table.column, or NONE. */
async function ownerOf(context: DdlContext, owner: QualifiedName): Promise<Owner | null> {
  const { parts, span } = owner
  if (parts.length === 1) {
    if (parts[0]?.name === 'none') return null
    throw errorAt(context.bind, owner, SQLSTATE.syntaxError, 'invalid OWNED BY option', {
      hint: 'Specify OWNED BY table.column or OWNED BY NONE.',
    })
  }
  const table = await lookUp(context, { kind: 'name', parts: parts.slice(0, -1), span })
  if (table?.kind !== 'table')
    throw errorAt(
      context.bind,
      owner,
      SQLSTATE.undefinedTable,
      `relation "${shownName(writtenName({ parts: parts.slice(0, -1) }))}" does not exist`,
    )
  const name = parts.at(-1)?.name ?? ''
  const column = table.columns.find((one) => one.name === name)
  if (column === undefined)
    throw errorAt(
      context.bind,
      owner,
      SQLSTATE.undefinedColumn,
      `column "${name}" of relation "${table.name}" does not exist`,
    )
  return { table: keyOf(context, table), slot: column.slot }
}

/** Drops a sequence with its state. */
export function removeSequence(context: DdlContext, sequence: SequenceSchema): void {
  context.catalog.delete(context.transaction, keyOf(context, sequence))
  resetSequence(context, sequence, null)
}

/** Sets the sequences of a table's columns back to their starts. */
export async function restartIdentity(context: DdlContext, table: TableSchema): Promise<void> {
  const { catalog, transaction } = context
  for (const entry of await catalog.entries(transaction))
    if (entry.kind === 'sequence' && entry.ownedBy?.table === keyOf(context, table)) {
      const changed = await change(context, entry)
      resetSequence(context, changed, { next: changed.start, called: false })
    }
}
