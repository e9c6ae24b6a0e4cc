import type { Key, KeyRange, RelationId, Row, RowBatch, Value, Version } from '@cluster/core'
import { type Overlay, overlayOf } from '../machine/overlay.ts'
import type { WriteLayer } from '../machine/write-layer.ts'
import type { Files } from './files.ts'
import type { StoredBlock } from './stored-block.ts'

/** Rows a scan hands over at once. */
export const BATCH_ROWS = 1024

/** Where a scan reads: the layers, newest first, and what is beneath. */
export interface ScanSources {
  readonly layers: readonly WriteLayer[]
  readonly files: Files | null
}

/** Takes the rows that a scan finds. */
interface Sink {
  readonly keys: Key[]
  /** Rows of a block from position `from` up to `to`, all of them visible; `reverse` from the last one. */
  addSome(block: StoredBlock, from: number, to: number, reverse: boolean): void
  addStored(block: StoredBlock, i: number): void
  add(key: Key, row: Row): void
}

/** Gathers the wanted columns, decoding no others. */
export class ColumnSink implements Sink {
  readonly keys: Key[] = []
  #columns: Value[][] | null = null
  #wanted: readonly number[]

  constructor(wanted: readonly number[] | undefined) {
    this.#wanted = wanted ?? []
    if (wanted !== undefined) this.#columns = wanted.map(() => [])
  }

  batch(): RowBatch {
    return { length: this.keys.length, keys: this.keys, columns: this.#columns ?? [] }
  }

  addSome(block: StoredBlock, from: number, to: number, reverse: boolean): void {
    const { rows } = block
    const columns = this.#columnsFor(() => rows.row(from)?.length ?? 0)
    const keys = rows.keys()
    if (reverse) for (let i = to - 1; i >= from; i--) this.keys.push(keys[i] as Key)
    else for (let i = from; i < to; i++) this.keys.push(keys[i] as Key)
    for (let column = 0; column < columns.length; column++) {
      const position = this.#wanted[column] as number
      const target = columns[column] as Value[]
      if (reverse) {
        const values: Value[] = []
        rows.columnInto(values, position, from, to)
        for (let i = values.length - 1; i >= 0; i--) target.push(values[i] as Value)
      } else rows.columnInto(target, position, from, to)
    }
  }

  addStored({ rows }: StoredBlock, i: number): void {
    const columns = this.#columnsFor(() => rows.row(i)?.length ?? 0)
    this.keys.push(rows.key(i))
    for (let column = 0; column < columns.length; column++)
      columns[column]?.push(rows.value(i, this.#wanted[column] as number))
  }

  add(key: Key, row: Row): void {
    const columns = this.#columnsFor(() => row.length)
    this.keys.push(key)
    for (let column = 0; column < columns.length; column++)
      columns[column]?.push(row[this.#wanted[column] as number] ?? null)
  }

  /** Without a wish the first row says which columns there are. */
  #columnsFor(width: () => number): Value[][] {
    if (this.#columns === null) {
      this.#wanted = Array.from({ length: width() }, (_, i) => i)
      this.#columns = this.#wanted.map(() => [])
    }
    return this.#columns
  }
}

/** Gathers whole rows, each as wide as it is. */
export class RowSink implements Sink {
  readonly keys: Key[] = []
  readonly rows: Row[] = []

  addSome({ rows }: StoredBlock, from: number, to: number): void {
    const keys = rows.keys()
    const all = rows.rows()
    for (let i = from; i < to; i++) this.add(keys[i] as Key, all[i] ?? [])
  }

  addStored({ rows }: StoredBlock, i: number): void {
    this.add(rows.key(i), rows.row(i) ?? [])
  }

  add(key: Key, row: Row): void {
    this.keys.push(key)
    this.rows.push(row)
  }
}

export interface BatchRequest {
  readonly relation: RelationId
  readonly range: KeyRange
  readonly version: Version
  readonly reverse: boolean
  /** At most this many rows. */
  readonly max: number
}

/**
 * Reads one batch into the sink. Nothing stays open afterwards: the next batch looks for its place anew, so what is
 * written or closed between two batches does no harm.
 * @returns the range that is left; null at the end
 */
export function readBatch(sources: ScanSources, request: BatchRequest, sink: Sink): KeyRange | null {
  const { relation, reverse, max } = request
  let from: Key = request.range.from ?? ''
  let to: Key | null = request.range.to ?? null
  let block: StoredBlock | null = null
  const rest = (): KeyRange => ({ from, ...(to === null ? {} : { to }) })
  const layers = sources.layers.filter((layer) => layer.has(relation))
  while (to === null || from < to) {
    if (sink.keys.length >= max) return rest()
    // Another block is looked for only where the last one ended.
    if (block === null || (reverse ? to === block.lower : from === block.upper)) {
      const covering = nextBlock(sources.files, relation, block, reverse, from, to)
      // A block that would be cut is left for the next batch, as long as this one is not small.
      if (covering !== null && sink.keys.length > max / 2 && sink.keys.length + covering.rows.length > max)
        return rest()
      block = covering
    }
    const low = block !== null && block.lower > from ? block.lower : from
    const high = block?.upper != null && (to === null || block.upper < to) ? block.upper : to
    const overlay = overlayOf(layers, relation, { from: low, to: high }, request.version, max, reverse)
    const until = overlay.until ?? (reverse ? low : high)
    const part = reverse ? { from: until ?? low, to: high } : { from: low, to: until }
    const stopped = readPart(sources.files, block, part, overlay, request, sink)
    if (stopped !== null) {
      if (reverse) to = stopped
      else from = `${stopped}\x00`
      return rest()
    }
    if (reverse) {
      to = part.from
      if (to === '') return null
    } else {
      if (part.to === null) return null
      from = part.to
    }
  }
  return null
}

function nextBlock(
  files: Files | null,
  relation: RelationId,
  last: StoredBlock | null,
  reverse: boolean,
  from: Key,
  to: Key | null,
): StoredBlock | null {
  if (files === null) return null
  if (reverse) return files.before(relation, to)
  return last === null ? files.covering(relation, from) : files.blocks.at(relation, from)
}

/**
 * Reads the rows of one block and what the layers say of the same keys.
 * @returns the last key read, when the batch is full before the end of the part
 */
function readPart(
  files: Files | null,
  block: StoredBlock | null,
  { from, to }: { readonly from: Key; readonly to: Key | null },
  { entries }: Overlay,
  { relation, version, reverse, max }: BatchRequest,
  sink: Sink,
): Key | null {
  const low = block === null ? 0 : block.rows.find(from)
  const high = block === null ? 0 : to === null ? block.rows.length : block.rows.find(to)
  if (block !== null && entries.length === 0 && !block.someGone && block.newest <= version) {
    const room = max - sink.keys.length
    const cut = high - low > room
    if (reverse) sink.addSome(block, cut ? high - room : low, high, true)
    else sink.addSome(block, low, cut ? low + room : high, false)
    return cut ? (sink.keys.at(-1) ?? null) : null
  }
  let i = reverse ? high - 1 : low
  let at = 0
  while (at < entries.length || (reverse ? i >= low : i < high)) {
    const entry = entries[at]
    const stored = (reverse ? i >= low : i < high) ? (block?.rows.key(i) ?? null) : null
    const key = sink.keys.at(-1)
    if (sink.keys.length >= max) return key ?? null
    if (entry !== undefined && (stored === null || (reverse ? entry.key >= stored : entry.key <= stored))) {
      if (entry.entry.row !== null) sink.add(entry.key, entry.entry.row)
      if (entry.key === stored) i += reverse ? -1 : 1
      at++
      continue
    }
    if (block !== null && stored !== null) addVisible(files, block, i, relation, stored, version, sink)
    i += reverse ? -1 : 1
  }
  return null
}

/** Adds what a reader at `version` sees of a row in a block. */
function addVisible(
  files: Files | null,
  block: StoredBlock,
  i: number,
  relation: RelationId,
  key: Key,
  version: Version,
  sink: Sink,
): void {
  if (block.rows.version(i) <= version) {
    if (!block.rows.gone(i)) sink.addStored(block, i)
    return
  }
  const row = files?.history.find(relation, key, version)?.row ?? null
  if (row !== null) sink.add(key, row)
}
