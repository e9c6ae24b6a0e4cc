import type {
  FollowedScan,
  Key,
  PartitionStore,
  RelationId,
  Row,
  RowBatch,
  Value,
  Version,
} from '@cluster/core'

/** Batches of fewer rows are not worth their costs to whoever works on them. */
const ENOUGH_ROWS = 192
/** An entry keeps the key of its row there. The same list every time, so that stores know what was asked before. */
const ROW_KEY: readonly number[] = [0]

/**
 * The rows that entries of stores on this node point to.
 * @param onRead told the keys of the rows before they are handed on
 */
export function* followedRows(
  stores: readonly PartitionStore[],
  { entries, range, rows, columns, limit }: FollowedScan,
  version: Version,
  onRead: (keys: readonly Key[]) => void,
): Generator<RowBatch> {
  let left = limit ?? Number.POSITIVE_INFINITY
  let keys: Key[] = []
  let found: Row[] = []
  const batch = (): RowBatch => ({
    length: keys.length,
    keys,
    columns: columns.map((position) => columnOf(found, position)),
  })
  for (const store of stores) {
    if (left === 0) break
    const most = left === Number.POSITIVE_INFINITY ? {} : { limit: left }
    const request = { relation: entries, range, version, columns: ROW_KEY, ...most }
    for (const { columns: read } of store.scan(request)) {
      const asked = read[0] as readonly Key[]
      onRead(asked)
      const came = rowsOf(store, rows, asked, version)
      for (let i = 0; i < asked.length; i++) {
        const row = came[i] ?? null
        if (row === null) continue
        keys.push(asked[i] as Key)
        found.push(row)
        left--
      }
      if (keys.length < ENOUGH_ROWS) continue
      yield batch()
      keys = []
      found = []
    }
  }
  if (keys.length > 0) yield batch()
}

const rowsOf = (
  store: PartitionStore,
  relation: RelationId,
  keys: readonly Key[],
  version: Version,
): readonly (Row | null)[] =>
  store.getMany?.(relation, keys, version) ?? keys.map((key) => store.get(relation, key, version))

/** Pushed one by one, so that the engine knows a list of whole numbers for what it is. */
function columnOf(rows: readonly Row[], position: number): Value[] {
  const column: Value[] = []
  for (const row of rows) column.push(row[position] ?? null)
  return column
}
