import type { Value } from '@cluster/core'
import {
  arrayOf,
  BIGINT,
  BOOLEAN,
  DOUBLE,
  INTEGER,
  OID,
  REAL,
  REGCLASS,
  SMALLINT,
  type SqlType,
  TEXT,
  TIMESTAMPTZ,
} from '../../types/type.ts'
import type { VirtualContext, VirtualTable } from '../virtual-table.ts'

const types: Readonly<Record<string, SqlType>> = {
  oid: OID,
  bool: BOOLEAN,
  int2: SMALLINT,
  int4: INTEGER,
  int8: BIGINT,
  float4: REAL,
  float8: DOUBLE,
  text: TEXT,
  time: TIMESTAMPTZ,
  regclass: REGCLASS,
  'int2[]': arrayOf(SMALLINT),
  'oid[]': arrayOf(OID),
  'text[]': arrayOf(TEXT),
}

/** One row, by column; what is not named is NULL. */
export type Row = Readonly<Record<string, Value>>

/**
 * A table of the system.
 * @param columns as `name type, name type`; a name alone is a text
 */
export function table(
  name: string,
  columns: string,
  rows: (context: VirtualContext) => Iterable<Row> | Promise<Iterable<Row>>,
): VirtualTable {
  const described = columns.split(',').map((text) => {
    const [column = '', type = 'text'] = text.trim().split(/\s+/)
    return { name: column, type: types[type] ?? TEXT }
  })
  return {
    name,
    columns: described,
    rows: async (context) =>
      Array.from(await rows(context), (row) => described.map((column) => row[column.name] ?? null)),
  }
}

/** A table of things that there are none of here. */
export const empty = (name: string, columns: string): VirtualTable => table(name, columns, () => [])
