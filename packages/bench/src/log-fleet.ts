import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CalledProcess } from '@cluster/testkit'
import { freePorts, pause } from './ports.ts'
import type { LogWorkerOptions, LogWorkerStatus } from './workers/log-worker-protocol.ts'

const WORKER = fileURLToPath(new URL('./workers/log-worker.ts', import.meta.url))
const SETTLE_MS_MAX = 60_000

export interface LogFleetOptions extends Pick<LogWorkerOptions, 'snapshotBytes' | 'stateBytes'> {
  readonly voters: number
  /** Processes besides the voters; they learn. */
  readonly learners: number
  /** Node options for every process, `--cpu-prof` for instance. */
  readonly execArgv?: readonly string[]
}

/** Processes with the ordered log alone, on loopback, in a temporary folder. Voters come first. */
export class LogFleet {
  readonly workers: CalledProcess[] = []
  readonly #folder: string
  readonly #options: LogWorkerOptions[]
  readonly #fleet: LogFleetOptions

  private constructor(folder: string, options: LogWorkerOptions[], fleet: LogFleetOptions) {
    this.#folder = folder
    this.#options = options
    this.#fleet = fleet
  }

  /** Resolves when all have their roles. */
  static async start(fleet: LogFleetOptions): Promise<LogFleet> {
    const { voters, learners, snapshotBytes, stateBytes } = fleet
    const folder = await mkdtemp(join(tmpdir(), 'cluster-bench-'))
    const ports = await freePorts(voters + learners)
    const addresses = ports.map((port) => `127.0.0.1:${port}`)
    const options = addresses.map((listen, i) => ({
      data: join(folder, String(i)),
      listen,
      seeds: addresses.filter((address) => address !== listen),
      ...(i < voters ? { expect: voters } : {}),
      maxVoters: voters,
      ...(snapshotBytes === undefined ? {} : { snapshotBytes }),
      ...(stateBytes === undefined ? {} : { stateBytes }),
    }))
    const self = new LogFleet(folder, options, fleet)
    try {
      for (let i = 0; i < voters; i++) self.restart(i)
      await self.settled(voters)
      for (let i = voters; i < voters + learners; i++) self.restart(i)
      await self.settled(voters, learners)
    } catch (error) {
      await self.stop()
      throw error
    }
    return self
  }

  worker(i: number): CalledProcess {
    const worker = this.workers[i]
    if (!worker) throw new RangeError(`no worker ${i}`)
    return worker
  }

  get pids(): readonly number[] {
    return this.workers.map(({ pid }) => pid)
  }

  /** Starts one, again with its data if it ran before. */
  restart(i: number, change: Partial<LogWorkerOptions> = {}): CalledProcess {
    const args = [
      '--conditions=source',
      '--disable-warning=ExperimentalWarning',
      ...(this.#fleet.execArgv ?? []),
      WORKER,
      JSON.stringify({ ...this.#options[i], ...change }),
    ]
    const worker = new CalledProcess(`log ${i + 1}`, { program: process.execPath, args }, () => {})
    this.workers[i] = worker
    return worker
  }

  /** Polls the living until all agree on one leader and on who votes, and have applied the same. */
  async settled(voters: number, learners = 0): Promise<readonly LogWorkerStatus[]> {
    const deadline = performance.now() + SETTLE_MS_MAX
    for (;;) {
      const living = this.workers.filter((worker) => !worker.dead)
      const statuses = await Promise.all(
        living.map((worker) => worker.call<LogWorkerStatus>('status', null, SETTLE_MS_MAX)),
      )
      const [first] = statuses
      const agreed = statuses.every(
        (status) =>
          status.voters === voters &&
          status.learners === learners &&
          status.leader !== null &&
          status.leader === first?.leader &&
          status.applied === first.applied,
      )
      if (agreed) return statuses
      if (performance.now() > deadline)
        throw new Error(`the nodes did not settle: ${JSON.stringify(statuses)}`)
      await pause(20)
    }
  }

  /** Positions of the leader and of a follower. */
  async roles(): Promise<{ readonly leader: number; readonly follower: number }> {
    const statuses = await Promise.all(
      this.workers.map((worker) => worker.call<LogWorkerStatus>('status', null, SETTLE_MS_MAX)),
    )
    const leader = statuses.findIndex(({ role }) => role === 'leader')
    const follower = statuses.findIndex(({ role }) => role === 'follower')
    if (leader < 0 || follower < 0) throw new Error(`no leader: ${JSON.stringify(statuses)}`)
    return { leader, follower }
  }

  async stop(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.stop()))
    await rm(this.#folder, { recursive: true, force: true })
  }
}
