import type { LockInfo, Locks } from '@cluster/core'
import { advisoryOf } from '../../functions/locks.ts'
import { DATABASE_OID } from '../known-oids.ts'
import type { VirtualTable } from '../virtual-table.ts'
import { type Row, table } from './make.ts'

/** Of `pg_locks`. */
export const LOCK_COLUMNS = `locktype, database oid, relation oid, page int4, tuple int2, virtualxid, transactionid int8,
  classid oid, objid oid, objsubid int2, virtualtransaction, pid int4, mode, granted bool, fastpath bool, waitstart time`

const MS_A_SECOND = 1_000

/** Who has which lock of the cluster, and who waits: all of them, and the advisory ones as PostgreSQL tells them. */
export const lockTables = (locks: Locks): readonly VirtualTable[] => [
  table(
    'cluster_locks',
    `name, mode, granted bool, place int4, node, token int8, permits int4, permit_limit int4, seconds float8, broken`,
    async () => (await locks.describe()).flatMap(rowsOf),
  ),
  table('pg_catalog.pg_locks', LOCK_COLUMNS, async ({ database }) =>
    (await locks.describe()).flatMap((info) => advisoryRows(info, database.name)),
  ),
]

/** Those who have it come first, at place 0. */
function rowsOf({ name, limit, holders, queue }: LockInfo): Row[] {
  const held = holders.map(({ mode, node, token, permits, ageMs, broken }) => ({
    name,
    mode,
    granted: true,
    place: 0,
    node,
    token: BigInt(token),
    permits,
    permit_limit: limit,
    seconds: ageMs / MS_A_SECOND,
    broken,
  }))
  const waiting = queue.map(({ mode, node, permits, waitingMs }, i) => ({
    name,
    mode,
    granted: false,
    place: i + 1,
    node,
    permits,
    permit_limit: limit,
    seconds: waitingMs / MS_A_SECOND,
  }))
  return [...held, ...waiting]
}

function advisoryRows({ name, holders, queue }: LockInfo, database: string): Row[] {
  const advisory = advisoryOf(name)
  if (advisory === null || advisory.database !== database) return []
  const { keys } = advisory
  const [first, second] = keys
  const what =
    second === undefined
      ? {
          classid: Number(BigInt.asUintN(32, BigInt(first) >> 32n)),
          objid: Number(BigInt.asUintN(32, BigInt(first))),
        }
      : { classid: Number(first) >>> 0, objid: second >>> 0 }
  const row = (mode: string, granted: boolean): Row => ({
    locktype: 'advisory',
    database: DATABASE_OID,
    ...what,
    objsubid: second === undefined ? 1 : 2,
    mode: mode === 'shared' ? 'ShareLock' : 'ExclusiveLock',
    granted,
    fastpath: false,
  })
  return [...holders.map(({ mode }) => row(mode, true)), ...queue.map(({ mode }) => row(mode, false))]
}
