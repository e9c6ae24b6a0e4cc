import { SQLSTATE } from '../../errors.ts'
import { columnExpr, conjunction, TRUE } from '../../plan/build.ts'
import type { Column, Expr } from '../../plan/expression.ts'
import type { LogicalPlan, Output } from '../../plan/logical.ts'
import type { Identifier, Join } from '../../syntax/ast.ts'
import { type BindContext, errorAt, newColumn } from '../context.ts'
import { bindCondition } from '../expression/bind-expression.ts'
import { coerce, commonType } from '../expression/coerce.ts'
import { operatorCall } from '../expression/overloads.ts'
import type { ScopeColumn, ScopeTable } from '../scope.ts'
import { type BindReference, type BoundFrom, type FromPlace, joined, named, together } from './from-parts.ts'

/** Binds a join; one with an alias is known by that name alone. */
export function bindJoin(
  context: BindContext,
  join: Join,
  place: FromPlace,
  bindReference: BindReference,
): BoundFrom {
  const bound = bindSides(context, join, place, bindReference)
  if (join.alias === null) return bound
  const { plan, columns } = bound
  const known = named(context, { plan, columns }, join.alias, join.alias.name.name)
  // The alias of USING is a name of no table.
  const merged = join.condition?.kind === 'using' ? join.condition.alias?.name : undefined
  return { ...known, hidden: bound.tables.filter(({ alias }) => alias !== merged) }
}

function bindSides(
  context: BindContext,
  join: Join,
  place: FromPlace,
  bindReference: BindReference,
): BoundFrom {
  const left = bindReference(context, join.left, place)
  const right = bindReference(context, join.right, { ...place, siblings: together(place.siblings, left) })
  const tables = [...left.tables, ...right.tables]
  const { condition } = join
  const type = join.type === 'cross' ? 'inner' : join.type
  if (condition === null || condition.kind === 'on') {
    const columns = [...left.columns, ...right.columns]
    const hidden = place.siblings?.tables ?? []
    const scope = { tables, columns, hidden, outer: place.outer }
    const on =
      condition === null
        ? TRUE
        : bindCondition(
            { context, scope, aggregates: null, name: 'JOIN conditions' },
            condition.expression,
            'JOIN/ON',
          )
    return { plan: joined(context, join.right, type, left, right, on), tables, columns }
  }
  const names =
    condition.kind === 'using'
      ? condition.columns
      : left.columns
          .filter(({ name }) => right.columns.some((other) => other.name === name))
          .map(({ name }): Identifier => ({ kind: 'identifier', name, span: join.span }))
  const bound = bindUsing(context, join, { left, right, tables, type, names })
  const alias = condition.kind === 'using' ? condition.alias : null
  if (alias === null) return bound
  const merged = bound.columns.slice(0, names.length)
  return { ...bound, tables: [...bound.tables, { alias: alias.name, schema: null, columns: merged }] }
}

interface UsingParts {
  readonly left: BoundFrom
  readonly right: BoundFrom
  readonly tables: readonly ScopeTable[]
  readonly type: 'inner' | 'left' | 'right' | 'full'
  readonly names: readonly Identifier[]
}

/** USING and NATURAL: equal columns by name, which bare names and `*` then see once. */
function bindUsing(
  context: BindContext,
  join: Join,
  { left, right, tables, type, names }: UsingParts,
): BoundFrom {
  const conditions: Expr[] = []
  const merged: ScopeColumn[] = []
  const computed: Output[] = []
  for (const [i, identifier] of names.entries()) {
    const { name } = identifier
    if (names.slice(0, i).some((before) => before.name === name))
      throw errorAt(
        context,
        identifier,
        SQLSTATE.duplicateColumn,
        `column name "${name}" appears more than once in USING clause`,
      )
    const one = onlyColumn(context, left, identifier, 'left')
    const other = onlyColumn(context, right, identifier, 'right')
    const [typeOfOne, typeOfOther] = [one.column.type, other.column.type]
    const common = commonType(context, identifier, [typeOfOne, typeOfOther], 'JOIN/USING')
    const equal = operatorCall(context, join, '=', [columnExpr(one.column), columnExpr(other.column)])
    conditions.push(equal)
    // The side that is there in every row stands for both, in the type that both can have.
    const fits = ({ type: { id } }: Column): boolean => id === common.id
    if (type === 'inner' && !fits(one.column) && fits(other.column))
      merged.push({ name, column: other.column })
    else if ((type === 'inner' || type === 'left') && fits(one.column))
      merged.push({ name, column: one.column })
    else if (type === 'right' && fits(other.column)) merged.push({ name, column: other.column })
    else {
      const sides = type === 'full' ? [one, other] : [type === 'right' ? other : one]
      const args = sides.map(({ column }) => coerce(context, join, columnExpr(column), common, 'implicit'))
      const [first] = args
      const expr: Expr =
        args.length === 1 && first !== undefined ? first : { kind: 'coalesce', type: common, args }
      const column = newColumn(context, name, expr.type)
      computed.push({ column, expr })
      merged.push({ name, column })
    }
  }
  const isMerged = ({ name }: ScopeColumn): boolean => names.some((identifier) => identifier.name === name)
  const columns = [
    ...merged,
    ...left.columns.filter((column) => !isMerged(column)),
    ...right.columns.filter((column) => !isMerged(column)),
  ]
  const plan: LogicalPlan = joined(context, join.right, type, left, right, conjunction(conditions))
  if (computed.length === 0) return { plan, tables, columns }
  const all = [...left.columns, ...right.columns, ...tables.flatMap((table) => table.columns)]
  const kept = all.map(({ column }) => column)
  const seen = new Set<number>()
  const passed = kept
    .filter(({ id }) => !seen.has(id) && seen.add(id))
    .map((column) => ({ column, expr: columnExpr(column) }))
  return { plan: { kind: 'project', input: plan, outputs: [...computed, ...passed] }, tables, columns }
}

function onlyColumn(
  context: BindContext,
  from: BoundFrom,
  { name, span, kind }: Identifier,
  side: 'left' | 'right',
): ScopeColumn {
  const found = from.columns.filter((column) => column.name === name)
  const node: Identifier = { name, span, kind }
  if (found.length > 1)
    throw errorAt(
      context,
      node,
      SQLSTATE.ambiguousColumn,
      `common column name "${name}" appears more than once in ${side} table`,
    )
  if (found[0] === undefined)
    throw errorAt(
      context,
      node,
      SQLSTATE.undefinedColumn,
      `column "${name}" specified in USING clause does not exist in ${side} table`,
    )
  context.access.named(found[0].column)
  return found[0]
}
