import type { CalledProcess } from '@cluster/testkit'
import { median } from '../../latency.ts'
import { LogFleet } from '../../log-fleet.ts'
import type { Etcd } from '../../peers/etcd.ts'
import { pause } from '../../ports.ts'
import type { Row, Target } from '../../report.ts'
import type { SuiteOptions } from '../../suite.ts'

const VOTERS = 3
const DURABILITY = 'fsync on 2 of 3'
/** Writes flow so long before the fault, and so long after it before the writer is asked for the longest gap since. */
const BEFORE_MS = 300
const AFTER_MS = 1_000
const PAUSED_MS = 4_000
const PAUSES = 3
const ETCD_KILLS = 5
const CALL_MS_MAX = 40_000

/** A leader that dies, hangs or goes, while a survivor writes without a pause. */
export async function failOver({ failOvers, progress }: SuiteOptions): Promise<Row[]> {
  const fleet = await LogFleet.start({ voters: VOTERS, learners: 0 })
  try {
    const gaps = async (
      what: string,
      times: number,
      fault: (leader: CalledProcess, position: number) => Promise<void>,
    ): Promise<number[]> => {
      const measured: number[] = []
      for (let i = 0; i < times; i++) {
        progress(`${what}: ${i + 1} of ${times}`)
        await fleet.settled(VOTERS)
        const { leader, follower } = await fleet.roles()
        const writer = fleet.worker(follower)
        await writer.call('startTicking')
        await pause(BEFORE_MS)
        await writer.call('forgetGap')
        await fault(fleet.worker(leader), leader)
        await pause(AFTER_MS)
        measured.push(await writer.call<number>('stopTicking', null, CALL_MS_MAX))
        if (fleet.worker(leader).dead) fleet.restart(leader)
        await fleet.worker(leader).call('ready', null, CALL_MS_MAX)
      }
      return measured
    }
    const killed = await gaps('leader killed −9', failOvers, (leader) => leader.kill())
    const stopped = await gaps('leader stopped', failOvers, (leader) => leader.stop())
    const paused = await gaps('leader paused', PAUSES, async (leader) => {
      leader.signal('SIGSTOP')
      await pause(PAUSED_MS)
      leader.signal('SIGCONT')
    })
    return [
      ...middleAndWorst('leader killed −9', killed, 150, 500),
      row('leader stopped cleanly: median gap between acknowledged appends', median(stopped), stopped, {
        text: 'under 50 ms',
        reached: median(stopped) < 50,
      }),
      row('leader paused by SIGSTOP: worst gap', Math.max(...paused), paused, {
        text: 'under 3,000 ms',
        reached: Math.max(...paused) < 3_000,
      }),
    ]
  } finally {
    await fleet.stop()
  }
}

function middleAndWorst(what: string, gaps: readonly number[], middle: number, worst: number): Row[] {
  return [
    row(`${what}: median gap between acknowledged appends`, median(gaps), gaps, {
      text: `under ${middle} ms`,
      reached: median(gaps) < middle,
    }),
    row(`${what}: worst gap`, Math.max(...gaps), gaps, {
      text: `under ${worst} ms`,
      reached: Math.max(...gaps) < worst,
    }),
  ]
}

function row(what: string, value: number, gaps: readonly number[], target: Target | null): Row {
  return {
    what,
    who: 'ours, writer in a follower',
    value,
    unit: 'ms',
    durability: DURABILITY,
    ...(target ? { target } : {}),
    note: `${gaps.length} times: ${[...gaps]
      .sort((a, b) => a - b)
      .map((gap) => Math.round(gap))
      .join(', ')}`,
  }
}

/** The same kill for etcd with its default timeouts; its writer asks one member after another. */
export async function etcdFailOver(etcd: Etcd, { progress }: SuiteOptions): Promise<Row> {
  const gaps: number[] = []
  for (let i = 0; i < ETCD_KILLS; i++) {
    progress(`etcd's leader killed −9: ${i + 1} of ${ETCD_KILLS}`)
    await etcd.ready()
    const leader = await etcd.leader()
    await etcd.ask({ op: 'tick' })
    await pause(BEFORE_MS)
    await etcd.killServer(leader)
    await pause(5 * AFTER_MS)
    gaps.push((await etcd.ask({ op: 'gap' })).gapMs)
    etcd.startServer(leader)
    await etcd.ready()
  }
  return {
    ...row('leader killed −9: median gap between acknowledged appends', median(gaps), gaps, null),
    who: `etcd ${etcd.version}, its defaults`,
  }
}
