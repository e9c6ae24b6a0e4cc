import { assert, type LogIndex, logIndex, type NodeId } from '@cluster/core'
import type { Configuration, ConfigurationChange } from './types.ts'

/** A configuration and the index of the entry that brought it. */
export interface PlacedConfiguration {
  readonly index: LogIndex
  readonly configuration: Configuration
}

const without = (list: readonly NodeId[], node: NodeId): readonly NodeId[] =>
  list.includes(node) ? list.filter((other) => other !== node) : list

const including = (list: readonly NodeId[], node: NodeId): readonly NodeId[] => [...list, node].sort()

/** The disks of those that the configuration lists, `node` on `disk` among them. */
function disksOf(
  { voters, learners, away, disks }: Configuration,
  node: NodeId,
  disk: string | undefined,
): Pick<Configuration, 'disks'> {
  const known = disk === undefined ? disks : { ...disks, [node]: disk }
  if (known === undefined) return {}
  const listed = [...voters, ...learners, ...away].sort()
  const kept = listed.flatMap((each) => {
    const on = known[each]
    return on === undefined ? [] : [[each, on] as const]
  })
  return { disks: Object.fromEntries(kept) }
}

/** True when the node counts with this disk. */
export function countsWith(
  configuration: Configuration | null,
  node: NodeId,
  disk: string | undefined,
): boolean {
  const listed = configuration?.disks?.[node]
  return listed === undefined || listed === disk
}

/** The configuration after the change, or null when the change makes no sense for it. */
export function changedConfiguration(
  before: Configuration,
  change: ConfigurationChange,
): Configuration | null {
  const after = changedMembers(before, change)
  if (after === null) return null
  const disk = change.type === 'addLearner' ? change.disk : undefined
  return { ...after, ...disksOf({ ...after, ...known(before) }, change.node, disk) }
}

const known = ({ disks }: Configuration): Pick<Configuration, 'disks'> =>
  disks === undefined ? {} : { disks }

function changedMembers(before: Configuration, { type, node }: ConfigurationChange): Configuration | null {
  const voter = before.voters.includes(node)
  const learner = before.learners.includes(node)
  const rest = {
    voters: without(before.voters, node),
    learners: without(before.learners, node),
    away: without(before.away, node),
    provisional: before.provisional,
  }
  switch (type) {
    case 'addLearner':
      return voter || learner ? null : { ...rest, learners: including(rest.learners, node) }
    case 'promote':
      return learner ? { ...rest, voters: including(rest.voters, node), provisional: false } : null
    case 'demote':
      return voter ? { ...rest, learners: including(rest.learners, node) } : null
    case 'away':
      return voter || learner ? { ...rest, away: including(rest.away, node) } : null
    case 'remove':
      return voter || learner || before.away.includes(node) ? rest : null
  }
}

/** What remains when `self` founds a group (`before` is null) or goes on without the other voter. */
export function onlyVoter(
  self: NodeId,
  before: Configuration | null,
  provisional: boolean,
  disk?: string,
): Configuration {
  const after = {
    voters: [self],
    learners: without(before?.learners ?? [], self),
    away: without(before?.away ?? [], self),
    provisional,
  }
  return { ...after, ...disksOf({ ...after, ...(before && known(before)) }, self, disk) }
}

/** True when `self` is in every possible majority of the voters. */
export function inEveryQuorum(self: NodeId, { voters }: Configuration): boolean {
  return voters.includes(self) && voters.length <= 2
}

/** The configurations that the log in memory and its base know, oldest first. */
export class ConfigurationLog {
  #list: PlacedConfiguration[]

  constructor(base: PlacedConfiguration | null) {
    this.#list = base === null ? [] : [base]
  }

  get newest(): PlacedConfiguration | null {
    return this.#list.at(-1) ?? null
  }

  get newestIndex(): LogIndex {
    return this.newest?.index ?? logIndex(0)
  }

  /** The one before the newest. */
  get previous(): PlacedConfiguration | null {
    return this.#list.at(-2) ?? null
  }

  append(placed: PlacedConfiguration): void {
    assert(placed.index > this.newestIndex, 'configurations come in the order of the log')
    this.#list.push(placed)
  }

  truncateFrom(index: number): void {
    while (this.#list.length > 0 && this.newestIndex >= index) this.#list.pop()
  }

  /** The one in force at `index`. */
  at(index: number): PlacedConfiguration | null {
    return this.#list.findLast((placed) => placed.index <= index) ?? null
  }

  /** The newest that was committed when `commitIndex` was, and all later ones. */
  since(commitIndex: number): readonly PlacedConfiguration[] {
    const committed = this.at(commitIndex)
    return this.#list.filter((placed) => committed === null || placed.index >= committed.index)
  }

  /** Forgets what is older than the one in force at `index`. */
  cutBefore(index: number): void {
    this.#list = [...this.since(index)]
  }

  reset(base: PlacedConfiguration): void {
    this.#list = [base]
  }
}
