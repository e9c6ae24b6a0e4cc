import type { StatementPlan } from '../plan/statement.ts'
import type { Delete, Insert, Query, Update } from '../syntax/ast.ts'
import { settled } from './bind-query.ts'
import { bindDelete, bindInsert, bindUpdate } from './bind-write.ts'
import type { BindContext } from './context.ts'

/** A statement over data, which has a plan. */
export type DataStatement = Query | Insert | Update | Delete

/** Binds a statement over data. @throws SqlError with a position */
export function bindStatement(context: BindContext, statement: DataStatement): StatementPlan {
  switch (statement.kind) {
    case 'query': {
      const bound = settled(context, statement, context.bindQuery(statement, context, null))
      return {
        kind: 'query',
        plan: bound.plan,
        columns: bound.columns.map(({ column }) => column),
        result: bound.columns.map(({ name, column }) => ({ name, type: column.type })),
      }
    }
    case 'insert':
      return bindInsert(context, statement)
    case 'update':
      return bindUpdate(context, statement)
    case 'delete':
      return bindDelete(context, statement)
  }
}
