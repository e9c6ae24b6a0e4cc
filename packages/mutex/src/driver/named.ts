import type { AcquireOptions, Cancel, HeldLock, LockInfo, Locks } from '@cluster/core'

/** What may be said beside the name. */
export type Patience = Pick<AcquireOptions, 'timeoutMs' | 'signal' | 'owner'>

/** One lock of the cluster, by its name. */
export interface NamedLock {
  readonly name: string
  /** Waits for its turn. @throws as `Locks.acquire` */
  acquire(options?: Patience): Promise<HeldLock>
  /** Takes it if nobody is in the way; null if somebody is. @throws as `Locks.acquire` */
  tryAcquire(options?: Pick<AcquireOptions, 'owner'>): Promise<HeldLock | null>
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
  tryAcquire(options?: Pick<AcquireOptions, 'owner' | 'permits'>): Promise<HeldLock | null>
}

/** Whoever comes waits until so many are there; then all go on, and the next round begins. */
export interface Barrier {
  readonly name: string
  readonly parties: number
  /**
   * Resolves when so many have come. Who gives up, or whose node dies, while it waits counts no more.
   * @throws as `Locks.acquire`
   */
  arrive(options?: Patience): Promise<void>
  /** Who waits; null when nobody does. */
  describe(): Promise<LockInfo | null>
}

/** A count that goes down to zero; see `Latches`. */
export interface Latch {
  readonly name: string
  set(count: number): Promise<boolean>
  countDown(by?: number): Promise<number>
  count(): Promise<number>
  wait(options?: Patience): Promise<void>
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
  tryAcquire: (options = {}) => locks.tryAcquire(name, { ...options, mode }),
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

export const barrier = (locks: Locks, name: string, parties: number): Barrier => ({
  name,
  parties,
  describe: async () => (await locks.describe(name))[0] ?? null,
  async arrive(options = {}) {
    const passed = await locks.acquire(name, { ...options, mode: 'barrier', limit: parties })
    // The others need not wait until that is noted.
    void passed.release()
  },
})

export const latch = ({ latches }: Locks, name: string): Latch => ({
  name,
  set: (count) => latches.set(name, count),
  countDown: (by) => latches.countDown(name, by),
  count: () => latches.count(name),
  wait: (options) => latches.wait(name, options),
})
