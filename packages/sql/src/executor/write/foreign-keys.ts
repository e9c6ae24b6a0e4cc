import type { Database, Key, Row, Transaction, Value } from '@cluster/core'
import { catalogKey } from '../../catalog/names.ts'
import { layoutOf } from '../../catalog/row-layout.ts'
import type { ForeignKey, KeyAction, TableSchema } from '../../catalog/schema.ts'
import { readRows } from '../read-rows.ts'
import { partitionOfRow } from '../rows/row-keys.ts'
import { childrenOf } from './foreign-key-children.ts'
import {
  asksForParent,
  childValuesOf,
  type KeyTie,
  parentAddress,
  parentKeyOf,
  parentKeyOfParent,
  parentMissing,
  positionOfSlot,
  stillReferenced,
  valuesAt,
} from './foreign-key-reads.ts'
import { type RowChange, type StoredRow, TableWriter, type WrittenRow } from './table-writer.ts'

/** A table that a statement may have to read or change for its foreign keys. */
export interface TiedTable {
  /** Its key in the catalog. */
  readonly key: string
  readonly table: TableSchema
  /** Computes generated columns of changed rows. */
  complete(rows: readonly Row[]): readonly Row[]
  /** @throws 23514 */
  check(rows: readonly Row[]): void
  /** The defaults of its columns; null where no action asks for one. */
  defaults(): readonly Value[]
}

/** A check that waits for the end of the transaction. It looks at what is there then. */
export interface PendingCheck {
  /** The key of the table that has the foreign key, and its name there. */
  readonly table: string
  readonly name: string
  /** The child's row; or the values that a row of the parent had and has no more. */
  readonly row: Key | null
  readonly values: readonly Value[] | null
}

export interface EnforcementPorts {
  readonly database: Database
  readonly transaction: Transaction
  readonly makeRowKey: () => Key
  /** By key. */
  readonly tables: ReadonlyMap<string, TiedTable>
  /** True when the check of a foreign key waits for the end of the transaction. */
  readonly isDeferred: (table: string, key: ForeignKey) => boolean
  readonly defer: (check: PendingCheck) => void
  /** Told of the rows that actions have written. */
  readonly onWritten: (change: WrittenRow) => void
}

/** A row of the parent whose key is not what it was. */
interface Lost {
  readonly values: readonly Value[]
  readonly key: Key
  /** The key that it has now, in the order of `values`; null: the row is gone. */
  readonly now: readonly Value[] | null
}

const keyOf = ({ schema, name }: TableSchema): string => catalogKey(schema, name)

/**
 * Sees to the foreign keys of the rows that a statement has written: what happens to children happens now, with all that
 * follows from it; then what must hold is looked at. Everything is read in the transaction, so two that disagree about a
 * parent and its children do not both commit.
 * @throws 23503, 23502, 23514, 23505
 */
export async function enforceForeignKeys(
  written: readonly WrittenRow[],
  ports: EnforcementPorts,
): Promise<void> {
  const run = new Enforcement(ports)
  await run.act(written)
  await run.check()
}

class Enforcement {
  readonly #ports: EnforcementPorts
  readonly #children = new Map<ForeignKey, { readonly tie: KeyTie; readonly rows: StoredRow[] }>()
  readonly #parents = new Map<ForeignKey, { readonly tie: KeyTie; readonly lost: Lost[] }>()
  #queue: WrittenRow[] = []

  constructor(ports: EnforcementPorts) {
    this.#ports = ports
  }

  async act(written: readonly WrittenRow[]): Promise<void> {
    let batch: readonly WrittenRow[] = written
    while (batch.length > 0) {
      this.#queue = []
      const lost = new Map<ForeignKey, { readonly tie: KeyTie; readonly rows: Lost[] }>()
      for (const change of batch) {
        this.#noteChild(change)
        for (const [key, found] of this.#lostBy(change)) {
          const known = lost.get(key) ?? { tie: found.tie, rows: [] }
          lost.set(key, known)
          known.rows.push(found.row)
        }
      }
      for (const { tie, rows } of lost.values()) await this.#actOn(tie, rows)
      batch = this.#queue
    }
  }

  async check(): Promise<void> {
    for (const { tie, rows } of this.#children.values()) {
      const table = keyOf(tie.child)
      if (this.#ports.isDeferred(table, tie.key))
        for (const { key } of rows) this.#ports.defer({ table, name: tie.key.name, row: key, values: null })
      else await checkChildren(this.#ports, tie, rows)
    }
    for (const { tie, lost } of this.#parents.values()) {
      const table = keyOf(tie.child)
      if (this.#ports.isDeferred(table, tie.key))
        for (const { values } of lost) this.#ports.defer({ table, name: tie.key.name, row: null, values })
      else await checkParents(this.#ports, tie, lost)
    }
  }

  #tied(key: string): TiedTable {
    const tied = this.#ports.tables.get(key)
    if (tied === undefined) throw new TypeError(`a foreign key leads to ${key}, which was not looked up`)
    return tied
  }

  /** Rows of a child that point somewhere else than before. */
  #noteChild({ table, old, now }: WrittenRow): void {
    if (now === null) return
    for (const key of table.foreignKeys) {
      const before = old === null ? null : valuesAt(table, key.columns, old.row)
      const after = valuesAt(table, key.columns, now.row)
      if (before?.every((value, i) => value === after[i])) continue
      const tie: KeyTie = { child: table, parent: this.#tied(key.table).table, key }
      if (!asksForParent(tie, now.row)) continue
      const known = this.#children.get(key) ?? { tie, rows: [] }
      this.#children.set(key, known)
      known.rows.push(now)
    }
  }

  /** Keys that a row of a parent had and has no more. */
  *#lostBy({ table, old, now }: WrittenRow): Generator<[ForeignKey, { tie: KeyTie; row: Lost }]> {
    if (old === null) return
    for (const { table: childKey, name } of table.referencedBy) {
      const child = this.#tied(childKey).table
      const key = child.foreignKeys.find((one) => one.name === name)
      if (key === undefined) continue
      const tie: KeyTie = { child, parent: table, key }
      const values = valuesAt(table, key.referenced, old.row)
      if (values.includes(null)) continue
      const before = parentKeyOfParent(tie, old.row)
      if (now !== null && before === parentKeyOfParent(tie, now.row)) continue
      const next = now === null ? null : valuesAt(table, key.referenced, now.row)
      yield [key, { tie, row: { values, key: before, now: next } }]
    }
  }

  async #actOn(tie: KeyTie, rows: readonly Lost[]): Promise<void> {
    const { onDelete, onUpdate } = tie.key
    for (const [action, some] of [
      [onDelete, rows.filter(({ now }) => now === null)],
      [onUpdate, rows.filter(({ now }) => now !== null)],
    ] as const) {
      if (some.length === 0) continue
      // The default may be the very key that is gone: nothing changes then, and the child is still there.
      if (action === 'no action' || action === 'set default') {
        const known = this.#parents.get(tie.key) ?? { tie, lost: [] }
        this.#parents.set(tie.key, known)
        known.lost.push(...some)
      }
      if (action === 'no action') continue
      const children = await childrenOf(this.#ports, tie, some)
      await this.#follow(tie, action, some, children)
    }
  }

  async #follow(
    tie: KeyTie,
    action: Exclude<KeyAction, 'no action'>,
    lost: readonly Lost[],
    children: ReadonlyMap<Key, readonly StoredRow[]>,
  ): Promise<void> {
    const { child, key } = tie
    if (action === 'restrict') {
      const held = lost.find((one) => (children.get(one.key) ?? []).length > 0)
      if (held !== undefined) throw stillReferenced(tie, held.values)
      return
    }
    const writer = this.#writer(child)
    const all = lost.flatMap((one) => (children.get(one.key) ?? []).map((stored) => ({ one, stored })))
    if (all.length === 0) return
    if (action === 'cascade' && lost.every(({ now }) => now === null)) {
      await writer.delete(all.map(({ stored }) => stored))
      return
    }
    const tied = this.#tied(keyOf(child))
    const gone = lost.some(({ now }) => now === null)
    const slots = gone && key.onDeleteColumns.length > 0 ? key.onDeleteColumns : key.columns
    const defaults = action === 'set default' ? tied.defaults() : []
    const rows = all.map(({ one, stored }): Row => {
      const row = [...stored.row]
      for (const slot of slots) {
        const position = positionOfSlot(child, slot)
        row[position] =
          action === 'cascade'
            ? childValue(tie, key.columns.indexOf(slot), one.now)
            : action === 'set default'
              ? (defaults[position] ?? null)
              : null
      }
      return row
    })
    const made = tied.complete(rows)
    tied.check(made)
    await writer.update(all.map(({ stored }, i): RowChange => ({ old: stored, row: made[i] as Row })))
  }

  #writer(table: TableSchema): TableWriter {
    const { database, transaction, makeRowKey, onWritten } = this.#ports
    const onChange = (change: WrittenRow): void => {
      onWritten(change)
      this.#queue.push(change)
    }
    return new TableWriter({ database, transaction, table, makeRowKey, onChange })
  }
}

const childValue = (tie: KeyTie, at: number, now: readonly Value[] | null): Value =>
  childValuesOf(tie, now ?? [])[at] ?? null

type Reads = Pick<EnforcementPorts, 'database' | 'transaction'>

/** Rows that the statement has written must find their parents, if they are still what it wrote. @throws 23503 */
export async function checkChildren(reads: Reads, tie: KeyTie, rows: readonly StoredRow[]): Promise<void> {
  const parentKey = parentKeyOf(tie)
  const asked = new Map<Key, StoredRow[]>()
  for (const stored of rows) {
    const key = parentKey(stored.row)
    const known = asked.get(key) ?? []
    asked.set(key, known)
    known.push(stored)
  }
  const keys = [...asked.keys()]
  const found = await readRows(
    reads.transaction,
    keys.map((key) => parentAddress(reads, tie, key)),
  )
  for (const [i, key] of keys.entries()) {
    if (found[i] !== null) continue
    for (const stored of asked.get(key) ?? []) {
      const row = await rowNow(reads, tie.child, stored.key)
      if (row !== null && asksForParent(tie, row) && parentKey(row) === key) throw parentMissing(tie, row)
    }
  }
}

/** Keys that are gone must have no children, unless another row has them now. @throws 23503 */
export async function checkParents(
  reads: Reads,
  tie: KeyTie,
  lost: readonly Pick<Lost, 'key' | 'values'>[],
): Promise<void> {
  const found = await Promise.all(
    lost.map(({ key }) => reads.transaction.get(parentAddress(reads, tie, key))),
  )
  const gone = lost.filter((_, i) => found[i] === null)
  if (gone.length === 0) return
  const children = await childrenOf(reads, tie, gone)
  for (const { key, values } of gone) {
    if ((children.get(key) ?? []).length > 0) throw stillReferenced(tie, values)
  }
}

/** A row as it is now. */
export async function rowNow(
  { database, transaction }: Reads,
  table: TableSchema,
  key: Key,
): Promise<Row | null> {
  const row = await transaction.get({
    relation: table.relation,
    partition: partitionOfRow(database, table, key),
    key,
  })
  return row === null ? null : layoutOf(table).fromStored(row)
}
