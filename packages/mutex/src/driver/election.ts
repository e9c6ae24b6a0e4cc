import type { AcquireOptions, Cancel, HeldLock, LockInfo, Locks, NodeId } from '@cluster/core'

/** Who was chosen, and the token of the office. */
export interface Leadership {
  readonly node: NodeId
  readonly token: number
}

/** The election of one among those who stand for it: a lock of that name, in whose line they wait. */
export interface Election {
  /** Waits to be chosen; the office lasts until the lock is released or lost. @throws as `Locks.acquire` */
  campaign(options?: Pick<AcquireOptions, 'timeoutMs' | 'signal'>): Promise<HeldLock>
  /** Who leads, up to date; null when nobody does. */
  leader(): Promise<Leadership | null>
  /** Calls `listener` whenever another one leads, or nobody, as this node sees it. */
  observe(listener: (leader: Leadership | null) => void): Cancel
}

export function election(locks: Locks, name: string): Election {
  return {
    campaign: (options) => locks.acquire(name, { ...options, mode: 'exclusive' }),
    leader: async () => leaderOf((await locks.describe(name))[0] ?? null),
    observe(listener) {
      let token: number | null = null
      return locks.watch(name, (info) => {
        const leader = leaderOf(info)
        if ((leader?.token ?? null) === token) return
        token = leader?.token ?? null
        listener(leader)
      })
    },
  }
}

/** One whose lock was broken leads no more, though it may not know yet. */
function leaderOf(info: LockInfo | null): Leadership | null {
  const holder = info?.holders[0]
  return holder === undefined || holder.broken !== null ? null : { node: holder.node, token: holder.token }
}
