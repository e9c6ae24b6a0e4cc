import { type Clock, logIndex, type PartitionStore, type RowWrite, relationId } from '@cluster/core'

export const clock: Clock = {
  now: () => 0,
  wall: () => 0,
  after: () => () => {},
  turn: () =>
    new Promise((resolve) => {
      setImmediate(resolve)
    }),
}

export const ITEMS = relationId(16)
export const v = logIndex

/** One line of the program's output. */
export interface Report {
  readonly durable: number
  /** The code of the first checkpoint that failed. */
  readonly failed: string | null
  /** A checksum of what the store answers at the newest version. */
  readonly rows: string | null
}

const ROWS = 4000

/** What a version writes: so much that a checkpoint takes several steps; rows change, come and go. */
export function writesOf(version: number): RowWrite[] {
  return Array.from({ length: 900 }, (_, i) => {
    const n = (i * 37 + version * 101) % ROWS
    const row = n % 7 === version % 7 ? null : [n, `version ${version}`, 'x'.repeat(n % 90)]
    return { relation: ITEMS, key: `k${String(n).padStart(5, '0')}`, row }
  })
}

/** Everything that the store answers at the version, shortened to something that two processes can compare. */
export function rowsOf(store: PartitionStore, version: number): string {
  let rows = 0
  let hash = 7
  const add = (text: string): void => {
    for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  }
  for (const batch of store.scan({ relation: ITEMS, range: {}, version: v(version) })) {
    for (let i = 0; i < batch.length; i++) {
      add(batch.keys[i] as string)
      for (const column of batch.columns) add(String(column[i]))
    }
    rows += batch.length
  }
  return `${rows} rows, ${hash}`
}
