import { encodeReplicas } from '../../machine/commands.ts'
import { versionIn } from '../../machine/lineage.ts'
import { completeCount, type DatabaseRecord, type PartitionRecord } from '../../machine/state.ts'
import type { Context } from '../context.ts'
import { MACHINE_NAME } from '../names.ts'
import type { Queues } from '../waiting.ts'
import type { LocalReplica } from './local-replica.ts'
import { writtenIn } from './signature.ts'
import { parseStoreName, storesOf } from './store-names.ts'

export interface FormerStoresPorts {
  /** Works on one store one after another. */
  readonly disk: Queues
  /** Whether a replica of now has that store. */
  inUse(name: string): boolean
  /** The replica that is assigned to this node now. */
  replica(database: number, partition: PartitionRecord): LocalReplica | undefined
}

interface Former {
  readonly name: string
  readonly slot: string
  readonly database: DatabaseRecord
  readonly partition: PartitionRecord
}

/**
 * Stores on disk whose partitions are not assigned to this node any more. They are kept until all recorded
 * replicas are complete, and offered when none is: not those with writes of a history that this node has given up.
 */
export class FormerStores {
  readonly #context: Context
  readonly #ports: FormerStoresPorts
  readonly #names = new Set<string>()
  /** The epoch of the partition at which a store was last looked at, so that it is not offered in a loop. */
  readonly #offeredAt = new Map<string, number>()

  constructor(context: Context, ports: FormerStoresPorts) {
    this.#context = context
    this.#ports = ports
  }

  add(name: string): void {
    this.#names.add(name)
  }

  /** The slot is in use again: whoever opens it adds what it does not take. */
  claim(slot: string): void {
    for (const name of storesOf(slot, [...this.#names])) this.#names.delete(name)
  }

  /** Looks at every store again; the record must be that of now, not one that is being replayed. */
  look(): void {
    if (this.#context.stopped) return
    for (const name of this.#names) {
      const parsed = parseStoreName(name)
      const database = this.#context.machine.databases().find(({ uid }) => uid === parsed?.uid)
      if (parsed !== null && this.#context.machine.isDropped(parsed.uid)) {
        this.#drop(name, parsed.slot)
        continue
      }
      // A store of a database that this cluster does not know is not ours to drop.
      const partition = parsed === null ? undefined : database?.partitions[parsed.partition]
      if (parsed === null || database === undefined || partition === undefined) continue
      const store = { name, slot: parsed.slot, database, partition }
      // The record may still count on a copy here that turned out to be of no use.
      const phase = this.#ports.replica(database.id, partition)?.phase ?? 'ready'
      if (phase !== 'ready') continue
      if (partition.replicas.every((replica) => replica.complete)) this.#drop(name, parsed.slot)
      else if (completeCount(partition) === 0) this.#offer(store)
    }
  }

  #drop(name: string, slot: string): void {
    const { storage, logger } = this.#context.ports
    this.#names.delete(name)
    this.#ports.disk
      .run(slot, async () => {
        if (this.#ports.inUse(name)) return
        await storage.remove(name)
        logger.log('info', 'dropped a former replica', { store: name })
      })
      .catch((error: unknown) => {
        this.#names.add(name)
        logger.log('error', 'could not drop a former replica', { store: name, error: String(error) })
      })
  }

  /** Nobody has a complete copy. If this one has everything, it is the one to go on with. */
  #offer({ name, slot, database, partition }: Former): void {
    if (this.#offeredAt.get(name) === partition.epoch) return
    this.#offeredAt.set(name, partition.epoch)
    const { storage, logger, log } = this.#context.ports
    const look = async (): Promise<void> => {
      const version = await this.#ports.disk.run(slot, async () => {
        const { history } = this.#context
        if (this.#ports.replica(database.id, partition) !== undefined || history === null) return -1
        const store = await storage.open(name)
        const version = versionIn(history, writtenIn(store), store.appliedVersion())
        await store.close()
        return version ?? -1
      })
      if (version < partition.lastWrite || this.#context.stopped) return
      logger.log('warn', 'offers a former replica, since nobody has a complete one', {
        database: database.name,
        partition: partition.id,
      })
      const replicas = [{ database: database.id, partition: partition.id, since: 0 }]
      const command = encodeReplicas({ type: 'offer', node: this.#context.self, replicas })
      await log.submit(MACHINE_NAME, command, { signal: this.#context.stopping.signal })
    }
    look().catch((error: unknown) => {
      if (this.#context.stopped) return
      logger.log('warn', 'could not offer a former replica', { store: name, error: String(error) })
      // Whatever changes next is a reason to try again.
      this.#offeredAt.delete(name)
    })
  }
}
