import type { Database, NodeId } from '@cluster/core'
import { type ModelDatabases, modelDatabases, SimRandom, StillClock } from '@cluster/testkit'
import {
  formatValue,
  isSqlError,
  type SqlEngine,
  type SqlEngineOptions,
  type SqlEnginePorts,
  type SqlResult,
  sqlEngine,
  sqlstateOf,
} from '../../src/index.ts'

export interface TestEngine {
  readonly engine: SqlEngine
  readonly database: Database
  readonly databases: ModelDatabases
  readonly clock: StillClock
}

export interface TestOptions extends SqlEngineOptions {
  readonly nodes?: readonly NodeId[]
  readonly redundancy?: number
  readonly virtualTables?: SqlEnginePorts['virtualTables']
  readonly binary?: SqlEnginePorts['binary']
}

/** An engine over a fresh model database. */
export async function testEngine(options: TestOptions = {}): Promise<TestEngine> {
  const { nodes, redundancy = 2, virtualTables = [], binary, ...engineOptions } = options
  const databases = modelDatabases(nodes === undefined ? {} : { nodes })
  const database = await databases.open('test', { partitions: 4, redundancy })
  const clock = new StillClock()
  const engine = sqlEngine(engineOptions)({
    database,
    clock,
    random: new SimRandom(1),
    virtualTables,
    databases,
    ...(binary === undefined ? {} : { binary }),
  })
  return { engine, database, databases, clock }
}

/** Rows as text, as a shell shows them. */
export function textOf({ columns, rows }: Pick<SqlResult, 'columns' | 'rows'>): string[] {
  return rows.map((row) =>
    row
      .map((value, i) => {
        const type = columns[i]?.type
        return value === null || type === undefined ? 'NULL' : formatValue(type, value)
      })
      .join('|'),
  )
}

/** What is wrong with a statement, in the form that tests compare. */
export async function failure(work: Promise<unknown>): Promise<{
  readonly sqlstate: string | null
  readonly message: string
  readonly detail?: string
  readonly hint?: string
  readonly position?: number
  readonly constraint?: string
  readonly context?: string
}> {
  try {
    await work
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const { detail, hint, position, constraint, context } = isSqlError(error)
      ? error.detail
      : { detail: undefined, hint: undefined, position: undefined, constraint: undefined, context: undefined }
    return {
      sqlstate: sqlstateOf(error),
      message: error.message,
      ...(detail === undefined ? {} : { detail }),
      ...(hint === undefined ? {} : { hint }),
      ...(position === undefined ? {} : { position }),
      ...(constraint === undefined ? {} : { constraint }),
      ...(context === undefined ? {} : { context }),
    }
  }
  throw new Error('it did not fail')
}
