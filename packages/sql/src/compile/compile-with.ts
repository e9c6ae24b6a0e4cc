import type { ExecutionContext, Source } from '../executor/context.ts'
import { closeTables, rowsThere, SharedRows } from '../executor/cte.ts'
import { RowPages } from '../executor/spill/row-pages.ts'
import { SpillFiles } from '../executor/spill/spill-file.ts'
import { DeferredWrites } from '../executor/write/deferred-writes.ts'
import { type PhysicalPlan, physicalColumns } from '../plan/physical.ts'
import type { BoundStatement, StatementTable, WithStatement } from '../plan/statement.ts'
import { type CompiledStatement, type CompileOptions, compileStatement } from './compile-statement.ts'

/** A table of WITH, ready to be made when a run begins. */
interface Part {
  readonly id: number
  readonly name: string
  readonly compiled: CompiledStatement
  readonly width: number
}

/** Compiles a statement with what its WITH clause makes for it. */
export function compileBound(statement: BoundStatement, options: CompileOptions): CompiledStatement {
  return statement.kind === 'with' ? compileWith(statement, options) : compileStatement(statement, options)
}

function compileWith({ tables, main }: WithStatement, options: CompileOptions): CompiledStatement {
  const parts = tables.map((table) => compilePart(table, options))
  const compiled = compileStatement(main, options)
  const plan: PhysicalPlan = {
    kind: 'with',
    tables: parts.map(({ id, name, compiled: part }) => ({
      id,
      name: part.kind === 'query' ? name : `${name} (${wordOf(part)})`,
      plan: part.plan,
    })),
    input: compiled.plan,
  }
  if (compiled.kind === 'query') {
    const source: Source = {
      async *open(context) {
        const deferred = new DeferredWrites(context.transaction)
        const tables: SharedRows[] = []
        const files = new SpillFiles(context, plan)
        const rows = new RowPages(files)
        try {
          await makeTables(parts, context, deferred, tables, plan)
          // Rows are given out when everything was written, so that an error leaves nothing half told.
          for await (const batch of compiled.source.open(context)) {
            const writing = rows.append(batch)
            if (writing !== null) await writing
          }
          deferred.apply()
          yield* rows.read()
        } finally {
          await closeTables(tables)
          await rows.close()
          if (files.used) await files.close('rows')
        }
      },
    }
    return { ...compiled, plan, source }
  }
  return {
    ...compiled,
    plan,
    program: null,
    async run(context) {
      const deferred = new DeferredWrites(context.transaction)
      const tables: SharedRows[] = []
      try {
        await makeTables(parts, context, deferred, tables, plan)
        const written = await compiled.run(context.fork(deferred))
        deferred.apply()
        return written
      } finally {
        await closeTables(tables)
      }
    },
  }
}

function compilePart(table: StatementTable, options: CompileOptions): Part {
  const { id, name } = table
  const compiled =
    'plan' in table
      ? compileStatement({ kind: 'query', plan: table.plan, columns: table.columns, result: [] }, options)
      : compileStatement(table.statement, options)
  const width = compiled.kind === 'query' ? physicalColumns(compiled.plan).length : compiled.result.length
  return { id, name, compiled, width }
}

const wordOf = (
  part: CompiledStatement & { readonly kind: 'insert' | 'update' | 'delete' | 'merge' },
): string =>
  `${{ insert: 'insert into', update: 'update', delete: 'delete from', merge: 'merge into' }[part.kind]} ${part.target.table.name}`

/**
 * What changes rows runs to its end, in order; queries run as far as somebody reads them.
 * @param made gets the tables that have to be closed
 */
async function makeTables(
  parts: readonly Part[],
  context: ExecutionContext,
  deferred: DeferredWrites,
  made: SharedRows[],
  node: object,
): Promise<void> {
  for (const { id, compiled } of parts) {
    if (compiled.kind === 'query') {
      const rows = new SharedRows(compiled.source, context.fork(context.transaction), node)
      made.push(rows)
      context.tables.set(id, rows)
      continue
    }
    const { returned } = await compiled.run(context.fork(deferred))
    context.tables.set(id, rowsThere(returned))
  }
}
