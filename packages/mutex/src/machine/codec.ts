import { ByteReader, ByteWriter, type LockMode, type NodeId, nodeId } from '@cluster/core'
import type { Waiting } from './state.ts'

const FORMAT = 1
const MODES: readonly LockMode[] = ['exclusive', 'shared', 'permits', 'barrier']
const KINDS = [
  'open',
  'renew',
  'close',
  'acquire',
  'release',
  'expire',
  'gone',
  'break',
  'latch',
  'acquireAs',
] as const
const encoder = new TextEncoder()

/** What is submitted to the machine. */
export type MutexCommand =
  /** Opens a session and ends what the node had before, unless it opened one after `known`: this word is stale then. */
  | { readonly type: 'open'; readonly uid: string; readonly known: number; readonly leaseMs: number }
  | { readonly type: 'renew' | 'close'; readonly session: number }
  | {
      readonly type: 'acquire'
      readonly session: number
      readonly request: number
      readonly name: string
      readonly mode: LockMode
      readonly permits: number
      /** Permits of the semaphore, or how many the barrier waits for; 0 for a lock. */
      readonly limit: number
      /** False: now or not at all. */
      readonly wait: boolean
      /** Who of the process asks, for one lock at a time. Absent: nobody in particular. */
      readonly owner?: number
    }
  /** Gives back what was granted, or the place in the queue. */
  | { readonly type: 'release'; readonly session: number; readonly request: number }
  /** A note that the session was not renewed in time. The machine looks whether that is so. */
  | { readonly type: 'expire'; readonly session: number }
  /** The member is gone: its sessions with ids up to `upTo` are over. */
  | { readonly type: 'gone'; readonly node: NodeId; readonly upTo: number }
  | { readonly type: 'break'; readonly name: string; readonly reason: string }
  /** Sets the count of a latch that is open, or takes so many off. */
  | { readonly type: 'latch'; readonly name: string; readonly set: boolean; readonly count: number }

/** The machine's answers; `value` is what the table says. */
const STATUSES = [
  /** `value`: the session's id; how many were ended; how many holders are to lose it; the count of a latch. */
  'done',
  /** `value`: the token. */
  'granted',
  /** `value`: how many are before it. */
  'queued',
  'busy',
  /** The session is over, or another node's. */
  'sessionGone',
  'stale',
  /** The session was renewed in time. `value`: milliseconds of log time that it has left. */
  'kept',
  'modeDiffers',
  /** `value`: the limit, as a position in `LIMIT_NAMES`. */
  'limit',
  'malformed',
  /** Who asks would wait for itself: see the cycle. */
  'deadlock',
] as const

export type MutexStatus = (typeof STATUSES)[number]
export const LIMIT_NAMES = ['sessions', 'locks', 'queue', 'requests', 'nameBytes'] as const

export interface MutexResult {
  readonly status: MutexStatus
  readonly value: number
  /** Of a deadlock: who asks, whom that one waits for, and so on; only the first ones of a long one. */
  readonly cycle?: readonly Waiting[]
}

/** Of a cycle that is told: results are kept, and small. */
const CYCLE_TOLD_MAX = 8

export function writeText(out: ByteWriter, text: string): void {
  const bytes = encoder.encode(text)
  out.varint(bytes.length)
  out.raw(bytes)
}

export const readText = (input: ByteReader): string => input.text(input.varint())

export const writeMode = (out: ByteWriter, mode: LockMode): void => out.u8(MODES.indexOf(mode))

export function readMode(input: ByteReader): LockMode {
  const mode = MODES[input.u8()]
  if (mode === undefined) throw new RangeError('no such mode')
  return mode
}

export function encodeCommand(command: MutexCommand): Uint8Array {
  const out = new ByteWriter(128)
  out.u8(FORMAT)
  const { type } = command
  out.u8(KINDS.indexOf(type === 'acquire' && command.owner ? 'acquireAs' : type))
  switch (command.type) {
    case 'open':
      writeText(out, command.uid)
      out.varint(command.known)
      out.varint(command.leaseMs)
      break
    case 'acquire':
      out.varint(command.session)
      out.varint(command.request)
      writeText(out, command.name)
      writeMode(out, command.mode)
      out.varint(command.permits)
      out.varint(command.limit)
      out.u8(command.wait ? 1 : 0)
      if (command.owner) out.varint(command.owner)
      break
    case 'release':
      out.varint(command.session)
      out.varint(command.request)
      break
    case 'gone':
      writeText(out, command.node)
      out.varint(command.upTo)
      break
    case 'break':
      writeText(out, command.name)
      writeText(out, command.reason)
      break
    case 'latch':
      writeText(out, command.name)
      out.u8(command.set ? 1 : 0)
      out.varint(command.count)
      break
    default:
      out.varint(command.session)
  }
  return out.finish()
}

/** Null for bytes that are no command. */
export function decodeCommand(bytes: Uint8Array): MutexCommand | null {
  try {
    const input = new ByteReader(bytes)
    if (input.u8() !== FORMAT) return null
    const command = readCommand(input)
    return input.at === bytes.length ? command : null
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

function readCommand(input: ByteReader): MutexCommand | null {
  const type = KINDS[input.u8()]
  switch (type) {
    case 'open':
      return { type, uid: readText(input), known: input.varint(), leaseMs: input.varint() }
    case 'renew':
    case 'close':
    case 'expire':
      return { type, session: input.varint() }
    case 'acquire':
    case 'acquireAs':
      return {
        type: 'acquire',
        session: input.varint(),
        request: input.varint(),
        name: readText(input),
        mode: readMode(input),
        permits: input.varint(),
        limit: input.varint(),
        wait: input.u8() === 1,
        ...(type === 'acquireAs' && { owner: input.varint() }),
      }
    case 'release':
      return { type, session: input.varint(), request: input.varint() }
    case 'gone':
      return { type, node: nodeId(readText(input)), upTo: input.varint() }
    case 'break':
      return { type, name: readText(input), reason: readText(input) }
    case 'latch':
      return { type, name: readText(input), set: input.u8() === 1, count: input.varint() }
    default:
      return null
  }
}

export function encodeResult({ status, value, cycle }: MutexResult): Uint8Array {
  const out = new ByteWriter(16)
  out.u8(STATUSES.indexOf(status))
  out.varint(value)
  if (cycle) {
    const told = cycle.slice(0, CYCLE_TOLD_MAX)
    out.varint(told.length)
    for (const { node, lock } of told) {
      writeText(out, node)
      writeText(out, lock)
    }
  }
  return out.finish()
}

/** @throws RangeError for bytes that no machine wrote */
export function decodeResult(bytes: Uint8Array): MutexResult {
  const input = new ByteReader(bytes)
  const status = STATUSES[input.u8()]
  if (status === undefined) throw new RangeError('no such status')
  const value = input.varint()
  if (status !== 'deadlock') return { status, value }
  const cycle = Array.from({ length: input.varint() }, () => ({
    node: nodeId(readText(input)),
    lock: readText(input),
  }))
  return { status, value, cycle }
}

/** "The grant with this token still holds the lock", as a condition of a bundle. */
export interface LockRequirement {
  readonly name: string
  readonly token: number
  readonly uid: string
}

export function encodeRequirement({ name, token, uid }: LockRequirement): Uint8Array {
  const out = new ByteWriter(128)
  out.u8(FORMAT)
  writeText(out, name)
  out.varint(token)
  writeText(out, uid)
  return out.finish()
}

/** Null for bytes that are no requirement. */
export function decodeRequirement(bytes: Uint8Array): LockRequirement | null {
  try {
    const input = new ByteReader(bytes)
    if (input.u8() !== FORMAT) return null
    const requirement = { name: readText(input), token: input.varint(), uid: readText(input) }
    return input.at === bytes.length ? requirement : null
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}
