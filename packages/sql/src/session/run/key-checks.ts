import { assert, type Database, type Key, type Row, type Transaction } from '@cluster/core'
import type { Catalog } from '../../catalog/catalog.ts'
import type { ForeignKey, IndexSchema, TableSchema } from '../../catalog/schema.ts'
import { batchesOfRows, rowsOf } from '../../compile/batch.ts'
import { SQLSTATE, sqlError } from '../../errors.ts'
import type { ExecutionContext } from '../../executor/context.ts'
import { checkUnique } from '../../executor/write/deferrable-keys.ts'
import type { KeyTie } from '../../executor/write/foreign-key-reads.ts'
import { parentKeyOfValues } from '../../executor/write/foreign-key-reads.ts'
import {
  checkChildren,
  checkParents,
  enforceForeignKeys,
  type PendingCheck,
  rowNow,
  type TiedTable,
} from '../../executor/write/foreign-keys.ts'
import type { StoredRow, WrittenRow } from '../../executor/write/table-writer.ts'
import { checkRows } from '../../executor/write/write.ts'

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
  /** Rows whose unique keys are still to be looked at. */
  keys: PendingKey[]
}

interface PendingKey {
  readonly table: string
  readonly name: string
  readonly row: Key
}

const idOf = (table: string, name: string): string => `${table}\u0000${name}`

/** Sees to foreign keys and deferrable unique ones: when a statement ends, or, deferred, when its transaction does. */
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
    const all = [...written]
    await enforceForeignKeys(written, {
      database: this.#ports.database,
      transaction,
      makeRowKey: this.#ports.makeRowKey,
      tables,
      isDeferred: (table, key) => isDeferred(waiting, table, key),
      defer: (check) => waiting.pending.push(check),
      onWritten: (change) => all.push(change),
    })
    await this.#noteKeys(transaction, waiting, all)
  }

  /** Looks at the deferrable keys of rows that were written, or puts that off. @throws 23505 */
  async #noteKeys(transaction: Transaction, waiting: Waiting, written: readonly WrittenRow[]): Promise<void> {
    const now: PendingKey[] = []
    for (const { table, now: stored } of written) {
      if (stored === null) continue
      const key = this.#ports.catalog.keyOf(table)
      for (const index of table.indexes)
        if (index.deferral !== undefined) {
          const late = isLate(waiting, key, index)
          const list = late ? waiting.keys : now
          list.push({ table: key, name: index.name, row: stored.key })
        }
    }
    await this.#checkKeys(transaction, now, () => true)
  }

  /** @returns what was not chosen @throws 23505 */
  async #checkKeys(
    transaction: Transaction,
    pending: readonly PendingKey[],
    chosen: (table: string, index: IndexSchema) => boolean,
  ): Promise<PendingKey[]> {
    const reads = { database: this.#ports.database, transaction }
    const kept: PendingKey[] = []
    for (const keys of Map.groupBy(pending, ({ table, name }) => idOf(table, name)).values()) {
      const [first] = keys
      assert(first !== undefined, 'a group of keys without one')
      const table = await this.#ports.catalog.entry(transaction, first.table)
      const index =
        table?.kind === 'table' ? table.indexes.find(({ name }) => name === first.name) : undefined
      if (table?.kind !== 'table' || index?.deferral === undefined) continue
      if (!chosen(first.table, index)) {
        kept.push(...keys)
        continue
      }
      const rows: StoredRow[] = []
      for (const { row: key } of keys) {
        const row = await rowNow(reads, table, key)
        if (row !== null) rows.push({ key, row })
      }
      await checkUnique(reads, table, index, rows)
    }
    return kept
  }

  /** @throws 23503, 23505 */
  async beforeCommit(transaction: Transaction): Promise<void> {
    const waiting = this.#waiting.get(transaction)
    if (waiting === undefined) return
    await this.#checkAll(transaction, waiting, () => true)
    waiting.keys = await this.#checkKeys(transaction, waiting.keys, () => true)
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
    if (deferred) return
    await this.#checkAll(transaction, waiting, (table, key) => !isDeferred(waiting, table, key))
    waiting.keys = await this.#checkKeys(
      transaction,
      waiting.keys,
      (table, index) => !isLate(waiting, table, index),
    )
  }

  #setOne(waiting: Waiting, tables: readonly TableSchema[], name: string, deferred: boolean): void {
    const found = tables.flatMap((table) => [
      ...table.foreignKeys
        .filter((key) => key.name === name)
        .map(({ deferrable }) => ({ table, deferrable })),
      ...table.indexes
        .filter((index) => index.name === name && index.deferral !== undefined)
        .map(() => ({ table, deferrable: true })),
    ])
    const other = tables.some(({ primaryKey, indexes, checks }) =>
      [primaryKey, ...indexes, ...checks].some((one) => one?.name === name),
    )
    if (found.length === 0 && !other)
      throw sqlError(SQLSTATE.undefinedObject, `constraint "${name}" does not exist`)
    if (found.length === 0 || found.some(({ deferrable }) => !deferrable))
      throw sqlError(SQLSTATE.wrongObjectType, `constraint "${name}" is not deferrable`)
    for (const { table } of found) waiting.named.set(idOf(this.#ports.catalog.keyOf(table), name), deferred)
  }

  #of(transaction: Transaction): Waiting {
    let waiting = this.#waiting.get(transaction)
    if (waiting === undefined) {
      waiting = { all: null, named: new Map(), pending: [], keys: [] }
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

function isLate(waiting: Waiting, table: string, { name, deferral }: IndexSchema): boolean {
  return waiting.named.get(idOf(table, name)) ?? waiting.all ?? deferral?.initiallyDeferred === true
}

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
