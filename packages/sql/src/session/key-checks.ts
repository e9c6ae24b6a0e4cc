import { assert, type Database, type Key, type Row, type Transaction } from '@cluster/core'
import type { Catalog } from '../catalog/catalog.ts'
import type { ForeignKey, TableSchema } from '../catalog/schema.ts'
import { batchesOfRows, rowsOf } from '../compile/batch.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { ExecutionContext } from '../executor/context.ts'
import type { KeyTie } from '../executor/foreign-key-reads.ts'
import { parentKeyOfValues } from '../executor/foreign-key-reads.ts'
import {
  checkChildren,
  checkParents,
  enforceForeignKeys,
  type PendingCheck,
  rowNow,
  type TiedTable,
} from '../executor/foreign-keys.ts'
import type { StoredRow } from '../executor/table-writer.ts'
import { checkRows } from '../executor/write.ts'

export interface KeyCheckPorts {
  readonly database: Database
  readonly catalog: Catalog
  readonly makeRowKey: () => Key
}

/** What SET CONSTRAINTS has said in a transaction, and what waits for its end. */
interface Waiting {
  /** For all that nothing else was said of; null: as they were declared. */
  all: boolean | null
  /** By table and name. */
  readonly named: Map<string, boolean>
  pending: PendingCheck[]
}

const idOf = (table: string, name: string): string => `${table}\u0000${name}`

/** Sees to foreign keys: when a statement ends, and, for those that are deferred, when its transaction does. */
export class KeyChecks {
  readonly #ports: KeyCheckPorts
  readonly #waiting = new WeakMap<Transaction, Waiting>()

  constructor(ports: KeyCheckPorts) {
    this.#ports = ports
  }

  /** @throws 23503, 23502, 23514, 23505 */
  async afterStatement(context: ExecutionContext): Promise<void> {
    const { keyWork, transaction, frame } = context
    const written = keyWork.written.splice(0)
    if (written.length === 0) return
    const waiting = this.#of(transaction)
    const tables = new Map<string, TiedTable>()
    for (const { key, table, complete, checks, defaults } of keyWork.tables.values())
      tables.set(key, {
        key,
        table,
        complete: (rows) => (complete === null ? rows : mapped(rows, complete, context, table)),
        check: (rows) => checkRows({ table, checks }, context, rows),
        defaults: () => defaults(frame),
      })
    await enforceForeignKeys(written, {
      database: this.#ports.database,
      transaction,
      makeRowKey: this.#ports.makeRowKey,
      tables,
      isDeferred: (table, key) => isDeferred(waiting, table, key),
      defer: (check) => waiting.pending.push(check),
    })
  }

  /** @throws 23503 */
  async beforeCommit(transaction: Transaction): Promise<void> {
    const waiting = this.#waiting.get(transaction)
    if (waiting === undefined) return
    await this.#checkAll(transaction, waiting, () => true)
  }

  /**
   * SET CONSTRAINTS. What becomes immediate is looked at now.
   * @param names none: all
   * @throws 42704, 42809, 23503
   */
  async set(transaction: Transaction, names: readonly string[], deferred: boolean): Promise<void> {
    const waiting = this.#of(transaction)
    if (names.length === 0) {
      waiting.all = deferred
      waiting.named.clear()
    } else {
      const tables = (await this.#ports.catalog.entries(transaction)).filter(
        (entry) => entry.kind === 'table',
      )
      for (const name of names) this.#setOne(waiting, tables, name, deferred)
    }
    if (!deferred)
      await this.#checkAll(transaction, waiting, (table, key) => !isDeferred(waiting, table, key))
  }

  #setOne(waiting: Waiting, tables: readonly TableSchema[], name: string, deferred: boolean): void {
    const found = tables.flatMap((table) =>
      table.foreignKeys.filter((key) => key.name === name).map((key) => ({ table, key })),
    )
    const other = tables.some(({ primaryKey, indexes, checks }) =>
      [primaryKey, ...indexes, ...checks].some((one) => one?.name === name),
    )
    if (found.length === 0 && !other)
      throw sqlError(SQLSTATE.undefinedObject, `constraint "${name}" does not exist`)
    if (found.length === 0 || found.some(({ key }) => !key.deferrable))
      throw sqlError(SQLSTATE.wrongObjectType, `constraint "${name}" is not deferrable`)
    for (const { table } of found) waiting.named.set(idOf(this.#ports.catalog.keyOf(table), name), deferred)
  }

  #of(transaction: Transaction): Waiting {
    let waiting = this.#waiting.get(transaction)
    if (waiting === undefined) {
      waiting = { all: null, named: new Map(), pending: [] }
      this.#waiting.set(transaction, waiting)
    }
    return waiting
  }

  /** What was noted may be out of date, or have been undone: rows and tables are read as they are now. */
  async #checkAll(
    transaction: Transaction,
    waiting: Waiting,
    chosen: (table: string, key: ForeignKey) => boolean,
  ): Promise<void> {
    const groups = Map.groupBy(waiting.pending, ({ table, name }) => idOf(table, name))
    const kept: PendingCheck[] = []
    const reads = { database: this.#ports.database, transaction }
    for (const checks of groups.values()) {
      const [first] = checks
      assert(first !== undefined, 'a group of checks without one')
      const tie = await this.#tieOf(transaction, first)
      if (tie === null) continue
      if (!chosen(first.table, tie.key)) {
        kept.push(...checks)
        continue
      }
      const rows: StoredRow[] = []
      for (const { row: key } of checks) {
        const row = key === null ? null : await rowNow(reads, tie.child, key)
        if (key !== null && row !== null) rows.push({ key, row })
      }
      await checkChildren(
        reads,
        tie,
        rows.filter(({ row }) => !asksNothing(tie, row)),
      )
      const lost = checks.flatMap(({ values }) =>
        values === null ? [] : [{ values, key: parentKeyOfValues(tie, values) }],
      )
      await checkParents(reads, tie, lost)
    }
    waiting.pending = kept
  }

  async #tieOf(transaction: Transaction, { table, name }: PendingCheck): Promise<KeyTie | null> {
    const { catalog } = this.#ports
    const child = await catalog.entry(transaction, table)
    if (child?.kind !== 'table') return null
    const key = child.foreignKeys.find((one) => one.name === name)
    if (key === undefined) return null
    const parent = key.table === table ? child : await catalog.entry(transaction, key.table)
    return parent?.kind === 'table' ? { child, parent, key } : null
  }
}

const asksNothing = ({ child, key }: KeyTie, row: Row): boolean =>
  key.columns.some(
    (slot) => (row[child.columns.findIndex((column) => column.slot === slot)] ?? null) === null,
  )

function isDeferred(waiting: Waiting, table: string, key: ForeignKey): boolean {
  if (!key.deferrable) return false
  return waiting.named.get(idOf(table, key.name)) ?? waiting.all ?? key.initiallyDeferred
}

function mapped(
  rows: readonly Row[],
  map: NonNullable<Parameters<ExecutionContext['keyWork']['begin']>[0][number]['complete']>,
  { frame }: ExecutionContext,
  { columns }: TableSchema,
): readonly Row[] {
  return [...batchesOfRows(rows, columns.length)].flatMap((batch) => rowsOf(map(batch, frame)))
}
