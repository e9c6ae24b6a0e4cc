import type { ImageCursor } from '../../catalog/image.ts'
import { SQLSTATE, sqlError } from '../../errors.ts'
import { MemoryAccount, MemoryBudget } from '../../executor/memory.ts'
import type { CursorStatement, DeclareCursor, FetchRows, Query } from '../../syntax/ast.ts'
import { changesRows, locksRows } from '../../syntax/changes.ts'
import { doneResult } from '../statements/statements.ts'
import type { SqlResult } from '../types.ts'
import { Cursor, type CursorOptions } from './cursor.ts'

const INVALID_CURSOR_NAME = '34000'

interface Declared extends ImageCursor {
  readonly cursor: Cursor
  /** How many cursors the session had made before. */
  readonly order: number
  /** It has outlived its transaction. */
  held: boolean
  /** An error has ended it. */
  failed: boolean
}

/** What the session does for a cursor. */
export interface CursorPorts {
  /** Between BEGIN and its end. */
  readonly inTransaction: boolean
  readonly memoryBytesMax: number
  /** The text of the statement. */
  readonly text: string
  readonly micros: bigint
  /** Runs the query, in a transaction that lasts as long as `keep` works, or as the open one. */
  run(query: Query, keep: (rows: Pick<CursorOptions, 'columns' | 'batches'>) => Promise<void>): Promise<void>
}

export const isCursor = (statement: { readonly kind: string }): statement is CursorStatement =>
  ['declare', 'fetch', 'move', 'close'].includes(statement.kind)

/** The cursors of a session. */
export class Cursors {
  readonly #byName = new Map<string, Declared>()
  /** How many were made so far. */
  made = 0

  /** @throws 34000, 42P03, 25P01, 55000, 0A000, and what the query throws */
  async run(statement: CursorStatement, ports: CursorPorts): Promise<SqlResult> {
    switch (statement.kind) {
      case 'declare':
        await this.#declare(statement, ports)
        return doneResult('DECLARE CURSOR')
      case 'close': {
        const names = statement.name === null ? [...this.#byName.keys()] : [statement.name.name]
        for (const name of names) await this.#remove(this.#find(name))
        return doneResult(statement.name === null ? 'CLOSE CURSOR ALL' : 'CLOSE CURSOR')
      }
      default: {
        return this.#fetch(statement)
      }
    }
  }

  /** The columns that FETCH will give. @throws 34000 */
  columnsOf(name: string): Cursor['columns'] {
    return this.#find(name).cursor.columns
  }

  /** What pg_cursors tells. */
  list(): readonly ImageCursor[] {
    return [...this.#byName.values()]
  }

  /** Something is about to be written, which no cursor is to see. */
  async settle(): Promise<void> {
    for (const { cursor } of this.#byName.values()) await cursor.settle()
  }

  /** The transaction is about to be committed: cursors WITH HOLD read what is left. */
  async hold(): Promise<void> {
    for (const { cursor, holdable } of this.#byName.values()) if (holdable) await cursor.settle()
  }

  /** The transaction has ended. */
  async ended(committed: boolean): Promise<void> {
    for (const declared of this.#byName.values()) {
      if (declared.held) continue
      if (committed && declared.holdable) declared.held = true
      else await this.#remove(declared)
    }
  }

  /** A savepoint was rolled back, before which so many had been made. */
  async undone(made: number): Promise<void> {
    for (const declared of this.#byName.values())
      if (!declared.held && declared.order >= made) await this.#remove(declared)
  }

  async close(): Promise<void> {
    for (const declared of this.#byName.values()) await this.#remove(declared)
  }

  async #declare(statement: DeclareCursor, ports: CursorPorts): Promise<void> {
    const { name, query, hold, scroll, binary } = statement
    if (!ports.inTransaction && !hold)
      throw sqlError(SQLSTATE.noActiveTransaction, 'DECLARE CURSOR can only be used in transaction blocks')
    refuseQuery(statement)
    if (this.#byName.has(name.name)) throw sqlError('42P03', `cursor "${name.name}" already exists`)
    await ports.run(query, async ({ columns, batches }) => {
      const cursor = new Cursor({
        columns,
        batches,
        scroll: scroll === true,
        memory: new MemoryAccount(new MemoryBudget({ bytesMax: ports.memoryBytesMax })),
      })
      const held = !ports.inTransaction
      if (held) await cursor.settle()
      this.#byName.set(name.name, {
        name: name.name,
        statement: ports.text,
        holdable: hold,
        binary,
        scrollable: scroll === true,
        createdMicros: ports.micros,
        cursor,
        order: this.made++,
        held,
        failed: false,
      })
    })
  }

  async #fetch({ kind, cursor: { name }, direction }: FetchRows): Promise<SqlResult> {
    const declared = this.#find(name)
    if (declared.failed) throw sqlError('55000', `portal "${name}" cannot be run`)
    const move = kind === 'move'
    const { cursor } = declared
    try {
      const { rows, count } = await cursor.fetch(direction, !move)
      return {
        ...doneResult(move ? 'MOVE' : 'FETCH'),
        columns: move ? [] : cursor.columns,
        rows,
        rowCount: count,
      }
    } catch (error) {
      declared.failed = true
      throw error
    }
  }

  #find(name: string): Declared {
    const found = this.#byName.get(name)
    if (found === undefined) throw sqlError(INVALID_CURSOR_NAME, `cursor "${name}" does not exist`)
    return found
  }

  async #remove({ name, cursor }: Declared): Promise<void> {
    this.#byName.delete(name)
    await cursor.close()
  }
}

/** @throws 0A000 */
function refuseQuery({ query, hold, scroll }: DeclareCursor): void {
  if (changesRows(query))
    throw sqlError(
      SQLSTATE.featureNotSupported,
      'DECLARE CURSOR must not contain data-modifying statements in WITH',
    )
  if (!locksRows(query)) return
  const strength = (query.locking[0]?.strength ?? 'update').toUpperCase()
  if (hold)
    throw sqlError(
      SQLSTATE.featureNotSupported,
      `DECLARE CURSOR WITH HOLD ... FOR ${strength} is not supported`,
      { detail: 'Holdable cursors must be READ ONLY.' },
    )
  if (scroll === true)
    throw sqlError(
      SQLSTATE.featureNotSupported,
      `DECLARE SCROLL CURSOR ... FOR ${strength} is not supported`,
      {
        detail: 'Scrollable cursors must be READ ONLY.',
      },
    )
}
