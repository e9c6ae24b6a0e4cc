import { SQLSTATE, sqlError } from '../../errors.ts'

export interface Token {
  readonly kind: 'number' | 'string' | 'sign' | 'word' | 'variable'
  readonly text: string
  /** What a syntax error says stands here; empty: the end. */
  readonly near: string
}

const space = /(?:\s+|\/\*[\s\S]*?\*\/)+/y
const number = /(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?/y
/** All that is neither a sign, nor a blank, nor a quote; a backslash takes what is behind it. */
const word =
  /(?:[^?%$.[\]{}()|&!=<>@#,*:\-+/\\"\s]|\\(?:u\{[0-9a-fA-F]{1,6}\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.))+/uy
const string = /"((?:[^"\\]|\\[\s\S])*)"/y
const sign = /\*\*|==|!=|<>|<=|>=|&&|\|\||[?%$.[\]{}()|&!=<>@#,*:\-+/]/y

function matchAt(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? null
}

/** @throws 42601 for what is no part of a path */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  for (;;) {
    at += matchAt(space, text, at)?.length ?? 0
    if (at >= text.length) return tokens
    const digits = matchAt(number, text, at)
    const name = matchAt(word, text, at)
    if (digits !== null && (name === null || name.length <= digits.length + 1)) {
      const junk = matchAt(word, text, at + digits.length)
      if (junk !== null) {
        const near = text.slice(at, at + digits.length + 1)
        throw wrong(`trailing junk after numeric literal at or near "${near}" of jsonpath input`)
      }
      tokens.push({ kind: 'number', text: digits, near: digits })
      at += digits.length
      continue
    }
    if (name !== null) {
      at += name.length
      tokens.push({ kind: 'word', text: unescaped(name), near: matchAt(/\s+/y, text, at) ?? '' })
      continue
    }
    const variable = text[at] === '$'
    const quoted = matchAt(string, text, variable ? at + 1 : at)
    if (quoted !== null) {
      at += quoted.length + (variable ? 1 : 0)
      tokens.push({
        kind: variable ? 'variable' : 'string',
        text: unescaped(quoted.slice(1, -1)),
        near: '"',
      })
      continue
    }
    if (text[at] === '"') throw wrong('unexpected end of quoted string at end of jsonpath input')
    const named = variable ? matchAt(word, text, at + 1) : null
    if (named !== null) {
      at += named.length + 1
      tokens.push({ kind: 'variable', text: unescaped(named), near: matchAt(/\s+/y, text, at) ?? '' })
      continue
    }
    const one = matchAt(sign, text, at)
    if (one === null) throw wrong(`syntax error at or near "${text.charAt(at)}" of jsonpath input`)
    at += one.length
    tokens.push({ kind: 'sign', text: one === '<>' ? '!=' : one, near: one })
  }
}

const wrong = (message: string) => sqlError(SQLSTATE.syntaxError, message)

const simple: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

const escapes = /\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\s\S]))/g

/** @throws 22P02 for half of a pair of surrogates, 42601, 22P05 */
function unescaped(text: string): string {
  if (!text.includes('\\')) return text
  const result = text.replace(escapes, (_, braced, four, two, plain: string | undefined) => {
    const digits: string | undefined = braced ?? four ?? two
    if (digits === undefined) {
      if (plain === 'u' || plain === 'x')
        throw wrong(
          `invalid ${plain === 'u' ? 'Unicode' : 'hexadecimal character'} escape sequence at or near "\\${plain}" of jsonpath input`,
        )
      return simple[plain ?? ''] ?? plain ?? ''
    }
    const code = Number.parseInt(digits, 16)
    if (code === 0)
      throw sqlError('22P05', 'unsupported Unicode escape sequence', {
        detail: '\\u0000 cannot be converted to text.',
      })
    return code > 0xffff ? String.fromCodePoint(code) : String.fromCharCode(code)
  })
  if (!result.isWellFormed())
    throw sqlError(SQLSTATE.invalidTextRepresentation, 'invalid input syntax for type jsonpath', {
      detail: 'Unicode low surrogate must follow a high surrogate.',
    })
  return result
}
