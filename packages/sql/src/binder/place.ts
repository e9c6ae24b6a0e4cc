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
  /** Why there must be none here, where that is not for what `name` says. */
  readonly setsRefused?: string
  /** For messages: `WHERE`, `JOIN conditions`. */
  readonly name: string
}

/** A part of the place in which functions that give rows are refused, with that message, where they would be allowed else. */
export const withoutSets = (place: Place, setsRefused: string): Place =>
  place.sets == null ? place : { ...place, sets: null, setsRefused }
