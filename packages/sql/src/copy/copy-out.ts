import type { Value } from '@cluster/core'
import type { TableSchema } from '../catalog/schema.ts'
import type { ResultColumn } from '../plan/statement.ts'
import type { Copy } from '../syntax/ast.ts'
import type { SqlType } from '../types/type.ts'
import { forcedColumns } from './bind-copy.ts'
import { noBinary } from './copy-in.ts'
import type { CopyShape } from './feed.ts'
import { copyFormat } from './options.ts'
import { type RowWriter, rowWriter } from './row-writer.ts'
import type { BinaryValues } from './values.ts'

/** The rows of COPY TO. */
export interface CopyOutput extends CopyShape {
  /** One piece of bytes a row, in batches; that of the first row has the header of the binary format before it. */
  readonly rows: AsyncIterable<readonly Uint8Array[]>
  /** How many rows were given so far; headers are none. */
  copied(): number
}

export interface CopyOutPorts {
  readonly binary: BinaryValues | null
  format(type: SqlType, value: Value): string
}

/** Writes rows as the options of the statement say. @throws as `copyFormat` */
export function copyWriter(
  copy: Copy,
  source: string,
  columns: readonly ResultColumn[],
  { binary, format: formatted }: CopyOutPorts,
  table: TableSchema | null = null,
): { readonly writer: RowWriter; readonly shape: CopyShape } {
  const format = copyFormat(copy, source)
  if (format.kind === 'binary' && binary === null) throw noBinary()
  const names = columns.map(({ name }) => name)
  const writer = rowWriter({
    format,
    columns,
    forceQuote: forcedColumns('FORCE_QUOTE', format.forceQuote, names, table),
    text: ({ type }, value) => formatted(type, value),
    binary,
  })
  return { writer, shape: { binary: format.kind === 'binary', columns: columns.length } }
}
