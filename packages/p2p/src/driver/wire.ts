import { address, type MemberState, nodeId } from '@cluster/core'
import { Encoder } from 'cbor-x'
import type { MemberNews, MembershipMessage } from '../machine/messages.ts'

/** The first byte of every membership frame. */
export const WIRE_VERSION = 1

const HEARTBEAT = 0
const MEMBERS = 1
const GOODBYE = 2

const STATES: readonly MemberState[] = ['alive', 'suspected', 'dead', 'away', 'left']

/** Limits of what is believed from the network; a frame past one of them is malformed. */
const FRAME_BYTES_MAX = 512 * 1024
const MEMBERS_MAX = 256
const ADDRESSES_MAX = 32
const TEXT_MAX = 512

const cbor = new Encoder({ useRecords: false, mapsAsObjects: true })
const heartbeat = Uint8Array.of(WIRE_VERSION, HEARTBEAT)

/** The frame of a message: version, kind, then CBOR where the kind has a body. */
export function encodeMessage(message: MembershipMessage): Uint8Array {
  switch (message.type) {
    case 'heartbeat':
      return heartbeat
    case 'members':
      return frame(
        MEMBERS,
        message.members.map(({ id, start, state, addresses }) => [
          id,
          start,
          STATES.indexOf(state),
          addresses.slice(0, ADDRESSES_MAX),
        ]),
      )
    case 'goodbye':
      return frame(GOODBYE, message.reason === 'left')
  }
}

/** The message in a frame, or what is wrong with the frame. Never throws. */
export function decodeMessage(bytes: Uint8Array): MembershipMessage | { readonly malformed: string } {
  const [version, kind] = bytes
  if (version === undefined || kind === undefined) return malformed('it is shorter than two bytes')
  if (version !== WIRE_VERSION) {
    return malformed(`its version is ${version}, this node understands ${WIRE_VERSION}`)
  }
  if (bytes.length > FRAME_BYTES_MAX) return malformed(`it has ${bytes.length} bytes`)
  if (kind === HEARTBEAT) return { type: 'heartbeat' }
  let body: unknown
  try {
    body = cbor.decode(bytes.subarray(2))
  } catch (error) {
    return malformed(`its body is no CBOR: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (kind === GOODBYE) {
    if (typeof body !== 'boolean') return malformed('the reason of a goodbye is missing')
    return { type: 'goodbye', reason: body ? 'left' : 'away' }
  }
  if (kind === MEMBERS) return membersOf(body)
  return malformed(`its kind ${kind} is not known`)
}

function frame(kind: number, body: unknown): Uint8Array {
  const encoded = cbor.encode(body)
  const bytes = new Uint8Array(encoded.length + 2)
  bytes[0] = WIRE_VERSION
  bytes[1] = kind
  bytes.set(encoded, 2)
  return bytes
}

function membersOf(body: unknown): MembershipMessage | { readonly malformed: string } {
  if (!Array.isArray(body) || body.length > MEMBERS_MAX) return malformed('the list of members is missing')
  const members: MemberNews[] = []
  for (const item of body) {
    const news = newsOf(item)
    if (news === null) return malformed(`member ${members.length} of its list makes no sense`)
    members.push(news)
  }
  return { type: 'members', members }
}

function newsOf(item: unknown): MemberNews | null {
  if (!Array.isArray(item)) return null
  const [id, start, stateNumber, addresses] = item as unknown[]
  const state = typeof stateNumber === 'number' ? STATES[stateNumber] : undefined
  if (!isText(id) || !Number.isSafeInteger(start) || state === undefined) return null
  if (!Array.isArray(addresses) || addresses.length > ADDRESSES_MAX || !addresses.every(isText)) return null
  return { id: nodeId(id), start: start as number, state, addresses: addresses.map((text) => address(text)) }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= TEXT_MAX
}

function malformed(why: string): { readonly malformed: string } {
  return { malformed: why }
}
