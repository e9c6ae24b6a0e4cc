import type { Value } from '@cluster/core'
import {
  arrayOf,
  BIGINT,
  BOOLEAN,
  DOUBLE,
  INTEGER,
  NAME,
  OID,
  REAL,
  REGCLASS,
  SMALLINT,
  type SqlType,
  TEXT,
  TIMESTAMPTZ,
  vectorOf,
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
  int2vector: vectorOf(SMALLINT),
  oidvector: vectorOf(OID),
  'int2[]': arrayOf(SMALLINT),
  'oid[]': arrayOf(OID),
  'text[]': arrayOf(TEXT),
  'float4[]': arrayOf(REAL),
}

/** One row, by column; what is not named is NULL. */
export type Row = Readonly<Record<string, Value>>

/**
 * A table of the system.
 * @param columns as `name type, name type`; a name alone is a text, or a `name` of the catalog
 */
export function table(
  name: string,
  columns: string,
  rows: (context: VirtualContext) => Iterable<Row> | Promise<Iterable<Row>>,
): VirtualTable {
  const described = columns.split(',').map((text) => {
    const [column = '', type] = text.trim().split(/\s+/)
    const own = name.startsWith('pg_catalog.') && /(?:.name|label)$/.test(column) ? NAME : TEXT
    return { name: column, type: types[type ?? ''] ?? own }
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
