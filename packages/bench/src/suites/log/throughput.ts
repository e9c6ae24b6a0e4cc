import type { LoadAnswer } from '../../closed-loop.ts'
import { type Contender, interleave, type Measured } from '../../interleave.ts'
import type { LogFleet } from '../../log-fleet.ts'
import { measuredRow } from '../../measured-row.ts'
import type { Etcd } from '../../peers/etcd.ts'
import type { Row, Target } from '../../report.ts'
import type { SuiteOptions } from '../../suite.ts'
import type { LogLoad } from '../../workers/log-worker-protocol.ts'

/** Everything that is measured, running at once, so that nobody has the machine to itself. */
export interface Stage {
  readonly inside: LogFleet
  /** Positions in `inside`. */
  readonly leader: number
  readonly follower: number
  readonly outside: LogFleet
  /** Position of the fourth process in `outside`: it learns, and its callers submit from there. */
  readonly client: number
  readonly etcd: Etcd | null
}

const BYTES = 100
const KEYS = 1_000
const OURS = 'fsync on 2 of 3, Noise'
const ETCDS = 'fsync on 2 of 3, plaintext'
const CALL_MS_MAX = 60_000

function contenders(
  { inside, leader, follower, outside, client, etcd }: Stage,
  kind: LogLoad['kind'],
  callers: number,
  { warmUpMs, measuredMs }: SuiteOptions,
): readonly Contender[] {
  const load: LogLoad = { kind, callers, warmUpMs, measuredMs, bytes: BYTES }
  const ours = (where: string, fleet: LogFleet, at: number, apart: boolean): Contender => ({
    who: `ours, callers in ${where}`,
    peer: null,
    durability: OURS,
    servers: fleet.pids.filter((_, i) => !apart || i !== at),
    client: apart ? [fleet.worker(at).pid] : [],
    run: () => fleet.worker(at).call<LoadAnswer>('load', load, CALL_MS_MAX),
  })
  const all = [
    ours('a fourth process', outside, client, true),
    ours('the leader', inside, leader, false),
    ours('a follower', inside, follower, false),
  ]
  if (!etcd) return all
  return [
    ...all,
    {
      who: `etcd ${etcd.version}, its Go client`,
      peer: 'etcd',
      durability: ETCDS,
      servers: etcd.serverPids,
      client: etcd.clientPids,
      run: () =>
        etcd.ask({
          op: kind === 'append' ? 'put' : 'get',
          callers,
          warmUpMs,
          measuredMs,
          bytes: BYTES,
          keys: KEYS,
        }),
    },
  ]
}

function rowsOf(
  what: string,
  measured: readonly Measured[],
  judge: (own: Measured, etcd: Measured) => Target | null,
): Row[] {
  const etcd = measured.find(({ contender }) => contender.peer === 'etcd')
  return measured.map((one): Row => {
    const compared = etcd !== undefined && one !== etcd
    const target = compared ? judge(one, etcd) : null
    return measuredRow(one, { what, peers: compared ? [etcd] : [], target })
  })
}

function atLeast(times: number): (own: Measured, etcd: Measured) => Target {
  return (own, etcd) => ({
    text: `at least ${times}× etcd`,
    reached: own.perSecond >= times * etcd.perSecond,
  })
}

/** Compilers that work while a program runs are done with theirs before anything counts. */
export async function warmUp(stage: Stage, options: SuiteOptions): Promise<void> {
  for (const kind of ['append', 'barrier'] as const) {
    for (const { who, run } of contenders(stage, kind, 256, { ...options, warmUpMs: 0 })) {
      options.progress(`warming up: ${who}`)
      await run()
    }
  }
}

/** Appends of 100 bytes, by the number of callers that wait for one each. */
export async function appends(stage: Stage, options: SuiteOptions): Promise<Row[]> {
  const judges = new Map([
    [1, (own: Measured, etcd: Measured) => ({ text: 'p50 not above etcd’s', reached: own.p50 <= etcd.p50 })],
    [64, atLeast(2)],
    [256, atLeast(3)],
  ])
  const rows: Row[] = []
  for (const callers of [1, 16, 64, 256]) {
    const what = `append ${BYTES} bytes, ${callers} ${callers === 1 ? 'caller' : 'callers'}`
    const measured = await interleave(
      contenders(stage, 'append', callers, options),
      options.runs,
      (who, run) => options.progress(`${what}: ${who}, run ${run + 1}`),
    )
    rows.push(...rowsOf(what, measured, judges.get(callers) ?? (() => null)))
  }
  return rows
}

/** Barriers, and etcd's linearizable gets. */
export async function reads(stage: Stage, options: SuiteOptions): Promise<Row[]> {
  // Something must be there to be read.
  await stage.etcd?.ask({ op: 'put', callers: 64, warmUpMs: 0, measuredMs: 500, bytes: BYTES })
  const rows: Row[] = []
  for (const callers of [1, 64]) {
    const what = `linearizable read, ${callers} ${callers === 1 ? 'caller' : 'callers'}`
    const measured = await interleave(
      contenders(stage, 'barrier', callers, options),
      options.runs,
      (who, run) => options.progress(`${what}: ${who}, run ${run + 1}`),
    )
    rows.push(...rowsOf(what, measured, callers === 64 ? atLeast(5) : () => null))
  }
  return rows
}
