import type { Key, Row, Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../../errors.ts'
import type { ExecutionContext, Source } from '../context.ts'
import type { RowChange, StoredRow } from './table-writer.ts'
import { checkRows, readAll, type WriteTarget, type Written, writerFor } from './write.ts'

export type MergeAction = 'update' | 'delete' | 'insert' | 'nothing'

/**
 * Source rows are: key, old values (NULLs where no row of the target matched), the number of the branch, new
 * values. Rows go before others come, so what is freed may be taken.
 * @throws 21000 when two rows change the same one, 23505, 23502, 23514
 */
export async function mergeRows(
  target: WriteTarget,
  actions: readonly MergeAction[],
  source: Source,
  context: ExecutionContext,
): Promise<Written> {
  const width = target.table.columns.length
  const deleted: StoredRow[] = []
  const changed: RowChange[] = []
  const inserted: Row[] = []
  const met = new Set<Value>()
  for (const row of await readAll(source, context)) {
    const branch = row[1 + width]
    const action = typeof branch === 'number' ? actions[branch] : 'nothing'
    if (action === undefined || action === 'nothing') continue
    const made: Row = row.slice(2 + width)
    if (action === 'insert') {
      inserted.push(made)
      continue
    }
    const old: StoredRow = { key: row[0] as Key, row: row.slice(1, 1 + width) }
    if (met.has(old.key)) throw twice()
    met.add(old.key)
    if (action === 'delete') deleted.push(old)
    else changed.push({ old, row: made })
  }
  checkRows(target, context, [...changed.map(({ row }) => row), ...inserted])
  const writer = writerFor(target, context)
  if (deleted.length > 0) await writer.delete(deleted)
  if (changed.length > 0) await writer.update(changed)
  if (inserted.length > 0) await writer.insert(inserted)
  return { count: deleted.length + changed.length + inserted.length, returned: [] }
}

const twice = () =>
  sqlError(SQLSTATE.cardinalityViolation, 'MERGE command cannot affect row a second time', {
    hint: 'Ensure that not more than one source row matches any one target row.',
  })
