import { containers } from '@cluster/container'
import type {
  Cancel,
  Clock,
  Containers,
  Discovery,
  Disk,
  GroupView,
  Locks,
  Logger,
  NodeId,
  OrderedLog,
  Peers,
  Random,
  StorageEngine,
  StructureNode,
  Transport,
} from '@cluster/core'
import { type DatabasesOptions, databases, type NodeDatabases } from '@cluster/db-distribution'
import { type OrderedLogOptions, orderedLog } from '@cluster/db-serializer'
import { type MutexOptions, mutex } from '@cluster/mutex'
import { peers } from '@cluster/p2p'
import { sqlFragments } from '@cluster/sql'
import { memoryStorage } from '@cluster/storage-memory'
import { describeContainers } from './shared-objects.ts'

/** What a node stands on: the real platform, or the simulator's. */
export interface NodePorts {
  readonly transport: Transport
  readonly discoveries: readonly Discovery[]
  /** The node's own folder. */
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Where rows are kept. Default: the memory engine, on `disk`. */
  readonly storage?: StorageEngine
}

export interface NodeOptions {
  /** The start number of this process, see `LinkInfo.start`. */
  readonly start: number
  /** Form a new group with so many nodes and not before. */
  readonly expect?: number
  /** Form a new group at once, alone. */
  readonly alone?: boolean
  /** Vote and hold no data: there are no databases on this node. */
  readonly witness?: boolean
  /** Limits and times of the log other than its defaults. */
  readonly log?: Omit<OrderedLogOptions, 'expect' | 'alone' | 'witness'>
  /** Limits and times of the databases other than their defaults. */
  readonly databases?: DatabasesOptions
  /** Limits and times of the locks other than their defaults. */
  readonly locks?: MutexOptions
}

/** The layers of one node, put together. */
export interface ComposedNode {
  readonly peers: Peers
  readonly log: OrderedLog
  /** Null on a witness. */
  readonly databases: NodeDatabases | null
  /** The shared objects. Null on a witness. */
  readonly containers: Containers | null
  /** Null on a witness. */
  readonly locks: Locks | null
  /**
   * Starts every layer, the lowest last, so that nothing arrives before its handler is there. When one does not
   * start, those that did are stopped before the error is thrown.
   */
  start(): Promise<void>
  /** Stops every layer, the highest first. */
  stop(reason: 'away' | 'left'): Promise<void>
  structure(): StructureNode
}

/** Puts the layers of a node together. The simulator composes with this very function. */
export function composeNode(options: NodeOptions, ports: NodePorts): ComposedNode {
  const { transport, discoveries, disk, clock, random, logger } = ports
  const layer = (name: string): Logger => logger.child({ layer: name })
  const p2p = peers({ start: options.start })({ transport, discoveries, clock, random, logger: layer('p2p') })
  const { expect, alone = false, witness = false } = options
  const log = orderedLog({ ...options.log, ...(expect === undefined ? {} : { expect }), alone, witness })({
    peers: p2p,
    disk: disk.folder('log'),
    clock,
    random,
    logger: layer('log'),
  })
  const storage =
    ports.storage ?? memoryStorage({ disk: disk.folder('data'), clock, logger: layer('storage') })
  const fragments = sqlFragments()({ clock })
  const dataPorts = { log, peers: p2p, storage, clock, random, logger: layer('db'), fragments }
  const data = witness ? null : databases(options.databases ?? {})(dataPorts)
  const shared = witness
    ? null
    : containers()({
        log,
        clock,
        random,
        logger: layer('objects'),
        ...(data === null ? {} : { databases: data }),
      })
  const exists = async (node: NodeId): Promise<boolean> => (await p2p.accepts?.(node)) ?? false
  const deaths = (listener: (node: NodeId) => void): Cancel =>
    p2p.on('deathProved', ({ peer, by }) => {
      // One that was restarted is there again: its new process ends the session of the former one.
      if (by === 'refused') listener(peer)
    })
  const locks = witness
    ? null
    : mutex(options.locks ?? {})({ log, clock, random, logger: layer('locks'), exists, deaths })
  const stop = async (reason: 'away' | 'left'): Promise<void> => {
    await locks?.stop()
    await shared?.stop()
    await data?.stop()
    await log.stop(reason)
    await p2p.stop(reason)
  }
  return {
    peers: p2p,
    log,
    databases: data,
    containers: shared,
    locks,
    async start() {
      try {
        await data?.start()
        await log.start()
        await p2p.start()
      } catch (error) {
        await stop('away')
        throw error
      }
    },
    stop,
    structure: () => {
      const root = p2p.describe()
      const layers = [
        describeLog(log.group()),
        ...(data === null ? [] : [data.describe()]),
        ...(shared === null || shared.describe().length === 0 ? [] : [describeContainers(shared)]),
      ]
      return { ...root, children: [...root.children, ...layers] }
    },
  }
}

function describeLog({
  role,
  leader,
  term,
  voters,
  learners,
  witnesses,
  appliedIndex,
}: GroupView): StructureNode {
  return {
    kind: 'log',
    name: '',
    facts: {
      role,
      leader: leader ?? 'none',
      term,
      voters: voters.length,
      ...(learners.length > 0 && { learners: learners.length }),
      ...(witnesses.length > 0 && { witnesses: witnesses.length }),
      applied: appliedIndex,
    },
    children: [],
  }
}
