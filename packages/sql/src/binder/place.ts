import type { BindContext, Scope } from './context.ts'
import type { AggregateScope } from './query/aggregate-scope.ts'
import type { SetScope } from './query/set-scope.ts'
import type { WindowScope } from './query/window-scope.ts'

/** Where an expression stands: what it may name and what is allowed there. */
export interface Place {
  readonly context: BindContext
  readonly scope: Scope | null
  /** Collects aggregates; null where there must be none. */
  readonly aggregates: AggregateScope | null
  /** Collects window functions; absent or null where there must be none. */
  readonly windows?: WindowScope | null
  /** Collects functions that give rows; absent or null where there must be none. */
  readonly sets?: SetScope | null
  /** Where functions that give rows are refused although the clause allows them: `CASE`. */
  readonly refusedSets?: string
  /** For messages: `WHERE`, `JOIN conditions`. */
  readonly name: string
}
