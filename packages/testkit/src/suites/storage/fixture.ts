import {
  type Key,
  KeyWriter,
  logIndex,
  type PartitionStore,
  type RelationId,
  type Row,
  type RowWrite,
  relationId,
  type ScanRequest,
  type StorageEngine,
  type Value,
  type Version,
} from '@cluster/core'

/** An engine on a disk that outlives it. */
export interface StorageFixture {
  readonly engine: StorageEngine
  /** A copy of what is on that disk now, in a new engine, as after a crash of the process. The old engine may go on for itself. */
  restart(): Promise<StorageFixture>
  /**
   * The same with damage: one bit of what is stored is flipped, at about the given part (0 … 1) of all its bytes.
   * Absent where nobody can do that.
   */
  damaged?(part: number): Promise<StorageFixture>
}

export type CreateStorage = () => Promise<StorageFixture>

export const ITEMS: RelationId = relationId(16)
export const OTHERS: RelationId = relationId(17)

export const v = (value: number): Version => logIndex(value)
export const key = (value: number): Key => new KeyWriter().double(value).finish()
export const put = (value: number, ...row: Value[]): RowWrite => ({ relation: ITEMS, key: key(value), row })
export const gone = (value: number): RowWrite => ({ relation: ITEMS, key: key(value), row: null })

/** As many items as asked for. */
export const many = <T>(count: number, item: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => item(i))

/** A scan's rows with the asked columns, one after another. */
export function scanned(
  store: PartitionStore,
  request: Partial<ScanRequest> & { version: Version },
): Value[][] {
  const rows: Value[][] = []
  for (const batch of store.scan({ relation: ITEMS, range: {}, ...request }))
    for (let i = 0; i < batch.length; i++) rows.push(batch.columns.map((column) => column[i] as Value))
  return rows
}

/** The keys that a scan gives. */
export function scannedKeys(
  store: PartitionStore,
  request: Partial<ScanRequest> & { version: Version },
): Key[] {
  return [...store.scan({ relation: ITEMS, range: {}, ...request })].flatMap((batch) => batch.keys)
}

/** All rows of `ITEMS` at the version. */
export const rowsAt = (store: PartitionStore, version: number): Value[][] =>
  scanned(store, { version: v(version) })

/** What one scan of everything gives, with keys, for comparing two stores. */
export function everything(store: PartitionStore, version: number): [Key, Row][] {
  const rows: [Key, Row][] = []
  for (const relation of [ITEMS, OTHERS])
    for (const found of scannedKeys(store, { relation, version: v(version), columns: [] }))
      rows.push([found, store.get(relation, found, v(version)) ?? []])
  return rows
}

export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk.slice())
  return all
}

export async function* each(chunks: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* chunks
}
