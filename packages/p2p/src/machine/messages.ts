import type { Address, MemberState, NodeId } from '@cluster/core'

/** What one node tells of another. */
export interface MemberNews {
  readonly id: NodeId
  readonly start: number
  readonly state: MemberState
  readonly addresses: readonly Address[]
}

/** What nodes say to each other about membership. The wire form is in `driver/wire.ts`. */
export type MembershipMessage =
  /** "I live." Sent over every link, both ways. */
  | { readonly type: 'heartbeat' }
  /** "These I know." Sent on a fresh link and now and then to a random peer. */
  | { readonly type: 'members'; readonly members: readonly MemberNews[] }
  /** "I stop on purpose." What follows it on the link is no sign of life. */
  | { readonly type: 'goodbye'; readonly reason: 'away' | 'left' }
