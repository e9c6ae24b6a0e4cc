import type { BundleSupport, LogEntry, LogIndex, StateMachine } from '@cluster/core'
import { MET, type RegistersInput, type RegistersOutput } from '../check/registers.ts'

/** A command: what to do to the registers of a group, under a name that is unique. */
export interface RegisterCommand extends RegistersInput {
  readonly name: string
  /** In a bundle: refused when the condition does not hold. Else it writes nothing then. */
  readonly strict?: boolean
  /** Does not enter the journal: a further command of the same bundle does. */
  readonly quiet?: boolean
  /** Another machine got a part of the same bundle, and has the name in its journal as well. */
  readonly shared?: boolean
}

/** What must hold before a bundle. */
export type RegisterCondition = Required<Pick<RegistersInput, 'group' | 'onlyIf'>>

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function encodeCommand(command: RegisterCommand | RegisterCondition): Uint8Array {
  return encoder.encode(JSON.stringify(command))
}

export function decodeOutput(bytes: Uint8Array): RegistersOutput {
  return JSON.parse(decoder.decode(bytes)) as RegistersOutput
}

interface Saved {
  readonly registers: Readonly<Record<string, string>>
  readonly journaled: number
}

/**
 * Registers in groups as a replicated state machine. It keeps the name of every write that it applied, so
 * that one applied twice or lost shows. It lives in snapshots alone.
 */
export class RegisterMachine implements StateMachine {
  readonly name: string
  readonly bundles: BundleSupport
  readonly #onApply: (entry: LogEntry) => void
  #registers: Record<string, string> = {}
  #journal: { readonly name: string; readonly shared: boolean }[] = []
  #snapshots = 0
  #saved: Saved | null = null

  /** @param onApply sees every entry that is applied here, in order */
  constructor(name = 'registers', onApply: (entry: LogEntry) => void = () => {}) {
    this.name = name
    this.#onApply = onApply
    this.bundles = {
      check: (condition) => this.#holds(JSON.parse(decoder.decode(condition)) as RegisterCondition),
      begin: () => {
        this.#saved = { registers: { ...this.#registers }, journaled: this.#journal.length }
      },
      commit: () => {
        this.#saved = null
      },
      rollback: () => {
        if (this.#saved === null) return
        this.#registers = { ...this.#saved.registers }
        this.#journal.length = this.#saved.journaled
        this.#saved = null
      },
      refuses: (result) => decodeOutput(result)[MET] === 'no',
    }
  }

  /** Names of the writes applied, in order. */
  get journal(): readonly string[] {
    return this.#journal.map(({ name }) => name)
  }

  /** Those of them that were in a bundle with another machine. */
  get shared(): readonly string[] {
    return this.#journal.filter((each) => each.shared).map(({ name }) => name)
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
    const { name, group, reads, writes, onlyIf = {}, strict, quiet, shared = false } = command
    const holds = this.#holds({ group, onlyIf })
    if (strict === true && !holds) return encoder.encode(JSON.stringify({ [MET]: 'no' }))
    if ((Object.keys(writes).length > 0 || shared) && quiet !== true) this.#journal.push({ name, shared })
    const output = this.read(group, reads)
    if (holds)
      for (const [register, value] of Object.entries(writes)) this.#registers[`${group}/${register}`] = value
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
        : (JSON.parse(decoder.decode(snapshot)) as {
            registers: [string, string][]
            journal: { name: string; shared: boolean }[]
          })
    this.#registers = Object.fromEntries(state.registers)
    this.#journal = state.journal
    this.#saved = null
  }

  durableIndex(): number {
    return Number.POSITIVE_INFINITY
  }

  #holds({ group, onlyIf }: RegisterCondition): boolean {
    return Object.entries(onlyIf).every(
      ([name, value]) => (this.#registers[`${group}/${name}`] ?? null) === value,
    )
  }
}
