import { assert, type LogEntry, type StateMachine } from '@cluster/core'
import { RESULT_BYTES_MAX } from './session-table.ts'

/**
 * Several commands as one entry. It travels in a command envelope whose machine is `BUNDLE_MACHINE`. Numbers are
 * little-endian: count of conditions u8 · count of commands u8 · then each condition, each command: machine u8 (as
 * in the envelope) · length u32 · bytes.
 */
export const BUNDLE_MACHINE = 255
/** Idempotency keys of bundles are remembered under this name, which is no machine's. */
export const BUNDLE_NAME = ''
/** Most commands, and most conditions, of one bundle. */
export const BUNDLE_PARTS_MAX = 64

const HEAD = 2
const PART_HEAD = 5
const OUTCOME_HEAD = 4
const RESULT_HEAD = 4
const STATUS = ['adopted', 'unmet', 'refused', 'tooLarge'] as const

/** A command, or a condition, for the machine at that position in the session's list. */
export interface BundlePart {
  readonly machine: number
  readonly bytes: Uint8Array
}

export interface PackedBundle {
  readonly requires: readonly BundlePart[]
  readonly commands: readonly BundlePart[]
}

export interface BundleOutcome {
  readonly status: (typeof STATUS)[number]
  /** Which condition was not met, or which command refused; 0 otherwise. */
  readonly position: number
  /** Of the commands when adopted, else of the one that refused. */
  readonly results: readonly Uint8Array[]
}

export function encodeBundle({ requires, commands }: PackedBundle): Uint8Array {
  assert(requires.length <= BUNDLE_PARTS_MAX && commands.length <= BUNDLE_PARTS_MAX, 'a bundle has few parts')
  const parts = [...requires, ...commands]
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + PART_HEAD + part.bytes.length, HEAD))
  const view = new DataView(bytes.buffer)
  bytes[0] = requires.length
  bytes[1] = commands.length
  let at = HEAD
  for (const part of parts) {
    view.setUint8(at, part.machine)
    view.setUint32(at + 1, part.bytes.length, true)
    bytes.set(part.bytes, at + PART_HEAD)
    at += PART_HEAD + part.bytes.length
  }
  return bytes
}

/** Reads a bundle; null when the bytes are none. The parts are views. */
export function decodeBundle(bytes: Uint8Array): PackedBundle | null {
  const [conditions = 0, commands = 0] = bytes
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const parts: BundlePart[] = []
  let at = HEAD
  for (let i = 0; i < conditions + commands; i++) {
    if (at + PART_HEAD > bytes.length) return null
    const end = at + PART_HEAD + view.getUint32(at + 1, true)
    if (end > bytes.length) return null
    parts.push({ machine: view.getUint8(at), bytes: bytes.subarray(at + PART_HEAD, end) })
    at = end
  }
  if (at !== bytes.length) return null
  return { requires: parts.slice(0, conditions), commands: parts.slice(conditions) }
}

/**
 * Applies a bundle: first all conditions, then the commands in order, each seeing what those before it did. Either all
 * machines adopt it or none does.
 * @param machineOf the machine at a position of the session's list
 * @param stamp what all its commands have in common
 * @throws InvariantError when a machine takes no part in bundles
 */
export function applyBundle(
  { requires, commands }: PackedBundle,
  machineOf: (position: number) => StateMachine,
  stamp: Omit<LogEntry, 'command'>,
): BundleOutcome {
  const supportOf = (machine: StateMachine): NonNullable<StateMachine['bundles']> => {
    assert(machine.bundles, `the state machine ${machine.name} takes no part in bundles`)
    return machine.bundles
  }
  const unmet = requires.findIndex(({ machine, bytes }) => !supportOf(machineOf(machine)).check(bytes))
  if (unmet >= 0) return { status: 'unmet', position: unmet, results: [] }
  const begun = new Set<StateMachine>()
  const results: Uint8Array[] = []
  let room = RESULT_BYTES_MAX - OUTCOME_HEAD
  const takeBack = (outcome: BundleOutcome): BundleOutcome => {
    for (const machine of [...begun].reverse()) supportOf(machine).rollback()
    return outcome
  }
  for (const [position, part] of commands.entries()) {
    const machine = machineOf(part.machine)
    const support = supportOf(machine)
    if (!begun.has(machine)) {
      begun.add(machine)
      support.begin()
    }
    const result = machine.apply({ ...stamp, command: part.bytes })
    const refused = support.refuses?.(result) === true
    const fits = result.length + RESULT_HEAD <= (refused ? RESULT_BYTES_MAX - OUTCOME_HEAD : room)
    if (!fits) return takeBack({ status: 'tooLarge', position, results: [] })
    if (refused) return takeBack({ status: 'refused', position, results: [result] })
    results.push(result)
    room -= result.length + RESULT_HEAD
  }
  for (const machine of begun) supportOf(machine).commit()
  return { status: 'adopted', position: 0, results }
}

/** As bytes that are kept for retries: status u8 · position u8 · count u16 · then each result: length u32 · bytes. */
export function encodeOutcome({ status, position, results }: BundleOutcome): Uint8Array {
  const size = results.reduce((sum, result) => sum + RESULT_HEAD + result.length, OUTCOME_HEAD)
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  bytes[0] = STATUS.indexOf(status)
  bytes[1] = position
  view.setUint16(2, results.length, true)
  let at = OUTCOME_HEAD
  for (const result of results) {
    view.setUint32(at, result.length, true)
    bytes.set(result, at + RESULT_HEAD)
    at += RESULT_HEAD + result.length
  }
  return bytes
}

/** Reads what `encodeOutcome` wrote. */
export function decodeOutcome(bytes: Uint8Array): BundleOutcome {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const status = STATUS[view.getUint8(0)]
  assert(status !== undefined, 'the outcome of a bundle has a known status')
  const results: Uint8Array[] = []
  let at = OUTCOME_HEAD
  for (let i = view.getUint16(2, true); i > 0; i--) {
    const end = at + RESULT_HEAD + view.getUint32(at, true)
    results.push(bytes.slice(at + RESULT_HEAD, end))
    at = end
  }
  return { status, position: view.getUint8(1), results }
}
