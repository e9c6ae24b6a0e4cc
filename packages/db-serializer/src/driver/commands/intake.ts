import {
  type Applied,
  type AppliedBundle,
  type Bundle,
  type CallOptions,
  type ClusterError,
  type SubmitOptions,
  VERSION_OF,
} from '@cluster/core'
import { tooLarge, unknownMachine } from '../../errors.ts'
import { BUNDLE_MACHINE } from '../../machine/commands/bundle.ts'
import type { ResolvedOptions } from '../../options.ts'
import type { Applier } from './applier.ts'
import { bundleAnswer, packBundle } from './bundles.ts'
import type { Submissions } from './submissions.ts'
import type { Versions } from './versions.ts'

export interface IntakePorts {
  readonly applier: Applier
  readonly versions: Versions
  readonly submissions: Submissions
  /** Why nothing is taken any more; null while the node runs. */
  stopError(): ClusterError | null
  /** There is something to do. */
  stir(): void
}

/** The longest command of clusters that know no parts: it travels in one frame, and frames have limits. */
const UNPARTED_BYTES_MAX = 3 * 1024 * 1024

/** What is in order is submitted: machines that are there, commands that are not too long, what every member understands. */
export class Intake {
  readonly #options: Pick<ResolvedOptions, 'commandBytesMax' | 'entryBytesMax'>
  readonly #ports: IntakePorts

  constructor(options: Pick<ResolvedOptions, 'commandBytesMax' | 'entryBytesMax'>, ports: IntakePorts) {
    this.#options = options
    this.#ports = ports
  }

  /** The longest command that is one entry, in bytes. */
  entryBytesMax(): number {
    return this.#knowsParts ? this.#options.entryBytesMax : UNPARTED_BYTES_MAX
  }

  submit(machine: string, command: Uint8Array, options: SubmitOptions): Promise<Applied> {
    const { applier, stopError } = this.#ports
    const refusal = stopError() ?? (applier.has(machine) ? null : unknownMachine(machine))
    if (refusal) return Promise.reject(refusal)
    return this.#submit(applier.machines.indexOf(machine), command, options)
  }

  async submitBundle(bundle: Bundle, options: SubmitOptions): Promise<AppliedBundle> {
    const { applier, versions, stopError } = this.#ports
    const stopped = stopError()
    if (stopped) throw stopped
    await versions.demand('Bundles', VERSION_OF.bundles, options)
    return bundleAnswer(await this.#submit(BUNDLE_MACHINE, packBundle(bundle, applier), options))
  }

  #submit(machine: number, command: Uint8Array, options: SubmitOptions): Promise<Applied> {
    const { submissions, stir } = this.#ports
    const { commandBytesMax } = this.#options
    if (command.length > commandBytesMax) return Promise.reject(tooLarge(command.length, commandBytesMax))
    if (command.length > UNPARTED_BYTES_MAX && !this.#knowsParts)
      return this.#demandParts(options).then(() => submissions.submit(machine, command, options))
    const applied = submissions.submit(machine, command, options)
    stir()
    return applied
  }

  get #knowsParts(): boolean {
    return this.#ports.applier.version >= VERSION_OF.parts
  }

  /** @throws LOG_VERSION_TOO_LOW */
  #demandParts(options: CallOptions): Promise<void> {
    return this.#ports.versions.demand('Commands of more than 3 MiB', VERSION_OF.parts, options)
  }
}
