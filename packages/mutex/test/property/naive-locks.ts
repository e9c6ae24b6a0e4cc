import type { LockMode } from '@cluster/core'

export interface NaiveClaim {
  readonly session: number
  readonly request: number
  readonly mode: LockMode
  readonly permits: number
  /** 0: nobody in particular. */
  readonly owner: number
  held: boolean
}

interface NaiveSession {
  readonly id: number
  readonly node: string
  renewedAt: number
}

export const LEASE_MS = 50

/** Locks as one would write them on a napkin: lists that are searched from the start. */
export class NaiveLocks {
  sessions: NaiveSession[] = []
  /** In the order they came, those who hold included. */
  readonly lines = new Map<string, { readonly limit: number; claims: NaiveClaim[] }>()
  readonly latches = new Map<string, number>()

  open(id: number, node: string, time: number): void {
    for (const session of this.sessions.filter((each) => each.node === node)) this.end(session.id)
    this.sessions.push({ id, node, renewedAt: time })
  }

  renew(id: number, time: number): void {
    for (const session of this.sessions) if (session.id === id) session.renewedAt = time
  }

  expire(id: number, time: number): void {
    const session = this.sessions.find((each) => each.id === id)
    if (session && time - session.renewedAt >= LEASE_MS) this.end(id)
  }

  gone(node: string): void {
    for (const session of this.sessions.filter((each) => each.node === node)) this.end(session.id)
  }

  end(id: number): void {
    this.sessions = this.sessions.filter((session) => session.id !== id)
    for (const name of this.lines.keys()) this.#remove(name, (claim) => claim.session === id)
  }

  acquire(
    name: string,
    wish: Omit<NaiveClaim, 'held'>,
    limit: number,
    wait: boolean,
  ): 'granted' | 'queued' | 'busy' | 'deadlock' | 'modeDiffers' | 'sessionGone' {
    if (!this.sessions.some(({ id }) => id === wish.session)) return 'sessionGone'
    const line = this.lines.get(name) ?? { limit, claims: [] }
    if (line.limit !== limit) return 'modeDiffers'
    if (line.claims.some(({ mode }) => (mode === 'barrier') !== (wish.mode === 'barrier')))
      return 'modeDiffers'
    const claim = { ...wish, held: false }
    const { claims } = line
    line.claims = [...claims, claim]
    this.#serve(line)
    if (!claim.held && !wait) {
      line.claims = claims
      return 'busy'
    }
    const isNew = !this.lines.has(name)
    this.lines.set(name, line)
    if (!claim.held && this.#isStuck(claim)) {
      line.claims = claims
      if (isNew) this.lines.delete(name)
      return 'deadlock'
    }
    return claim.held ? 'granted' : 'queued'
  }

  /** Who waits for whom, over any number of others: all pairs, until there are no more. */
  #isStuck(claim: NaiveClaim): boolean {
    const who = ({ session, owner }: NaiveClaim): string => `${session} ${owner}`
    const pairs = new Set<string>()
    for (const { limit, claims } of this.lines.values())
      for (const [i, waiter] of claims.entries())
        for (const [j, other] of claims.entries()) {
          const inTheWay = other.held || j < i
          const both = waiter.mode === 'shared' && other.mode === 'shared'
          if (waiter.held || waiter === other || !inTheWay || both || limit > 1) continue
          if (waiter.mode !== 'barrier' && waiter.owner > 0 && other.owner > 0)
            pairs.add(`${who(waiter)}>${who(other)}`)
        }
    for (let before = -1; before < pairs.size; ) {
      before = pairs.size
      for (const one of [...pairs])
        for (const two of [...pairs])
          if (one.split('>')[1] === two.split('>')[0]) pairs.add(`${one.split('>')[0]}>${two.split('>')[1]}`)
    }
    return claim.owner > 0 && pairs.has(`${who(claim)}>${who(claim)}`)
  }

  latch(name: string, set: boolean, count: number): number {
    const before = this.latches.get(name) ?? 0
    if (set && before > 0) return 0
    this.latches.set(name, set ? count : Math.max(0, before - count))
    return set ? 1 : Math.max(0, before - count)
  }

  release(session: number, request: number): void {
    const mine = (claim: NaiveClaim): boolean => claim.session === session && claim.request === request
    for (const name of this.lines.keys()) this.#remove(name, mine)
  }

  #remove(name: string, which: (claim: NaiveClaim) => boolean): void {
    const line = this.lines.get(name)
    if (!line?.claims.some(which)) return
    line.claims = line.claims.filter((claim) => !which(claim))
    this.#serve(line)
    if (line.claims.length === 0) this.lines.delete(name)
  }

  #serve({ limit, claims }: { readonly limit: number; readonly claims: NaiveClaim[] }): void {
    const waiting = claims.filter(({ mode, held }) => mode === 'barrier' && !held)
    if (waiting.length === limit) for (const claim of waiting) claim.held = true
    for (const claim of claims) {
      if (claim.held || claim.mode === 'barrier') continue
      const held = claims.filter((each) => each.held)
      const free =
        claim.mode === 'permits'
          ? held.reduce((sum, { permits }) => sum + permits, 0) + claim.permits <= limit
          : claim.mode === 'shared'
            ? held.every(({ mode }) => mode === 'shared')
            : held.length === 0
      if (!free) return
      claim.held = true
    }
  }
}
