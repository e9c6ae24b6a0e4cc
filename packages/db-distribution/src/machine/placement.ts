import {
  assert,
  type DatabaseOptions,
  EVERYWHERE,
  hash32,
  type NodeId,
  type PartitionId,
  partitionId,
} from '@cluster/core'
import type { Assignment } from './commands.ts'
import type { DatabaseRecord, PartitionRecord, ReplicaRecord } from './state.ts'
import { capacityOf, NO_TRAITS, type TraitsOf, zoneOf } from './traits.ts'

/** Moves that only balance load and that are under way in one database at once. */
const BALANCING_MOVES_MAX = 2

/** What a plan may count on. */
export interface NodeView {
  /** Members that answer: they can hold new replicas and give copies. Sorted. */
  readonly living: readonly NodeId[]
  /** All members, those that are away included: what they hold still counts. Sorted. */
  readonly members: readonly NodeId[]
  /** Members that stopped and mean to come back; a copy that they had not finished is made elsewhere. */
  readonly away?: readonly NodeId[]
  /** Zones and capacities of those that have told them. */
  readonly traits?: TraitsOf
}

/** How much a node wants a partition, the same everywhere. @see Thaler & Ravishankar 1998, highest random weight */
function weight(database: number, partition: PartitionId, node: NodeId): number {
  return hash32(`${database}/${partition}/${node}`)
}

/** True when every node holds the partition. */
export function isEverywhere(options: Required<DatabaseOptions>, partition: PartitionId): boolean {
  return partition === EVERYWHERE || options.redundancy === 'all'
}

/** How many replicas of the partition there should be on `nodes` nodes. */
function replicasWanted(options: Required<DatabaseOptions>, partition: PartitionId, nodes: number): number {
  if (partition === EVERYWHERE || options.redundancy === 'all') return nodes
  return Math.min(options.redundancy, nodes)
}

/** True when there are as many complete replicas as a first write should have. */
export function isSettled(options: Required<DatabaseOptions>, replicas: readonly ReplicaRecord[]): boolean {
  const wanted = options.redundancy === 'all' ? 2 : options.redundancy
  return replicas.filter((replica) => replica.complete).length >= wanted
}

/** How many partitions each node has, seen against what it can take. */
class Load {
  readonly #counts = new Map<NodeId, number>()
  readonly traits: TraitsOf

  constructor(traits: TraitsOf) {
    this.traits = traits
  }

  of(node: NodeId): number {
    return this.#counts.get(node) ?? 0
  }

  add(node: NodeId, count: number): void {
    this.#counts.set(node, this.of(node) + count)
  }

  /** The load of the node with so many partitions more, or fewer. */
  with(node: NodeId, count: number): number {
    return (this.of(node) + count) / capacityOf(this.traits, node)
  }

  /**
   * The node that would be loaded least with one more; among equals the one of highest weight. Nodes of zones that have no
   * copy yet go first.
   */
  best(
    nodes: readonly NodeId[],
    holders: readonly NodeId[],
    database: number,
    partition: PartitionId,
  ): NodeId | null {
    const used = new Set(holders.map((node) => zoneOf(this.traits, node)))
    const fresh = nodes.filter((node) => !used.has(zoneOf(this.traits, node)))
    let best: NodeId | null = null
    for (const node of fresh.length > 0 ? fresh : nodes) {
      if (best === null || this.#before(node, best, database, partition)) best = node
    }
    return best
  }

  #before(a: NodeId, b: NodeId, database: number, partition: PartitionId): boolean {
    const difference = this.with(a, 1) - this.with(b, 1)
    if (difference !== 0) return difference < 0
    const weights = weight(database, partition, a) - weight(database, partition, b)
    return weights !== 0 ? weights > 0 : a < b
  }

  /** True when another one of the nodes is in its zone. */
  sharesZone(node: NodeId, nodes: readonly NodeId[]): boolean {
    const zone = zoneOf(this.traits, node)
    return nodes.some((other) => other !== node && zoneOf(this.traits, other) === zone)
  }
}

const sortedReplicas = <T extends { readonly node: NodeId }>(replicas: readonly T[]): T[] =>
  [...replicas].sort((a, b) => (a.node < b.node ? -1 : 1))

/** The replicas of a database that is made now: it is empty, so all of them are complete. */
export function placeNew(
  database: number,
  options: Required<DatabaseOptions>,
  candidates: readonly NodeId[],
  traits: TraitsOf = NO_TRAITS,
): PartitionRecord[] {
  const nodes = [...new Set(candidates)].sort()
  assert(nodes.length > 0, 'a database needs a node to live on')
  const load = new Load(traits)
  const partitions: PartitionRecord[] = []
  for (let p = 0; p <= options.partitions; p++) {
    const id = partitionId(p)
    const wanted = replicasWanted(options, id, nodes.length)
    const chosen: NodeId[] = isEverywhere(options, id) ? nodes : []
    while (chosen.length < wanted) {
      const rest = nodes.filter((node) => !chosen.includes(node))
      const node = load.best(rest, chosen, database, id)
      if (node === null) break
      load.add(node, 1)
      chosen.push(node)
    }
    const replicas: ReplicaRecord[] = sortedReplicas(
      chosen.map((node) => ({
        node,
        complete: true,
        since: database,
        replaces: null,
        durable: database,
      })),
    )
    const settled = isSettled(options, replicas)
    partitions.push({ id, epoch: 0, replicas, lastWrite: 0, relations: new Set(), settled })
  }
  return partitions
}

/** True when a complete replica answers: copies can be made, so the record may change. */
function hasSource(partition: PartitionRecord, living: ReadonlySet<NodeId>): boolean {
  return partition.replicas.some((replica) => replica.complete && living.has(replica.node))
}

interface Draft {
  readonly partition: PartitionRecord
  replicas: { node: NodeId; complete: boolean; replaces: NodeId | null }[]
  changed: boolean
}

/**
 * What to change so that every partition has the replicas it should have. Pure: the same record and nodes give
 * the same plan. Moves as little as possible: replicas on members stay, those of nodes that are gone are given to
 * the least loaded living nodes and dropped once these are complete; a partition without a living complete
 * replica is left as it is.
 */
export function planPlacement(
  database: DatabaseRecord,
  { living, members, away = [], traits = NO_TRAITS }: NodeView,
): Assignment[] {
  const livingSet = new Set(living)
  const memberSet = new Set(members)
  const load = new Load(traits)
  const drafts: Draft[] = []
  const { redundancy } = database.options
  /** More replicas than this, and a move is under way. */
  const surplus = redundancy === 'all' ? Number.POSITIVE_INFINITY : redundancy
  for (const partition of database.partitions) {
    const everywhere = isEverywhere(database.options, partition.id)
    if (!hasSource(partition, livingSet)) {
      if (!everywhere) for (const { node } of partition.replicas) load.add(node, 1)
      continue
    }
    const kept = partition.replicas.filter(
      ({ node, complete }) => memberSet.has(node) && (complete || everywhere || !away.includes(node)),
    )
    const draft: Draft = {
      partition,
      replicas: kept.map(({ node, complete, replaces }) => {
        const relieves = kept.length > surplus && kept.some((other) => other.node === replaces)
        // A move that is over is forgotten: its name would make the next one relieve the wrong node.
        return { node, complete, replaces: complete && !relieves ? null : replaces }
      }),
      changed: false,
    }
    drafts.push(draft)
    if (!everywhere) for (const { node } of kept) load.add(node, 1)
  }
  for (const draft of drafts) addMissing(database, draft, living, memberSet, load)
  for (const draft of drafts) dropSurplus(database, draft, livingSet, load)
  balance(database, drafts, living, load)
  for (const draft of drafts) keepGone(database, draft, livingSet, memberSet)
  return drafts
    .filter((draft) => draft.changed)
    .map(({ partition, replicas }) => ({
      database: database.id,
      partition: partition.id,
      epoch: partition.epoch,
      replicas: sortedReplicas(replicas.map(({ node, replaces }) => ({ node, replaces }))),
    }))
}

function addMissing(
  database: DatabaseRecord,
  draft: Draft,
  living: readonly NodeId[],
  members: ReadonlySet<NodeId>,
  load: Load,
): void {
  const { id, replicas: recorded } = draft.partition
  const everywhere = isEverywhere(database.options, id)
  const named = recorded.map(({ replaces }) => replaces)
  const gone = recorded.map(({ node }) => node).filter((node) => !members.has(node) && !named.includes(node))
  const wanted = replicasWanted(database.options, id, Infinity)
  while (draft.replicas.length < wanted) {
    const free = living.filter((node) => !draft.replicas.some((replica) => replica.node === node))
    const holders = draft.replicas.map((replica) => replica.node)
    const node = everywhere ? (free[0] ?? null) : load.best(free, holders, database.id, id)
    if (node === null) return
    if (!everywhere) load.add(node, 1)
    draft.replicas.push({ node, complete: false, replaces: gone.shift() ?? null })
    draft.changed = true
  }
}

/**
 * Complete copies on nodes that are gone stay recorded until there are enough living ones: whoever comes back
 * with one is needed if the last living copy turns out to be damaged.
 */
function keepGone(
  database: DatabaseRecord,
  draft: Draft,
  living: ReadonlySet<NodeId>,
  members: ReadonlySet<NodeId>,
): void {
  const complete = draft.replicas.filter((replica) => replica.complete && living.has(replica.node))
  const wanted = replicasWanted(database.options, draft.partition.id, living.size)
  for (const { node, complete: whole, replaces } of draft.partition.replicas) {
    if (members.has(node)) continue
    if (whole && complete.length < wanted) draft.replicas.push({ node, complete: whole, replaces })
    else draft.changed = true
  }
}

/** After a move the old copy goes, once there are enough complete ones without it. */
function dropSurplus(database: DatabaseRecord, draft: Draft, living: ReadonlySet<NodeId>, load: Load): void {
  const { redundancy } = database.options
  if (redundancy === 'all' || draft.partition.id === EVERYWHERE) return
  while (draft.replicas.length > redundancy) {
    const complete = draft.replicas.filter((replica) => replica.complete && living.has(replica.node))
    const others = draft.replicas.filter((replica) => !complete.includes(replica))
    // A copy on a node that does not answer goes first, if enough living ones have everything.
    const silent = others.find((replica) => !living.has(replica.node))
    let victim = complete.length >= redundancy ? silent : undefined
    // A move names the node that it relieves.
    const relieved = complete.map((replica) => replica.replaces)
    if (complete.length > redundancy) victim ??= complete.find((replica) => relieved.includes(replica.node))
    if (victim === undefined && complete.length > redundancy) {
      victim = complete.reduce((worst, replica) =>
        isWorse(load, replica.node, worst.node, nodesOf(complete)) ? replica : worst,
      )
    }
    if (victim === undefined) return
    const dropped = victim
    draft.replicas = draft.replicas.filter((replica) => replica !== dropped)
    load.add(dropped.node, -1)
    draft.changed = true
  }
}

/** Gives a share to nodes that hold much less than others, a few partitions at a time. */
function balance(
  database: DatabaseRecord,
  drafts: readonly Draft[],
  living: readonly NodeId[],
  load: Load,
): void {
  const { redundancy } = database.options
  if (redundancy === 'all' || living.length <= redundancy) return
  // While moves are under way the load of the nodes is not what it will be, so nothing new is begun.
  if (drafts.some(({ partition, replicas }) => partition.id !== EVERYWHERE && replicas.length > redundancy))
    return
  for (let moves = 0; moves < BALANCING_MOVES_MAX; moves++) {
    const move = spreadingMove(database, drafts, living, load) ?? nextMove(database, drafts, living, load)
    if (move === null) return
    move.draft.replicas.push({ node: move.to, complete: false, replaces: move.from })
    move.draft.changed = true
    load.add(move.to, 1)
    load.add(move.from, -1)
  }
}

interface Move {
  readonly draft: Draft
  readonly from: NodeId
  readonly to: NodeId
}

const nodesOf = (replicas: readonly { readonly node: NodeId }[]): NodeId[] => replicas.map(({ node }) => node)

/** Of two copies one is to go: the one whose zone has another, else the one on the node that is loaded more. */
function isWorse(load: Load, node: NodeId, other: NodeId, holders: readonly NodeId[]): boolean {
  const shares = Number(load.sharesZone(node, holders)) - Number(load.sharesZone(other, holders))
  return shares !== 0 ? shares > 0 : load.with(node, 0) > load.with(other, 0)
}

/** A partition that this very plan changes is left alone, or it would get back what it has just given. */
function isMovable({ options }: DatabaseRecord, { partition, replicas, changed }: Draft): boolean {
  return (
    partition.id !== EVERYWHERE &&
    !changed &&
    replicas.length === options.redundancy &&
    replicas.every((replica) => replica.complete)
  )
}

/** Two copies of a partition are in one zone although another zone has none. */
function spreadingMove(
  database: DatabaseRecord,
  drafts: readonly Draft[],
  living: readonly NodeId[],
  load: Load,
): Move | null {
  for (const draft of drafts) {
    if (!isMovable(database, draft)) continue
    const holders = nodesOf(draft.replicas)
    const sharing = holders.filter((node) => load.sharesZone(node, holders))
    const fresh = living.filter((node) => !holders.includes(node) && !load.sharesZone(node, holders))
    const to = load.best(fresh, holders, database.id, draft.partition.id)
    const [first, ...others] = sharing
    if (first === undefined || to === null) continue
    const from = others.reduce(
      (worst, node) => (load.with(node, 0) > load.with(worst, 0) ? node : worst),
      first,
    )
    return { draft, from, to }
  }
  return null
}

/** From a node that is loaded more to one that would still not be loaded more than the first is afterwards. */
function nextMove(
  database: DatabaseRecord,
  drafts: readonly Draft[],
  living: readonly NodeId[],
  load: Load,
): Move | null {
  const byLoad = [...living].sort((a, b) => load.with(b, 0) - load.with(a, 0) || (a < b ? -1 : 1))
  for (const to of byLoad.toReversed())
    for (const from of byLoad) {
      if (from === to || load.with(from, -1) < load.with(to, 1)) continue
      let best: Draft | null = null
      for (const draft of drafts) {
        const { id } = draft.partition
        const holders = nodesOf(draft.replicas)
        if (!isMovable(database, draft) || !holders.includes(from) || holders.includes(to)) continue
        // Copies in different zones stay in different zones.
        const others = holders.filter((node) => node !== from)
        if (load.sharesZone(to, others) && !load.sharesZone(from, others)) continue
        if (best === null || weight(database.id, id, to) > weight(database.id, best.partition.id, to))
          best = draft
      }
      if (best !== null) return { draft: best, from, to }
    }
  return null
}
