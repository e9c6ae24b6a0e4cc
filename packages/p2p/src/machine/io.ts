import type {
  Address,
  BackoffOptions,
  DiscoveredPeer,
  LinkDownCause,
  LinkInfo,
  LogFields,
  LogLevel,
  NodeId,
  PeersEvents,
  ProbeResult,
} from '@cluster/core'
import type { MembershipMessage } from './messages.ts'

/** Why an address is asked who is there: after a link broke, or because it may be this very node's. */
export type ProbePurpose = 'death' | 'identity'

export interface DialFailed {
  readonly type: 'dialFailed'
  readonly address: Address
  readonly why: string
  /** Nobody listens there. */
  readonly refused: boolean
  /** A node is there and does not want this one. */
  readonly turnedAway?: boolean
}

/** What happens to the machine. `now` is `Clock.now()` in milliseconds and never goes back. */
export type Input =
  /** The transport listens at `own`. */
  | { readonly type: 'started'; readonly own: readonly Address[] }
  | { readonly type: 'linkUp'; readonly info: LinkInfo }
  | { readonly type: 'linkDown'; readonly peer: NodeId; readonly cause: LinkDownCause }
  | { readonly type: 'message'; readonly from: NodeId; readonly message: MembershipMessage }
  /** A membership frame of a peer made no sense. */
  | { readonly type: 'malformed'; readonly from: NodeId; readonly why: string }
  | { readonly type: 'discovered'; readonly found: DiscoveredPeer }
  | { readonly type: 'dialled'; readonly address: Address; readonly peer: NodeId }
  | DialFailed
  | {
      readonly type: 'probeResult'
      /** The number of the question. */
      readonly probe: number
      readonly address: Address
      readonly purpose: ProbePurpose
      readonly result: ProbeResult
    }
  /** Time passed; due at `Membership.nextAt`, may come at any time. */
  | { readonly type: 'tick' }
  /** The process sends something anyway: what is due soon may go now, so that it need not wake for that alone. */
  | { readonly type: 'awake' }
  | { readonly type: 'stop'; readonly reason: 'away' | 'left' }

type Emission<Type extends keyof PeersEvents> = {
  readonly type: 'emit'
  readonly event: Type
  readonly detail: PeersEvents[Type]
}

/** What the driver does for the machine, in this order. */
export type Effect =
  | { readonly type: 'send'; readonly to: NodeId; readonly message: MembershipMessage }
  /** Answered by one `dialled` or `dialFailed`. */
  | { readonly type: 'dial'; readonly address: Address }
  /** Answered by one `probeResult`. */
  | {
      readonly type: 'probe'
      readonly probe: number
      readonly address: Address
      readonly purpose: ProbePurpose
    }
  | { readonly type: 'disconnect'; readonly peer: NodeId }
  | { readonly type: 'log'; readonly level: LogLevel; readonly event: string; readonly fields: LogFields }
  | Emission<'member'>
  | Emission<'linkUp'>
  | Emission<'linkDown'>
  | Emission<'deathProved'>
  | Emission<'refused'>
  | Emission<'turnedAway'>
  | Emission<'failed'>

/** Limits and times of the machine; see `PeersOptions` for what each means and its default. */
export interface MembershipConfig {
  readonly self: NodeId
  readonly start: number
  readonly heartbeatMs: number
  readonly silentMs: number
  readonly graceMs: number
  readonly gossipMs: number
  readonly yieldMs: number
  readonly staggerMs: number
  readonly dialsMax: number
  readonly dialBackoff: BackoffOptions
  readonly dialGiveUpMs: number
  readonly slowDialMs: number
  readonly probeBackoff: BackoffOptions
  readonly membersMax: number
  readonly forgetMs: number
}
