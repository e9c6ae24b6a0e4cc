import type { Batch } from '../compile/batch.ts'
import type { ExecutionContext, OperatorCounts, OperatorProfile, Source } from './context.ts'

/** What EXPLAIN ANALYZE counts, by node of the plan. */
export class Profile implements OperatorCounts {
  readonly #operators = new Map<object, OperatorProfile>()

  of(node: object): OperatorProfile {
    let found = this.#operators.get(node)
    if (found === undefined) {
      found = { loops: 0, rows: 0, ms: 0, spill: null }
      this.#operators.set(node, found)
    }
    return found
  }

  /** Null for a node that never ran, or runs as part of another. */
  find(node: object): OperatorProfile | null {
    return this.#operators.get(node) ?? null
  }
}

/** The same source, which counts when somebody asks for it. */
export const profiled = (node: object, source: Source): Source => ({
  now: (context) => (context.profile === null ? source.now?.(context) : undefined),
  open: (context) =>
    context.profile === null ? source.open(context) : measured(context.profile.of(node), source, context),
})

async function* measured(
  counts: OperatorProfile,
  source: Source,
  context: ExecutionContext,
): AsyncGenerator<Batch> {
  counts.loops++
  const batches = source.open(context)[Symbol.asyncIterator]()
  let ended = false
  try {
    for (;;) {
      const start = context.now()
      const next = await batches.next()
      counts.ms += context.now() - start
      if (next.done === true) {
        ended = true
        return
      }
      counts.rows += next.value.length
      yield next.value
    }
  } finally {
    if (!ended) await batches.return?.()
  }
}
