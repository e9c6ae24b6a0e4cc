import type { NodeId, OrderedLog } from '@cluster/core'
import type { Clients, FaultKind, Load, Named, Program, SimNode, World } from '@cluster/testkit'
import type { Profile } from './profile.ts'
import type { SuiteName } from './report.ts'
import type { SafetyWatch } from './safety.ts'

/** What a suite puts on the nodes, and how it is used and judged. */
export interface Suite<App> {
  readonly name: SuiteName
  /** The program of the nodes of one world. */
  program(context: SuiteContext): Program<App>
  /** The program of a witness beside them, where a suite has one. */
  witness?(context: SuiteContext): Program<unknown>
  /** What clients do in one world. */
  load(context: SuiteContext): Load<App, Named, unknown>
  /** Prepares the formed cluster, through any node. */
  prepare(nodes: readonly SimNode<App>[], context: SuiteContext): Promise<void>
  log(app: App): OrderedLog
  /** Null when a healed cluster is at rest: all nodes have the same and nothing is left to repair. Else what is missing. */
  unsettled(apps: ReadonlyMap<NodeId, App>, context: SuiteContext): string | null
  /** Names of the writes that took effect, one for each time, as this node has them. */
  journal(app: App, context: SuiteContext): Promise<readonly string[]>
  /** Compares what the nodes hold. Null, or what differs. */
  compare(apps: ReadonlyMap<NodeId, App>, context: SuiteContext): string | null
  /** True while what one node holds is elsewhere, too. Without it, it always is. */
  isRedundant?(apps: ReadonlyMap<NodeId, App>, context: SuiteContext): boolean
  /** The very end: more is lost than is promised to survive; judges that it is named. */
  loseTooMuch?(stage: Stage<App>): Promise<void>
  /** Looks at what else must be true in the end, before `Load.judge` is asked. Null, or what is wrong. */
  audit?(apps: ReadonlyMap<NodeId, App>, context: SuiteContext): Promise<string | null>
}

export interface SuiteContext {
  readonly world: World
  readonly safety: SafetyWatch
  readonly profile: Profile
  /** Names of the nodes that the cluster forms with. */
  readonly names: readonly string[]
  /** Crashes a node after a moment, at a time that the suite knows to be a bad one, if one may go down now. */
  readonly strike: (kind: FaultKind, node: NodeId, delayMs: number) => void
  /** Nodes that give up a history in which they went on alone when they start the next time. */
  readonly givesUp: Set<string>
}

/** Everything that the phases of one seed share. */
export interface Stage<App> {
  readonly world: World
  readonly suite: Suite<App>
  readonly context: SuiteContext
  readonly clients: Clients<App>
  /** One more that votes and holds no data. */
  readonly witness: SimNode<unknown> | null
  /** Those that are in the cluster, or were and are to come back. */
  readonly cluster: readonly SimNode<App>[]
}
