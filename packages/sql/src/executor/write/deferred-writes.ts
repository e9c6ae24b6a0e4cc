import type { Row, RowAddress, RowBatch, Transaction, TransactionMark, TransactionScan } from '@cluster/core'

type Write = { readonly address: RowAddress; readonly row: Row | null }

/**
 * Holds the writes of the parts of one statement back until all parts have read: none of them sees what another
 * one changes. A key that one part has claimed is taken for the others.
 */
export class DeferredWrites implements Transaction {
  readonly #base: Transaction
  readonly #writes: Write[] = []
  /** The newest row under each address; null: deleted. */
  readonly #newest = new Map<string, Row | null>()

  constructor(base: Transaction) {
    this.#base = base
  }

  get version(): Transaction['version'] {
    return this.#base.version
  }

  async get(address: RowAddress): Promise<Row | null> {
    const own = this.#newest.get(nameOf(address))
    return own === undefined ? this.#base.get(address) : own
  }

  /** True for a row that another part of the statement has written. */
  isTaken(address: RowAddress): boolean {
    if (this.#newest.has(nameOf(address))) return true
    return this.#base instanceof DeferredWrites && this.#base.isTaken(address)
  }

  scan(request: TransactionScan): AsyncIterable<RowBatch> {
    return this.#base.scan(request)
  }

  put(address: RowAddress, row: Row): void {
    this.#write(address, row)
  }

  delete(address: RowAddress): void {
    this.#write(address, null)
  }

  expectUnchanged(address: RowAddress): void {
    this.#base.expectUnchanged(address)
  }

  mark(): TransactionMark {
    return { writes: this.#writes.length }
  }

  rollbackTo(mark: TransactionMark): void {
    this.#writes.length = mark.writes
    this.#newest.clear()
    for (const { address, row } of this.#writes) this.#newest.set(nameOf(address), row)
  }

  /** Writes everything, in the order in which it was asked for. */
  apply(): void {
    for (const { address, row } of this.#writes)
      if (row === null) this.#base.delete(address)
      else this.#base.put(address, row)
    this.#writes.length = 0
    this.#newest.clear()
  }

  execute(): never {
    throw new TypeError('a part of a statement is not executed where it is applied')
  }

  validate(): never {
    throw new TypeError('the statement does not end its transaction')
  }

  commit(): never {
    throw new TypeError('the statement does not end its transaction')
  }

  rollback(): never {
    throw new TypeError('the statement does not end its transaction')
  }

  #write(address: RowAddress, row: Row | null): void {
    this.#writes.push({ address, row })
    this.#newest.set(nameOf(address), row)
  }
}

const nameOf = ({ relation, partition, key }: RowAddress): string => `${relation}/${partition}/${key}`
