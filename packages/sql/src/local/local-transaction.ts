import type {
  Addition,
  CommitOptions,
  CommitReceipt,
  ExecuteReceipt,
  FollowedScan,
  Row,
  RowAddress,
  RowBatch,
  RowProgram,
  Transaction,
  TransactionMark,
  TransactionScan,
} from '@cluster/core'
import { belongsTo, isLocal, type LocalStore } from './local-store.ts'

interface LocalMark extends TransactionMark {
  readonly local: number
}

/** Told that the writes after a mark were undone. */
export type OnUndo = (transaction: Transaction, mark: TransactionMark) => void

const NOTHING: TransactionMark = { writes: 0 }

/** A transaction of a session: what is the session's own stays in its memory, and is undone with the rest. */
export class LocalTransaction implements Transaction {
  readonly base: Transaction
  readonly #store: LocalStore
  readonly #onUndo: OnUndo
  #ended = false

  constructor(base: Transaction, store: LocalStore, onUndo: OnUndo) {
    this.base = base
    this.#store = store
    this.#onUndo = onUndo
    belongsTo(this, store)
  }

  get version(): Transaction['version'] {
    return this.base.version
  }

  /** Tables of the session are in no fragment. */
  get fragments(): Transaction['fragments'] {
    return this.base.fragments
  }

  get(address: RowAddress): Promise<Row | null> {
    if (!isLocal(address.relation)) return this.base.get(address)
    return Promise.resolve(this.#store.get(address.relation, address.key))
  }

  getNow(address: RowAddress): Row | null | undefined {
    if (!isLocal(address.relation)) return this.base.getNow?.(address)
    return this.#store.get(address.relation, address.key)
  }

  scan(request: TransactionScan): AsyncIterable<RowBatch> {
    return isLocal(request.relation) ? localBatches(this.#store, request) : this.base.scan(request)
  }

  followNow(request: FollowedScan): Iterable<RowBatch> | undefined {
    return isLocal(request.entries) ? undefined : this.base.followNow?.(request)
  }

  put(address: RowAddress, row: Row): void {
    if (isLocal(address.relation)) this.#store.put(address.relation, address.key, row)
    else this.base.put(address, row)
  }

  delete(address: RowAddress): void {
    if (isLocal(address.relation)) this.#store.delete(address.relation, address.key)
    else this.base.delete(address)
  }

  async add(address: RowAddress, additions: readonly Addition[]): Promise<'added' | 'absent' | 'unfit'> {
    // Nobody else changes what is the session's own.
    if (isLocal(address.relation)) return 'unfit'
    return (await this.base.add?.(address, additions)) ?? 'unfit'
  }

  expectUnchanged(address: RowAddress): void {
    if (!isLocal(address.relation)) this.base.expectUnchanged(address)
  }

  mark(): LocalMark {
    return { ...this.base.mark(), local: this.#store.mark() }
  }

  rollbackTo(mark: TransactionMark): void {
    this.base.rollbackTo(mark)
    this.#store.rollbackTo((mark as LocalMark).local)
    this.#onUndo(this, mark)
  }

  validate(options?: Parameters<Transaction['validate']>[0]): Promise<void> {
    return this.base.validate(options)
  }

  async commit(options?: CommitOptions): Promise<CommitReceipt> {
    const receipt = await this.base.commit(options)
    this.#end()
    return receipt
  }

  async execute(program: RowProgram, options?: CommitOptions): Promise<ExecuteReceipt> {
    const receipt = await this.base.execute(program, options)
    this.#end()
    return receipt
  }

  rollback(): void {
    this.base.rollback()
    if (this.#ended) return
    this.#ended = true
    this.#store.rollbackTo(0)
    this.#onUndo(this, NOTHING)
  }

  #end(): void {
    this.#ended = true
    this.#store.commit()
  }
}

async function* localBatches(store: LocalStore, request: TransactionScan): AsyncGenerator<RowBatch> {
  yield* store.scan(request)
}
