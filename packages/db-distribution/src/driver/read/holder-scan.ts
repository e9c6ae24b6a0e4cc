import type { Clock, PartitionId, PartitionStore, RowBatch, ScanRequest } from '@cluster/core'
import type { HolderScan } from '../wire.ts'
import { type BatchSource, Chain, Merge } from './batches.ts'

/** Batches read in a row before others get their turn. */
const BATCHES_A_TURN = 16

/** A scan of one store on this node. */
class StoreSource implements BatchSource {
  readonly #rows: Iterator<RowBatch>
  readonly #clock: Clock
  #read = 0

  constructor(rows: Iterable<RowBatch>, clock: Clock) {
    this.#rows = rows[Symbol.iterator]()
    this.#clock = clock
  }

  next(): RowBatch | null | Promise<RowBatch | null> {
    this.#read++
    return this.#read % BATCHES_A_TURN === 0 ? this.#clock.turn().then(() => this.#pull()) : this.#pull()
  }

  #pull(): RowBatch | null {
    const { done, value } = this.#rows.next()
    return done === true ? null : value
  }

  close(): void {
    this.#rows.return?.()
  }
}

function scanRequest(scan: HolderScan): ScanRequest {
  return {
    relation: scan.relation,
    range: scan.range,
    version: scan.version,
    reverse: scan.reverse,
    ...(scan.columns === null ? {} : { columns: scan.columns }),
    ...(scan.limit === null ? {} : { limit: scan.limit }),
  }
}

/** The scan of stores on this node: merged, or one partition after another. */
export function storesSource(stores: readonly PartitionStore[], scan: HolderScan, clock: Clock): BatchSource {
  const request = scanRequest(scan)
  const sources = stores.map((store) => new StoreSource(store.scan(request), clock))
  const only = sources[0]
  if (sources.length === 1 && only !== undefined) return only
  return scan.ordered
    ? new Merge(sources, scan.reverse)
    : new Chain(sources, scan.limit ?? Number.POSITIVE_INFINITY)
}

/** Batches of several stores with the partition each belongs to; null when merged. */
export async function* taggedBatches(
  stores: ReadonlyMap<PartitionId, PartitionStore>,
  scan: HolderScan,
  clock: Clock,
): AsyncIterable<{ readonly partition: PartitionId | null; readonly batch: RowBatch }> {
  const groups: [PartitionId | null, readonly PartitionStore[]][] =
    scan.ordered && stores.size > 1
      ? [[null, [...stores.values()]]]
      : [...stores].map(([partition, store]) => [partition, [store]])
  let left = scan.limit ?? Number.POSITIVE_INFINITY
  for (const [partition, group] of groups) {
    const source = storesSource(group, scan, clock)
    try {
      while (left > 0) {
        const batch = await source.next()
        if (batch === null) break
        left -= batch.length
        yield { partition, batch }
      }
    } finally {
      source.close()
    }
  }
}
