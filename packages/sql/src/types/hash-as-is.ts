import type { SqlType, TypeId } from './type.ts'

const asIs: ReadonlySet<TypeId> = new Set([
  'boolean',
  'smallint',
  'integer',
  'bigint',
  'real',
  'double',
  'text',
  'varchar',
  'timestamp',
  'timestamptz',
  'date',
  'time',
  'uuid',
  'json',
  'unknown',
])

/** True when JavaScript's `Map` finds values of the type equal exactly when SQL does. */
export const hashableAsIs = (type: SqlType): boolean => asIs.has(type.id)
