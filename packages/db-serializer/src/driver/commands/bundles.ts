import { type Applied, type AppliedBundle, assert, type Bundle } from '@cluster/core'
import { noBundles, resultsTooLarge, unknownMachine } from '../../errors.ts'
import {
  BUNDLE_PARTS_MAX,
  type BundlePart,
  decodeOutcome,
  encodeBundle,
} from '../../machine/commands/bundle.ts'
import { RESULT_BYTES_MAX } from '../../machine/commands/session-table.ts'

/** What is known of the attached machines. */
export interface BundleMachines {
  readonly machines: readonly string[]
  bundles(machine: string): boolean
}

/**
 * The bundle as the bytes of one command.
 * @throws LOG_UNKNOWN_MACHINE, LOG_NO_BUNDLES
 */
export function packBundle(bundle: Bundle, attached: BundleMachines): Uint8Array {
  const { commands, requires = [] } = bundle
  assert(commands.length > 0, 'a bundle has at least one command')
  assert(
    commands.length <= BUNDLE_PARTS_MAX && requires.length <= BUNDLE_PARTS_MAX,
    `a bundle has at most ${BUNDLE_PARTS_MAX} commands and as many conditions`,
  )
  const part = (machine: string, bytes: Uint8Array): BundlePart => {
    const position = attached.machines.indexOf(machine)
    if (position < 0) throw unknownMachine(machine)
    if (!attached.bundles(machine)) throw noBundles(machine)
    return { machine: position, bytes }
  }
  return encodeBundle({
    requires: requires.map(({ machine, condition }) => part(machine, condition)),
    commands: commands.map(({ machine, command }) => part(machine, command)),
  })
}

/** @throws LOG_COMMAND_TOO_LARGE when the results were, so that nothing was adopted */
export function bundleAnswer({ result, ...applied }: Applied): AppliedBundle {
  const { status, position, results } = decodeOutcome(result)
  if (status === 'tooLarge') throw resultsTooLarge(RESULT_BYTES_MAX)
  return {
    ...applied,
    adopted: status === 'adopted',
    unmet: status === 'unmet' ? position : null,
    refused: status === 'refused' ? position : null,
    results,
  }
}
