import type { Database, Key, Transaction } from '@cluster/core'
import { AccessCollector, type Requirement } from '../../access/requirement.ts'
import { bindStatement, type DataStatement } from '../../binder/bind-statement.ts'
import { type BindContext, Parameters } from '../../binder/context.ts'
import { bindQuery } from '../../binder/query/bind-query.ts'
import type { Catalog } from '../../catalog/catalog.ts'
import { type Dependencies, loadNames, stillCurrent } from '../../catalog/loader.ts'
import { PUBLIC, type SearchPath } from '../../catalog/names.ts'
import type { SequenceSchema, TableSchema } from '../../catalog/schema.ts'
import type { VirtualTable } from '../../catalog/virtual-table.ts'
import type { CompiledStatement, CompileOptions } from '../../compile/compile-statement.ts'
import { compileBound } from '../../compile/compile-with.ts'
import { type PhysicalPlan, physicalInputs } from '../../plan/physical.ts'
import { statisticsRevision } from '../../plan/table-statistics.ts'
import type { Statement } from '../../syntax/ast.ts'
import type { SqlType } from '../../types/type.ts'
import { Lru } from '../lru.ts'

export interface PlannerOptions {
  readonly database: Database
  readonly catalog: Catalog
  readonly virtualTables: ReadonlyMap<string, VirtualTable>
  readonly makeRowKey: () => Key
  readonly optimize: boolean
  /** Plans kept. */
  readonly plansMax: number
}

/** A statement with its plan, good as long as the catalog says the same of the tables it uses. */
export interface PlannedStatement {
  readonly compiled: CompiledStatement
  readonly parameterTypes: readonly SqlType[]
  readonly dependencies: Dependencies
  /** Sequences that it takes values from. */
  readonly sequences: readonly SequenceSchema[]
  /** What whoever runs it needs the right to do. */
  readonly requirements: readonly Requirement[]
  /** Tables of the system in it that only superusers may read. */
  readonly secrets: readonly string[]
  /** It needs an image of the whole catalog. */
  readonly asksCatalog: boolean
  /** The tables of a plan that had a choice, as they were known to be when it was made. */
  readonly known: readonly { readonly table: TableSchema; readonly revision: number }[]
  /** It uses locks of the cluster. */
  readonly takesLocks: boolean
}

/** Binds, optimizes and compiles statements, and keeps the plans by their text. */
export class Planner {
  readonly #options: PlannerOptions
  readonly #plans: Lru<string, PlannedStatement>

  constructor(options: PlannerOptions) {
    this.#options = options
    this.#plans = new Lru(options.plansMax)
  }

  /** What compiling needs beside a source of column ids. */
  get compileOptions(): Omit<CompileOptions, 'nextColumnId'> {
    const { database, makeRowKey, optimize } = this.#options
    return { database, makeRowKey, optimize }
  }

  /**
   * @param source the text that the statement's offsets point into
   * @param key tells the statement from all others; null: the plan is not kept
   */
  async plan(
    statement: DataStatement,
    source: string,
    transaction: Transaction,
    path: SearchPath,
    key: string | null,
    trace?: CompileOptions['trace'],
  ): Promise<PlannedStatement> {
    const kept = key === null ? null : keptAs(key, path)
    const known = kept === null ? undefined : this.#plans.get(kept)
    if (known?.known.every(({ table, revision }) => statisticsRevision(table) === revision)) {
      const current = stillCurrent(known.dependencies, transaction, this.#options.catalog)
      if (current === true || (current !== false && (await current))) return known
    }
    const { context, dependencies, asksCatalog, takesLocks } = await this.bindContext(
      statement,
      source,
      transaction,
      path,
    )
    const compiled = compileBound(bindStatement(context, statement), {
      ...this.compileOptions,
      nextColumnId: context.nextColumnId,
      ...(trace === undefined ? {} : { trace }),
    })
    const planned = {
      compiled,
      dependencies,
      parameterTypes: context.parameters.types(),
      sequences: [...context.sequences],
      requirements: context.access.requirements(),
      secrets: [...context.access.secrets],
      asksCatalog,
      known: tablesOf(compiled.plan),
      takesLocks,
    }
    if (kept !== null) this.#plans.set(kept, planned)
    return planned
  }

  /** What a statement is bound in: the tables it names as the transaction sees them. */
  async bindContext(
    statement: Statement,
    source: string,
    transaction: Transaction,
    path: SearchPath,
  ): Promise<{
    readonly context: BindContext
    readonly dependencies: Dependencies
    readonly asksCatalog: boolean
    readonly takesLocks: boolean
  }> {
    const { database, catalog, virtualTables } = this.#options
    const { names, dependencies, asksCatalog, takesLocks } = await loadNames(statement, {
      transaction,
      catalog,
      virtualTables,
      path,
    })
    let columns = 0
    const context: BindContext = {
      names,
      database,
      parameters: new Parameters(),
      sequences: new Set(),
      access: new AccessCollector(),
      nextColumnId: () => ++columns,
      source,
      ctes: null,
      views: [],
      bindQuery,
    }
    return { context, dependencies, asksCatalog, takesLocks }
  }
}

/** The tables of a plan with several; one table is read alike however many rows it has. */
function tablesOf(plan: PhysicalPlan): PlannedStatement['known'] {
  const tables = new Set<TableSchema>()
  const visit = (node: PhysicalPlan): void => {
    if (node.kind === 'tableScan' || node.kind === 'lookupJoin') tables.add(node.table)
    for (const input of physicalInputs(node)) visit(input)
  }
  visit(plan)
  if (tables.size < 2) return []
  return [...tables].map((table) => ({ table, revision: statisticsRevision(table) }))
}

/** The same text means other tables where names are looked for elsewhere. */
function keptAs(key: string, { schemas, temporary }: SearchPath): string {
  if (temporary === null && schemas.length === 1 && schemas[0] === PUBLIC) return key
  return JSON.stringify([key, temporary, ...schemas])
}
