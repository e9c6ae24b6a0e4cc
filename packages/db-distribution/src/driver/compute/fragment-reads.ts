import type {
  ColumnBatch,
  FragmentInput,
  FragmentReads,
  FragmentRequest,
  Traffic,
  Version,
} from '@cluster/core'
import type { DatabaseRecord } from '../../machine/state.ts'
import type { ReadOptions } from '../read/traffic.ts'
import type { Computer } from './computer.ts'

/** What fragments need of the transaction that reads by them. */
export interface FragmentPorts {
  readonly computer: Computer
  readonly database: DatabaseRecord
  readonly version: Version
  readonly received: Traffic
  /** True when the transaction has written rows of the input. */
  hasWritten(input: FragmentInput): boolean
  /** Puts the input into the read set. */
  cover(input: FragmentInput): void
  /** Throws when the transaction cannot go on; notes that it is still used. */
  check(): void
  options(): ReadOptions
}

/** The fragments of one transaction. */
export class TransactionFragments implements FragmentReads {
  readonly #ports: FragmentPorts

  constructor(ports: FragmentPorts) {
    this.#ports = ports
  }

  get received(): Readonly<Traffic> {
    return this.#ports.received
  }

  isSpread(inputs: readonly FragmentInput[]): boolean {
    const { computer, database } = this.#ports
    return computer.isSpread(database, inputs) && !this.#hasWritten(inputs)
  }

  places(): ReturnType<FragmentReads['places']> {
    const { computer, database } = this.#ports
    return computer.places(database)
  }

  #hasWritten(inputs: readonly FragmentInput[]): boolean {
    return inputs.some((input) => this.#ports.hasWritten(input))
  }

  compute(request: FragmentRequest): AsyncIterable<ColumnBatch> | null {
    this.#ports.check()
    if (this.#hasWritten(request.inputs)) return null
    for (const input of request.inputs) this.#ports.cover(input)
    return this.#checked(request)
  }

  async *#checked(request: FragmentRequest): AsyncGenerator<ColumnBatch> {
    const { computer, database, version } = this.#ports
    const options = this.#ports.options()
    for await (const batch of computer.compute({ ...request, database, version, options })) {
      this.#ports.check()
      yield batch
    }
  }
}
