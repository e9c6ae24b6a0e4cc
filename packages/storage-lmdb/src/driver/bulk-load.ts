import {
  chunkDamaged,
  decodeChunk,
  type Key,
  type RelationId,
  type Row,
  type RowsChunk,
  type Version,
} from '@cluster/core'
import type { Files } from './files.ts'
import { writeHead } from './store-head.ts'

/** Rows that one step writes, about. */
const STEP_ROWS = 4096

interface Rows {
  readonly keys: Key[]
  readonly rows: (Row | null)[]
  readonly versions: number[]
}

const noRows = (): Rows => ({ keys: [], rows: [], versions: [] })

/** Writes the chunks of an export into fresh files, in their order, with a bounded part of them in memory. */
export class BulkLoad {
  readonly #files: Files
  readonly #version: Version
  readonly #path: string
  readonly #counts = new Map<RelationId, number>()
  #relation: RelationId | null = null
  /** Rows that are not written yet, and where their block begins. */
  #rows = noRows()
  #lower: Key = ''
  #lastKey: Key | null = null
  #rowCount = 0

  /** @param path what to call the chunks in messages */
  constructor(files: Files, version: Version, path: string) {
    this.#files = files
    this.#version = version
    this.#path = path
  }

  /** @throws DISK_DAMAGED when the chunks are not whole, and what the disk reports */
  async run(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    let complete = false
    for await (const bytes of chunks) {
      const chunk = decodeChunk(bytes, this.#path, 0)
      if ('rowCount' in chunk) {
        complete = chunk.rowCount === this.#rowCount
        break
      }
      if (chunk.relation !== this.#relation) await this.#next(chunk.relation)
      this.#take(chunk)
      if (this.#rows.keys.length >= STEP_ROWS) await this.#write(false)
    }
    // A copy without its end is a copy of something else: the source went away while it sent.
    if (!complete) throw chunkDamaged(this.#path, 0)
    await this.#write(true)
    const { env } = this.#files
    const head = { version: this.#version, counts: this.#counts }
    await env.step(() => writeHead(env, head))
    this.#files.head = head
  }

  async #next(relation: RelationId): Promise<void> {
    await this.#write(true)
    if (this.#counts.has(relation)) throw chunkDamaged(this.#path, 0)
    this.#relation = relation
    this.#lower = ''
    this.#lastKey = null
  }

  #take({ relation, keys, rows }: RowsChunk): void {
    const { keys: allKeys, rows: allRows, versions } = this.#rows
    for (const [i, key] of keys.entries()) {
      const row = rows[i] ?? null
      if (row === null || (this.#lastKey !== null && key <= this.#lastKey)) throw chunkDamaged(this.#path, 0)
      this.#lastKey = key
      allKeys.push(key)
      allRows.push(row)
      versions.push(this.#version)
    }
    this.#rowCount += keys.length
    this.#counts.set(relation, (this.#counts.get(relation) ?? 0) + keys.length)
  }

  async #write(last: boolean): Promise<void> {
    const relation = this.#relation
    if (relation === null || this.#rows.keys.length === 0) return
    const { env, writer } = this.#files
    const { left, lower } = await env.step(() => writer.append(relation, this.#rows, this.#lower, last))
    this.#rows = left
    this.#lower = lower
  }
}
