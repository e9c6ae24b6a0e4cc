import { SQLSTATE, sqlError } from '../errors.ts'

/** A field that a template of `to_date` and `to_timestamp` can name. */
export interface TemplateField {
  readonly kind: 'field'
  /** As it was written, for messages. */
  readonly written: string
  /** In capitals. */
  readonly name: string
  /** `FM` stands in front of it: as many digits as there are. */
  readonly fill: boolean
  /** `TH` stands behind it. */
  readonly ordinal: boolean
}

/**
 * - `space`, `separator`: a blank, or a sign that is neither letter nor digit;
 * - `text`: a letter, a digit, or what stands between quotes.
 */
export interface TemplateSign {
  readonly kind: 'space' | 'separator' | 'text'
  readonly written: string
}

export type TemplatePart = TemplateField | TemplateSign

const field =
  /(FM|TM)?(A\.D\.|A\.M\.|AD|AM|B\.C\.|BC|CC|DAY|DDD|DD|DY|D|FF[1-6]|FX|HH24|HH12|HH|IDDD|ID|IW|IYYY|IYY|IY|I|J|MI|MM|MONTH|MON|MS|OF|P\.M\.|PM|Q|RM|SSSSS|SSSS|SS|TZH|TZM|TZ|US|WW|W|Y,YYY|YYYY|YYY|YY|Y)(TH)?/iy

const isSeparator = (sign: string): boolean => /[!-/:-@[-`{-~]/.test(sign)

/** @param strict only the separators of the SQL standard. @throws 22007 */
export function datePartsOf(format: string, strict: boolean): readonly TemplatePart[] {
  const parts: TemplatePart[] = []
  let at = 0
  while (at < format.length) {
    field.lastIndex = at
    const [whole, prefix, name, suffix] = field.exec(format) ?? []
    if (whole !== undefined && name !== undefined) {
      const fill = prefix?.toUpperCase() === 'FM'
      const ordinal = suffix !== undefined
      parts.push({ kind: 'field', written: name, name: name.toUpperCase(), fill, ordinal })
      at += whole.length
      continue
    }
    const sign = String.fromCodePoint(format.codePointAt(at) ?? 0)
    if (sign === '"') at = quoted(format, at + 1, parts)
    else {
      if (sign === '\\' && format[at + 1] === '"') at++
      const shown = String.fromCodePoint(format.codePointAt(at) ?? 0)
      if (strict && !"-./,':; ".includes(shown))
        throw sqlError(SQLSTATE.invalidDatetimeFormat, `invalid datetime format separator: "${shown}"`)
      const kind = isSeparator(shown) ? 'separator' : /\s/.test(shown) ? 'space' : 'text'
      parts.push({ kind, written: shown })
      at += shown.length
    }
  }
  return parts
}

/** Takes what stands between quotes as text. @returns where it goes on */
function quoted(format: string, start: number, parts: TemplatePart[]): number {
  let at = start
  while (at < format.length && format[at] !== '"') {
    if (format[at] === '\\' && at + 1 < format.length) at++
    const sign = String.fromCodePoint(format.codePointAt(at) ?? 0)
    parts.push({ kind: 'text', written: sign })
    at += sign.length
  }
  return at + 1
}
