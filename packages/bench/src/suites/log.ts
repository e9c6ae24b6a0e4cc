import { LogFleet } from '../log-fleet.ts'
import { Etcd, findEtcd } from '../peers/etcd.ts'
import { type Absent, absent, isAbsent } from '../peers/peer.ts'
import type { Report, Row } from '../report.ts'
import type { SuiteOptions } from '../suite.ts'
import { etcdFailOver, failOver } from './log/fail-over.ts'
import { idle } from './log/idle.ts'
import { longLog } from './log/long-log.ts'
import { etcdReadBack, readBack } from './log/read-back.ts'
import { appends, reads, type Stage, warmUp } from './log/throughput.ts'

const VOTERS = 3
const PARTS = ['append', 'read', 'fail-over', 'idle', 'long-log'] as const

/** The ordered log alone: appends, linearizable reads, fail-over, and a long log, beside etcd. */
export async function log(options: SuiteOptions): Promise<Report> {
  const has = (part: (typeof PARTS)[number]): boolean =>
    options.parts.length === 0 || options.parts.includes(part)
  const missing: Absent[] = []
  const rows: Row[] = []
  const found = options.peers.includes('etcd') ? await findEtcd() : null
  if (found && isAbsent(found)) missing.push(found)
  for (const peer of options.peers)
    if (peer !== 'etcd') missing.push(absent(peer, 'this suite does not know it'))
  let etcd: Etcd | null = null
  try {
    if (found && !isAbsent(found)) {
      options.progress('starting etcd')
      etcd = await Etcd.start(found)
    }
    if (has('append') || has('read')) rows.push(...(await throughput(etcd, options, has)))
    if (has('fail-over')) {
      rows.push(...(await failOver(options)))
      if (etcd) rows.push(await etcdFailOver(etcd, options))
    }
    if (has('idle')) rows.push(...(await idle(options)))
    if (has('long-log')) rows.push(...(await longLog(options)))
  } finally {
    await etcd?.stop()
  }
  return {
    suite: 'log',
    durability: 'three servers as processes of their own, every append fsynced on a majority',
    rows,
    absent: missing,
  }
}

async function throughput(
  etcd: Etcd | null,
  options: SuiteOptions,
  has: (part: 'append' | 'read') => boolean,
): Promise<Row[]> {
  options.progress('starting the log')
  // Callers inside a server are measured where there is nobody else; the fourth process is a copy more.
  const inside = await LogFleet.start({ voters: VOTERS, learners: 0 })
  let outside: LogFleet | null = null
  try {
    outside = await LogFleet.start({ voters: VOTERS, learners: 1 })
    const { leader, follower } = await inside.roles()
    const stage: Stage = { inside, leader, follower, outside, client: VOTERS, etcd }
    await warmUp(stage, options)
    const rows: Row[] = []
    if (has('append')) rows.push(...(await appends(stage, options)))
    if (has('read')) rows.push(...(await reads(stage, options)))
    if (has('append')) {
      rows.push(await readBack('callers in the servers', inside, VOTERS, 0, options))
      rows.push(await readBack('callers in a fourth process', outside, VOTERS, 1, options))
      if (etcd) rows.push(await etcdReadBack(etcd, options))
    }
    return rows
  } finally {
    await outside?.stop()
    await inside.stop()
  }
}
