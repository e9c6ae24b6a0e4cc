import {
  CLUSTER_VERSION,
  type Discovery,
  dataMembers,
  hash32,
  InvariantError,
  type NodeId,
  type OrderedLog,
  type Peers,
  silentLogger,
  VERSION_OF,
} from '@cluster/core'
import { type OrderedLogOptions, orderedLog } from '@cluster/db-serializer'
import { peers, staticDiscovery } from '@cluster/p2p'
import {
  decodeOutput,
  encodeCommand,
  type Load,
  MET,
  type Named,
  type NamedInput,
  type NodePorts,
  type RegisterCommand,
  RegisterMachine,
  type RegistersOutput,
  registerLoad,
} from '@cluster/testkit'
import { LAST_STANDING_MS } from './profile.ts'
import type { Suite, SuiteContext } from './suite.ts'

export interface LogApp {
  readonly peers: Peers
  readonly log: OrderedLog
  readonly machines: readonly RegisterMachine[]
}

/** The registers of a group are spread over these, so that an operation on several of them is a bundle. */
const MACHINES = ['registers', 'twins'] as const
const DEADLINE = { deadlineMs: 3_000 } as const
/** Before bundles. */
const OLD_VERSION = VERSION_OF.bundles - 1

/** Snapshots are taken often and little is kept behind them, so that nodes that were down need them. */
const shortLog = { snapshotEntries: 120, tailEntries: 30 } as const

/** What the program of this life of a node supports: those of the first nodes are old, where there are upgrades. */
function supportsOf({ upgrades }: SuiteContext['profile'], start: number, first: boolean): number {
  return upgrades && first && start === 1 ? OLD_VERSION : CLUSTER_VERSION
}

/** A machine of a program that knows no bundles: one that reaches it is a bug. */
class OldRegisters extends RegisterMachine {
  override readonly bundles = {
    check: () => neverBundled(),
    begin: () => neverBundled(),
    commit: () => neverBundled(),
    rollback: () => neverBundled(),
  }
}

function neverBundled(): never {
  throw new InvariantError('a bundle reached a program that knows none')
}

/** How the log is set in this world, for one life of a node. */
export function logOptionsOf(
  { profile, names }: SuiteContext,
  self: NodeId,
  start: number,
): OrderedLogOptions {
  // Whoever gets a new disk or joins later must not take itself for the first of all.
  const expects = profile.expectAll || start > 1 || !names.includes(self)
  return {
    ...shortLog,
    maxVoters: profile.votersMax,
    leaseMs: profile.leaseMs,
    quorum: profile.quorum,
    lastStandingMs: LAST_STANDING_MS,
    supports: supportsOf(profile, start, names.includes(self)),
    ...(profile.entryBytesMax !== null && { entryBytesMax: profile.entryBytesMax }),
    ...(expects && { expect: names.length }),
  }
}

/** Every node is told where the first ones listen, and those that came before it. */
export function discoveriesOf({ world, names }: SuiteContext, self: NodeId): readonly Discovery[] {
  const known = [...names]
  for (let i = names.length + 1; i <= Number(self.slice(1)); i++) known.push(`n${i}`)
  return [staticDiscovery(known.map((name) => world.network.addressOf(name)))]
}

/** Peers and log of one life of a node, not started. */
function composeLog(
  { self, start, clock, random, disk, transport, logger }: NodePorts,
  context: SuiteContext,
  witness = false,
): { peers: Peers; log: OrderedLog } {
  const discoveries = discoveriesOf(context, self)
  const p2p = peers({ start })({ transport, discoveries, clock, random, logger: silentLogger })
  const giveUpHistory = context.givesUp.delete(self)
  const log = orderedLog({ ...logOptionsOf(context, self, start), giveUpHistory, witness })({
    peers: p2p,
    disk: disk.folder('log'),
    clock,
    random,
    logger,
  })
  context.safety.watch({ peers: p2p, log })
  return { peers: p2p, log }
}

/** Same answer for all, or what differs. */
export function agree<T>(values: ReadonlyMap<NodeId, T>): boolean {
  return new Set(values.values()).size <= 1
}

/** Why the logs of the nodes are not at rest, or null. */
export function logsUnsettled(
  logs: ReadonlyMap<NodeId, OrderedLog>,
  { profile }: SuiteContext,
): string | null {
  const groups = [...logs].map(([id, log]) => [id, log.group()] as const)
  const show = (pick: (group: (typeof groups)[number][1]) => unknown): string =>
    groups.map(([id, group]) => `${id}: ${String(pick(group))}`).join(', ')
  const same = (pick: (group: (typeof groups)[number][1]) => unknown): boolean =>
    new Set(groups.map(([, group]) => String(pick(group)))).size === 1
  if (groups.some(([, { leader }]) => leader === null) || !same(({ leader }) => leader))
    return `no common leader (${show(({ leader }) => leader)})`
  const leader = groups[0]?.[1].leader
  if (leader && !logs.has(leader)) return `${leader} leads, and is gone`
  const members = ({ voters, learners }: (typeof groups)[number][1]): string => `${voters}|${learners}`
  if (!same(members)) return `different members (${show(members)})`
  const all = groups[0]?.[1]
  const data = all ? dataMembers(all) : []
  const gone = data.filter((member) => !logs.has(member))
  if (gone.length > 0) return `${gone} are members still, and are gone`
  if (all && data.length < logs.size) return `not all are members (${show(members)})`
  if (all && data.filter((node) => all.voters.includes(node)).length < Math.min(profile.votersMax, logs.size))
    return `too few voters (${show(members)})`
  const even = data.length % 2 === 0 && data.length < profile.votersMax
  const votes = all?.witnesses.some((node) => all.voters.includes(node)) ?? false
  if (profile.witness && votes !== even) return `the witness ${votes ? 'votes' : 'does not vote'}`
  if (profile.upgrades && all?.version !== CLUSTER_VERSION)
    return `the cluster is at version ${all?.version} still`
  if (!same(({ appliedIndex }) => appliedIndex)) return `different indexes (${show((g) => g.appliedIndex)})`
  return null
}

const machineOf = (register: string): number => (register.charCodeAt(0) - 97) % MACHINES.length

function only<T>(of: Readonly<Record<string, T>>, machine: number): Record<string, T> {
  return Object.fromEntries(Object.entries(of).filter(([register]) => machineOf(register) === machine))
}

/** What of an operation is for one machine. */
function partFor(input: NamedInput, machine: number): RegisterCommand {
  const { name, group, reads, writes, onlyIf } = input
  return {
    name,
    group,
    reads: reads.filter((register) => machineOf(register) === machine),
    writes: only(writes, machine),
    ...(onlyIf && { onlyIf: only(onlyIf, machine) }),
  }
}

function touches({ reads, writes, onlyIf = {} }: RegisterCommand): boolean {
  return reads.length > 0 || Object.keys(writes).length > 0 || Object.keys(onlyIf).length > 0
}

/** Commands of one bundle; those of one machine may be two, of which the second must see what the first wrote. */
function commandsFor(part: RegisterCommand, doubled: boolean): readonly RegisterCommand[] {
  const { name, group, writes } = part
  const { onlyIf: _, ...rest } = part
  const registers = Object.keys(writes)
  if (!doubled || registers.length === 0) return [{ ...part, strict: true, shared: true }]
  const draft = Object.fromEntries(registers.map((register) => [register, `draft of ${name}`]))
  return [
    { ...part, strict: true, quiet: true, writes: draft },
    { ...rest, strict: true, shared: true, reads: [], group, onlyIf: draft },
  ]
}

async function performBundle({ log }: LogApp, input: NamedInput, luck: number): Promise<RegistersOutput> {
  const parts = MACHINES.map((machine, i) => ({ machine, part: partFor(input, i) })).filter(({ part }) =>
    touches(part),
  )
  const asked = luck % 2 === 0 && input.onlyIf !== undefined
  const commands = parts.flatMap(({ machine, part }) => {
    const { onlyIf, ...free } = part
    const unmet = onlyIf && !asked ? { ...free, onlyIf } : free
    return commandsFor(unmet, luck % 3 === 0).map((command) => ({
      machine,
      command: encodeCommand({ ...command, shared: command.shared === true && parts.length > 1 }),
    }))
  })
  const requires = parts.flatMap(({ machine, part: { group, onlyIf } }) =>
    asked && onlyIf && Object.keys(onlyIf).length > 0
      ? [{ machine, condition: encodeCommand({ group, onlyIf }) }]
      : [],
  )
  const { adopted, results } = await log.submitBundle({ commands, requires }, submitOptions(input))
  if (!adopted) return { [MET]: 'no' }
  return Object.assign({ [MET]: 'yes' }, ...results.map(decodeOutput))
}

function submitOptions({ name, insists }: NamedInput): { deadlineMs: number; idempotencyKey?: string } {
  return { ...DEADLINE, ...(insists === true && { idempotencyKey: name }) }
}

async function perform(app: LogApp, input: NamedInput, { safety }: SuiteContext): Promise<RegistersOutput> {
  const { log, machines } = app
  if (Object.keys(input.writes).length === 0) {
    const index = await log.barrier(DEADLINE)
    await log.applied(index, DEADLINE)
    return Object.assign(
      {},
      ...machines.map((machine, i) => machine.read(input.group, partFor(input, i).reads)),
    )
  }
  const parts = MACHINES.map((_, i) => partFor(input, i))
  const luck = hash32(input.name)
  const [alone, ...others] = parts.flatMap((part, i) => (touches(part) ? [{ part, i }] : []))
  if (alone !== undefined && others.length === 0 && luck % 4 !== 0) {
    const command = encodeCommand(alone.part)
    const { result } = await log.submit(MACHINES[alone.i] ?? '', command, submitOptions(input))
    return decodeOutput(result)
  }
  const output = await performBundle(app, input, luck >>> 4)
  if (output[MET] === 'yes') safety.happenings.bundles++
  else safety.happenings.bundlesRefused++
  return output
}

const text = new TextDecoder()

/** Registers through state machines on the ordered log: reads by barrier, writes by submission, several as bundles. */
export const serializerSuite: Suite<LogApp> = {
  name: 'serializer',
  program: (context) => ({
    async start(ports: NodePorts): Promise<LogApp> {
      const { peers: p2p, log } = composeLog(ports, context)
      const parts = context.profile.quorum === 'last-standing'
      const history = (): string => (parts ? (log.group().lineage ?? '') : '')
      const first = context.names.includes(ports.self)
      const old = supportsOf(context.profile, ports.start, first) < VERSION_OF.bundles
      const Registers = old ? OldRegisters : RegisterMachine
      const machines = MACHINES.map(
        (name) => new Registers(name, context.safety.follow(ports.self, name, history)),
      )
      for (const machine of machines) log.attach(machine)
      await p2p.start()
      await log.start()
      return { peers: p2p, log, machines }
    },
    async stop({ peers: p2p, log }: LogApp, reason): Promise<void> {
      await log.stop(reason)
      await p2p.stop(reason)
    },
  }),
  witness: (context) => ({
    async start(ports: NodePorts): Promise<{ peers: Peers; log: OrderedLog }> {
      const { peers: p2p, log } = composeLog(ports, context, true)
      await p2p.start()
      await log.start()
      return { peers: p2p, log }
    },
    async stop(
      { peers: p2p, log }: { peers: Peers; log: OrderedLog },
      reason: 'away' | 'left',
    ): Promise<void> {
      await log.stop(reason)
      await p2p.stop(reason)
    },
  }),
  load: (context) =>
    registerLoad<LogApp>({
      groups: 6,
      registersPerGroup: MACHINES.length,
      insists: 0.6,
      perform: (app, input) => perform(app, input, context),
    }) as unknown as Load<LogApp, Named, unknown>,
  prepare: async () => {},
  log: ({ log }) => log,
  unsettled: (apps, context) => logsUnsettled(new Map([...apps].map(([id, { log }]) => [id, log])), context),
  journal: async ({ machines }) => {
    const [first, ...others] = machines.map((machine) => [machine.journal, new Set(machine.shared)] as const)
    const shared = first?.[1] ?? new Set()
    // What a bundle brought to both counts once; were it only on one, the audit says so.
    return [
      ...(first?.[0] ?? []),
      ...others.flatMap(([journal]) => journal.filter((name) => !shared.has(name))),
    ]
  },
  compare(apps) {
    const states = new Map(
      [...apps].map(([id, { machines }]) => [
        id,
        machines.map((machine) => text.decode(machine.snapshot())).join('\n'),
      ]),
    )
    return agree(states) ? null : [...states].map(([id, state]) => `${id}: ${state.slice(-200)}`).join('\n')
  },
  /** Bundles are all or nothing. */
  async audit(apps) {
    for (const [id, { machines }] of apps) {
      const [some = [], others = []] = machines.map((machine) => machine.shared)
      const there = new Set(others)
      const half = some.filter((name) => !there.delete(name)).concat(...there)
      if (half.length > 0) return `${id} applied half of the bundles ${half.slice(0, 5).join(', ')}`
    }
    return null
  },
}
