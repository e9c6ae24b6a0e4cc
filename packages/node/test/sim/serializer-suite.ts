import { type Discovery, type NodeId, type OrderedLog, type Peers, silentLogger } from '@cluster/core'
import { orderedLog } from '@cluster/db-serializer'
import { peers, staticDiscovery } from '@cluster/p2p'
import {
  decodeOutput,
  encodeCommand,
  type NamedInput,
  type NodePorts,
  RegisterMachine,
  type RegistersOutput,
} from '@cluster/testkit'
import type { Suite, SuiteContext } from './run.ts'

export interface LogApp {
  readonly peers: Peers
  readonly log: OrderedLog
  readonly machine: RegisterMachine
}

/** Snapshots are taken often and little is kept behind them, so that nodes that were down need them. */
export const shortLog = { snapshotEntries: 120, tailEntries: 30 } as const

/** Every node is told where all of them listen. */
export const discoveriesOf = ({ world, names }: SuiteContext): readonly Discovery[] => [
  staticDiscovery(names.map((name) => world.network.addressOf(name))),
]

/** Peers and log of one life of a node, not started. */
function composeLog(
  { start, clock, random, disk, transport, logger }: NodePorts,
  context: SuiteContext,
): { peers: Peers; log: OrderedLog } {
  const { safety, names, expectAll } = context
  const discoveries = discoveriesOf(context)
  const p2p = peers({ start })({ transport, discoveries, clock, random, logger: silentLogger })
  // Whoever gets a new disk later must not take itself for the first of all.
  const expects = expectAll || start > 1
  const log = orderedLog({ ...shortLog, ...(expects && { expect: names.length }) })({
    peers: p2p,
    disk: disk.folder('log'),
    clock,
    random,
    logger,
  })
  safety.watch({ peers: p2p, log })
  return { peers: p2p, log }
}

/** Same answer for all, or what differs. */
export function agree<T>(values: ReadonlyMap<NodeId, T>): boolean {
  return new Set(values.values()).size <= 1
}

/** Why the logs of the nodes are not at rest, or null. */
export function logsUnsettled(logs: ReadonlyMap<NodeId, OrderedLog>): string | null {
  const groups = [...logs].map(([id, log]) => [id, log.group()] as const)
  const show = (pick: (group: (typeof groups)[number][1]) => unknown): string =>
    groups.map(([id, group]) => `${id}: ${String(pick(group))}`).join(', ')
  const same = (pick: (group: (typeof groups)[number][1]) => unknown): boolean =>
    new Set(groups.map(([, group]) => String(pick(group)))).size === 1
  if (groups.some(([, { leader }]) => leader === null) || !same(({ leader }) => leader))
    return `no common leader (${show(({ leader }) => leader)})`
  const members = ({ voters, learners }: (typeof groups)[number][1]): string => `${voters}|${learners}`
  if (!same(members)) return `different members (${show(members)})`
  const all = groups[0]?.[1]
  if (all && all.voters.length + all.learners.length < logs.size)
    return `not all are members (${show(members)})`
  if (all && all.voters.length < Math.min(5, logs.size)) return `too few voters (${show(members)})`
  if (!same(({ appliedIndex }) => appliedIndex)) return `different indexes (${show((g) => g.appliedIndex)})`
  return null
}

const text = new TextDecoder()

/** Registers through a state machine on the ordered log: reads by barrier, writes by submission. */
export const serializerSuite: Suite<LogApp> = {
  name: 'serializer',
  losesDisks: true,
  program: (context) => ({
    async start(ports: NodePorts): Promise<LogApp> {
      const { peers: p2p, log } = composeLog(ports, context)
      const machine = new RegisterMachine('registers', (entry) => context.safety.applied(ports.self, entry))
      log.attach(machine)
      await p2p.start()
      await log.start()
      return { peers: p2p, log, machine }
    },
    async stop({ peers: p2p, log }: LogApp): Promise<void> {
      await log.stop('away')
      await p2p.stop('away')
    },
  }),
  prepare: async () => {},
  log: ({ log }) => log,
  async perform({ log, machine }: LogApp, input: NamedInput): Promise<RegistersOutput> {
    if (Object.keys(input.writes).length === 0) {
      const index = await log.barrier({ deadlineMs: 3_000 })
      await log.applied(index, { deadlineMs: 3_000 })
      return machine.read(input.group, input.reads)
    }
    const { result } = await log.submit('registers', encodeCommand(input), { deadlineMs: 3_000 })
    return decodeOutput(result)
  },
  unsettled: (apps) => logsUnsettled(new Map([...apps].map(([id, { log }]) => [id, log]))),
  journal: async ({ machine }) => machine.journal,
  compare(apps) {
    const states = new Map([...apps].map(([id, { machine }]) => [id, text.decode(machine.snapshot())]))
    return agree(states) ? null : [...states].map(([id, state]) => `${id}: ${state.slice(-200)}`).join('\n')
  },
}
