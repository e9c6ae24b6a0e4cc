import type { AcquireOptions, Cancel, HeldLock, LockInfo, Locks } from '@cluster/core'

/** What may be said beside the name. */
export type Patience = Pick<AcquireOptions, 'timeoutMs' | 'signal'>

/** One lock of the cluster, by its name. */
export interface NamedLock {
  readonly name: string
  /** Waits for its turn. @throws as `Locks.acquire` */
  acquire(options?: Patience): Promise<HeldLock>
  /** Takes it if nobody is in the way; null if somebody is. @throws as `Locks.acquire` */
  tryAcquire(): Promise<HeldLock | null>
  /** Who has it and who waits for it, up to date; null when nobody does. */
  describe(): Promise<LockInfo | null>
  /** An operator's word; see `Locks.break`. Resolves with how many had it. */
  break(reason: string): Promise<number>
  /** Calls `listener` whenever holders or queue changed, as this node sees it. */
  watch(listener: (info: LockInfo | null) => void): Cancel
}

/** Many read, or one writes. Who comes behind a waiting writer waits, too. */
export interface ReadWriteLock {
  readonly name: string
  readonly read: NamedLock
  readonly write: NamedLock
}

/** So many permits, of which each holder has some. */
export interface Semaphore extends Omit<NamedLock, 'acquire' | 'tryAcquire'> {
  /** How many permits there are. */
  readonly permits: number
  /** @param options `permits`: how many to take, 1 by default. @throws as `Locks.acquire` */
  acquire(options?: Patience & { readonly permits?: number }): Promise<HeldLock>
  tryAcquire(options?: { readonly permits?: number }): Promise<HeldLock | null>
}

const common = (locks: Locks, name: string): Omit<NamedLock, 'acquire' | 'tryAcquire'> => ({
  name,
  describe: async () => (await locks.describe(name))[0] ?? null,
  break: (reason) => locks.break(name, reason),
  watch: (listener) => locks.watch(name, listener),
})

const inMode = (locks: Locks, name: string, mode: 'exclusive' | 'shared'): NamedLock => ({
  ...common(locks, name),
  acquire: (options = {}) => locks.acquire(name, { ...options, mode }),
  tryAcquire: () => locks.tryAcquire(name, { mode }),
})

/** The lock of that name, for one at a time. */
export const namedLock = (locks: Locks, name: string): NamedLock => inMode(locks, name, 'exclusive')

export const readWriteLock = (locks: Locks, name: string): ReadWriteLock => ({
  name,
  read: inMode(locks, name, 'shared'),
  write: inMode(locks, name, 'exclusive'),
})

/** @param limit how many permits there are, the same for everybody who uses it at a time */
export const semaphore = (locks: Locks, name: string, limit: number): Semaphore => ({
  ...common(locks, name),
  permits: limit,
  acquire: (options = {}) => locks.acquire(name, { ...options, limit }),
  tryAcquire: (options = {}) => locks.tryAcquire(name, { ...options, limit }),
})
