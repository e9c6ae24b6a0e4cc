/** How long the operations of one run took. */
export interface LatencySummary {
  readonly operations: number
  /** Operations a second of wall time. */
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** @param latencies milliseconds of each operation, in any order; sorted in place */
export function summarize(latencies: Float64Array, wallMs: number): LatencySummary {
  latencies.sort()
  const at = (share: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN
  return {
    operations: latencies.length,
    perSecond: (latencies.length / wallMs) * 1000,
    p50: at(0.5),
    p99: at(0.99),
    max: latencies[latencies.length - 1] ?? Number.NaN,
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}
