import { SQLSTATE, sqlError } from '../errors.ts'
import type { StorageOption } from './ast.ts'

/** What the options of a view say of its rows. @throws 22023 for options that views have not, 0A000 */
export function viewOptions(options: readonly StorageOption[]): {
  readonly checkOption: 'local' | 'cascaded' | null
} {
  let checkOption: 'local' | 'cascaded' | null = null
  for (const { name, value } of options) {
    const word = value?.toLowerCase() ?? 'true'
    if (name.name === 'check_option') {
      if (word !== 'local' && word !== 'cascaded')
        throw sqlError(
          SQLSTATE.invalidParameterValue,
          `invalid value for enum option "check_option": ${value}`,
          { detail: 'Valid values are "local" and "cascaded".' },
        )
      checkOption = word
    } else if (name.name === 'security_invoker') {
      if (!['false', 'off', 'no', '0'].includes(word))
        throw sqlError(SQLSTATE.featureNotSupported, 'security_invoker is not supported', {
          hint: 'A view reads with the rights of its owner.',
        })
    } else if (name.name !== 'security_barrier')
      throw sqlError(SQLSTATE.invalidParameterValue, `unrecognized parameter "${name.name}"`)
  }
  return { checkOption }
}
