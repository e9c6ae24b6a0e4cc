import { parseExpression } from '../syntax/parse.ts'
import { printExpression } from '../syntax/print.ts'

/** What stands by itself: a name, a call, or something in parentheses of its own. */
const WHOLE = /^(?:"(?:[^"]|"")+"|[\w$]+)(?:\(.*\))?$|^\(.*\)$/s

/** True when the first parenthesis of the text is closed by its last character. */
function isEnclosed(text: string): boolean {
  const open = text.indexOf('(')
  if (open < 0) return true
  let depth = 0
  let quote: string | null = null
  for (let at = open; at < text.length; at++) {
    const sign = text[at] as string
    if (quote !== null) quote = sign === quote ? null : quote
    else if (sign === "'" || sign === '"') quote = sign
    else if (sign === '(') depth++
    else if (sign === ')' && --depth === 0) return at === text.length - 1
  }
  return false
}

/** The text of a condition or key, in parentheses unless it stands by itself. */
export const enclosed = (text: string): string => (WHOLE.test(text) && isEnclosed(text) ? text : `(${text})`)

/** A condition as `pg_get_constraintdef(…, true)` and its like show it: with no more parentheses than it needs. */
export const plain = (text: string): string => printExpression(parseExpression(text))
