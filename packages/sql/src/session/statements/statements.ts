import type { CommitReceipt, Transaction, TransactionMark } from '@cluster/core'
import { SQLSTATE, sqlError } from '../../errors.ts'
import type { Statement, TransactionStatement } from '../../syntax/ast.ts'
import { readsAlone } from '../../syntax/changes.ts'
import { parse } from '../../syntax/parse.ts'
import type { Lru } from '../lru.ts'
import type { SettingsMark } from '../settings/settings.ts'
import type { QueryOptions, SqlResult, StatementOutline } from '../types.ts'
import type { Copying } from './copying.ts'

/** One statement of a text that was given. */
export interface Item {
  readonly statement: Statement
  readonly source: string
  readonly planKey: string | null
}

/** What a call of a session comes with. */
export interface CallDetails extends QueryOptions {
  readonly copying?: Copying
}

export interface Savepoint {
  readonly name: string
  readonly mark: TransactionMark
  /** How many cursors the session had made before it. */
  readonly cursors: number
  readonly settings: SettingsMark
}

/** A transaction between BEGIN and its end. */
export interface OpenTransaction {
  /** Null until the first statement needs it, so that it reads what is newest then. */
  transaction: Transaction | null
  readonly startMicros: bigint
  readOnly: boolean
  /** As it was asked for. */
  isolation: string
  readonly savepoints: Savepoint[]
  failed: boolean
  /** A statement has read or written something, so that all the others see the same version. */
  used: boolean
}

/** Why a statement failed whose failure the log has decided: nothing that was read matters to it. */
export class CommittedError extends Error {
  readonly reason: Error

  constructor(reason: Error) {
    super(reason.message)
    this.reason = reason
  }
}

export const isControl = (statement: Statement): statement is TransactionStatement =>
  ['begin', 'setTransaction', 'commit', 'rollback', 'savepoint', 'rollbackTo', 'release'].includes(
    statement.kind,
  )

export const doneResult = (command: string, receipt: CommitReceipt | null = null): SqlResult => ({
  command,
  columns: [],
  rows: [],
  rowCount: 0,
  receipt,
})

/** A statement of a longer text alone; blanks before it keep every position what it was. */
function textAlone(source: string, { span }: Statement): string {
  return source.slice(0, span.start).replace(/[^\n]/gu, ' ') + source.slice(span.start, span.end)
}

/** The statements of a text. @param parsed those of earlier texts @throws 42601 */
export function itemsOf(text: string, parsed: Lru<string, readonly Item[]>): readonly Item[] {
  const known = parsed.get(text)
  if (known !== undefined) return known
  const statements = parse(text)
  const alone = statements.length === 1
  const items = statements.map((statement) => ({ statement, source: text, planKey: alone ? text : null }))
  parsed.set(text, items)
  return items
}

/** @throws 42601 when there are none or several */
export function onlyItem(items: readonly Item[]): Item {
  const [item] = items
  if (item !== undefined && items.length === 1) return item
  throw sqlError(
    SQLSTATE.syntaxError,
    items.length === 0 ? 'there is no statement' : 'there is more than one statement; give them to execute()',
  )
}

/**
 * Whoever waits for a lock first wants to see what others did while they had it: a transaction that has read nothing yet
 * begins anew behind that.
 */
export function noteUse(
  open: OpenTransaction | null,
  { kind }: Statement,
  { locksOnly = false }: { readonly locksOnly?: boolean },
): void {
  if (open === null || open.used) return
  if (locksOnly && open.savepoints.length === 0) {
    open.transaction?.rollback()
    open.transaction = null
  } else if (kind !== 'set' && kind !== 'show') open.used = true
}

/** Of texts that are known. */
const outlines = new WeakMap<readonly Item[], readonly StatementOutline[]>()

/** What the statements of a text are. */
export function outlineOf(items: readonly Item[], text: string): readonly StatementOutline[] {
  const known = outlines.get(items)
  if (known !== undefined) return known
  const outline = items.map(({ statement }) => ({
    streams: readsAlone(statement),
    copy: statement.kind === 'copy' && statement.file === null ? statement.direction : null,
    control: isControl(statement),
    text: textAlone(text, statement),
  }))
  outlines.set(items, outline)
  return outline
}
