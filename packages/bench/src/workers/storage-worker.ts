import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Key,
  KeyWriter,
  logIndex,
  type PartitionStore,
  type Row,
  relationId,
  type StorageEngine,
} from '@cluster/core'
import { nodeClock, nodeDisk } from '@cluster/node'
import { lmdbStorage } from '@cluster/storage-lmdb'
import { memoryStorage } from '@cluster/storage-memory'
import type { StorageFigures, StorageWorkerOptions } from '../suites/storage.ts'

/** One storage engine in a process of its own: loads rows, reads them, changes some, and starts again. */
const { engine: name, folder, rows: rowCount } = JSON.parse(process.argv[2] ?? '{}') as StorageWorkerOptions
const ITEMS = relationId(16)
/** Rows of one version of the load, as a bulk insert has them. */
const ROWS_A_VERSION = 500
const GETS = 50_000
const RANGES = 2_000
const RANGE_ROWS = 100
const CHANGED_PART = 10

const openEngine = (): StorageEngine =>
  name === 'lmdb'
    ? lmdbStorage({ folder })({ clock: nodeClock })
    : memoryStorage({ disk: nodeDisk(folder), clock: nodeClock })

const keys: Key[] = Array.from({ length: rowCount }, (_, i) => new KeyWriter().int64(BigInt(i)).finish())
const rowOf = (i: number, note: string): Row => [
  i,
  `customer ${(i * 7919) % 100_000}`,
  BigInt(1_700_000_000_000_000 + i * 1_000_003),
  ((i * 31) % 9973) / 100,
  note,
  i % 3 === 0 ? null : i % 2 === 0,
]
const random = (n: number): number => (Math.imul(n, 2_654_435_761) >>> 0) % rowCount

/** Milliseconds of each call. */
const timed = async (run: () => unknown): Promise<number> => {
  const start = performance.now()
  await run()
  return performance.now() - start
}

/** Bytes that the process holds for data after a collection. */
function held(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function bytesIn(path: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).blocks * 512
  return bytes
}

/** The longest time for which nothing else ran while `run` did, and its whole time. */
async function stalled(
  run: () => Promise<unknown>,
): Promise<{ readonly ms: number; readonly stallMs: number }> {
  let last = performance.now()
  let stallMs = 0
  let done = false
  const watch = (): void => {
    const now = performance.now()
    stallMs = Math.max(stallMs, now - last)
    last = now
    if (!done) setImmediate(watch)
  }
  setImmediate(watch)
  const ms = await timed(run)
  done = true
  return { ms, stallMs }
}

async function load(store: PartitionStore): Promise<void> {
  for (let at = 0, version = 1; at < rowCount; version++) {
    const writes = []
    for (const end = Math.min(rowCount, at + ROWS_A_VERSION); at < end; at++)
      writes.push({ relation: ITEMS, key: keys[at] as Key, row: rowOf(at, 'as it came') })
    store.apply(logIndex(version), writes)
    await nodeClock.turn()
  }
}

function scan(store: PartitionStore, columns: readonly number[] | undefined): number {
  let rows = 0
  const version = store.appliedVersion()
  for (const batch of store.scan({ relation: ITEMS, range: {}, version, ...(columns ? { columns } : {}) }))
    rows += batch.length
  if (rows !== rowCount) throw new Error(`a scan found ${rows} of ${rowCount} rows`)
  return rows
}

async function run(): Promise<StorageFigures> {
  const before = held()
  const engine = openEngine()
  const store = await engine.open('bench/1')
  const loadMs = await timed(() => load(store))
  const first = await stalled(() => store.checkpoint())
  const heldBytes = held() - before
  const version = store.appliedVersion()
  let found = 0
  const get = (): void => {
    for (let i = 0; i < GETS; i++) if (store.get(ITEMS, keys[random(i)] as Key, version) !== null) found++
  }
  get()
  const getMs = await timed(get)
  if (found !== 2 * GETS) throw new Error('a row was not found')
  const range = (): void => {
    for (let i = 0; i < RANGES; i++) {
      const request = { relation: ITEMS, range: { from: keys[random(i)] as Key }, version, limit: RANGE_ROWS }
      for (const batch of store.scan(request)) found += batch.length
    }
  }
  range()
  const rangeMs = await timed(range)
  scan(store, undefined)
  const scanMs = await timed(() => scan(store, undefined))
  scan(store, [3])
  const columnMs = await timed(() => scan(store, [3]))
  const changed = Math.floor(rowCount / CHANGED_PART)
  const updateMs = await timed(async () => {
    for (let at = 0, next = version + 1; at < changed; next++) {
      const writes = []
      for (const end = Math.min(changed, at + ROWS_A_VERSION); at < end; at++) {
        const i = random(at + 7)
        writes.push({ relation: ITEMS, key: keys[i] as Key, row: rowOf(i, 'changed since') })
      }
      store.apply(logIndex(next), writes)
      await nodeClock.turn()
    }
  })
  const second = await stalled(() => store.checkpoint())
  let exported = 0
  let copy: PartitionStore | null = null
  const copyMs = await timed(async () => {
    const chunks = store.export(store.appliedVersion())
    const counted = async function* (): AsyncIterable<Uint8Array> {
      for await (const chunk of chunks) {
        exported += chunk.length
        yield chunk
      }
    }
    copy = await engine.import('bench/2', store.appliedVersion(), counted())
  })
  await (copy as PartitionStore | null)?.drop()
  await store.close()
  const diskBytes = await bytesIn(folder)
  const openMs = await timed(async () => {
    const again = await openEngine().open('bench/1')
    if (again.get(ITEMS, keys[0] as Key, again.appliedVersion()) === null)
      throw new Error('the first row is gone')
    await again.close()
  })
  const second_ = (count: number, ms: number): number => (count / ms) * 1000
  return {
    loadRows: second_(rowCount, loadMs),
    heldBytes: heldBytes / rowCount,
    diskBytes: diskBytes / rowCount,
    gets: second_(GETS, getMs),
    ranges: second_(RANGES, rangeMs),
    scanRows: second_(rowCount, scanMs),
    columnRows: second_(rowCount, columnMs),
    updateRows: second_(changed, updateMs),
    firstCheckpointMs: first.ms,
    firstStallMs: first.stallMs,
    checkpointMs: second.ms,
    stallMs: second.stallMs,
    copyRows: second_(rowCount, copyMs),
    copyBytes: exported / rowCount,
    openMs,
  }
}

process.send?.(await run())
