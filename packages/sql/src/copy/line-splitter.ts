import { sqlError } from '../errors.ts'
import type { CopyFormat } from './options.ts'
import { badFormat, type CopyPlace } from './place.ts'

/** Characters of one line at most: a row of more would not fit into a transaction anyway. */
const LINE_CHARS_MAX = 16 * 1024 * 1024

type LineEnd = '\n' | '\r' | '\r\n'

/** What is wrong with a line end that is not the one that all lines have, in the text and in the CSV format. */
const stray = {
  '\r': {
    text: ['literal carriage return found in data', 'Use "\\r" to represent carriage return.'],
    csv: ['unquoted carriage return found in data', 'Use quoted CSV field to represent carriage return.'],
  },
  '\n': {
    text: ['literal newline found in data', 'Use "\\n" to represent newline.'],
    csv: ['unquoted newline found in data', 'Use quoted CSV field to represent newline.'],
  },
} as const

/**
 * Cuts text into lines as PostgreSQL does: the first line end decides what all of them are, a backslash (a quote, in CSV)
 * makes one part of the data, and `\.` ends the data.
 * @see CopyReadLineText of PostgreSQL's copyfromparse.c
 */
export class LineSplitter {
  readonly #csv: boolean
  readonly #quote: string
  /** Null where the quote itself escapes. */
  readonly #escape: string | null
  readonly #table: string
  #text = ''
  /** Where the line begins, and up to where it has been looked at. */
  #start = 0
  #seen = 0
  #inQuote = false
  #afterEscape = false
  #end: LineEnd | null = null
  #last = false
  /** The data have said that they are over. */
  #closed = false
  /** The number of the line that was begun last, from 1. */
  line = 0

  constructor({ kind, quote, escape: escaping }: CopyFormat, table: string) {
    this.#csv = kind === 'csv'
    this.#quote = quote
    this.#escape = escaping === quote ? null : escaping
    this.#table = table
  }

  push(text: string): void {
    if (this.#closed) return
    this.#text = this.#start === this.#text.length ? text : this.#text.slice(this.#start) + text
    this.#seen -= this.#start
    this.#start = 0
    if (this.#text.length - this.#seen > LINE_CHARS_MAX || this.#seen > LINE_CHARS_MAX)
      throw sqlError('54000', `a line of COPY is longer than ${LINE_CHARS_MAX} characters`, {
        hint: 'Is it perhaps an unfinished quote, or are line ends of another kind?',
      })
  }

  finish(): void {
    this.#last = true
  }

  /** The next line without its end; null: more is needed, or there is none. @throws 22P04 */
  next(): string | null {
    if (this.#closed) return null
    for (;;) {
      const at = this.#lineEnd()
      if (at === null) return this.#last ? this.#rest() : null
      const part = this.#text.slice(this.#seen, at)
      if (this.#continues(part)) {
        this.#seen = at + 1
        continue
      }
      const end = this.#end as LineEnd
      const line = this.#text.slice(this.#start, end === '\r\n' ? at - 1 : at)
      this.#start = at + 1
      this.#seen = this.#start
      return this.#whole(line)
    }
  }

  /** Where the next character is that may end the line; null when it is not here yet. */
  #lineEnd(): number | null {
    if (this.#end !== null) {
      const at = this.#text.indexOf(this.#end === '\r' ? '\r' : '\n', this.#seen)
      return at < 0 ? null : at
    }
    const newline = this.#text.indexOf('\n', this.#seen)
    const before = newline < 0 ? this.#text.length : newline
    const carriage = this.#text.indexOf('\r', this.#seen)
    if (carriage < 0 || carriage > before) return newline < 0 ? null : newline
    // What follows tells which of two kinds it is.
    if (carriage + 1 === this.#text.length && !this.#last) return null
    return this.#text[carriage + 1] === '\n' ? carriage + 1 : carriage
  }

  /** True when the line end behind `part` belongs to the data. Finds out what line ends are, by the first one. */
  #continues(part: string): boolean {
    const at = this.#seen + part.length
    const mark = this.#text[at] as string
    const pair = mark === '\n' && part.endsWith('\r') && this.#end !== '\n'
    const data = pair ? part.slice(0, -1) : part
    if (this.#csv) {
      this.#quotes(data)
      if (this.#inQuote) {
        if (this.#end === '\n' ? mark === '\n' : mark === '\r' || pair) this.line++
        return true
      }
    } else if (oddBackslashes(data)) {
      if (!pair) return true
      // The escaped one of the two is the carriage return, so the newline stands alone.
      return this.#ends('\n')
    }
    return this.#ends(pair ? '\r\n' : (mark as LineEnd))
  }

  /** A line ends here, in this way. @throws 22P04 when others end in another one */
  #ends(end: LineEnd): false {
    this.#end ??= end
    if (this.#end !== '\r\n' || end === '\r\n') return false
    this.line++
    throw this.#stray('\n')
  }

  #quotes(part: string): void {
    const quote = this.#quote
    if (!this.#inQuote && !part.includes(quote)) return
    const escaping = this.#escape
    for (let i = 0; i < part.length; i++) {
      const char = part[i]
      if (escaping !== null) {
        if (this.#inQuote && char === escaping) this.#afterEscape = !this.#afterEscape
        if (char === quote && !this.#afterEscape) this.#inQuote = !this.#inQuote
        if (char !== escaping) this.#afterEscape = false
      } else if (char === quote) this.#inQuote = !this.#inQuote
    }
  }

  /** A line that has its end. */
  #whole(line: string): string | null {
    this.line++
    if (this.#csv) {
      if (line === '\\.') return this.#close()
      this.#checkStray(line)
      return line
    }
    this.#checkStray(line)
    if (!line.includes('\\.')) return line
    const marker = markerIn(line)
    if (marker < 0) return line
    if (marker + 2 < line.length) throw this.#bad('end-of-copy marker corrupt')
    this.#close()
    return marker === 0 ? null : line.slice(0, marker)
  }

  #close(): null {
    this.#closed = true
    this.#text = ''
    this.#start = 0
    this.#seen = 0
    return null
  }

  /** What is left when nothing more comes. */
  #rest(): string | null {
    const line = this.#text.slice(this.#start)
    const part = this.#text.slice(this.#seen)
    this.#close()
    if (line === '') return null
    this.line++
    if (this.#csv) {
      this.#quotes(part)
      if (this.#inQuote) throw this.#bad('unterminated CSV quoted field', line)
    } else if (line.includes('\\.') && markerIn(line) >= 0) throw this.#bad('end-of-copy marker corrupt')
    this.#checkStray(line)
    return line
  }

  /** @throws 22P04 for an end of line of another kind in the middle of it */
  #checkStray(line: string): void {
    const other = this.#end === '\r' ? '\n' : '\r'
    if (!line.includes(other)) return
    let inQuote = false
    for (let i = 0; i < line.length; i++) {
      const char = line[i]
      if (this.#csv) {
        if (char === this.#quote && !(inQuote && this.#escape !== null && line[i - 1] === this.#escape))
          inQuote = !inQuote
      } else if (char === '\\') {
        i++
        continue
      }
      if (char === other && !inQuote) throw this.#stray(other)
    }
  }

  #stray(char: '\r' | '\n') {
    const [message, hint] = stray[char][this.#csv ? 'csv' : 'text']
    return badFormat(message, this.#place(), { hint })
  }

  #bad(message: string, text: string | null = null) {
    return badFormat(message, { ...this.#place(), text })
  }

  #place(): CopyPlace {
    return { table: this.#table, line: Math.max(1, this.line) }
  }
}

function oddBackslashes(text: string): boolean {
  let count = 0
  for (let i = text.length - 1; i >= 0 && text[i] === '\\'; i--) count++
  return count % 2 === 1
}

/** Where `\.` stands that is not itself escaped; −1: nowhere. */
function markerIn(line: string): number {
  for (let at = line.indexOf('\\'); at >= 0; at = line.indexOf('\\', at + 2))
    if (line[at + 1] === '.') return at
  return -1
}
