import type { Batch } from '../../compile/batch.ts'
import type { TableRows } from '../context.ts'
import { MemoryAccount, rowsBytes } from '../memory.ts'
import type { SpillFile, SpillFiles } from './spill-file.ts'
import { SpilledRows } from './spilled-rows.ts'

/** A batch in memory, or its chunks on disk. */
type Page = Batch | { readonly rows: SpilledRows; readonly from: number; readonly to: number }

/** Batches that are read again and again, also while more are added; on disk when they are too many for memory. */
export class RowPages implements TableRows {
  readonly #files: SpillFiles
  readonly #account: MemoryAccount
  readonly #pages: Page[] = []
  #disk: { readonly file: SpillFile; readonly rows: SpilledRows } | null = null

  constructor(files: SpillFiles) {
    this.#files = files
    this.#account = new MemoryAccount(files.context.memory)
  }

  /** How many batches there are. */
  get length(): number {
    return this.#pages.length
  }

  /** @returns what has to be waited for; null: nothing @throws 53200 */
  append(batch: Batch): Promise<void> | null {
    if (this.#disk !== null) return this.#write(batch, this.#disk.rows)
    this.#pages.push(batch)
    this.#account.take(rowsBytes(batch.columns, batch.length))
    return this.#account.over ? this.#spill(batch.columns.length) : null
  }

  async #spill(width: number): Promise<void> {
    const file = await this.#files.create()
    const rows = new SpilledRows(file, width)
    this.#disk = { file, rows }
    const { context } = this.#files
    for (const page of this.#pages.splice(0)) {
      if ('from' in page) continue
      await this.#write(page, rows)
      const pause = context.work(page.length)
      if (pause !== null) await pause
    }
    this.#files.kept(this.#account)
    this.#account.clear()
  }

  async #write(batch: Batch, rows: SpilledRows): Promise<void> {
    const from = rows.chunks
    await rows.append(batch)
    // Whoever reads has all that was added.
    await rows.finish()
    this.#pages.push({ rows, from, to: rows.chunks })
  }

  /** The rows of one batch. */
  async *page(position: number): AsyncGenerator<Batch> {
    const page = this.#pages[position] as Page
    if (!('from' in page)) yield page
    else for (let chunk = page.from; chunk < page.to; chunk++) yield page.rows.chunk(chunk)
  }

  async *read(): AsyncGenerator<Batch> {
    for (let position = 0; position < this.#pages.length; position++) yield* this.page(position)
  }

  /** Gives back memory and disk. */
  async close(): Promise<void> {
    this.#account.clear()
    this.#pages.length = 0
    await this.#disk?.file.remove()
  }
}
