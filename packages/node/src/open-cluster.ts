import type { LogLevel } from '@cluster/core'
import type { KeepRule } from '@cluster/db-serializer'
import type { MutexOptions } from '@cluster/mutex'
import { staticDiscovery } from '@cluster/p2p'
import { temporaryFiles } from '@cluster/sql'
import { libp2pTransport, mdnsDiscovery, newIdentity } from '@cluster/transport'
import { parseAddresses } from './addresses.ts'
import { exportBeforeAdoption } from './adoption.ts'
import type { Cluster } from './cluster.ts'
import { composeNode, type NodeOptions } from './compose.ts'
import { openDataFolder } from './driver/data-folder.ts'
import { nodeClock } from './driver/node-clock.ts'
import { nodeRandom } from './driver/node-random.ts'
import { chooseStorage, type StorageKind } from './driver/storage-choice.ts'
import { textLogger } from './driver/text-logger.ts'
import { NodeCluster } from './node-cluster.ts'

/** What statements may have on disk at once, so that they do not take the room that the log needs. */
const TEMPORARY_BYTES_MAX = 16 * 1024 ** 3

/** Everything has a default; an empty object joins, or forms, the cluster named "cluster" on this network. */
export interface OpenOptions {
  /** Only nodes of one name find each other. Default "cluster". */
  readonly name?: string
  /** The data folder. Default: the first free one of `.cluster/<name>/1, 2, …` in the working directory. */
  readonly data?: string
  /** Where to listen, `host:port`, again for more. Default: a free port on every interface. */
  readonly listen?: readonly string[]
  /** Other nodes, `host:port`; tried for ever. */
  readonly seeds?: readonly string[]
  /** Look for nodes by mDNS, and be found by it. Default true. */
  readonly mdns?: boolean
  /** Form a new cluster with so many nodes, and not before. */
  readonly expect?: number
  /** Form a new cluster alone, without waiting for others. */
  readonly alone?: boolean
  /**
   * Vote and hold no data. With two other nodes it makes the third voice, so that one of them can go on whatever happens
   * to the other one. Default false.
   */
  readonly witness?: boolean
  /**
   * Where rows are kept: `memory` (with checkpoints on disk), or `lmdb`, for data larger than memory. Nodes of a cluster may
   * differ. Default: as the data folder has it, `memory` for a new one.
   */
  readonly storage?: StorageKind
  /**
   * What running statements may write to disk at once, all together, in bytes: rows that are too many for `work_mem`. They are in
   * the folder `tmp` of the data folder, no longer than their statement runs. Default 16 GiB.
   */
  readonly temporaryBytesMax?: number
  /** Only nodes that know it may join. Without one only private and loopback addresses are served. */
  readonly secret?: string
  /** The operator's word: give up a damaged log even if nobody else may have all that it held. */
  readonly giveUpDamaged?: boolean
  /** The operator's word: go on without the other one of the last two voters. What is acknowledged then is provisional. */
  readonly continueAlone?: boolean
  /** The operator's word: the history in which this node went on alone is kept aside, and it takes that of the others. */
  readonly giveUpHistory?: boolean
  /**
   * The operator's word: most of the voters are lost for good; go on from what the survivors have. What was acknowledged and
   * only the lost ones had is gone; the log says behind which index that may be.
   */
  readonly recoverFromSurvivors?: boolean
  /**
   * The operator's word: go into the cluster of that id. The databases of the one that is given up are written down as SQL first, to
   * `exported-<its id>` in the data folder, which needs enough of its nodes; its log is kept aside, too.
   */
  readonly adopt?: string
  /** The operator's word: `adopt` without writing the databases down. Default false. */
  readonly adoptWithoutExport?: boolean
  /** What the last two voters do when one is silent: wait for it (`majority`, the default), or go on alone. */
  readonly quorum?: 'majority' | 'last-standing'
  /**
   * After two nodes both went on alone: which history is kept, the same for both nodes. Default: none, the operator says
   * which with `giveUpHistory`. The other one is kept in files beside the log.
   */
  readonly keep?: KeepRule
  /** Times of locks other than their defaults. */
  readonly locks?: Pick<MutexOptions, 'leaseMs' | 'busyMs'>
  /** Where log lines go. Default: nowhere. */
  readonly log?: (line: string) => void
  /** The least level logged. Default "info". */
  readonly logLevel?: LogLevel
}

export interface JoinOptions extends OpenOptions {
  /** How long to wait for the cluster. Default: for ever. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/**
 * Starts a node and waits until it is in the cluster and has applied what the leader had.
 * @throws JOIN_TIMEOUT, and what `openCluster` throws
 */
export async function join(options: JoinOptions = {}): Promise<Cluster> {
  const { timeoutMs, signal, ...rest } = options
  const cluster = await openCluster(rest)
  try {
    await cluster.ready({
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(signal === undefined ? {} : { signal }),
    })
    return cluster
  } catch (error) {
    await cluster.stop()
    throw error
  }
}

/**
 * Starts a node. It finds or forms the cluster in the background; `ready` waits for that.
 * @throws DATA_IN_USE, DATA_FOREIGN, DISK_DENIED, OPTION_INVALID, PORT_IN_USE, ADDRESS_NOT_USABLE, LOG_DAMAGED,
 * LOG_ROLE_DIFFERS, ROWS_NOT_EXPORTED
 */
export async function openCluster(options: OpenOptions = {}): Promise<Cluster> {
  const { adopt, adoptWithoutExport = false, ...rest } = options
  if (adopt === undefined || adoptWithoutExport || options.giveUpDamaged === true) return openNode(options)
  const logger = textLogger(options.log ?? (() => {}), options.logLevel)
  const data = await exportBeforeAdoption(() => openNode(rest), adopt, logger)
  return openNode({ ...options, data })
}

async function openNode(options: OpenOptions): Promise<Cluster> {
  const name = options.name ?? 'cluster'
  const seeds = (options.seeds ?? []).flatMap((text) => parseAddresses(text, 'seed', null))
  const listen = options.listen?.flatMap((text) => parseAddresses(text, 'listen', 0))
  const folder = await openDataFolder(
    name,
    options.data ?? null,
    async () => (await newIdentity()).privateKey,
  )
  try {
    const logger = textLogger(options.log ?? (() => {}), options.logLevel)
    const platform = { clock: nodeClock, random: nodeRandom, logger }
    const transport = libp2pTransport({
      identity: folder.identity,
      name,
      start: folder.start,
      ...(listen === undefined ? {} : { listen }),
      ...(options.secret === undefined ? {} : { secret: options.secret }),
    })(platform)
    const discoveries = [
      ...(seeds.length > 0 ? [staticDiscovery(seeds)] : []),
      ...((options.mdns ?? true) ? [mdnsDiscovery({ name, self: transport.self })(platform)] : []),
    ]
    const storage = await chooseStorage(options.storage, folder, {
      clock: nodeClock,
      logger: logger.child({ layer: 'storage' }),
    })
    const node = composeNode(
      {
        start: folder.start,
        ...(options.expect === undefined ? {} : { expect: options.expect }),
        ...(options.alone === undefined ? {} : { alone: options.alone }),
        ...(options.witness === undefined ? {} : { witness: options.witness }),
        ...(options.locks === undefined ? {} : { locks: options.locks }),
        log: logOptions(options),
      },
      { transport, discoveries, disk: folder.disk, ...platform, ...(storage === null ? {} : { storage }) },
    )
    const temporary = temporaryFiles(folder.disk.folder('tmp'), {
      bytesMax: options.temporaryBytesMax ?? TEMPORARY_BYTES_MAX,
    })
    await temporary.empty()
    const cluster = new NodeCluster({ name, folder, transport, node, temporary, ...platform })
    await cluster.start()
    return cluster
  } catch (error) {
    await folder.release()
    throw error
  }
}

/** What of the options is for the ordered log. */
function logOptions({
  giveUpDamaged,
  continueAlone,
  giveUpHistory,
  adopt,
  recoverFromSurvivors,
  quorum,
  keep,
}: OpenOptions): NonNullable<NodeOptions['log']> {
  return {
    ...(giveUpDamaged === undefined ? {} : { giveUpDamaged }),
    ...(continueAlone === undefined ? {} : { continueAlone }),
    ...(giveUpHistory === undefined ? {} : { giveUpHistory }),
    ...(adopt === undefined ? {} : { adopt }),
    ...(recoverFromSurvivors === undefined ? {} : { recoverFromSurvivors }),
    ...(quorum === undefined ? {} : { quorum }),
    ...(keep === undefined ? {} : { keep }),
  }
}
