import type { BoundStatement, StatementPlan, WriteStatementPlan } from '../plan/statement.ts'
import type { Query, WriteStatement } from '../syntax/ast.ts'
import type { BindContext } from './context.ts'
import { bindBody } from './query/bind-query.ts'
import { bindWith, withTables } from './query/bind-with.ts'
import { settled } from './query/convert-query.ts'
import { bindMerge } from './write/bind-merge.ts'
import { bindDelete, bindInsert, bindUpdate } from './write/bind-write.ts'

/** A statement over data, which has a plan. */
export type DataStatement = Query | WriteStatement

/** Binds a statement over data. @throws SqlError with a position */
export function bindStatement(context: BindContext, statement: DataStatement): BoundStatement {
  if (statement.with.length === 0) return bindMain(context, statement)
  const { context: inner, tables } = bindWith(context, statement, null, { bindBody, bindWrite })
  const main = bindMain(inner, { ...statement, with: [] })
  // A query's tables are part of its plan, where the optimizer sees them.
  if (main.kind === 'query' && tables.every((table) => 'plan' in table))
    return { ...main, plan: withTables(tables, main.plan) }
  return { kind: 'with', tables, main }
}

function bindMain(context: BindContext, statement: DataStatement): StatementPlan {
  if (statement.kind !== 'query') return bindWrite(context, statement)
  const bound = settled(context, statement, context.bindQuery(statement, context, null))
  return {
    kind: 'query',
    plan: bound.plan,
    columns: bound.columns.map(({ column }) => column),
    result: bound.columns.map(({ name, column }) => ({ name, type: column.type })),
  }
}

/** Binds a statement that changes rows, in a context that sees the tables of its WITH clause. */
function bindWrite(context: BindContext, statement: WriteStatement): WriteStatementPlan {
  switch (statement.kind) {
    case 'insert':
      return bindInsert(context, statement)
    case 'update':
      return bindUpdate(context, statement)
    case 'delete':
      return bindDelete(context, statement)
    case 'merge':
      return bindMerge(context, statement)
  }
}
