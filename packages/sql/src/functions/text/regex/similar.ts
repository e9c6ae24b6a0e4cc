import { SQLSTATE, sqlError } from '../../../errors.ts'

/**
 * The regular expression that stands for a pattern of SIMILAR TO. In SUBSTRING the escape sign before a double quote
 * parts it in three, of which the middle one is what is asked for.
 * @param mark one character, or empty for none
 * @throws 22025, 2200C
 */
export function similarToRegex(pattern: string, mark = '\\'): string {
  if ([...mark].length > 1)
    throw sqlError('22025', 'invalid escape string', {
      hint: 'Escape string must be empty or one character.',
    })
  const signs = [...pattern]
  let result = '^(?:'
  let quotes = 0
  let inBrackets = false
  for (let i = 0; i < signs.length; i++) {
    const sign = signs[i] ?? ''
    if (mark !== '' && sign === mark) {
      const next = signs[++i]
      if (next === undefined)
        throw sqlError(SQLSTATE.invalidEscapeSequence, 'invalid escape sequence in a pattern of SIMILAR TO')
      if (next === '"') {
        if (quotes === 0) result += '){1,1}?('
        else if (quotes === 1) result += '){1,1}(?:'
        else
          throw sqlError(
            '2200C',
            'SQL regular expression may not contain more than two escape-double-quote separators',
          )
        quotes++
      } else result += /[\p{L}\p{N}]/u.test(next) ? next : `\\${next}`
    } else if (inBrackets) {
      result += sign === '\\' ? '\\\\' : sign
      if (sign === ']') inBrackets = false
    } else if (sign === '[') {
      result += sign
      inBrackets = true
      if (signs[i + 1] === '^') result += signs[++i]
      if (signs[i + 1] === ']') result += signs[++i]
    } else if (sign === '%') result += '.*'
    else if (sign === '_') result += '.'
    else if (sign === '(') result += '(?:'
    else if (sign === '\\' || sign === '.' || sign === '^' || sign === '$') result += `\\${sign}`
    else result += sign
  }
  return `${result})$`
}
