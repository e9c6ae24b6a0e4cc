/** Text taken apart: whole statements (without their semicolons) and what is left over. */
export interface SplitText {
  readonly statements: readonly string[]
  /** What comes behind the last semicolon. */
  readonly rest: string
  /** True when `rest` ends inside a string, a quoted name or a comment. */
  readonly open: boolean
}

const DOLLAR = /^\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/

/** Cuts at semicolons that are not inside strings, quoted names, dollar quotes or comments. */
export function splitStatements(text: string): SplitText {
  const statements: string[] = []
  let from = 0
  let at = 0
  let open = false
  while (at < text.length) {
    const end = skipQuoted(text, at)
    if (end === null) {
      open = true
      at = text.length
    } else if (end > at) at = end
    else {
      if (text[at] === ';') {
        statements.push(text.slice(from, at))
        from = at + 1
      }
      at++
    }
  }
  return { statements: statements.filter((statement) => !isBlank(statement)), rest: text.slice(from), open }
}

/** True when there is nothing but white space and comments. */
export const isBlank = (text: string): boolean => withoutLead(text) === ''

/** The text behind the white space and the comments that it begins with. */
export function withoutLead(text: string): string {
  let at = 0
  while (at < text.length) {
    if (/\s/.test(text[at] as string)) at++
    else {
      const end = text.startsWith('--', at) || text.startsWith('/*', at) ? skipQuoted(text, at) : at
      if (end === at) break
      at = end ?? text.length
    }
  }
  return text.slice(at)
}

/** The end of the quoted piece that starts at `at`; `at` itself when none does; null when it does not end. */
function skipQuoted(text: string, at: number): number | null {
  const character = text[at]
  if (character === "'")
    return skipString(text, at + 1, "'", /[eE]/.test(text[at - 1] ?? '') && !/\w/.test(text[at - 2] ?? ''))
  if (character === '"') return skipString(text, at + 1, '"', false)
  if (text.startsWith('--', at)) {
    const end = text.indexOf('\n', at)
    return end < 0 ? text.length : end
  }
  if (text.startsWith('/*', at)) return skipComment(text, at + 2)
  if (character === '$' && !/\w/.test(text[at - 1] ?? '')) {
    const tag = DOLLAR.exec(text.slice(at, at + 66))?.[0]
    if (tag === undefined) return at
    const end = text.indexOf(tag, at + tag.length)
    return end < 0 ? null : end + tag.length
  }
  return at
}

function skipString(text: string, from: number, quote: string, escapes: boolean): number | null {
  for (let at = from; at < text.length; at++) {
    if (escapes && text[at] === '\\') at++
    else if (text[at] === quote) {
      if (text[at + 1] !== quote) return at + 1
      at++
    }
  }
  return null
}

function skipComment(text: string, from: number): number | null {
  let depth = 1
  for (let at = from; at < text.length; at++) {
    if (text.startsWith('/*', at)) {
      depth++
      at++
    } else if (text.startsWith('*/', at)) {
      depth--
      at++
      if (depth === 0) return at + 1
    }
  }
  return null
}
