import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger, OrderedLog } from '@cluster/core'
import { orderedLog } from '@cluster/db-serializer'
import { nodeClock, nodeDisk, nodeRandom, parseAddresses } from '@cluster/node'
import { peers, staticDiscovery } from '@cluster/p2p'
import { answerCalls } from '@cluster/testkit'
import { libp2pTransport, newIdentity } from '@cluster/transport'
import { type Caller, closedLoop, type LoadAnswer } from '../closed-loop.ts'
import type {
  Acknowledged,
  LogLoad,
  LogWorkerOptions,
  LogWorkerStatus,
  TracedLoad,
} from './log-worker-protocol.ts'
import { Register } from './register.ts'

/** A node of the ordered log alone, in a process of its own, with submitters inside it. */
const options = JSON.parse(process.argv[2] ?? '{}') as LogWorkerOptions
const debug = process.env.BENCH_LOG !== undefined
const wallNow = (): number => performance.timeOrigin + performance.now()
const register = new Register(options.stateBytes ?? 0, wallNow)
/** Begin and end of each snapshot taken here. */
const snapshots: (readonly [number, number])[] = []
const { log, stop } = await compose()
let ticking: { readonly state: Ticking; readonly done: Promise<void> } | null = null
let installed = 0
log.on('snapshotInstalled', () => installed++)
/** Numbers acknowledged, by submitter; a submitter is a loop of one load of one process. */
const acknowledged = new Map<number, number>()

/** Who this process is, and how often it was started: kept in its folder. */
async function identity(): Promise<{ readonly key: Uint8Array; readonly start: number }> {
  const path = join(options.data, 'node.json')
  await mkdir(options.data, { recursive: true })
  let known: { key: string; start: number } | null = null
  try {
    known = JSON.parse(await readFile(path, 'utf8')) as { key: string; start: number }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const key = known?.key ?? Buffer.from((await newIdentity()).privateKey).toString('base64')
  const start = (known?.start ?? 0) + 1
  await writeFile(`${path}.new`, JSON.stringify({ key, start }))
  await rename(`${path}.new`, path)
  return { key: Buffer.from(key, 'base64'), start }
}

async function compose(): Promise<{ readonly log: OrderedLog; stop(): Promise<void> }> {
  const { key, start } = await identity()
  const logger: Logger = {
    log: (level, event, fields) => {
      if (event === 'snapshot saved') snapshots.push([register.snapshotAt, wallNow()])
      if (debug || level === 'error') console.error(`${options.listen} ${level} ${event}`, fields ?? '')
    },
    child: () => logger,
  }
  const platform = { clock: nodeClock, random: nodeRandom, logger }
  const address = (text: string): ReturnType<typeof parseAddresses> => parseAddresses(text, 'listen', null)
  const transport = libp2pTransport({
    identity: key,
    name: 'bench',
    start,
    listen: address(options.listen),
  })(platform)
  const p2p = peers({ start })({
    transport,
    discoveries: [staticDiscovery(options.seeds.flatMap(address))],
    ...platform,
  })
  const node = orderedLog({
    maxVoters: options.maxVoters,
    ...(options.expect === undefined ? {} : { expect: options.expect }),
    ...(options.snapshotBytes === undefined
      ? {}
      : { snapshotBytes: options.snapshotBytes, snapshotEntries: 1_000_000_000 }),
  })({ peers: p2p, disk: nodeDisk(options.data).folder('log'), ...platform })
  node.attach(register)
  await node.start()
  await p2p.start()
  return {
    log: node,
    async stop() {
      await node.stop('away')
      await p2p.stop('away')
    },
  }
}

/** The next free number of a submitter; it is unique for this process's incarnation. */
let nextSubmitter = 1 + (process.pid % 30_000) * 2_000

async function load(
  { kind, bytes, ...loop }: LogLoad,
  note?: (from: number, to: number) => void,
): Promise<LoadAnswer> {
  if (kind === 'barrier')
    return closedLoop(
      loop,
      () => async () => {
        await log.barrier()
        return 1
      },
      note,
    )
  const counts = new Map<number, number>()
  const submitting = (): Caller => {
    const submitter = nextSubmitter++
    let number = 0
    return async () => {
      await log.submit(register.name, Register.command(submitter, number + 1, bytes))
      counts.set(submitter, ++number)
      return 1
    }
  }
  const answer = await closedLoop(loop, submitting, note)
  for (const [submitter, count] of counts) acknowledged.set(submitter, count)
  return answer
}

interface Ticking {
  stop: boolean
  /** The longest time between two acknowledgements. */
  gapMs: number
}

/** Writes without a pause. */
async function tick(state: Ticking): Promise<void> {
  const submitter = nextSubmitter++
  let number = 0
  let last = performance.now()
  while (!state.stop) {
    await log.submit(register.name, Register.command(submitter, number + 1, 100), { deadlineMs: 30_000 })
    number++
    const now = performance.now()
    state.gapMs = Math.max(state.gapMs, now - last)
    last = now
  }
  acknowledged.set(submitter, number)
}

answerCalls({
  ready: () => log.ready(),
  async status(): Promise<LogWorkerStatus> {
    const { role, leader, voters, learners, appliedIndex } = log.group()
    return {
      id: log.self,
      role,
      leader,
      voters: voters.length,
      learners: learners.length,
      applied: appliedIndex,
      installed,
    }
  },
  load: (wanted: LogLoad) => load(wanted),
  async trace(wanted: LogLoad): Promise<TracedLoad> {
    const operations: (readonly [number, number])[] = []
    const origin = performance.timeOrigin
    await load(wanted, (from, to) => operations.push([origin + from, origin + to]))
    return { operations }
  },
  snapshots: async () => snapshots,
  async startTicking() {
    const state: Ticking = { stop: false, gapMs: 0 }
    ticking = { state, done: tick(state) }
  },
  /** What was slow before does not count any more; the time since the newest acknowledgement does. */
  async forgetGap() {
    if (ticking !== null) ticking.state.gapMs = 0
  },
  async stopTicking() {
    if (ticking === null) throw new Error('nothing ticks')
    ticking.state.stop = true
    await ticking.done
    return ticking.state.gapMs
  },
  /** Appends so many bytes of commands, as fast as it goes. */
  async fill({ bytes, commandBytes }: { readonly bytes: number; readonly commandBytes: number }) {
    let left = Math.ceil(bytes / commandBytes)
    const caller = async (): Promise<void> => {
      const submitter = nextSubmitter++
      let number = 0
      while (left-- > 0) {
        await log.submit(register.name, Register.command(submitter, number + 1, commandBytes))
        number++
      }
      if (number > 0) acknowledged.set(submitter, number)
    }
    await Promise.all(Array.from({ length: 256 }, caller))
  },
  acknowledged: async (): Promise<Acknowledged> => [...acknowledged],
  /** How many of these are in the state here, after a barrier. */
  async held(wanted: Acknowledged): Promise<number> {
    await log.applied(await log.barrier())
    return wanted.reduce((sum, [submitter, count]) => sum + register.held(submitter, count), 0)
  },
  stop,
})
