import { chance } from '@cluster/core'
import {
  Clients,
  defaultNemesis,
  type FaultWeights,
  Nemesis,
  type NemesisOptions,
  type SimDisk,
  type SimNode,
  type SimRandom,
  World,
} from '@cluster/testkit'
import { judge } from './judge.ts'
import { partWays } from './parting.ts'
import { decline, form, heal, launch } from './phases.ts'
import { drawProfile, type Profile } from './profile.ts'
import type { Happenings, SeedReport } from './report.ts'
import { SafetyWatch } from './safety.ts'
import { isWhole, Problem, textOf } from './stage.ts'
import type { Stage, Suite, SuiteContext } from './suite.ts'

export interface RunOptions {
  /** Virtual time under faults at least; goes on until enough operations were done, at most three times as long. */
  readonly stormMs?: number
  readonly operationsMin?: number
  readonly nemesis?: NemesisOptions
  readonly nodes?: number
  /** Lines of the trace in the report of a failed seed. */
  readonly tailLines?: number
  /** The trace in the report has the frames too. */
  readonly frames?: boolean
}

/** What the ordered log keeps. The files of storage engines are not looked at before they are needed. */
const LOG_FILES = /^log\/[^/]*$/

/** A witness often is the only one that two halves reach. */
const WITNESS_BRIDGE = 5

/** What befalls a witness, besides what befalls all. */
const WITNESS_STORM: FaultWeights = {
  kill: 2,
  power: 3,
  stop: 1,
  isolate: 2,
  slowDisk: 2,
  fullDisk: 1,
  rot: 1,
  newDisk: 1,
}

/** So many new nodes join in one world at most. */
const NEWCOMERS_MAX = 4

/** Plays one seed: forms a cluster, lets the storm rage over busy clients, heals, and judges what is left. */
export async function runSeed<App>(
  suite: Suite<App>,
  seed: number,
  {
    stormMs = 60_000,
    operationsMin = 500,
    nemesis: nemesisOptions = defaultNemesis,
    nodes,
    tailLines = 60,
    frames = false,
  }: RunOptions = {},
): Promise<SeedReport> {
  const world = new World({ seed: `${suite.name} ${seed}`, traceLinesMax: 4_000 })
  const profile = drawProfile(suite.name, world.random.fork('profile'), nodes)
  const names = Array.from({ length: profile.nodes }, (_, i) => `n${i + 1}`)
  const safety = new SafetyWatch(world)
  const context: SuiteContext = {
    world,
    safety,
    profile,
    names,
    strike: (kind, node, delayMs) => nemesis.strike(kind, node, delayMs),
    givesUp: new Set(),
  }
  const troupe = new Troupe(context, suite)
  const { cluster } = troupe
  const witness = profile.witness && suite.witness ? world.node('w1', suite.witness(context)) : null
  const clients = new Clients<App>(world, cluster, {
    clients: 8,
    thinkMs: [20, 600],
    load: suite.load(context),
  })
  const stage: Stage<App> = { world, suite, context, clients, cluster, witness }
  const nemesis = new Nemesis(world, cluster, () => safety.leader, {
    ...nemesisOptions,
    downMax: cluster.length === 2 ? 1 : Math.floor((Math.min(5, cluster.length) - 1) / 2),
    weights: { ...nemesisOptions.weights, ...(witness && { bridge: WITNESS_BRIDGE }), ...profile.without },
    ...(witness && { between: witness }),
    rates: profile.rates,
    mayLoseDisk: () => profile.losesDisks && isWhole(stage),
    rots: LOG_FILES,
    mayLeave: () => profile.churns && isWhole(stage),
    replace: (left) => troupe.replace(stage, left),
  })
  const bane =
    witness &&
    new Nemesis(world, [witness], () => null, {
      ...nemesisOptions,
      label: 'bane of the witness',
      pauseMs: [3_000, 15_000],
      downMax: 1,
      weights: WITNESS_STORM,
      rots: LOG_FILES,
      mayLoseDisk: () => isWhole(stage),
    })
  let problem: string | null = null
  let tooLittle: string | null = null
  try {
    if (witness) world.schedule(0, () => void witness.start().catch((error: unknown) => world.fail(error)))
    await form(stage)
    clients.start()
    nemesis.start()
    bane?.start()
    tooLittle = await rage(stage, stormMs, operationsMin)
    nemesis.stop()
    bane?.stop()
    if (profile.quorum === 'last-standing') await partWays(stage)
    else {
      await heal(stage)
      await judge(stage, cluster)
    }
    if (profile.declines) {
      await decline(stage)
      safety.happenings.declines++
      await heal(stage)
      await judge(stage, cluster)
    }
    if (profile.losesTooMuch) {
      await suite.loseTooMuch?.(stage)
      safety.happenings.lossesBeyond++
    }
  } catch (error) {
    problem = error instanceof Problem ? error.message : textOf(error)
  }
  return {
    suite: suite.name,
    seed,
    problem,
    tooLittle,
    hash: world.trace.hash,
    nodes: profile.nodes,
    virtualMs: Math.round(world.now),
    events: world.events,
    operations: clients.recorder.counts,
    errors: clients.recorder.errors,
    faults: nemesis.counts,
    happenings: { ...safety.happenings, ...counted(stage, troupe.all) },
    tail: problem === null ? [] : world.trace.tail(tailLines, { frames }),
  }
}

/**
 * Lets the storm rage, for long enough that enough is done in it.
 * @returns why the seed does not count, or null
 */
async function rage<App>(
  { world, clients, context }: Stage<App>,
  stormMs: number,
  operationsMin: number,
): Promise<string | null> {
  // Two whose histories have parted take no more writes.
  const parted = (): boolean => context.safety.happenings.forks > 0
  for (let rounds = 0; rounds < 3; rounds++) {
    if (await world.until(parted, rounds === 0 ? stormMs : stormMs / 2))
      return 'the histories of two nodes parted in the storm'
    const { called, acknowledged } = clients.recorder.counts
    if (called >= operationsMin && acknowledged >= called / 2) return null
  }
  const { called, acknowledged } = clients.recorder.counts
  return `only ${called} operations in the storm, ${acknowledged} of them acknowledged`
}

/** Those on the stage: nodes that come and go. */
class Troupe<App> {
  /** Those that are in the cluster now. */
  readonly cluster: SimNode<App>[]
  /** Those that left for good, too. */
  readonly all: SimNode<App>[] = []
  readonly #context: SuiteContext
  readonly #suite: Suite<App>
  readonly #clocks: SimRandom
  readonly #replacing: SimRandom
  #newcomers = 0

  constructor(context: SuiteContext, suite: Suite<App>) {
    this.#context = context
    this.#suite = suite
    this.#clocks = context.world.random.fork('clocks')
    this.#replacing = context.world.random.fork('replacing')
    this.cluster = context.names.map((name) => this.#make(name))
  }

  /** In the place of one that left for good another one joins, or the same once more. */
  replace(stage: Stage<App>, left: SimNode<unknown>): void {
    const at = this.cluster.findIndex((node) => node.id === left.id)
    const leaver = this.cluster[at]
    if (leaver === undefined || leaver.running) return
    if (this.#newcomers === NEWCOMERS_MAX || chance(this.#replacing, 0.3)) {
      launch(stage, leaver)
      return
    }
    this.#newcomers++
    const newcomer = this.#make(`n${this.#context.names.length + this.#newcomers}`)
    this.cluster[at] = newcomer
    this.#context.safety.happenings.newcomers++
    launch(stage, newcomer)
    // It is killed in the middle of joining, now and then.
    if (chance(this.#replacing, 0.4))
      this.#context.strike('killJoiner', newcomer.id, this.#replacing.between(0, 900))
  }

  #make(name: string): SimNode<App> {
    const node = this.#context.world.node(name, this.#suite.program(this.#context))
    // Wall clocks a minute apart, and crystals that are worse than any real one.
    node.clockFaults.skewMs = Math.round(this.#clocks.between(-60_000, 60_000))
    node.clockFaults.rate = this.#rate(this.#context.profile)
    this.all.push(node)
    return node
  }

  #rate({ rates: [slowest, fastest] }: Profile): number {
    // Mostly a little off; drifts go to the extremes.
    return this.#clocks.between(Math.max(slowest, 0.999), Math.min(fastest, 1.001))
  }
}

function counted<App>({ world, clients }: Stage<App>, all: readonly SimNode<App>[]): Partial<Happenings> {
  const { counts } = world.network
  const sum = (of: (node: SimNode<App>) => number): number => all.reduce((total, node) => total + of(node), 0)
  return {
    restarts: sum(({ starts }) => Math.max(0, starts - 1)),
    repeated: clients.recorder.counts.repeated,
    framesLost: counts.lost,
    framesReordered: counts.reordered,
    framesDuplicated: counts.duplicated,
    linksBroken: counts.linksBroken,
    lossyPowerLosses: sum(({ disk }) => disk.counts.lossyPowerLosses),
    tornWrites: sum(({ disk }) => disk.counts.tornWrites),
    slowSyncs: sum(({ disk }) => disk.counts.slowSyncs),
    refusedWrites: sum(({ disk }) => disk.counts.refusedWrites),
    flippedBits: sum(({ disk }) => disk.counts.flippedBits),
    newDisks: sum(({ disk }) => disk.counts.wipes),
    renunciations: sum(({ disk }) => renunciationsOn(disk)),
  }
}

function renunciationsOn(disk: SimDisk): number {
  const folders = disk.paths().flatMap((path) => /^log\/(damaged-[^/]+)\//.exec(path)?.[1] ?? [])
  return new Set(folders).size
}
