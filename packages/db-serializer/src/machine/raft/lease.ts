import type { NodeId } from '@cluster/core'
import { quorumsValue } from './quorum.ts'
import type { Office, State } from './state.ts'

/**
 * Leases let a leader answer reads without asking. A voter that hears a leader promises it not to help anybody else into
 * office for `leaseMs` by its own clock, whatever happens to the link; the leader counts that time, and less, from
 * *sending* what the voter answered. It rests on monotonic clocks whose rates differ by less than `CLOCK_DRIFT`, and
 * that go on while a machine sleeps.
 */
const CLOCK_DRIFT = 0.1

/** Signs of life whose time of sending is remembered; more than fit in one lease. */
const SENT_MAX = 64

/** A voter heard the leader; the promise is as good as the clock, so without its time none is made. */
export function grantLease(state: State, leader: NodeId): void {
  const { leaseMs } = state.settings
  if (leaseMs > 0 && state.exactNow) state.lease = { to: leader, until: state.now + leaseMs }
}

/** What a reply to that leader says of the promise. */
export function grantedLease(state: State, leader: NodeId): { readonly lease?: number } {
  const { lease, settings } = state
  return lease?.to === leader && state.exactNow ? { lease: settings.leaseMs } : {}
}

/** The process starts: it must keep what an earlier one may have promised just before. */
export function leaseAtStart(state: State): void {
  const { leaseMs } = state.settings
  const voters = state.voters()
  const others = voters.length > 1 || voters[0] !== state.self
  if (leaseMs > 0 && state.history !== null && others) state.lease = { to: null, until: state.now + leaseMs }
}

/** True while this node must not help the candidate, itself included, into office. */
export function leaseBinds(state: State, candidate: NodeId): boolean {
  return state.lease !== null && state.lease.to !== candidate && state.now < state.lease.until
}

/** The leader sends signs of life: those that answer this round promised later than now. */
export function leaseAsked(state: State, office: Office): void {
  if (state.settings.leaseMs === 0) return
  office.round++
  office.asked.push({ round: office.round, at: state.now })
  if (office.asked.length > SENT_MAX) office.asked.shift()
}

/** True when nobody else can be in office yet. */
export function leaseHolds(state: State, office: Office): boolean {
  const { leaseMs } = state.settings
  if (leaseMs === 0 || office.leaseOver || !state.exactNow) return false
  const round = quorumsValue(state.quorums(), (voter) =>
    voter === state.self ? office.round : (office.progress.get(voter)?.leaseRound ?? 0),
  )
  const asked = office.asked.findLast((each) => each.round <= round)
  return asked !== undefined && state.now < asked.at + leaseMs * (1 - CLOCK_DRIFT)
}
