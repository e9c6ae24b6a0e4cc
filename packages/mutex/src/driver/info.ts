import { assert, type LockInfo, type NodeId } from '@cluster/core'
import type { MutexMachine } from '../machine/machine.ts'

/** A lock as the machine has it now, for people; null when nobody has or wants it. */
export function infoOf(machine: MutexMachine, name: string, wall: number): LockInfo | null {
  const lock = machine.locks.get(name)
  if (lock === undefined) return null
  const nodeOf = (id: number): NodeId => {
    const session = machine.sessions.get(id)
    assert(session, `the session ${id} of a claim exists`)
    return session.node
  }
  const since = (at: number): number => Math.max(0, wall - at)
  return {
    name,
    limit: lock.limit === 0 ? null : lock.limit,
    holders: lock.holders.map(({ session, token, mode, permits, wall: at, broken }) => ({
      node: nodeOf(session),
      token,
      mode,
      permits,
      ageMs: since(at),
      broken,
    })),
    queue: lock.queue.map(({ session, mode, permits, wall: at }) => ({
      node: nodeOf(session),
      mode,
      permits,
      waitingMs: since(at),
    })),
  }
}
