/**
 * What became of the operation that failed.
 * - `rejected`: it did not happen and never will;
 * - `unknown`: it may or may not have happened; retry only with the same idempotency key.
 */
export type Outcome = 'rejected' | 'unknown'

/** What every error of the project carries; each package narrows it to a union of its own codes. */
export interface ErrorDetail {
  /** Stable across releases, upper snake case, prefixed by the package's word: `LOG_…`, `DB_…`. */
  readonly code: string
  readonly outcome: Outcome
}

const MARK = Symbol.for('cluster.error')

/**
 * The one error class. Programs look at `code`, `outcome` and `detail`; people read `message`, which says
 * what happened, why, and what to do.
 */
export class ClusterError<D extends ErrorDetail = ErrorDetail> extends Error {
  readonly detail: D
  readonly [MARK] = true

  constructor(detail: D, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'ClusterError'
    this.detail = detail
  }

  get code(): D['code'] {
    return this.detail.code
  }

  get outcome(): Outcome {
    return this.detail.outcome
  }

  /** A plain object that crosses links and threads with the detail intact. */
  toObject(): { readonly message: string; readonly detail: D } {
    return { message: this.message, detail: this.detail }
  }

  static fromObject<D extends ErrorDetail>(object: { message: string; detail: D }): ClusterError<D> {
    return new ClusterError(object.detail, object.message)
  }
}

/** True for errors of this project, also when another copy of the package made them. */
export function isClusterError(error: unknown): error is ClusterError {
  return typeof error === 'object' && error !== null && (error as { [MARK]?: unknown })[MARK] === true
}

/** The code of a project error, or `null` for any other error. */
export function errorCode(error: unknown): string | null {
  return isClusterError(error) ? error.code : null
}

/** A broken invariant: a bug or damaged memory. It is never caught to go on; the node stops. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
}

/** @throws InvariantError when the condition does not hold. Stays on in production. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message)
}

/** For the default of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new InvariantError(`unexpected value ${String(value)}`)
}

/** Errors that any layer may meet. */
export type CommonErrorDetail =
  | { readonly code: 'ABORTED'; readonly outcome: Outcome }
  | { readonly code: 'DEADLINE'; readonly outcome: Outcome; readonly afterMs: number }
  | { readonly code: 'STOPPED'; readonly outcome: Outcome }
  | { readonly code: 'OUTCOME_UNKNOWN'; readonly outcome: 'unknown'; readonly key: string | null }
