import type { LoadAnswer } from '../../closed-loop.ts'
import type { Fleet } from '../../fleet.ts'
import { type Contender, interleave, type Measured } from '../../interleave.ts'
import { measuredRow } from '../../measured-row.ts'
import type { Etcd } from '../../peers/etcd.ts'
import type { Redis } from '../../peers/redis.ts'
import type { Row, Target } from '../../report.ts'
import type { SuiteOptions } from '../../suite.ts'
import type { LockAnswer, LockLoad } from '../../workers/objects-worker-protocol.ts'

/** Everything that is measured, running at once, so that nobody has the machine to itself. */
export interface LockStage {
  readonly fleet: Fleet
  /** Positions in the fleet. */
  readonly leader: number
  readonly follower: number
  readonly etcd: Etcd | null
  readonly redis: Redis | null
}

const OURS = 'fsync on 2 of 3, Noise'
const CALL_MS_MAX = 60_000

interface Part {
  readonly what: string
  readonly callers: number
  readonly locks: number
  /** What etcd's cycles are multiplied by; null: nothing is asked. */
  readonly times: number | null
}

const PARTS: readonly Part[] = [
  { what: 'acquire and release, 1 caller', callers: 1, locks: 1, times: 4 },
  { what: '16 callers on one lock: hand-overs', callers: 16, locks: 1, times: 10 },
  { what: '64 callers, 10,000 locks', callers: 64, locks: 10_000, times: null },
]

/** Cycles of locks: each is an acquisition and its release, both acknowledged. */
export async function lockRows(stage: LockStage, options: SuiteOptions): Promise<Row[]> {
  // Compilers that work while a program runs are done with theirs before anything counts.
  const first: LockLoad = { callers: 64, locks: 1_000, warmUpMs: 0, measuredMs: options.measuredMs }
  for (const { who, run } of contenders(stage, first, { broken: 0 })) {
    options.progress(`warming up: ${who}`)
    await run()
  }
  const rows: Row[] = []
  for (const part of PARTS) {
    const { warmUpMs, measuredMs } = options
    const tally = { broken: 0 }
    const load: LockLoad = { callers: part.callers, locks: part.locks, warmUpMs, measuredMs }
    const measured = await interleave(contenders(stage, load, tally), options.runs, (who, run) =>
      options.progress(`${part.what}: ${who}, run ${run + 1}`),
    )
    if (tally.broken > 0)
      throw new Error(`${tally.broken} grants were wrong: a token did not grow, or two had one lock`)
    rows.push(...rowsOf(part, measured))
  }
  return rows
}

function contenders(
  { fleet, leader, follower, etcd, redis }: LockStage,
  load: LockLoad,
  tally: { broken: number },
): Contender[] {
  const ours = (where: string, nodes: readonly number[], block = false): Contender => ({
    who: `ours, callers in ${where}${block ? ', await using' : ''}`,
    peer: null,
    durability: OURS,
    servers: fleet.workers.map(({ pid }) => pid),
    client: [],
    async run() {
      const answers = await Promise.all(
        nodes.map((node, i) => {
          const callers = Math.floor((load.callers + i) / nodes.length)
          return fleet.worker(node).call<LockAnswer>('locks', { ...load, callers, block }, CALL_MS_MAX)
        }),
      )
      for (const { broken } of answers) tally.broken += broken
      return together(answers)
    },
  })
  const spread = load.callers > load.locks ? [ours('all three nodes', [0, 1, 2])] : []
  const all = [
    ours('the leader', [leader]),
    ours('a follower', [follower]),
    ours('the leader', [leader], true),
    ...spread,
  ]
  if (etcd)
    all.push({
      who: `etcd ${etcd.version}, its Go client`,
      peer: 'etcd',
      durability: 'fsync on 2 of 3, plaintext',
      servers: etcd.serverPids,
      client: etcd.clientPids,
      run: () => etcd.ask({ op: 'lock', keys: load.locks, ...load }),
    })
  if (redis)
    all.push({
      who: `Redis ${redis.version}, one server`,
      peer: 'redis',
      durability: 'fsync on 1 of 1, no fence',
      servers: redis.pids,
      client: [process.pid],
      run: () => redis.locks(load),
    })
  return all
}

/** What several processes have done at the same time. */
function together(answers: readonly LoadAnswer[]): LoadAnswer {
  return {
    operations: answers.reduce((sum, { operations }) => sum + operations, 0),
    wallMs: Math.max(...answers.map(({ wallMs }) => wallMs)),
    buckets: answers.flatMap(({ buckets }) => buckets),
  }
}

function rowsOf({ what, times }: Part, measured: readonly Measured[]): Row[] {
  const peers = measured.filter(({ contender }) => contender.peer !== null)
  return measured.map((one): Row => {
    const own = one.contender.peer === null
    const etcd = peers.find(({ contender }) => contender.peer === 'etcd')
    const target: Target | null =
      own && etcd !== undefined && times !== null
        ? { text: `at least ${times}× etcd`, reached: one.perSecond >= times * etcd.perSecond }
        : null
    return measuredRow(one, { what, peers, target })
  })
}
