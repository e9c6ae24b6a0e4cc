import { Fleet } from '../fleet.ts'
import { Etcd, findEtcd } from '../peers/etcd.ts'
import { type Absent, absent, isAbsent } from '../peers/peer.ts'
import { findRedis, Redis } from '../peers/redis.ts'
import type { Report } from '../report.ts'
import type { SuiteOptions } from '../suite.ts'
import { containerRows } from './objects/containers.ts'
import { type LockStage, lockRows } from './objects/locks.ts'

const NODES = 3
const KNOWN = ['etcd', 'redis']

/** What programs share beside rows: locks and containers, beside etcd and, as the mark of what one disk can do, Redis. */
export async function objects(options: SuiteOptions): Promise<Report> {
  const missing: Absent[] = options.peers
    .filter((peer) => !KNOWN.includes(peer))
    .map((peer) => absent(peer, 'this suite does not know it'))
  const present = <T extends object>(found: T | Absent | null): T | null => {
    if (found === null || !isAbsent(found)) return found
    missing.push(found)
    return null
  }
  const foundEtcd = present(options.peers.includes('etcd') ? await findEtcd() : null)
  const foundRedis = present(options.peers.includes('redis') ? await findRedis() : null)
  const running: { stop(): Promise<void> }[] = []
  const started = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const one = await starting
    running.push(one)
    return one
  }
  try {
    options.progress('starting')
    const fleet = await started(Fleet.start(NODES, 'objects-worker.ts'))
    await Promise.all(fleet.workers.map((worker) => worker.call('ready', null, 60_000)))
    const [first] = await fleet.settled()
    const statuses = await Promise.all(
      fleet.workers.map((worker) => worker.call<{ readonly id: string }>('status')),
    )
    const leader = statuses.findIndex(({ id }) => id === first?.leader)
    const stage: LockStage = {
      fleet,
      leader,
      follower: (leader + 1) % NODES,
      etcd: foundEtcd && (await started(Etcd.start(foundEtcd))),
      redis: foundRedis && (await started(Redis.start(foundRedis))),
    }
    const wantsLocks = options.parts.length === 0 || options.parts.includes('locks')
    const rows = wantsLocks ? await lockRows(stage, options) : []
    rows.push(...(await containerRows(stage, options)))
    return { suite: 'objects', durability: 'every change fsynced before it counts', rows, absent: missing }
  } finally {
    for (const one of running.reverse()) await one.stop()
  }
}
