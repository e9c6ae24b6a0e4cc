import { logIndex, type OrderedLog, type StateMachine } from '@cluster/core'
import { ListMachine } from './machines.ts'

export interface OrderedLogFixture {
  /**
   * Builds the log of a node, attaches the machines and starts it. A name that ran before and is over now is the
   * same node, started again. Its id is the name. The first name that is started forms the group, the others
   * come into it.
   */
  start(name: string, machines: readonly StateMachine[]): Promise<OrderedLog>
  /** Ends the process of a node as kill −9 does. */
  kill(name: string): void
  /** Stops a node in good order. */
  stop(name: string, reason: 'away' | 'left'): Promise<void>
  /** Lets (virtual) time pass until it holds. @throws when it does not within `withinMs` */
  until(done: () => boolean, withinMs: number): Promise<void>
  /** Lets (virtual) time pass until the promise settles. */
  settle<T>(promise: Promise<T>): Promise<T>
}

/** What an ordered log can do beside what every one must. */
export interface OrderedLogAbilities {
  /** False for one that runs on one node alone: its fixture starts no name but the first. Default true. */
  readonly severalNodes?: boolean
}

export type CreateLogs = () => Promise<OrderedLogFixture>

export interface Running {
  readonly log: OrderedLog
  readonly list: ListMachine
}

export const SOON_MS = 10_000

/** Starts a node with a list, and waits until it is in the group. */
export async function begin(world: OrderedLogFixture, name: string): Promise<Running> {
  const list = new ListMachine()
  const log = await world.start(name, [list])
  await world.settle(log.ready())
  return { log, list }
}

/** Nodes of one group, and their world. */
export interface Crew {
  readonly world: OrderedLogFixture
  readonly a: Running
  readonly b: Running
  readonly c: Running
  readonly all: readonly Running[]
}

/** Three nodes that vote. */
export async function trio(make: CreateLogs): Promise<Crew> {
  const world = await make()
  const a = await begin(world, 'a')
  const b = await begin(world, 'b')
  const c = await begin(world, 'c')
  const all = [a, b, c]
  await world.until(() => all.every(({ log }) => log.group().voters.join() === 'a,b,c'), SOON_MS)
  return { world, a, b, c, all }
}

/** Three nodes, or one that stands for all of them. */
export async function crew(make: CreateLogs, severalNodes: boolean): Promise<Crew> {
  if (severalNodes) return trio(make)
  const world = await make()
  const a = await begin(world, 'a')
  return { world, a, b: a, c: a, all: [a] }
}

/** Waits until all of them have applied as much as the furthest. */
export async function level(world: OrderedLogFixture, all: readonly Running[]): Promise<void> {
  const furthest = Math.max(...all.map(({ log }) => log.appliedIndex()))
  await world.settle(Promise.all(all.map(({ log }) => log.applied(logIndex(furthest)))))
}
