import type { Value } from '@cluster/core'
import { type ColumnSummary, summaryOf } from '../../plan/column-summary.ts'
import { type ColumnStatistics, columnStatistics, knownRows } from '../../plan/table-statistics.ts'
import { listOf } from '../../types/array.ts'
import { fromArray } from '../../types/array-text.ts'
import { castText } from '../../types/format.ts'
import { REAL, type SqlType, TEXT } from '../../types/type.ts'
import type { CatalogImage } from '../image.ts'
import { guardedIn } from '../image-access.ts'
import type { ColumnSchema, TableSchema } from '../schema.ts'
import type { VirtualTable } from '../virtual-table.ts'
import { type Row, table } from './make.ts'
import { tablesOf } from './pg-relations.ts'

/** Above this share of the rows, different values are taken to grow with the table, and told as a share below zero. */
const GROWING = 0.1

/**
 * What this node knows of the values of columns. Those of `anyarray` in PostgreSQL are shown as the texts of arrays. Only
 * columns that the user may read are in it.
 */
export const statisticsTables: readonly VirtualTable[] = [
  table(
    'pg_catalog.pg_stats',
    `schemaname, tablename, attname, inherited bool, null_frac float4, avg_width int4, n_distinct float4, most_common_vals,
     most_common_freqs float4[], histogram_bounds, correlation float4, most_common_elems, most_common_elem_freqs float4[],
     elem_count_histogram float4[]`,
    ({ catalog }) => tablesOf(catalog).flatMap((one) => statisticsRows(catalog, one)),
  ),
]

function statisticsRows(catalog: CatalogImage, one: TableSchema): Row[] {
  const { access, user } = catalog
  const role = access.needRole(user).oid
  const all = access.may(role, guardedIn(catalog, one), 'r')
  return one.columns.flatMap((column, position): Row[] => {
    const known = columnStatistics(one, position)
    if (known === null || known.values.length === 0) return []
    if (!all && !access.mayColumn(role, one.oid, column.slot, 'r')) return []
    return [{ schemaname: one.schema, tablename: one.name, ...columnRow(column, known, knownRows(one) ?? 0) }]
  })
}

function columnRow({ name, type }: ColumnSchema, known: ColumnStatistics, rows: number): Row {
  const { nulls, common, bounds }: ColumnSummary = summaryOf(known, type)
  const { distinct } = known
  const shares = common.map(({ share }) => Math.fround(share))
  return {
    attname: name,
    inherited: false,
    null_frac: Math.fround(nulls),
    avg_width: averageWidth(known, type),
    n_distinct: Math.fround(distinct > rows * GROWING ? -distinct / Math.max(1, rows) : Math.round(distinct)),
    most_common_vals:
      common.length === 0
        ? null
        : valuesText(
            common.map(({ value }) => value),
            type,
          ),
    most_common_freqs: common.length === 0 ? null : fromArray(REAL, listOf(shares)),
    histogram_bounds: bounds.length === 0 ? null : valuesText(bounds, type),
  }
}

const valuesText = (values: readonly Value[], type: SqlType): string =>
  fromArray(TEXT, listOf(values.map((value) => castText(type, value))))

/** Bytes of a value in the sample, as a text. */
function averageWidth({ values }: ColumnStatistics, type: SqlType): number {
  const some = values.filter((value) => value !== null)
  const bytes = some.reduce<number>((sum, value) => sum + castText(type, value).length, 0)
  return some.length === 0 ? 0 : Math.round(bytes / some.length)
}
