import type { VirtualTable } from '../virtual-table.ts'
import { informationSchema } from './information-schema.ts'
import { absentTables } from './pg-absent.ts'
import { constraintTables } from './pg-constraints.ts'
import { routineTables } from './pg-proc.ts'
import { relationTables } from './pg-relations.ts'
import { roleTables } from './pg-roles.ts'
import { statisticsTables } from './pg-stats.ts'
import { systemTables } from './pg-system.ts'
import { typeTables } from './pg-types.ts'
import { privilegeTables } from './privileges.ts'

/** `pg_catalog` and `information_schema`. */
export const catalogTables: readonly VirtualTable[] = [
  ...relationTables,
  ...constraintTables,
  ...typeTables,
  ...routineTables,
  ...systemTables,
  ...roleTables,
  ...privilegeTables,
  ...statisticsTables,
  ...absentTables,
  ...informationSchema,
]
