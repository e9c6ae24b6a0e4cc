import type { LoadAnswer } from '../../closed-loop.ts'
import { type Contender, interleave, type Measured } from '../../interleave.ts'
import { measuredRow } from '../../measured-row.ts'
import type { Row, Target } from '../../report.ts'
import type { SuiteOptions } from '../../suite.ts'
import type {
  ContainerAcknowledged,
  ContainerHeld,
  ContainerKindOfLoad,
  ContainerLoad,
} from '../../workers/objects-worker-protocol.ts'
import type { LockStage } from './locks.ts'

const OURS = 'fsync on 2 of 3, Noise'
const CALL_MS_MAX = 120_000
const DOCUMENTS = 10_000
const LOCAL_TARGET = 1_000_000
const JOIN_TARGET_MS = 1_000
const VALUE_BYTES = 100

interface Part {
  readonly kind: ContainerKindOfLoad
  readonly what: string
  readonly callers: readonly number[]
  /** What of etcd it is held against, and how many times of it are wanted with many callers; null: it has nothing like it. */
  readonly etcd: { readonly op: 'put' | 'get'; readonly times: number | null } | null
  /** Whether Redis has something like it. */
  readonly redis: boolean
}

const CONTAINER_PARTS: readonly Part[] = [
  { kind: 'put', what: 'map set', callers: [1, 64], etcd: { op: 'put', times: 3 }, redis: true },
  {
    kind: 'get',
    what: 'map get, linearizable',
    callers: [1, 64],
    etcd: { op: 'get', times: 5 },
    redis: true,
  },
  { kind: 'local', what: 'map read, local', callers: [1], etcd: null, redis: false },
  { kind: 'queue', what: 'queue push, take, acknowledge', callers: [64], etcd: null, redis: true },
  { kind: 'counter', what: 'counter add', callers: [64], etcd: { op: 'put', times: null }, redis: true },
]

/** Containers of all kinds that were asked for, beside puts and gets of etcd and the like of Redis. */
export async function containerRows(stage: LockStage, options: SuiteOptions): Promise<Row[]> {
  const wants = (part: string): boolean => options.parts.length === 0 || options.parts.includes(part)
  const rows: Row[] = []
  const { fleet } = stage
  options.progress('filling a map')
  await fleet.worker(stage.leader).call('fill', DOCUMENTS, CALL_MS_MAX)
  if (stage.etcd && wants('get')) await warmEtcd(stage, options)
  for (const part of CONTAINER_PARTS.filter(({ kind }) => wants(kind)))
    for (const callers of part.callers) rows.push(...(await measure(stage, part, callers, options)))
  if (wants('topic')) rows.push(await fanOut(stage, options))
  if (CONTAINER_PARTS.some(({ kind }) => wants(kind))) rows.push(await readBack(stage, options))
  if (wants('join')) rows.push(await joined(stage, options))
  return rows
}

/** There are keys to be read. */
async function warmEtcd({ etcd }: LockStage, { measuredMs }: SuiteOptions): Promise<void> {
  await etcd?.ask({ op: 'put', callers: 64, warmUpMs: 0, measuredMs, bytes: VALUE_BYTES })
}

function contenders(stage: LockStage, part: Part, load: ContainerLoad): Contender[] {
  const { fleet, leader, follower, etcd, redis } = stage
  const ours = (where: string, node: number): Contender => ({
    who: `ours, callers in ${where}`,
    peer: null,
    durability: OURS,
    servers: fleet.workers.map(({ pid }) => pid),
    client: [],
    run: () => fleet.worker(node).call<LoadAnswer>('containers', load, CALL_MS_MAX),
  })
  const all = [ours('the leader', leader), ours('a follower', follower)]
  const { callers, warmUpMs, measuredMs } = load
  if (etcd && part.etcd) {
    const { op } = part.etcd
    all.push({
      who: `etcd ${etcd.version}, ${op}, its Go client`,
      peer: 'etcd',
      durability: 'fsync on 2 of 3, plaintext',
      servers: etcd.serverPids,
      client: etcd.clientPids,
      run: () => etcd.ask({ op, callers, warmUpMs, measuredMs, bytes: VALUE_BYTES, keys: 1_000 }),
    })
  }
  if (redis && part.redis)
    all.push({
      who: `Redis ${redis.version}, one server`,
      peer: 'redis',
      durability: 'fsync on 1 of 1',
      servers: redis.pids,
      client: [process.pid],
      run: () => redis.containers(load),
    })
  return all
}

async function measure(
  stage: LockStage,
  part: Part,
  callers: number,
  { runs, warmUpMs, measuredMs, progress }: SuiteOptions,
): Promise<Row[]> {
  const load: ContainerLoad = { kind: part.kind, callers, keys: DOCUMENTS, warmUpMs, measuredMs }
  const what = `${part.what}, ${callers} ${callers === 1 ? 'caller' : 'callers'}`
  const measured = await interleave(contenders(stage, part, load), runs, (who, run) =>
    progress(`${what}: ${who}, run ${run + 1}`),
  )
  return measured.map((one): Row => {
    const own = one.contender.peer === null
    const peers = measured.filter(({ contender }) => contender.peer !== null)
    const target = own ? targetOf(part, callers, one, peers) : null
    const durability = part.kind === 'local' ? 'read in memory' : one.contender.durability
    return measuredRow(one, { what, peers, target, durability })
  })
}

function targetOf(
  { kind, etcd }: Part,
  callers: number,
  own: Measured,
  peers: readonly Measured[],
): Target | null {
  if (kind === 'local') return { text: 'at least 1,000,000/s', reached: own.perSecond >= LOCAL_TARGET }
  const peer = peers.find(({ contender }) => contender.peer === 'etcd')
  if (peer === undefined || etcd === null || etcd.times === null || callers === 1) return null
  return {
    text: `at least ${etcd.times}× etcd's ${etcd.op}s`,
    reached: own.perSecond >= etcd.times * peer.perSecond,
  }
}

/** One node publishes; it counts when a subscriber on each of the three has it. */
async function fanOut({ fleet, leader }: LockStage, options: SuiteOptions): Promise<Row> {
  const { runs, warmUpMs, measuredMs, progress } = options
  await Promise.all(fleet.workers.map((worker) => worker.call('subscribe', null, CALL_MS_MAX)))
  let published = 0
  const load: ContainerLoad = { kind: 'topic', callers: 64, keys: 1, warmUpMs: 0, measuredMs }
  const run = async (): Promise<LoadAnswer> => {
    const startedAt = performance.now()
    const answer = await fleet.worker(leader).call<LoadAnswer>('containers', load, CALL_MS_MAX)
    published += answer.operations
    await Promise.all(fleet.workers.map((worker) => worker.call('heard', published, CALL_MS_MAX)))
    return { ...answer, wallMs: performance.now() - startedAt }
  }
  if (warmUpMs > 0) await run()
  const contender: Contender = {
    who: 'ours, 64 publishers in the leader',
    peer: null,
    durability: OURS,
    servers: fleet.workers.map(({ pid }) => pid),
    client: [],
    run,
  }
  const [one] = await interleave([contender], runs, (who, at) => progress(`topic: ${who}, run ${at + 1}`))
  if (one === undefined) throw new Error('nothing was measured')
  const what = 'topic: messages that a subscriber on each of 3 nodes has'
  return measuredRow(one, { what, peers: [], remark: '; times are those of publishing' })
}

/** Kills all nodes −9, starts them again, and looks for everything that was acknowledged. */
async function readBack({ fleet }: LockStage, { progress }: SuiteOptions): Promise<Row> {
  progress('reading back after kill −9 of all nodes')
  const told = await Promise.all(
    fleet.workers.map((worker) => worker.call<ContainerAcknowledged>('acknowledged', null, CALL_MS_MAX)),
  )
  const sum = (of: (each: ContainerAcknowledged) => number): number =>
    told.reduce((all, each) => all + of(each), 0)
  const puts = told.flatMap((each) => each.puts)
  const count = puts.reduce((all, [, each]) => all + each, 0)
  const [added, queued] = [sum((each) => each.added), sum((each) => each.pushed - each.done)]
  await Promise.all(fleet.workers.map((worker) => worker.kill()))
  for (let i = 0; i < fleet.workers.length; i++) fleet.restart(i)
  await Promise.all(fleet.workers.map((worker) => worker.call('ready', null, CALL_MS_MAX)))
  await fleet.settled()
  const held = await fleet.worker(1).call<ContainerHeld>('held', puts, CALL_MS_MAX)
  const lost = count - held.puts + Math.max(0, added - held.counter) + Math.abs(queued - held.queued)
  return {
    what: 'acknowledged sets, additions and messages lost when all nodes were killed −9',
    who: 'ours',
    value: lost,
    unit: 'lost',
    durability: OURS,
    target: { text: 'none', reached: lost === 0 },
    note: `${held.puts.toLocaleString('en-US')} of ${count.toLocaleString('en-US')} entries found again; the counter at ${held.counter} after ${added}; ${held.queued} messages of ${queued}`,
  }
}

/** A node that has nothing joins: how long until it has all documents. */
async function joined({ fleet }: LockStage, { progress }: SuiteOptions): Promise<Row> {
  progress('a fourth node joins')
  const node = await fleet.add()
  const tookMs = await fleet.worker(node).call<number>('documents', DOCUMENTS, CALL_MS_MAX)
  return {
    what: `${DOCUMENTS.toLocaleString('en-US')} documents on a node that joins fresh`,
    who: 'ours',
    value: tookMs,
    unit: 'ms',
    durability: OURS,
    target: { text: `under ${JOIN_TARGET_MS} ms`, reached: tookMs < JOIN_TARGET_MS },
    note: 'from the call that opens the node, finding the others and joining included, with everything else that the map of the run holds',
  }
}
