import type { CopyFormat } from './options.ts'
import { type BadBytes, textOfBytes } from './utf8-reader.ts'

/** The fields of a line; NULL is null. `BadBytes`: escapes made what is no text. */
export type LineFields = readonly (string | null)[] | BadBytes

const encoder = new TextEncoder()

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** The fields of a line of the text format. @see CopyReadAttributesText */
export function textFields(line: string, { delimiter, nullText }: CopyFormat): LineFields {
  if (!line.includes('\\')) {
    const parts: (string | null)[] = line.split(delimiter)
    // With the usual `\N` none of them is NULL.
    if (!nullText.includes('\\'))
      for (let i = 0; i < parts.length; i++) if (parts[i] === nullText) parts[i] = null
    return parts
  }
  const fields: (string | null)[] = []
  for (let start = 0; ; ) {
    const end = fieldEnd(line, start, delimiter)
    const raw = line.slice(start, end)
    if (raw === nullText) fields.push(null)
    else if (!raw.includes('\\')) fields.push(raw)
    else {
      const plain = unescaped(raw)
      if (typeof plain !== 'string') return plain
      fields.push(plain)
    }
    if (end === line.length) return fields
    start = end + 1
  }
}

function fieldEnd(line: string, start: number, delimiter: string): number {
  for (let i = start; i < line.length; i++) {
    const char = line[i]
    if (char === delimiter) return i
    if (char === '\\') i++
  }
  return line.length
}

function unescaped(raw: string): string | BadBytes {
  const byteful = /\\(?:[0-7]|x[0-9a-fA-F])/.test(raw)
  const parts: (string | number)[] = []
  let text = ''
  for (let i = 0; i < raw.length; i++) {
    const char = raw[i] as string
    if (char !== '\\' || i + 1 === raw.length) {
      text += char
      continue
    }
    const next = raw[++i] as string
    const code = byteful ? codeAt(raw, i) : null
    if (code === null) {
      text += escapes[next] ?? next
      continue
    }
    parts.push(text, code.byte)
    text = ''
    i += code.length - 1
  }
  if (parts.length === 0) return text
  parts.push(text)
  const bytes = parts.flatMap((part) => (typeof part === 'number' ? [part] : [...encoder.encode(part)]))
  const made = textOfBytes(Uint8Array.from(bytes))
  return 'text' in made ? made.text : made
}

/** Up to three octal digits, or x and up to two hexadecimal ones. */
function codeAt(raw: string, at: number): { readonly byte: number; readonly length: number } | null {
  const found = /^(?:[0-7]{1,3}|x[0-9a-fA-F]{1,2})/.exec(raw.slice(at, at + 3))?.[0]
  if (found === undefined) return null
  const value = found.startsWith('x') ? Number.parseInt(found.slice(1), 16) : Number.parseInt(found, 8)
  return { byte: value & 0xff, length: found.length }
}

/** The fields of a line of the CSV format; null: a quote is not closed. @see CopyReadAttributesCSV */
export function csvFields(line: string, format: CopyFormat): readonly (string | null)[] | null {
  const { delimiter, nullText, quote, escape: escaping } = format
  if (!line.includes(quote)) {
    const parts: (string | null)[] = line.split(delimiter)
    for (let i = 0; i < parts.length; i++) if (parts[i] === nullText) parts[i] = null
    return parts
  }
  const fields: (string | null)[] = []
  let field = ''
  let quoted = false
  for (let i = 0; i <= line.length; i++) {
    const char = line[i]
    if (char === undefined || char === delimiter) {
      fields.push(!quoted && field === nullText ? null : field)
      field = ''
      quoted = false
    } else if (char === quote) {
      quoted = true
      for (i++; ; i++) {
        const inner = line[i]
        if (inner === undefined) return null
        const next = line[i + 1]
        if (inner === escaping && (next === escaping || next === quote)) {
          field += next
          i++
        } else if (inner === quote) break
        else field += inner
      }
    } else field += char
  }
  return fields
}
