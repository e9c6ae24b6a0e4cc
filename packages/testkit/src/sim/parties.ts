import type { Cancel, LinkDownCause, LinkInfo, NodeId } from '@cluster/core'
import type { Trace } from './trace.ts'

/** Virtual time, as the parts of the world see it. */
export interface Timeline {
  readonly now: number
  readonly trace: Trace
  schedule(delayMs: number, run: () => void): Cancel
}

/** A process at one end of links. */
export interface Endpoint {
  readonly self: NodeId
  readonly startNumber: number
  readonly alive: boolean
  readonly listening: boolean
  /** Nothing of it runs for so long still; 0 for a process that runs. */
  readonly stalledMs: number
  readonly timeline: Timeline
  /** A dial of `from` arrived here. */
  accept(from: Endpoint): void
  linkMade(link: Link): void
  /** This end of the link is over. */
  linkLost(link: Link, cause: LinkDownCause): void
}

/** One end of a link. */
export interface LinkSide {
  readonly transport: Endpoint
  readonly info: LinkInfo
  up: boolean
  /** Bytes sent from here that have not arrived yet. */
  queuedBytes: number
  /** When the last frame sent in order from here arrives. */
  lastArrival: number
  /** Frames from here that wait for the end of a partition. */
  held: (() => void)[]
}

/** How something travels. */
export interface Passing {
  readonly bytes: number
  /** May be lost, overtaken and (with `mayRepeat`) doubled. Otherwise it arrives in order as long as the link lives. */
  readonly exposed: boolean
  readonly mayRepeat: boolean
}

/** A connection between two processes. */
export interface Link {
  readonly sides: readonly [LinkSide, LinkSide]
  joins(a: string, b: string): boolean
  here(self: NodeId): LinkSide
  there(self: NodeId): LinkSide
  /** Brings something from `from` to the other end, where `arrive` runs if that end's process lives. */
  pass(from: LinkSide, how: Passing, arrive: () => void): void
  /** Ends it on this side, and tells the other end unless `silently`. */
  close(self: NodeId, cause: LinkDownCause, options?: { readonly silently?: boolean }): void
  /** Ends one side without a word to the other. */
  end(side: LinkSide, cause: LinkDownCause): void
  /** Ends both sides at once. */
  reset(): void
  /** The way is free again: what waited goes on in order. */
  released(): void
  /** If it is cut, gives it up after so much silence. */
  watchSilence(silenceMs: number): void
}
