import type { NodeId, Row, Version } from '@cluster/core'
import type { Context } from './context.ts'
import { decodeRows, encodeGet, type PointRequest, SERVICE } from './wire.ts'

/** Rows asked for in one message at most. */
const POINTS_MAX = 256

interface Asked {
  readonly point: PointRequest
  readonly resolve: (row: Row | null) => void
  readonly reject: (error: unknown) => void
}

interface Batch {
  readonly holder: NodeId
  readonly database: number
  readonly version: Version
  readonly asked: Asked[]
}

/** Reads single rows from other nodes; what is asked of one node in one turn goes in one message. */
export class RemoteGets {
  readonly #context: Context
  readonly #batches = new Map<string, Batch>()

  constructor(context: Context) {
    this.#context = context
  }

  get(holder: NodeId, database: number, version: Version, point: PointRequest): Promise<Row | null> {
    const key = `${holder} ${database} ${version}`
    let batch = this.#batches.get(key)
    if (batch === undefined) {
      batch = { holder, database, version, asked: [] }
      this.#batches.set(key, batch)
      queueMicrotask(() => this.#flush(key))
    }
    const { asked } = batch
    const row = new Promise<Row | null>((resolve, reject) => asked.push({ point, resolve, reject }))
    if (asked.length >= POINTS_MAX) this.#flush(key)
    return row
  }

  #flush(key: string): void {
    const batch = this.#batches.get(key)
    if (batch === undefined) return
    this.#batches.delete(key)
    this.#ask(batch)
  }

  #ask({ holder, database, version, asked }: Batch): void {
    const frame = encodeGet({ database, version, points: asked.map(({ point }) => point) })
    this.#context.ports.peers
      .request(holder, SERVICE, frame, { deadlineMs: this.#context.settings.attemptMs })
      .then((reply) => decodeRows(reply, asked.length))
      .then(
        (rows) => {
          this.#context.rowsFromOthers += rows.length
          for (const [i, row] of rows.entries()) asked[i]?.resolve(row)
          // Large rows do not all fit into one reply.
          if (rows.length < asked.length)
            this.#ask({ holder, database, version, asked: asked.slice(rows.length) })
        },
        (error: unknown) => {
          for (const { reject } of asked) reject(error)
        },
      )
  }
}
