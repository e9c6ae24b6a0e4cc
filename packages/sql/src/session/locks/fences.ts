import type { BundleCondition, HeldLock } from '@cluster/core'

/** A lock that somebody has: what is committed under it is refused once it is lost. */
export type Fence = Pick<HeldLock, 'fence'>

/** What a transaction is run with. */
export interface SqlTransactionOptions {
  /** The commit takes place only while all of these are held, at its very place in the log. @throws (later) 55L01 */
  readonly fence?: Fence | readonly Fence[]
}

export const conditionsOf = (fence: Fence | readonly Fence[] = []): readonly BundleCondition[] =>
  ('fence' in fence ? [fence] : fence).map((held) => held.fence)
