import { LogFleet } from '../../log-fleet.ts'
import { residentBytes } from '../../processor.ts'
import type { Row } from '../../report.ts'
import type { SuiteOptions } from '../../suite.ts'
import type { LogLoad, TracedLoad } from '../../workers/log-worker-protocol.ts'

const VOTERS = 3
const MIB = 1024 * 1024
const COMMAND_BYTES = 4096
const NEVER = 1e15
const CALL_MS_MAX = 600_000
const DURABILITY = 'fsync on 2 of 3'
const CALLERS = 16
const SERVING_MS = 8_000

function size(bytes: number): string {
  return bytes >= 1024 * MIB ? `${(bytes / 1024 / MIB).toFixed(1)} GiB` : `${Math.round(bytes / MIB)} MiB`
}

/** Restart and memory with a long log, and what a snapshot costs those who write meanwhile. */
export async function longLog(options: SuiteOptions): Promise<Row[]> {
  return [...(await restart(options)), ...(await serving(options))]
}

async function restart({ logBytes, progress }: SuiteOptions): Promise<Row[]> {
  const fleet = await LogFleet.start({ voters: VOTERS, learners: 0, snapshotBytes: NEVER })
  try {
    const { leader, follower } = await fleet.roles()
    const again = async (): Promise<number> => {
      await fleet.worker(follower).kill()
      const startedAt = performance.now()
      await fleet.restart(follower).call('ready', null, CALL_MS_MAX)
      return performance.now() - startedAt
    }
    progress('restart with an empty log')
    const empty = await again()
    await fleet.settled(VOTERS)
    const before = await residentBytes(fleet.worker(leader).pid)
    progress(`filling ${size(logBytes)} of log`)
    const filledAt = performance.now()
    await fleet.worker(leader).call('fill', { bytes: logBytes, commandBytes: COMMAND_BYTES }, CALL_MS_MAX)
    const fillMs = performance.now() - filledAt
    await fleet.settled(VOTERS)
    const held = await residentBytes(fleet.worker(leader).pid)
    progress(`restart with ${size(logBytes)} of log`)
    const full = await again()
    const after = await residentBytes(fleet.worker(follower).pid)
    const about = { durability: DURABILITY, who: 'ours' }
    return [
      {
        what: `fill a log with ${size(logBytes)} in commands of 4 KiB`,
        value: logBytes / MIB / (fillMs / 1000),
        unit: 'MiB/s',
        note: '256 callers in the leader',
        ...about,
      },
      {
        what: `restart after kill −9 with ${size(logBytes)} of log, no snapshot`,
        value: full,
        unit: 'ms',
        note: `until it has applied all; ${Math.round(empty)} ms with an empty log`,
        ...about,
      },
      {
        what: `memory held with ${size(logBytes)} of log, no snapshot`,
        value: held / MIB,
        unit: 'MiB',
        note: `leader; ${Math.round(before / MIB)} before, ${Math.round(after / MIB)} in the restarted one`,
        ...about,
      },
    ]
  } finally {
    await fleet.stop()
  }
}

async function serving({ stateBytes, progress }: SuiteOptions): Promise<Row[]> {
  const snapshotBytes = 24 * MIB
  const fleet = await LogFleet.start({ voters: VOTERS, learners: 0, snapshotBytes, stateBytes })
  try {
    progress(`snapshots of ${size(stateBytes)} while serving`)
    const { follower } = await fleet.roles()
    const load: LogLoad = {
      kind: 'append',
      callers: CALLERS,
      warmUpMs: 1_000,
      measuredMs: SERVING_MS,
      bytes: COMMAND_BYTES,
    }
    const { operations } = await fleet.worker(follower).call<TracedLoad>('trace', load, CALL_MS_MAX)
    const each = await Promise.all(
      fleet.workers.map((worker) => worker.call<readonly (readonly [number, number])[]>('snapshots')),
    )
    const snapshots = each.flat()
    const during = ([from, to]: readonly [number, number]): boolean =>
      snapshots.some(([began, done]) => from <= done && to >= began)
    const p99 = (of: readonly (readonly [number, number])[]): number => {
      const sorted = of.map(([from, to]) => to - from).sort((a, b) => a - b)
      return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? Number.NaN
    }
    if (snapshots.length === 0)
      throw new Error('no snapshot was taken: the machine is too busy for this part')
    const busy = operations.filter(during)
    const quiet = operations.filter((operation) => !during(operation))
    const longest = Math.max(...snapshots.map(([began, done]) => done - began))
    const about = { durability: DURABILITY, who: 'ours' }
    return [
      {
        what: `snapshot of ${size(stateBytes)} of state, begun to saved`,
        value: longest,
        unit: 'ms',
        note: `longest of ${snapshots.length} on three nodes`,
        ...about,
      },
      {
        what: `append 4 KiB, ${CALLERS} callers, while a snapshot is taken`,
        value: p99(busy),
        unit: 'ms',
        note: `p99 of ${busy.length}; ${p99(quiet).toFixed(1)} ms of the other ${quiet.length}`,
        target: { text: 'p99 at most 3× the quiet one', reached: p99(busy) <= 3 * p99(quiet) },
        ...about,
      },
    ]
  } finally {
    await fleet.stop()
  }
}
