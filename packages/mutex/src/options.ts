import { optionInvalid } from './errors.ts'
import { MUTEX_LIMITS, type MutexLimits } from './machine/state.ts'

export interface MutexOptions {
  /**
   * A session ends when it was not renewed for so long, 100 … 10,000. Default 6,000. It must not exceed the time after which
   * the log gives up a silent member (`graceMs`), as what a removed member held is free at once.
   */
  readonly leaseMs?: number
  /**
   * A session whose process is there, but too busy to renew it, is kept for so long. Default 10,000; up to `leaseMs` it makes
   * no difference. The log gives up a member that is silent for its `graceMs` in any case.
   */
  readonly busyMs?: number
  /** Bounds of what is kept. Must be the same on every node of the cluster. */
  readonly limits?: Partial<MutexLimits>
}

export interface Settings {
  readonly leaseMs: number
  readonly busyMs: number
  readonly limits: MutexLimits
}

/** The options with defaults. @throws MUTEX_OPTION_INVALID */
export function settings({ leaseMs = 6_000, busyMs = 10_000, limits = {} }: MutexOptions): Settings {
  if (!Number.isInteger(leaseMs) || leaseMs < 100 || leaseMs > 10_000)
    throw optionInvalid('leaseMs', leaseMs, 'a whole number from 100 to 10000')
  if (!(busyMs >= 0)) throw optionInvalid('busyMs', busyMs, 'a number of at least 0')
  return { leaseMs, busyMs, limits: { ...MUTEX_LIMITS, ...limits } }
}
