import type { LogFleet } from '../../log-fleet.ts'
import type { Etcd } from '../../peers/etcd.ts'
import type { Row } from '../../report.ts'
import type { SuiteOptions } from '../../suite.ts'
import type { Acknowledged } from '../../workers/log-worker-protocol.ts'

const CALL_MS_MAX = 60_000

/** Kills every server −9, starts them again, and looks for all that was acknowledged before. */
export async function readBack(
  who: string,
  fleet: LogFleet,
  voters: number,
  learners: number,
  { progress }: SuiteOptions,
): Promise<Row> {
  progress('reading back after kill −9 of all servers')
  const acknowledged: (readonly [number, number])[] = []
  for (const worker of fleet.workers)
    acknowledged.push(...(await worker.call<Acknowledged>('acknowledged', null, CALL_MS_MAX)))
  const servers = fleet.workers.slice(0, voters)
  await Promise.all(servers.map((server) => server.kill()))
  for (let i = 0; i < voters; i++) fleet.restart(i)
  await Promise.all(fleet.workers.map((worker) => worker.call('ready', null, CALL_MS_MAX)))
  await fleet.settled(voters, learners)
  const count = acknowledged.reduce((sum, [, numbers]) => sum + numbers, 0)
  const held = await fleet.worker(0).call<number>('held', acknowledged, CALL_MS_MAX)
  return row(`ours, ${who}`, count, held)
}

export async function etcdReadBack(etcd: Etcd, { progress }: SuiteOptions): Promise<Row> {
  progress('reading back from etcd')
  for (let i = 0; i < 3; i++) await etcd.killServer(i)
  for (let i = 0; i < 3; i++) etcd.startServer(i)
  await etcd.ready()
  const { held, operations } = await etcd.ask({ op: 'held' })
  return row(`etcd ${etcd.version}`, operations, held)
}

function row(who: string, count: number, held: number): Row {
  return {
    what: 'acknowledged appends lost when all servers were killed −9',
    who,
    value: count - held,
    unit: 'lost',
    durability: 'fsync on 2 of 3',
    target: { text: 'none', reached: held === count },
    note: `${held.toLocaleString('en-US')} of ${count.toLocaleString('en-US')} found again`,
  }
}
