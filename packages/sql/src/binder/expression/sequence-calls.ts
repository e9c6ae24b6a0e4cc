import { parseWrittenName, shownName } from '../../catalog/names.ts'
import type { SequenceSchema } from '../../catalog/schema.ts'
import { nearest, SQLSTATE } from '../../errors.ts'
import type { ContextImplementation, ScalarFunction } from '../../functions/function.ts'
import { constant } from '../../plan/build.ts'
import type { Expr } from '../../plan/expression.ts'
import type { CallExpression, Expression } from '../../syntax/ast.ts'
import { quoteIdentifier } from '../../syntax/keywords.ts'
import { BIGINT, BOOLEAN, type SqlType, TEXT } from '../../types/type.ts'
import { type BindContext, errorAt } from '../context.ts'
import { coerce } from './coerce.ts'

/** Calls of functions over sequences, which are bound to the sequence that they name. */
export function isSequenceCall(name: string, { args }: CallExpression): boolean {
  // With names that are computed it is a question to the catalog like others.
  if (name === 'pg_get_serial_sequence') return args.every(({ kind }) => kind === 'string')
  return ['nextval', 'currval', 'setval'].includes(name)
}

const volatile = (
  name: string,
  args: readonly SqlType[],
  returns: SqlType,
  contextual: ContextImplementation,
): ScalarFunction => ({
  name,
  args,
  returns,
  strict: true,
  volatility: 'volatile',
  impl: () => {
    throw new TypeError(`${name} needs its session`)
  },
  contextual,
  js: null,
})

/** The next value of a sequence, as a bigint. */
export function nextvalOf({ sequences }: BindContext, sequence: SequenceSchema): Expr {
  sequences.add(sequence)
  const fn = volatile('nextval', [], BIGINT, (session) => session.sequences.next(sequence))
  return { kind: 'call', type: BIGINT, fn, form: 'function', args: [] }
}

/** @throws 42P01, 42809, 0A000 when the name is no literal */
export function bindSequenceCall(
  context: BindContext,
  call: CallExpression,
  bind: (arg: Expression) => Expr,
): Expr {
  const name = call.name.parts.at(-1)?.name ?? ''
  if (name === 'pg_get_serial_sequence') return serialSequence(context, call)
  const sequence = sequenceOf(context, call)
  if (name === 'nextval') {
    checkCount(context, call, 1, 1)
    context.access.sequence(context, sequence, ['U', 'w'])
    return nextvalOf(context, sequence)
  }
  if (name === 'currval') {
    checkCount(context, call, 1, 1)
    context.access.sequence(context, sequence, ['U', 'r'])
    const fn = volatile('currval', [], BIGINT, ({ sequences }) => sequences.current(sequence))
    return { kind: 'call', type: BIGINT, fn, form: 'function', args: [] }
  }
  checkCount(context, call, 2, 3)
  context.access.sequence(context, sequence, ['w'])
  const typed = call.args
    .slice(1)
    .map((arg, i) => coerce(context, arg, bind(arg), i === 0 ? BIGINT : BOOLEAN, 'implicit'))
  const types = typed.map(({ type }) => type)
  const fn = volatile('setval', types, BIGINT, ({ sequences }, value, called) =>
    sequences.set(sequence, value as bigint, called === undefined || called === true),
  )
  return { kind: 'call', type: BIGINT, fn, form: 'function', args: typed }
}

function checkCount(context: BindContext, call: CallExpression, least: number, most: number): void {
  if (call.args.length >= least && call.args.length <= most) return
  throw errorAt(
    context,
    call,
    SQLSTATE.undefinedFunction,
    `function ${call.name.parts.at(-1)?.name}(${call.args.map(() => 'unknown').join(', ')}) does not exist`,
  )
}

/** The name that stands as a literal, or comes of `pg_get_serial_sequence` with literals. */
function writtenIn(context: BindContext, node: Expression | undefined): string | null {
  if (node?.kind === 'string') return node.value
  if (node?.kind === 'cast') return writtenIn(context, node.operand)
  if (node?.kind !== 'call' || node.name.parts.at(-1)?.name !== 'pg_get_serial_sequence') return null
  const found = serialSequence(context, node)
  return found.kind === 'constant' && typeof found.value === 'string' ? found.value : null
}

function sequenceOf(context: BindContext, call: CallExpression): SequenceSchema {
  const [node] = call.args
  const text = writtenIn(context, node)
  if (text === null)
    throw errorAt(
      context,
      node ?? call,
      SQLSTATE.featureNotSupported,
      `${call.name.parts.at(-1)?.name} takes the name of its sequence as a literal`,
      { hint: "Write nextval('name')." },
    )
  const written = parseWrittenName(text)
  const entry = context.names.entry(written)
  if (entry?.kind === 'sequence') return entry
  if (entry !== null)
    throw errorAt(context, node ?? call, SQLSTATE.wrongObjectType, `"${entry.name}" is not a sequence`)
  const near = nearest(written, context.names.all)
  throw errorAt(
    context,
    node ?? call,
    SQLSTATE.undefinedTable,
    `relation "${shownName(written)}" does not exist`,
    near === null ? {} : { hint: `Perhaps you meant "${near}".` },
  )
}

/** `pg_get_serial_sequence('table', 'column')`: the name of the sequence, or NULL. @throws 42P01, 42703 */
function serialSequence(context: BindContext, call: CallExpression): Expr {
  checkCount(context, call, 2, 2)
  const [tableNode, columnNode] = call.args
  if (tableNode?.kind !== 'string' || columnNode?.kind !== 'string')
    throw errorAt(context, call, SQLSTATE.featureNotSupported, 'pg_get_serial_sequence takes literals')
  const written = parseWrittenName(tableNode.value)
  const table = context.names.entry(written)
  if (table?.kind !== 'table')
    throw errorAt(
      context,
      tableNode,
      SQLSTATE.undefinedTable,
      `relation "${shownName(written)}" does not exist`,
    )
  const column = table.columns.find(({ name }) => name === columnNode.value)
  if (column === undefined)
    throw errorAt(
      context,
      columnNode,
      SQLSTATE.undefinedColumn,
      `column "${columnNode.value}" of relation "${table.name}" does not exist`,
    )
  const sequence = column.sequence === null ? null : context.names.byKey(column.sequence)
  if (sequence === null) return constant(TEXT, null)
  return constant(TEXT, `${quoteIdentifier(sequence.schema)}.${quoteIdentifier(sequence.name)}`)
}
