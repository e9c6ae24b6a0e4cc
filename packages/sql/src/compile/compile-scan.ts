import {
  afterKey,
  afterPrefix,
  assert,
  type Database,
  type Key,
  type KeyRange,
  KeyWriter,
  type Value,
} from '@cluster/core'
import { keyTypes } from '../binder/write/stored-index.ts'
import type { IndexSchema, TableSchema } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { Source } from '../executor/context.ts'
import {
  indexScan,
  pointScan,
  prefixRange,
  type RangeAccess,
  rangeScan,
  uniquePointScan,
} from '../executor/scan.ts'
import type { Expr } from '../plan/expression.ts'
import type { Access, TableScanNode } from '../plan/physical.ts'
import { writeKeyValue } from '../types/key.ts'
import type { SqlType } from '../types/type.ts'
import type { Frame } from './batch.ts'
import { compileScalars, type Slots } from './compile-map.ts'

/** How the rows of a table are read. */
export function compileScan(plan: TableScanNode, database: Database, slots: Slots): Source {
  const { table, access } = plan
  const options = {
    database: database,
    table,
    positions: plan.columns.map(({ position }) => position),
  }
  const limit = plan.limit === null ? null : countBound(plan.limit, slots, 'LIMIT')
  switch (access.kind) {
    case 'all':
      return rangeScan(options, () => ({}), limit, plan.order)
    case 'keys': {
      const keys = keyTuples(table, access, slots)
      return access.index === null ? pointScan(options, keys) : uniquePointScan(options, access.index, keys)
    }
    case 'range': {
      const range = keyRange(table, access, slots)
      return access.index === null
        ? rangeScan(options, range, limit, plan.order)
        : indexScan(options, access.index, range, limit, plan.order)
    }
  }
}

/** The keys of the table that a scan of all rows, or of a range of the primary key, reads. */
export function scanRange({ table, access }: TableScanNode, slots: Slots): RangeAccess {
  if (access.kind === 'range' && access.index === null) return keyRange(table, access, slots)
  assert(access.kind === 'all', 'rows are read in the order of their keys')
  return () => ({})
}

function keyTuples(
  table: TableSchema,
  access: Access & { kind: 'keys' },
  slots: Slots,
): (frame: Frame) => Key[] {
  const types = accessTypes(table, access)
  const tuples = access.tuples.map((tuple) => compileScalars(tuple, slots))
  return (frame) => {
    const keys: Key[] = []
    for (const tuple of tuples) {
      const key = encodeKey(types, tuple(frame))
      if (key !== null) keys.push(key)
    }
    return keys
  }
}

function keyRange(
  table: TableSchema,
  access: Access & { kind: 'range' },
  slots: Slots,
): (frame: Frame) => KeyRange | null {
  const types = accessTypes(table, access)
  const equal = compileScalars(access.equal, slots)
  const bounds = [access.lower, access.upper].map((bound) =>
    bound === null ? null : compileScalars([bound.expr], slots),
  )
  const [lower, upper] = bounds
  const next = types[access.equal.length]
  return (frame) => {
    const prefix = encodeKey(types, equal(frame))
    if (prefix === null) return null
    let { from, to } = prefix === '' ? ({} as KeyRange) : prefixRange(prefix)
    if (lower && next !== undefined) {
      const key = encodeKey([next], lower(frame))
      if (key === null) return null
      from =
        access.lower?.inclusive === true
          ? prefix + key
          : (afterPrefix(prefix + key) ?? afterKey(prefix + key))
    }
    if (next !== undefined && (lower || upper)) {
      // Values that are NULL come last in a key and match no comparison.
      const key = upper ? encodeKey([next], upper(frame)) : new KeyWriter().null().finish()
      if (key === null) return null
      to = upper && access.upper?.inclusive === true ? afterPrefix(prefix + key) : prefix + key
    }
    return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
  }
}

/** The types of the key that an access goes by. */
const accessTypes = (table: TableSchema, { index }: Exclude<Access, { kind: 'all' }>): readonly SqlType[] =>
  typesOfKey(table, index)

/** The types of an index's key; null: of the primary key. */
export function typesOfKey(table: TableSchema, index: IndexSchema | null): readonly SqlType[] {
  if (index !== null) return keyTypes(table, index)
  return keyTypes(table, { columns: table.primaryKey?.columns ?? [], keys: null })
}

/** The key of the values of leading key columns; null when one of them is NULL. */
export function encodeKey(types: readonly SqlType[], values: readonly Value[]): Key | null {
  const writer = new KeyWriter()
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as Value
    const type = types[i]
    if (value === null || type === undefined) return null
    writeKeyValue(writer, type, value)
  }
  return writer.finish()
}

/** A count of LIMIT or OFFSET, evaluated once a run; null: none. */
export type CountBound = (frame: Frame) => number | null

export function countBound(expr: Expr | null, slots: Slots, clause: 'LIMIT' | 'OFFSET'): CountBound {
  if (expr === null) return () => null
  const value = compileScalars([expr], slots)
  return (frame) => checkedCount(value(frame)[0] ?? null, clause)
}

/** @throws 2201W, 2201X when it is negative */
export function checkedCount(count: Value, clause: 'LIMIT' | 'OFFSET'): number | null {
  if (count === null) return null
  if (Number(count) >= 0) return Number(count)
  throw sqlError(
    clause === 'LIMIT' ? SQLSTATE.invalidRowCountInLimit : SQLSTATE.invalidRowCountInOffset,
    `${clause} must not be negative`,
  )
}
