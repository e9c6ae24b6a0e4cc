import { assert, ByteReader, ByteWriter, nodeId } from '@cluster/core'
import { readMode, readText, writeMode, writeText } from './codec.ts'
import type { Claim, Lock, Session } from './state.ts'

/** Version of the snapshot's layout; the second one has owners, and is only written where there are some. */
const SNAPSHOT_FORMATS = { plain: 1, owners: 2 } as const

/** All that the machine knows. */
export interface MutexState {
  /** The newest token or session id. */
  counter: number
  readonly sessions: Map<number, Session>
  readonly locks: Map<string, Lock>
  /** Counts of latches that are not open. */
  readonly latches: Map<string, number>
}

export const emptyState = (): MutexState => ({
  counter: 0,
  sessions: new Map(),
  locks: new Map(),
  latches: new Map(),
})

/** Sorted, so that equal states give equal bytes. */
export function writeState({ counter, sessions, locks, latches }: MutexState): Uint8Array {
  const out = new ByteWriter()
  const claims = [...locks.values()].flatMap(({ holders, queue }) => [...holders, ...queue])
  const owners = claims.some(({ owner }) => owner > 0)
  out.u8(owners ? SNAPSHOT_FORMATS.owners : SNAPSHOT_FORMATS.plain)
  out.varint(counter)
  out.varint(sessions.size)
  for (const session of [...sessions.values()].sort((a, b) => a.id - b.id)) {
    out.varint(session.id)
    writeText(out, session.uid)
    writeText(out, session.node)
    out.varint(session.leaseMs)
    out.f64(session.renewedAt)
  }
  out.varint(locks.size)
  for (const lock of [...locks.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    writeText(out, lock.name)
    out.varint(lock.limit)
    writeClaims(out, lock.holders, owners)
    writeClaims(out, lock.queue, owners)
  }
  out.varint(latches.size)
  for (const [name, count] of [...latches].sort(([a], [b]) => (a < b ? -1 : 1))) {
    writeText(out, name)
    out.varint(count)
  }
  return out.finish()
}

export function readState(bytes: Uint8Array): MutexState {
  const input = new ByteReader(bytes)
  const format = input.u8()
  const owners = format === SNAPSHOT_FORMATS.owners
  assert(owners || format === SNAPSHOT_FORMATS.plain, 'the snapshot of the locks has a layout that is known')
  const state = { ...emptyState(), counter: input.varint() }
  for (let left = input.varint(); left > 0; left--) {
    const id = input.varint()
    const session: Session = {
      id,
      uid: readText(input),
      node: nodeId(readText(input)),
      leaseMs: input.varint(),
      renewedAt: input.f64(),
      requests: new Map(),
    }
    state.sessions.set(id, session)
  }
  for (let left = input.varint(); left > 0; left--) {
    const name = readText(input)
    const limit = input.varint()
    const holders = readClaims(input, owners)
    const queue = readClaims(input, owners)
    const taken = holders.reduce((sum, { permits }) => sum + permits, 0)
    state.locks.set(name, { name, limit, holders, queue, taken })
    for (const { session, request } of [...holders, ...queue]) {
      const owner = state.sessions.get(session)
      assert(owner, `the snapshot of the locks has the session ${session}`)
      owner.requests.set(request, name)
    }
  }
  for (let left = input.varint(); left > 0; left--) state.latches.set(readText(input), input.varint())
  return state
}

function writeClaims(out: ByteWriter, claims: readonly Claim[], owners: boolean): void {
  out.varint(claims.length)
  for (const claim of claims) {
    out.varint(claim.session)
    out.varint(claim.request)
    writeMode(out, claim.mode)
    out.varint(claim.permits)
    out.f64(claim.wall)
    out.varint(claim.token)
    if (owners) out.varint(claim.owner)
    out.u8(claim.broken === null ? 0 : 1)
    if (claim.broken !== null) writeText(out, claim.broken)
  }
}

function readClaims(input: ByteReader, owners: boolean): Claim[] {
  return Array.from({ length: input.varint() }, () => ({
    session: input.varint(),
    request: input.varint(),
    mode: readMode(input),
    permits: input.varint(),
    wall: input.f64(),
    token: input.varint(),
    owner: owners ? input.varint() : 0,
    broken: input.u8() === 0 ? null : readText(input),
  }))
}
