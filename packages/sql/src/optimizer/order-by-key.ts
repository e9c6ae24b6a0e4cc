import type { SortKey } from '../plan/logical.ts'
import type { PhysicalPlan, TableScanNode } from '../plan/physical.ts'

/**
 * A sort by leading columns of the primary key needs no sorting: storage gives rows in key order, both ways.
 * @returns the input, made to read in that order; null when its order does not help
 */
export function orderByKey(input: PhysicalPlan, keys: readonly SortKey[]): PhysicalPlan | null {
  if (input.kind === 'map' && (input.outputs === null || input.outputs.every(passesOn))) {
    const below = orderByKey(input.input, keys)
    return below === null ? null : { ...input, input: below }
  }
  if (input.kind !== 'tableScan') return null
  const descending = keys[0]?.descending ?? false
  if (!matches(input, keys, descending)) return null
  return { ...input, order: descending ? 'descending' : 'ascending' }
}

const passesOn = ({ column, expr }: { column: { id: number }; expr: SortKey['expr'] }): boolean =>
  expr.kind !== 'column' || expr.column.id === column.id

function matches(scan: TableScanNode, keys: readonly SortKey[], descending: boolean): boolean {
  const { primaryKey } = scan.table
  if (primaryKey === null || keys.length > primaryKey.columns.length) return false
  if (scan.access.kind === 'keys' || (scan.access.kind === 'range' && scan.access.index !== null))
    return false
  // Primary key columns are never NULL, so where NULLs go does not matter.
  return keys.every(({ expr, descending: down }, i) => {
    const position =
      expr.kind === 'column'
        ? scan.columns.find(({ column }) => column.id === expr.column.id)?.position
        : undefined
    return down === descending && position === primaryKey.columns[i]
  })
}
