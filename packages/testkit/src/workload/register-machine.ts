import type { LogEntry, LogIndex, StateMachine } from '@cluster/core'
import type { RegistersInput, RegistersOutput } from '../check/registers.ts'

/** A command: what to do to the registers of a group, under a name that is unique. */
export interface RegisterCommand extends RegistersInput {
  readonly name: string
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function encodeCommand(command: RegisterCommand): Uint8Array {
  return encoder.encode(JSON.stringify(command))
}

export function decodeOutput(bytes: Uint8Array): RegistersOutput {
  return JSON.parse(decoder.decode(bytes)) as RegistersOutput
}

/**
 * Registers in groups as a replicated state machine. It keeps the name of every write that it applied, so
 * that one applied twice or lost shows. It lives in snapshots alone.
 */
export class RegisterMachine implements StateMachine {
  readonly name: string
  readonly #onApply: (entry: LogEntry) => void
  #registers: Record<string, string> = {}
  #journal: string[] = []
  #snapshots = 0

  /** @param onApply sees every entry that is applied here, in order */
  constructor(name = 'registers', onApply: (entry: LogEntry) => void = () => {}) {
    this.name = name
    this.#onApply = onApply
  }

  /** Names of the writes applied, in order. */
  get journal(): readonly string[] {
    return this.#journal
  }

  /** How often the state was replaced by a snapshot. */
  get restored(): number {
    return this.#snapshots
  }

  read(group: string, registers: readonly string[]): RegistersOutput {
    return Object.fromEntries(registers.map((name) => [name, this.#registers[`${group}/${name}`] ?? null]))
  }

  apply(entry: LogEntry): Uint8Array {
    this.#onApply(entry)
    const command = JSON.parse(decoder.decode(entry.command)) as RegisterCommand
    const { group, reads, writes, onlyIf = {} } = command
    if (Object.keys(writes).length > 0) this.#journal.push(command.name)
    const output = this.read(group, reads)
    const held = this.read(group, Object.keys(onlyIf))
    if (Object.entries(onlyIf).every(([name, value]) => held[name] === value))
      for (const [name, value] of Object.entries(writes)) this.#registers[`${group}/${name}`] = value
    return encoder.encode(JSON.stringify(output))
  }

  snapshot(): Uint8Array {
    const names = Object.keys(this.#registers).sort()
    return encoder.encode(
      JSON.stringify({
        registers: names.map((name) => [name, this.#registers[name]]),
        journal: this.#journal,
      }),
    )
  }

  restore(snapshot: Uint8Array | null, index: LogIndex): void {
    if (index > 0) this.#snapshots++
    const state =
      snapshot === null
        ? { registers: [], journal: [] }
        : (JSON.parse(decoder.decode(snapshot)) as { registers: [string, string][]; journal: string[] })
    this.#registers = Object.fromEntries(state.registers)
    this.#journal = state.journal
  }

  durableIndex(): number {
    return Number.POSITIVE_INFINITY
  }
}
