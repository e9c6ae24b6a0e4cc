import type { NodeId } from '@cluster/core'
import type { Claim, Lock, Waiting } from './state.ts'

/** Claims that are looked at for one wish at most: a cycle behind more is not found. Counted, so that every node stops alike. */
const LOOKS_MAX = 10_000

const ownerOf = ({ session, owner }: Claim): string => `${session}.${owner}`

/** One who waits, and who waits for that one. */
interface Step {
  readonly claim: Claim
  readonly lock: Lock
  readonly from: Step | null
}

/** Claims that wait, by who waits. Those of nobody in particular are left out: nobody knows what else they have. */
export class WaitingClaims {
  readonly #claims = new Map<string, Map<Claim, Lock>>()

  /** Those that wait in the lines of these locks. */
  static of(locks: Iterable<Lock>): WaitingClaims {
    const all = new WaitingClaims()
    for (const lock of locks) for (const claim of lock.queue) all.add(claim, lock)
    return all
  }

  add(claim: Claim, lock: Lock): void {
    if (claim.owner === 0) return
    const own = this.#claims.get(ownerOf(claim))
    if (own) own.set(claim, lock)
    else this.#claims.set(ownerOf(claim), new Map([[claim, lock]]))
  }

  remove(claim: Claim): void {
    const own = this.#claims.get(ownerOf(claim))
    own?.delete(claim)
    if (own?.size === 0) this.#claims.delete(ownerOf(claim))
  }

  /**
   * The shortest cycle of those who would wait for each other if `claim` waited at the end of the line of `lock`: itself
   * first, and each waits for the next one. Null when there is none. A cycle comes to be with its last wish, so whoever
   * asks at each wish misses none.
   */
  cycle(claim: Claim, lock: Lock, nodeOf: (session: number) => NodeId): readonly Waiting[] | null {
    if (claim.owner === 0) return null
    const self = ownerOf(claim)
    const seen = new Set<string>()
    const steps: Step[] = [{ claim, lock, from: null }]
    let looks = 0
    for (const step of steps)
      for (const other of before(step)) {
        if (++looks > LOOKS_MAX) return null
        if (!blocks(step, other)) continue
        const owner = ownerOf(other)
        if (owner === self) return wayTo(step, nodeOf)
        if (seen.has(owner)) continue
        seen.add(owner)
        for (const [next, at] of this.#waits(owner)) steps.push({ claim: next, lock: at, from: step })
      }
    return null
  }

  /** In the order of requests, which is the same on every node, whatever came back by a snapshot or was taken back. */
  #waits(owner: string): readonly (readonly [Claim, Lock])[] {
    return [...(this.#claims.get(owner) ?? [])].sort(([a], [b]) => a.request - b.request)
  }
}

/** Those who hold the lock, and those who are before the claim in its line. */
function* before({ claim, lock }: Step): Generator<Claim> {
  yield* lock.holders
  for (const other of lock.queue) {
    if (other === claim) return
    yield other
  }
}

/** Whether the other one must let go before the claim is granted. */
function blocks({ claim, lock }: Step, other: Claim): boolean {
  // Of several permits another one may come back first, and who comes to a barrier lets nobody wait by staying.
  if (claim.mode === 'barrier' || lock.limit > 1 || other.owner === 0) return false
  // Two readers have it together.
  return claim.mode !== 'shared' || other.mode !== 'shared'
}

function wayTo(last: Step, nodeOf: (session: number) => NodeId): readonly Waiting[] {
  const way: Waiting[] = []
  for (let step: Step | null = last; step !== null; step = step.from)
    way.push({ node: nodeOf(step.claim.session), lock: step.lock.name })
  return way.reverse()
}
