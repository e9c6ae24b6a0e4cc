import { ClusterError, type ClusterVersion, type LogIndex } from '@cluster/core'
import type { SessionTableState } from '../../machine/commands/session-table.ts'
import { list, text, whole } from '../network/shape.ts'
import { decodeValue, encodeValue } from '../network/wire.ts'

/** Counted up whenever the layout changes. */
const STATE_VERSION = 2

/** Everything that follows from the entries applied so far: what a snapshot holds. */
export interface AppliedState {
  /** Commands applied. */
  readonly commands: number
  /** The cluster that the group gave itself up into; null for one that goes on. */
  readonly sealed: string | null
  /** Members that said that they leave for good and are not removed yet. */
  readonly leaving: readonly string[]
  readonly version: ClusterVersion
  readonly sessions: SessionTableState
  /** What each state machine made of itself, by name. */
  readonly machines: ReadonlyMap<string, Uint8Array>
}

export function encodeState(state: AppliedState): Uint8Array {
  const { commands, sealed, leaving, version, sessions, machines } = state
  return encodeValue([STATE_VERSION, commands, sealed, leaving, version, sessions, [...machines]])
}

/** @throws WireError, LOG_DAMAGED when another version wrote it */
export function decodeState(snapshot: Uint8Array, index: LogIndex): AppliedState {
  const fields = list(decodeValue(snapshot))
  if (fields[0] !== STATE_VERSION) {
    throw new ClusterError(
      { code: 'LOG_DAMAGED', outcome: 'rejected', path: 'snapshot', offset: 0 },
      `The snapshot at ${index} has version ${String(fields[0])}, this program reads ${STATE_VERSION}. Use a program of the version that wrote it.`,
    )
  }
  const machines = list(fields[6]).map((part) => {
    const [name, state] = list(part)
    return [text(name), state as Uint8Array] as const
  })
  return {
    commands: whole(fields[1]),
    sealed: fields[2] === null ? null : text(fields[2]),
    leaving: list(fields[3]).map(text),
    version: whole(fields[4]),
    sessions: fields[5] as SessionTableState,
    machines: new Map(machines),
  }
}

/** The same moment for a witness: who the members are and what they support, without what anybody stored. */
export function withoutData(snapshot: Uint8Array, index: LogIndex): Uint8Array {
  const state = decodeState(snapshot, index)
  const sessions = state.sessions.sessions.map((session) => ({ ...session, applied: [] }))
  return encodeState({ ...state, sessions: { sessions, keys: [] }, machines: new Map() })
}
