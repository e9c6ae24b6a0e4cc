import type { Value } from '@cluster/core'
import type { BindContext, BoundQuery } from '../../binder/context.ts'
import { converted } from '../../binder/query/convert-query.ts'
import type { TableSchema } from '../../catalog/schema.ts'
import { batchesOfRows, rowsOf } from '../../compile/batch.ts'
import { compileMap, compileScalars, Layout, Slots } from '../../compile/compile-map.ts'
import { compileStatement } from '../../compile/compile-statement.ts'
import type { DdlContext } from '../../ddl/context.ts'
import type { ExecutionContext } from '../../executor/context.ts'
import { foldExpr } from '../../optimizer/fold-constants.ts'
import type { Query } from '../../syntax/ast.ts'
import type { Planner } from '../run/planner.ts'

export interface DefinerPorts
  extends Pick<
    DdlContext,
    'transaction' | 'catalog' | 'database' | 'source' | 'path' | 'reserved' | 'temporarySchema' | 'later'
  > {
  readonly bind: BindContext
  readonly planner: Planner
  /** What expressions and queries of the statement run in. */
  readonly execution: () => ExecutionContext
  /** Puts values by of the sequences that the statement's expressions take from. */
  readonly prepare: (rows: number) => Promise<void>
}

/** What a statement that changes the catalog works with, its expressions and queries compiled as they come. */
export function ddlContext({ planner, execution, prepare, ...ports }: DefinerPorts): DdlContext {
  const { bind } = ports
  return {
    ...ports,
    async evaluate(expr) {
      await prepare(1)
      const [value = null] = compileScalars([foldExpr(expr)], new Slots())(execution().frame)
      return value
    },
    rowMapper(row, exprs) {
      const map = compileMap(new Layout(row), new Slots(), null, exprs.map(foldExpr))
      return async (rows) => {
        await prepare(rows.length)
        const { frame } = execution()
        const made: Value[][] = []
        for (const batch of batchesOfRows(rows, row.length))
          for (const one of rowsOf(map(batch, frame))) made.push(one)
        return made
      }
    },
    async fill(table: TableSchema, query: Query, bound: BoundQuery) {
      const types = table.columns.map(({ type }) => type)
      const source = converted(bind, query, bound, types, 'assignment')
      const sourceColumns = source.kind === 'project' ? source.outputs.map(({ column }) => column) : []
      const compiled = compileStatement(
        {
          kind: 'insert',
          target: { table, row: sourceColumns, checks: [], related: [] },
          source,
          sourceColumns,
          conflict: null,
          returning: null,
        },
        { ...planner.compileOptions, nextColumnId: bind.nextColumnId },
      )
      if (compiled.kind === 'query') throw new TypeError('an INSERT was compiled into a query')
      await prepare(1_024)
      const { count } = await compiled.run(execution())
      return count
    },
  }
}
