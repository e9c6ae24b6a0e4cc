import { SQLSTATE } from '../../errors.ts'
import { TRUE } from '../../plan/build.ts'
import type { Expr } from '../../plan/expression.ts'
import { columnsOf, type JoinType, type LogicalPlan } from '../../plan/logical.ts'
import { freeColumns } from '../../plan/traverse.ts'
import type { Identifier, Node, TableAlias, TableReference } from '../../syntax/ast.ts'
import { type BindContext, type BoundQuery, errorAt, type OutputColumn } from '../context.ts'
import type { Scope, ScopeColumn, ScopeTable } from '../scope.ts'

/** What FROM gives: rows, and the names under which its columns are known. */
export interface BoundFrom {
  readonly plan: LogicalPlan
  readonly tables: readonly ScopeTable[]
  readonly columns: readonly ScopeColumn[]
  /** Tables of joins that are known by another name; for messages. */
  readonly hidden?: readonly ScopeTable[]
}

/** Where a table of FROM stands: what its query may refer to, and what LATERAL lets it see besides. */
export interface FromPlace {
  readonly outer: Scope | null
  readonly siblings: BoundFrom | null
}

export type BindReference = (context: BindContext, reference: TableReference, place: FromPlace) => BoundFrom

/** What LATERAL sees: the tables to the left, then what the query sees. */
export const lateralScope = ({ outer, siblings }: FromPlace): Scope | null =>
  siblings === null ? outer : { tables: siblings.tables, columns: siblings.columns, outer }

/** What any other table sees; the tables to the left serve for messages only. */
export const plainScope = ({ outer, siblings }: FromPlace): Scope | null =>
  siblings === null ? outer : { tables: [], columns: [], hidden: siblings.tables, outer }

/** Both beside each other. */
export const together = (left: BoundFrom | null, right: BoundFrom): BoundFrom =>
  left === null
    ? right
    : {
        plan: right.plan,
        tables: [...left.tables, ...right.tables],
        columns: [...left.columns, ...right.columns],
        hidden: [...(left.hidden ?? []), ...(right.hidden ?? [])],
      }

/** A join of two tables; one whose right side refers to the left one runs it for each row. @throws 42P10 */
export function joined(
  context: BindContext,
  node: Node,
  type: Exclude<JoinType, 'semi' | 'anti'>,
  left: BoundFrom,
  right: BoundFrom,
  on: Expr = TRUE,
): LogicalPlan {
  const free = freeColumns(right.plan)
  const shared = columnsOf(left.plan).find(({ id }) => free.has(id))
  const sides = { left: left.plan, right: right.plan, on }
  if (shared === undefined) return { kind: 'join', type, ...sides }
  if (type === 'inner' || type === 'left') return { kind: 'lateral', type, ...sides }
  const table = left.tables.find(({ columns }) => columns.some(({ column }) => column.id === shared.id))
  throw errorAt(
    context,
    node,
    SQLSTATE.invalidColumnReference,
    `invalid reference to FROM-clause entry for table "${table?.alias ?? shared.name}"`,
    { detail: 'The combining JOIN type must be INNER or LEFT for a LATERAL reference.' },
  )
}

/** Gives a table its alias, and its columns theirs. */
export function named(
  context: BindContext,
  bound: BoundQuery,
  alias: TableAlias | null,
  name: string,
): BoundFrom {
  const { plan, columns } = renamed(context, bound, alias?.columns ?? [], alias?.name.name ?? name)
  const table = { alias: alias?.name.name ?? name, schema: alias === null ? 'public' : null, columns }
  return { plan, tables: [table], columns }
}

export function renamed(
  context: BindContext,
  bound: BoundQuery,
  names: readonly Identifier[],
  table: string,
): BoundQuery {
  const extra = names[bound.columns.length]
  if (extra !== undefined)
    throw errorAt(
      context,
      extra,
      SQLSTATE.invalidColumnReference,
      `table "${table}" has ${bound.columns.length} columns available but ${names.length} columns specified`,
    )
  const columns: OutputColumn[] = bound.columns.map((column, i) => ({
    ...column,
    name: names[i]?.name ?? column.name,
  }))
  return { plan: bound.plan, columns }
}
