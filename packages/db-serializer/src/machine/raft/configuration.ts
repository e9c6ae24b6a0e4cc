import { assert, type LogIndex, logIndex, type NodeId } from '@cluster/core'
import type { Configuration, ConfigurationChange, MemberChange } from './types.ts'

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
  { voters, learners, away, outgoing = [], disks }: Configuration,
  node: NodeId,
  disk: string | undefined,
): Pick<Configuration, 'disks'> {
  const on = disk === undefined ? disks : { ...disks, [node]: disk }
  if (on === undefined) return {}
  const listed = [...new Set([...voters, ...learners, ...away, ...outgoing])].sort()
  const kept = listed.flatMap((each) => {
    const its = on[each]
    return its === undefined ? [] : [[each, its] as const]
  })
  return { disks: Object.fromEntries(kept) }
}

const known = ({ disks }: Configuration): Pick<Configuration, 'disks'> =>
  disks === undefined ? {} : { disks }

/** True when the node counts with this disk. */
export function countsWith(
  configuration: Configuration | null,
  node: NodeId,
  disk: string | undefined,
): boolean {
  const listed = configuration?.disks?.[node]
  return listed === undefined || listed === disk
}

/** True for a member that holds no data. */
export function isWitness(configuration: Configuration | null, node: NodeId): boolean {
  return configuration?.witnesses?.includes(node) === true
}

/** Those of the list that are members of the configuration, as its witnesses. */
function witnessesOf(
  { voters, learners, outgoing = [] }: Configuration,
  witnesses: readonly NodeId[],
): Pick<Configuration, 'witnesses'> {
  const listed = [...new Set([...voters, ...learners, ...outgoing])].sort()
  const kept = listed.filter((node) => witnesses.includes(node))
  return kept.length === 0 ? {} : { witnesses: kept }
}

/** The voters in the order in which they became that; those that come at once by name. */
function seniorsOf(before: Configuration, { voters }: Configuration): Pick<Configuration, 'seniors'> {
  if (before.seniors === undefined) return {}
  const { seniors } = before
  const stay = seniors.filter((node) => voters.includes(node))
  return { seniors: [...stay, ...voters.filter((node) => !seniors.includes(node))] }
}

/** The single changes that a change consists of. */
export function partsOf(change: ConfigurationChange): readonly MemberChange[] {
  return change.type === 'several' ? change.changes : [change]
}

/**
 * The configuration after the change, or null when the change makes no sense for it. When more than one voter comes
 * or goes, majorities before and after need not meet, so the voters before stay in it as `outgoing`.
 */
export function changedConfiguration(
  before: Configuration,
  change: ConfigurationChange,
): Configuration | null {
  const parts = partsOf(change)
  const named = new Set(parts.map(({ node }) => node))
  if (named.size !== parts.length) return null
  let after: Configuration | null = parts.length > 0 ? before : null
  for (const part of parts) after = after && changedMember(after, part)
  if (after === null) return null
  const { voters } = after
  const came = voters.filter((voter) => !before.voters.includes(voter)).length
  const went = before.voters.filter((voter) => !voters.includes(voter)).length
  let made: Configuration = { ...after, ...known(before) }
  if (came + went > 1) made = { ...made, outgoing: before.voters }
  for (const part of parts) {
    const disk = part.type === 'addLearner' ? part.disk : undefined
    made = { ...made, ...disksOf(made, part.node, disk) }
  }
  const witnesses = new Set(before.witnesses)
  for (const part of parts) {
    if (part.type !== 'addLearner') continue
    if (part.witness) witnesses.add(part.node)
    else witnesses.delete(part.node)
  }
  return { ...made, ...witnessesOf(made, [...witnesses]), ...seniorsOf(before, made) }
}

/** The configuration that follows one with outgoing voters. */
export function withoutOutgoing(configuration: Configuration): Configuration {
  const { outgoing: _, witnesses = [], ...rest } = configuration
  const [voter] = rest.voters
  const disks = voter === undefined ? {} : disksOf(rest, voter, undefined)
  return { ...rest, ...disks, ...witnessesOf(rest, witnesses) }
}

function changedMember(before: Configuration, { type, node }: MemberChange): Configuration | null {
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
  return {
    ...after,
    ...disksOf({ ...after, ...(before && known(before)) }, self, disk),
    ...witnessesOf(after, before?.witnesses ?? []),
    seniors: [self],
  }
}

/** True when `self` is in every possible majority of the voters. */
export function inEveryQuorum(self: NodeId, { voters, outgoing }: Configuration): boolean {
  // The configuration without the outgoing voters may be in force elsewhere already, so each list counts by itself.
  return [voters, outgoing ?? voters].every((list) => list.includes(self) && list.length <= 2)
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
