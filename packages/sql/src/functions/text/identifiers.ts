import { SQLSTATE, sqlError } from '../../errors.ts'
import { listOf } from '../../types/array.ts'
import { fromArray } from '../../types/array-text.ts'
import { arrayOf, BOOLEAN, TEXT } from '../../types/type.ts'
import type { ScalarFunction } from '../function.ts'
import { strictly } from '../generic.ts'

const part = /\s*(?:"((?:[^"]|"")*)"|([\p{L}_][\p{L}\p{N}_$]*))\s*/uy

/** @throws 22023 */
function identifiers(text: string, strict: boolean): string[] {
  const invalid = (detail?: string) =>
    sqlError(SQLSTATE.invalidParameterValue, `string is not a valid identifier: "${text}"`, { detail })
  const found: string[] = []
  let at = 0
  for (;;) {
    part.lastIndex = at
    const match = part.exec(text)
    if (match === null) {
      const rest = text.slice(at).trimStart()
      if (rest.startsWith('"')) throw invalid('String has unclosed double quotes.')
      if (found.length > 0 && rest === '') throw invalid('No valid identifier after ".".')
      throw invalid(rest.startsWith('.') ? 'No valid identifier before ".".' : undefined)
    }
    const [whole, quoted, plain = ''] = match
    if (quoted === '') throw invalid('Quoted identifier must not be empty.')
    found.push(
      quoted === undefined
        ? plain.replace(/[A-Z]/g, (sign) => sign.toLowerCase())
        : quoted.replaceAll('""', '"'),
    )
    at += whole.length
    if (at >= text.length) return found
    if (text.charAt(at) !== '.') {
      if (strict) throw invalid()
      return found
    }
    at++
  }
}

/** The parts of a qualified name. */
export const identifierFunctions: readonly ScalarFunction[] = [
  strictly('parse_ident', [TEXT], arrayOf(TEXT), (text: string) =>
    fromArray(TEXT, listOf(identifiers(text, true))),
  ),
  strictly('parse_ident', [TEXT, BOOLEAN], arrayOf(TEXT), (text: string, strict: boolean) =>
    fromArray(TEXT, listOf(identifiers(text, strict))),
  ),
]
