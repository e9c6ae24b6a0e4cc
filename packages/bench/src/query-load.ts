/** What the parameters of a query are: $1 a random whole number between two, $2 that much more than $1. */
export interface RandomParameters {
  readonly from: number
  readonly to: number
  /** Null: there is no $2. */
  readonly span: number | null
}

/** One query again and again, by one caller, for `measuredMs` after `warmUpMs`; at least three times. */
export interface QueryLoad {
  readonly sql: string
  readonly parameters: RandomParameters | null
  readonly warmUpMs: number
  readonly measuredMs: number
}

export interface QueryAnswer {
  readonly times: number
  /** Milliseconds of one run. */
  readonly p50: number
  readonly p99: number
}

/** What the times of many runs come to. */
export function answerOf(times: readonly number[]): QueryAnswer {
  const sorted = Float64Array.from(times).sort()
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN
  return { times: sorted.length, p50: at(0.5), p99: at(0.99) }
}

const LEAST = 3

/** Runs a query as the load says, in this process. */
export async function runLoad(
  { parameters, warmUpMs, measuredMs }: QueryLoad,
  run: (values: readonly number[]) => unknown,
): Promise<QueryAnswer> {
  let seed = 12_345
  const values = (): readonly number[] => {
    if (parameters === null) return []
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    const first = parameters.from + (seed % (parameters.to - parameters.from + 1))
    return parameters.span === null ? [first] : [first, first + parameters.span]
  }
  const from = performance.now() + warmUpMs
  const until = from + measuredMs
  const times: number[] = []
  for (;;) {
    const given = values()
    const startedAt = performance.now()
    if (startedAt >= until && times.length >= LEAST) return answerOf(times)
    const result = run(given)
    // Who answers at once is not made to wait for a turn.
    if (result instanceof Promise) await result
    if (startedAt >= from) times.push(performance.now() - startedAt)
  }
}
