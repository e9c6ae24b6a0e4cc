import type { Office, State } from './state.ts'

/** Calm for so many election time-outs begins the rest. */
const CALM = 3

/**
 * While nothing happens, signs of life come `restFactor` times less often, and silence counts after as much longer: a
 * leader says so in each of them. Whatever happens ends the rest at once, with the message that carries it. Closed
 * links tell as fast as ever. Leases know no rest.
 */
export function rests(state: State, office: Office): boolean {
  const { restFactor, leaseMs, electionTimeoutMs } = state.settings
  if (restFactor <= 1 || leaseMs > 0 || office.transfer !== null) return false
  if (state.now - office.stirredAt < CALM * electionTimeoutMs) return false
  if (state.commitIndex < state.log.lastIndex) return false
  for (const { state: at, match, sentCommit } of office.progress.values())
    if (at !== 'replicate' || match < state.log.lastIndex || sentCommit < state.commitIndex) return false
  return true
}

/** Something happens in this office. */
export function stir(state: State, office: Office): void {
  office.stirredAt = state.now
  if (!office.rests) return
  office.rests = false
  // Nobody was to say anything before, so nobody is late yet.
  office.wokenAt = state.now
  office.heartbeatAt = Math.min(office.heartbeatAt, state.now + state.settings.heartbeatMs)
}

/** How long a voter may be silent before this leader takes it for gone. */
export function patienceMs({ settings }: State, office: Office): number {
  return settings.electionTimeoutMs * (office.rests ? settings.restFactor : 1)
}
