import { EVERYWHERE, type Value } from '@cluster/core'
import { parseWrittenName } from '../../catalog/names.ts'
import { nearest, SQLSTATE } from '../../errors.ts'
import { keyOfValues } from '../../executor/rows/row-keys.ts'
import type { ScalarFunction } from '../../functions/function.ts'
import { constant } from '../../plan/build.ts'
import type { Expr } from '../../plan/expression.ts'
import type { CallExpression, Expression } from '../../syntax/ast.ts'
import { INTEGER } from '../../types/type.ts'
import { type BindContext, errorAt } from '../context.ts'
import { coerce } from '../expression/coerce.ts'

/**
 * `cluster_partition_of('table', key…)`: the partition that holds the row with this primary key. The table's
 * name is a literal, because the types of the key depend on it.
 * @throws 42P01, 42883
 */
export function bindPartitionOf(context: BindContext, call: CallExpression, args: readonly Expr[]): Expr {
  const [name, ...keys] = args
  const node = call.args[0] ?? call
  if (name?.kind !== 'constant' || typeof name.value !== 'string')
    throw errorAt(
      context,
      node,
      SQLSTATE.undefinedFunction,
      "cluster_partition_of takes the table's name as a literal, then its key",
      { hint: "Write cluster_partition_of('items', 7)." },
    )
  const table = context.names.entry(parseWrittenName(name.value))
  if (table?.kind !== 'table') {
    const near = nearest(name.value, context.names.all)
    throw errorAt(
      context,
      node,
      SQLSTATE.undefinedTable,
      `relation "${name.value}" does not exist`,
      near === null ? {} : { hint: `Perhaps you meant "${near}".` },
    )
  }
  if (table.placement === 'everywhere') return constant(INTEGER, EVERYWHERE)
  const columns = table.primaryKey?.columns ?? []
  if (columns.length === 0 || columns.length !== keys.length)
    throw errorAt(
      context,
      call,
      SQLSTATE.undefinedFunction,
      columns.length === 0
        ? `table "${table.name}" has no primary key, so its rows cannot be asked for`
        : `the primary key of "${table.name}" has ${columns.length} columns, not ${keys.length}`,
    )
  const typed = keys.map((key, i) => {
    const column = table.columns[columns[i] as number]
    const keyNode = call.args[i + 1] as Expression
    return column === undefined ? key : coerce(context, keyNode, key, column.type, 'assignment')
  })
  const { database } = context
  const impl = (...values: readonly Value[]): Value =>
    database.partitionOf(keyOfValues(table, columns, values))
  return { kind: 'call', type: INTEGER, fn: partitionFunction(typed, impl), form: 'function', args: typed }
}

function partitionFunction(args: readonly Expr[], impl: ScalarFunction['impl']): ScalarFunction {
  return {
    name: 'cluster_partition_of',
    args: args.map(({ type }) => type),
    returns: INTEGER,
    strict: true,
    volatility: 'stable',
    impl,
    contextual: null,
    js: null,
  }
}
