import { ClusterError, isClusterError } from '@cluster/core'
import { tooLarge } from '../../copy/copy-in.ts'
import { type CopyOutPorts, type CopyOutput, copyWriter } from '../../copy/copy-out.ts'
import { CopyFeed, type CopySource, type OpenCopySource } from '../../copy/feed.ts'
import { SQLSTATE, sqlError } from '../../errors.ts'
import type { Copy, Statement } from '../../syntax/ast.ts'
import { toSqlError } from '../errors.ts'
import type { RowsBatch, SqlResult } from '../types.ts'

/** Where COPY FROM has its rows from; `out`: somebody takes those of COPY TO. */
export type Copying = CopyFeed | 'out'

/** Bytes that `copyTo` gives at once, about. */
const PIECE_BYTES = 64 * 1024

/** The COPY statement that was given. @throws 42809 for any other */
export function copyStatement(statement: Statement, direction: Copy['direction']): Copy {
  if (statement.kind === 'copy' && statement.direction === direction) return statement
  const words = direction === 'from' ? 'FROM STDIN' : 'TO STDOUT'
  throw sqlError(SQLSTATE.wrongObjectType, `the statement is not COPY ${words}`)
}

/**
 * Runs COPY FROM, as one transaction or as several.
 * @param run runs the statement once, on what is left of the feed
 */
export async function runCopyFrom(
  source: CopySource | OpenCopySource,
  rowsPerTransaction: number | null,
  run: (feed: CopyFeed) => Promise<SqlResult>,
): Promise<SqlResult> {
  const feed = new CopyFeed(typeof source === 'function' ? source : () => source, rowsPerTransaction)
  let total = 0
  try {
    for (;;) {
      const result = await run(feed)
      total += result.rowCount
      if (rowsPerTransaction === null || feed.ended) return { ...result, rowCount: total }
    }
  } catch (error) {
    const known = tooLarge(error)
    throw total === 0 ? known : withCommitted(known, total)
  } finally {
    await feed.close()
  }
}

/** The error of a COPY that had committed some rows. */
function withCommitted(error: unknown, rows: number): unknown {
  const known = toSqlError(error)
  if (!isClusterError(known)) return known
  const hint = `The ${rows} rows of the transactions before this one were committed.`
  const before = (known.detail as { readonly hint?: string }).hint
  return new ClusterError(
    { ...known.detail, hint: before === undefined ? hint : `${before} ${hint}` } as typeof known.detail,
    known.message,
    { cause: error },
  )
}

/** Turns the batches of a COPY TO into bytes. The first batch tells the columns, so it is waited for. */
export async function runCopyOut(
  copy: Copy,
  source: string,
  batches: AsyncIterable<RowsBatch>,
  ports: CopyOutPorts,
): Promise<CopyOutput> {
  const iterator = batches[Symbol.asyncIterator]()
  const first = await iterator.next()
  if (first.done === true) throw new TypeError('COPY TO gave no columns')
  const { writer, shape } = copyWriter(copy, source, first.value.columns, ports)
  let copied = 0
  async function* written(): AsyncGenerator<readonly Uint8Array[]> {
    let header = writer.header()
    for (let next: IteratorResult<RowsBatch> = first; next.done !== true; next = await iterator.next()) {
      const rows: Uint8Array[] = []
      // The header of the text formats is a row of its own; the binary one belongs to the first row.
      if (header !== null && !shape.binary) {
        rows.push(header)
        header = null
      }
      copied += next.value.rows.length
      for (const values of next.value.rows) {
        const row = writer.row(values)
        rows.push(header === null ? row : joined([header, row]))
        header = null
      }
      if (rows.length > 0) yield rows
    }
    const trailer = writer.trailer()
    if (trailer !== null) yield [header === null ? trailer : joined([header, trailer])]
  }
  const rows = written()
  return {
    ...shape,
    copied: () => copied,
    rows: {
      [Symbol.asyncIterator]: () => ({
        next: () => rows.next(),
        async return() {
          await iterator.return?.()
          return rows.return(undefined)
        },
      }),
    },
  }
}

/** The rows as pieces of a size that is worth a write. */
export async function* pieces({ rows }: CopyOutput): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = []
  let size = 0
  for await (const batch of rows)
    for (const row of batch) {
      waiting.push(row)
      size += row.length
      if (size < PIECE_BYTES) continue
      yield joined(waiting)
      waiting = []
      size = 0
    }
  if (size > 0) yield joined(waiting)
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
