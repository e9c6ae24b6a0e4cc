import type { PartitionId, PartitionStore, Version } from '@cluster/core'
import { notHolder, stopped } from '../../errors.ts'
import type { Context } from '../context.ts'
import type { Replicas } from '../replica/replicas.ts'

export interface StoreAt {
  readonly database: number
  readonly partition: PartitionId
  readonly version: Version
}

/**
 * A partition that this node holds completely, once it has applied `version`; the record is judged at that version or later.
 * @throws DB_UNAVAILABLE, STOPPED, and what the log throws when the version does not come in time
 */
export async function storeAt(
  context: Context,
  replicas: Replicas,
  { database, partition, version }: StoreAt,
  signal?: AbortSignal,
): Promise<PartitionStore> {
  const { ports, settings, self } = context
  if (context.stopped) throw stopped()
  if (ports.log.appliedIndex() < version)
    await ports.log.applied(version, { deadlineMs: settings.attemptMs, ...(signal ? { signal } : {}) })
  const store = replicas.serving(database, partition)
  if (store === null) throw notHolder(database, partition, self)
  return store
}
