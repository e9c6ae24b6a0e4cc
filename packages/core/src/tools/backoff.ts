import { below, type Random } from '../host/random.ts'

export interface BackoffOptions {
  /** Shortest wait, > 0. */
  readonly baseMs: number
  /** Longest wait, ≥ baseMs. */
  readonly maxMs: number
}

/** Exponential back-off with full jitter: the wait before attempt `attempt` (0 is the first retry). */
export function backoffMs(random: Random, attempt: number, { baseMs, maxMs }: BackoffOptions): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30))
  return ceiling / 2 + below(random, Math.max(1, Math.ceil(ceiling / 2)))
}
