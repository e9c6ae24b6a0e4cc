import {
  assert,
  ClusterError,
  type ClusterVersion,
  joinBytes,
  type LogIndex,
  type StateLoading,
  type StateMachine,
} from '@cluster/core'
import { unknownMachine } from '../../errors.ts'
import type { SessionTableState } from '../../machine/commands/session-table.ts'
import { list, text, WireError, whole } from '../network/shape.ts'
import { decodeValue, encodeValue } from '../network/wire.ts'

/** Counted up whenever the layout changes. */
const STATE_VERSION = 3
/** Content of one piece of a snapshot, at most. */
const PIECE_BYTES = 256 * 1024
/** Before it: whose it is (u32), 0 for the head, then the machines in the order of the head, from 1. */
const POSITION_BYTES = 4

/** Everything that follows from the entries applied so far, but for what the machines hold. */
export interface AppliedHead {
  /** Commands applied. */
  readonly commands: number
  /** The cluster that the group gave itself up into; null for one that goes on. */
  readonly sealed: string | null
  /** Members that said that they leave for good and are not removed yet. */
  readonly leaving: readonly string[]
  readonly version: ClusterVersion
  readonly sessions: SessionTableState
  /** Names of the machines whose states follow. */
  readonly machines: readonly string[]
}

function encodeHead({ commands, sealed, leaving, version, sessions, machines }: AppliedHead): Uint8Array {
  return encodeValue([STATE_VERSION, commands, sealed, leaving, version, sessions, machines])
}

/** @throws WireError, LOG_DAMAGED when another version wrote it */
function decodeHead(bytes: Uint8Array, index: LogIndex): AppliedHead {
  const fields = list(decodeValue(bytes))
  if (fields[0] !== STATE_VERSION) {
    throw new ClusterError(
      { code: 'LOG_DAMAGED', outcome: 'rejected', path: 'snapshot', offset: 0 },
      `The snapshot at ${index} has version ${String(fields[0])}, this program reads ${STATE_VERSION}. Use a program of the version that wrote it.`,
    )
  }
  return {
    commands: whole(fields[1]),
    sealed: fields[2] === null ? null : text(fields[2]),
    leaving: list(fields[3]).map(text),
    version: whole(fields[4]),
    sessions: fields[5] as SessionTableState,
    machines: list(fields[6]).map(text),
  }
}

/** Pieces of a snapshot that hold these bytes; one at least. */
function* split(position: number, bytes: Uint8Array): Generator<Uint8Array> {
  let at = 0
  do {
    const part = bytes.subarray(at, at + PIECE_BYTES)
    const piece = new Uint8Array(POSITION_BYTES + part.length)
    new DataView(piece.buffer).setUint32(0, position, true)
    piece.set(part, POSITION_BYTES)
    yield piece
    at += PIECE_BYTES
  } while (at < bytes.length)
}

function readPiece(piece: Uint8Array): { readonly position: number; readonly bytes: Uint8Array } {
  if (piece.length < POSITION_BYTES) throw new WireError('a piece of a snapshot without a position')
  const position = new DataView(piece.buffer, piece.byteOffset).getUint32(0, true)
  return { position, bytes: piece.subarray(POSITION_BYTES) }
}

/** A moment of the state. Small machines are written down at once; large ones hand their pieces out later. */
export class TakenState {
  readonly #head: Uint8Array
  readonly #parts: (Uint8Array | Iterator<Uint8Array>)[] = []

  /** @param machines in the order of `head.machines` */
  constructor(head: AppliedHead, machines: Iterable<StateMachine>) {
    this.#head = encodeHead(head)
    for (const machine of machines)
      this.#parts.push(machine.pieces ? machine.pieces.save() : machine.snapshot())
  }

  /**
   * What is asked for one after the other, once.
   * @param turn lets other work have its chance
   */
  async *pieces(turn: () => Promise<void>): AsyncGenerator<Uint8Array> {
    try {
      for (const piece of this.#all()) {
        yield piece
        await turn()
      }
    } finally {
      this.release()
    }
  }

  /** Nobody wants the rest: machines need not keep that moment any longer. */
  release(): void {
    for (const part of this.#parts.splice(0)) if (!(part instanceof Uint8Array)) part.return?.()
  }

  *#all(): Generator<Uint8Array> {
    yield* split(0, this.#head)
    for (const [i, part] of [...this.#parts].entries()) {
      if (part instanceof Uint8Array) yield* split(i + 1, part)
      else for (let next = part.next(); !next.done; next = part.next()) yield* split(i + 1, next.value)
    }
  }
}

/** Brings a state back, piece by piece. Nothing is in force before `done`, but for what machines do themselves. */
export class StateLoader {
  readonly #machines: ReadonlyMap<string, StateMachine>
  readonly #index: LogIndex
  #head: AppliedHead | null = null
  #headParts: Uint8Array[] = []
  /** By position: what came of a machine that takes its state whole, or who takes the pieces of one. */
  readonly #parts = new Map<number, Uint8Array[] | StateLoading>()

  constructor(machines: ReadonlyMap<string, StateMachine>, index: LogIndex) {
    this.#machines = machines
    this.#index = index
  }

  /** @throws WireError, LOG_DAMAGED, LOG_UNKNOWN_MACHINE when a machine is not attached here */
  add(piece: Uint8Array): void {
    const { position, bytes } = readPiece(piece)
    if (position === 0) {
      this.#headParts.push(bytes)
      return
    }
    const part = this.#part(position)
    if (Array.isArray(part)) part.push(bytes)
    else part.piece(bytes)
  }

  /** All pieces came. Machines that are in no snapshot are empty from here on. @throws as `add` */
  done(): AppliedHead {
    const head = this.#heads()
    for (const [name, machine] of this.#machines) {
      const part = this.#parts.get(head.machines.indexOf(name) + 1)
      if (part === undefined) machine.restore(null, this.#index)
      else if (Array.isArray(part)) machine.restore(joinBytes(part), this.#index)
      else part.done()
    }
    return head
  }

  #heads(): AppliedHead {
    if (this.#head !== null) return this.#head
    const head = decodeHead(joinBytes(this.#headParts), this.#index)
    this.#headParts = []
    for (const name of head.machines) if (!this.#machines.has(name)) throw unknownMachine(name)
    for (const [i, name] of head.machines.entries()) {
      const loading = this.#machines.get(name)?.pieces?.load(this.#index)
      this.#parts.set(i + 1, loading ?? [])
    }
    this.#head = head
    return head
  }

  #part(position: number): Uint8Array[] | StateLoading {
    this.#heads()
    const part = this.#parts.get(position)
    if (part === undefined) throw new WireError(`a snapshot with a piece of machine ${position}`)
    return part
  }
}

/** The head of a snapshot; what follows it is not read. */
export async function headOf(pieces: AsyncIterable<Uint8Array>, index: LogIndex): Promise<AppliedHead> {
  const parts: Uint8Array[] = []
  for await (const piece of pieces) {
    const { position, bytes } = readPiece(piece)
    if (position > 0) break
    parts.push(bytes)
  }
  assert(parts.length > 0, 'a snapshot begins with its head')
  return decodeHead(joinBytes(parts), index)
}

/** The same moment for a witness: who the members are and what they support, without what anybody stored. */
export function withoutData(head: AppliedHead): readonly Uint8Array[] {
  const sessions = head.sessions.sessions.map((session) => ({ ...session, applied: [] }))
  return [...split(0, encodeHead({ ...head, sessions: { sessions, keys: [] }, machines: [] }))]
}
