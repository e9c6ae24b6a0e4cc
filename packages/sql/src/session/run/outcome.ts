import type { CommitReceipt, Value } from '@cluster/core'
import { type Batch, rowsOf } from '../../compile/batch.ts'
import type { ResultColumn } from '../../plan/statement.ts'
import { TEXT } from '../../types/type.ts'
import { type Settings, settingName } from '../settings/settings.ts'

/** What a statement gave, before anything was committed, unless it says so. */
export interface Outcome {
  readonly command: string
  readonly columns: readonly ResultColumn[]
  readonly batches: AsyncIterable<Batch> | Iterable<Batch>
  /** Known at once where rows were written; null: as many as the batches have. */
  readonly written: number | null
  /** Set when the statement has committed its transaction; `error`: it had no effect, for that reason. */
  readonly committed?: { readonly receipt: CommitReceipt; readonly error: Error | null }
  /** It had to do with locks alone: what comes next should see what others did before they gave them back. */
  readonly locksOnly?: boolean
}

export const textColumn = (name: string): ResultColumn => ({ name, type: TEXT })

export const done = (command: string, written = 0): Outcome => ({
  command,
  columns: [],
  batches: [],
  written,
})

export const textRows = (
  command: string,
  columns: readonly ResultColumn[],
  rows: readonly (readonly string[])[],
): Outcome => ({
  command,
  columns,
  batches:
    rows.length === 0
      ? []
      : [{ length: rows.length, columns: columns.map((_, c) => rows.map((row) => row[c] as string)) }],
  written: null,
})

/** What SHOW gives. @throws 42704 */
export function show(name: string, settings: Settings): Outcome {
  if (name === 'all')
    return textRows(
      'SHOW',
      ['name', 'setting', 'description'].map(textColumn),
      settings.all().map(([one, value]) => [settingName(one), value, '']),
    )
  return textRows('SHOW', [textColumn(settingName(name))], [[settings.get(name)]])
}

/** All rows of an outcome. */
export async function collect({ batches }: Outcome): Promise<Value[][]> {
  const rows: Value[][] = []
  const add = (batch: Batch): void => {
    for (const row of rowsOf(batch)) rows.push(row)
  }
  // What is there already is not waited for.
  if (Symbol.iterator in batches) for (const batch of batches) add(batch)
  else for await (const batch of batches) add(batch)
  return rows
}
