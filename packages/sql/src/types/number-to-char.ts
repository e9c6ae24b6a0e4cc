import { SQLSTATE, sqlError } from '../errors.ts'
import { fitDecimal, isSpecial, parseDecimal, roundDecimal } from './decimal.ts'
import { type NumberKey, type NumberTemplate, readNumberTemplate } from './number-template.ts'

const romanDigits: readonly (readonly [number, string])[] = [
  [1000, 'M'],
  [900, 'CM'],
  [500, 'D'],
  [400, 'CD'],
  [100, 'C'],
  [90, 'XC'],
  [50, 'L'],
  [40, 'XL'],
  [10, 'X'],
  [9, 'IX'],
  [5, 'V'],
  [4, 'IV'],
  [1, 'I'],
]

function romanText(value: number): string {
  if (!(value >= 1 && value <= 3_999)) return '###############'
  let rest = value
  let text = ''
  for (const [size, sign] of romanDigits)
    while (rest >= size) {
      text += sign
      rest -= size
    }
  return text
}

function ordinalOf(digits: string): string {
  const value = Number(digits.slice(-2))
  return value >= 11 && value <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][value % 10] ?? 'th')
}

function scientific(value: string, { pre, post }: NumberTemplate, isFloat: boolean): string {
  if (isSpecial(value)) return ` ${'#'.repeat(pre)}.${'#'.repeat(post + 4)}`
  const negative = value.startsWith('-')
  const [whole = '', rest = ''] = value.replace('-', '').split('.')
  const digits = (whole + rest).replace(/^0+/, '')
  let exponent = digits === '' ? 0 : digits.length - rest.length - 1
  let mantissa = roundDecimal(digits === '' ? '0' : `${digits.slice(0, 1)}.${digits.slice(1) || '0'}`, post)
  // Of a numeric PostgreSQL shows `10.00e+02`.
  if (isFloat && mantissa.startsWith('10')) {
    mantissa = roundDecimal(`1.${'0'.repeat(Math.max(1, post))}`, post)
    exponent++
  }
  const size = String(Math.abs(exponent)).padStart(2, '0')
  return `${negative ? '-' : ' '}${mantissa}e${exponent < 0 ? '-' : '+'}${size}`
}

/** Writes digits by a template, one part after the other, as PostgreSQL does. */
class NumberWriter {
  readonly #template: NumberTemplate
  /** The digits with their point, without a sign. */
  readonly #number: string
  readonly #sign: '+' | '-'
  readonly #blanks: number
  /** The last digit that FM keeps; null: it keeps all. */
  readonly #lastRelevant: number | null
  readonly #count: number
  readonly #bracket: boolean
  readonly #signPlace: NumberTemplate['sign']
  #signWritten: boolean
  #at = 0
  #digit = 0
  #inNumber = false
  #out = ''

  constructor(template: NumberTemplate, number: string, sign: '+' | '-', blanks: number) {
    const { fill, plus, minus, pre, post, preSign, zeroEnd, decimal } = template
    this.#template = template
    this.#number = number
    this.#sign = sign
    this.#blanks = blanks
    this.#bracket = template.bracket && (sign === '-' || fill)
    const apart = plus || minus
    this.#signWritten = apart ? minus : sign === '+' && !fill && template.sign === 'none'
    this.#signPlace = !apart && template.sign === 'pre' && pre === preSign ? 'post' : template.sign
    let last: number | null = null
    const point = number.indexOf('.')
    if (!fill && decimal && point >= 0) {
      last = point
      for (let i = point + 1; i < number.length; i++) if (number[i] !== '0') last = i
      if (zeroEnd > blanks) last = Math.max(last, Math.min(number.length - 1, zeroEnd - blanks))
    }
    this.#lastRelevant = last
    this.#count = post + pre - 1 + (!this.#signWritten && blanks === 0 ? 1 : 0)
  }

  write(): string {
    for (const { key, text } of this.#template.parts) this.#part(key, text)
    return this.#out
  }

  #part(key: NumberKey, text: string): void {
    const { fill, roman, decimal } = this.#template
    switch (key) {
      case '9':
      case '0':
      case '.':
      case 'D':
        this.#digitPart(key)
        return
      case ',':
      case 'G':
        if (this.#inNumber) this.#out += ','
        else if (fill) this.#out += ' '
        return
      case 'L':
        this.#out += ' '
        return
      case 'RN':
      case 'rn': {
        const shown = fill ? this.#number.padStart(15) : this.#number
        this.#out += key === 'rn' ? shown.toLowerCase() : shown
        return
      }
      case 'TH':
      case 'th': {
        if (roman || this.#number.startsWith('#') || this.#sign === '-' || decimal) return
        const ending = ordinalOf(this.#number)
        this.#out += key === 'TH' ? ending.toUpperCase() : ending
        return
      }
      case 'MI':
        if (this.#sign === '-') this.#out += '-'
        else if (fill) this.#out += ' '
        return
      case 'PL':
        if (this.#sign === '+') this.#out += '+'
        else if (fill) this.#out += ' '
        return
      case 'SG':
        this.#out += this.#sign
        return
      case 'text':
        this.#out += text
        return
      default:
        return
    }
  }

  /** `0.1` by `9.9` is ` .1`. */
  #isBarePoint(): boolean {
    return !this.#template.zero && this.#at === 0 && this.#number.startsWith('0') && this.#template.post !== 0
  }

  #endsAtPoint(): boolean {
    return this.#lastRelevant !== null && this.#number[this.#lastRelevant] === '.'
  }

  #leadingSign(): void {
    const { zero, zeroStart, fill, sign } = this.#template
    const begins = this.#digit >= this.#blanks || (zero && zeroStart === this.#digit)
    if (this.#signWritten || !begins || (this.#isBarePoint() && !this.#endsAtPoint())) return
    if (sign !== 'none') {
      if (this.#signPlace !== 'pre') return
      this.#out += this.#sign
    } else if (this.#bracket) this.#out += this.#sign === '+' ? ' ' : '<'
    else if (this.#sign === '-') this.#out += '-'
    else if (fill) this.#out += ' '
    this.#signWritten = true
  }

  #digitPart(key: NumberKey): void {
    const { roman, zero, zeroStart, fill, decimal, sign } = this.#template
    if (roman) return
    this.#inNumber = false
    this.#leadingSign()
    if (this.#digit < this.#blanks && (zeroStart > this.#digit || !zero)) {
      if (fill) this.#out += ' '
    } else if (zero && this.#digit < this.#blanks) {
      this.#out += '0'
      this.#inNumber = true
    } else this.#numberSign(key)
    let end = this.#count + (this.#blanks > 0 ? 1 : 0) + (decimal ? 1 : 0)
    if (this.#lastRelevant !== null && this.#lastRelevant === this.#at) end = this.#digit
    if (this.#digit + 1 === end) {
      if (this.#signWritten && this.#bracket) this.#out += this.#sign === '+' ? ' ' : '>'
      else if (sign !== 'none' && this.#signPlace === 'post') this.#out += this.#sign
    }
    this.#digit++
  }

  #numberSign(key: NumberKey): void {
    const one = this.#number.charAt(this.#at)
    const last = this.#lastRelevant
    if (one === '.') this.#out += '.'
    else if (last !== null && this.#at > last && key !== '0') {
      // FM leaves out what is not relevant.
    } else if (this.#isBarePoint()) {
      if (this.#template.fill) this.#out += ' '
      else if (this.#endsAtPoint()) this.#out += '0'
    } else if (one !== '') {
      this.#out += one
      this.#inNumber = true
    }
    if (one !== '') this.#at++
  }
}

/** As `printf` rounds: by the exact value, a half to the even digit. */
function roundFloat(value: number, digits: number): string {
  if (Math.abs(value) >= 1e21) return roundDecimal(BigInt(value).toString(), digits)
  const rounded = value.toFixed(digits)
  const exact = value.toFixed(Math.min(100, digits + 40))
  const cut = exact.length - Math.min(100, digits + 40) + digits
  if (!/^50*$/.test(exact.slice(cut))) return rounded
  const lower = exact.slice(0, cut).replace(/\.$/, '')
  return Number(lower.at(-1)) % 2 === 0 ? lower : rounded
}

/** What a number is before it is written: doubles and reals have no more digits than they can tell. */
export type Precision = 15 | 6 | null

/**
 * `to_char` of a number by PostgreSQL's templates: 9 0 . , D G S MI PL SG PR TH V EEEE RN FM.
 * @param precision significant digits of a float; null: all digits count
 * @throws 42601
 */
export function numberToChar(value: string, format: string, precision: Precision = null): string {
  const template = readNumberTemplate(format)
  if (template.roman) {
    const { roman, fill, parts } = template
    const plain = { ...readNumberTemplate(''), roman, fill, parts }
    return new NumberWriter(plain, romanText(Number(roundDecimal(value, 0))), '+', 0).write()
  }
  if (template.exponent) return scientific(value, template, precision !== null)
  let shifted = value
  if (template.shifts) {
    template.pre += template.multi
    if (!isSpecial(value)) shifted = parseDecimal(`${value}e${template.multi}`) ?? value
  }
  if (precision !== null && !isSpecial(shifted)) {
    const whole = roundDecimal(shifted.replace('-', ''), 0).length
    template.post = whole >= precision ? 0 : Math.min(template.post, precision - whole)
  }
  const rounded =
    precision === null || isSpecial(shifted)
      ? roundDecimal(shifted, template.post)
      : roundFloat(Number(shifted), template.post)
  // A float keeps its sign when it is rounded to nothing.
  const sign = (precision === null ? rounded : value).startsWith('-') ? '-' : '+'
  const number = rounded.replace('-', '')
  const point = number.indexOf('.')
  const length = point < 0 ? number.length : point
  const { pre, post } = template
  if (length > pre)
    return new NumberWriter(template, `${'#'.repeat(pre)}.${'#'.repeat(post)}`, sign, 0).write()
  return new NumberWriter(template, number, sign, pre - length).write()
}

/** Reads the digits of a text by a template. */
class NumberReader {
  readonly #template: NumberTemplate
  readonly #text: string
  #at = 0
  #sign: '' | '-' | '+' = ''
  #digits = ''
  #pre = 0
  #post = 0
  #point = false

  constructor(template: NumberTemplate, text: string) {
    this.#template = template
    this.#text = text
  }

  /** How many digits behind the point there were. */
  get places(): number {
    return this.#post
  }

  /** The number as PostgreSQL puts it together, a blank for no sign. */
  read(): string {
    for (const { key, text } of this.#template.parts) {
      if (this.#at >= this.#text.length) break
      this.#part(key, text)
    }
    return `${this.#sign || ' '}${this.#digits.replace(/\.$/, '')}`
  }

  #skip(count: number): void {
    for (let i = 0; i < count && this.#at < this.#text.length; i++) {
      if ('0123456789.,+-'.includes(this.#text.charAt(this.#at))) return
      this.#at++
    }
  }

  #part(key: NumberKey, text: string): void {
    const next = this.#text.charAt(this.#at)
    switch (key) {
      case '9':
      case '0':
      case '.':
      case 'D':
        this.#digit(key)
        this.#at++
        return
      case ',':
      case 'G':
        if (this.#digits === '' && !this.#template.fill) return
        if (next === ',') this.#at++
        return
      case 'L':
        this.#skip(1)
        return
      case 'TH':
      case 'th':
        this.#skip(2)
        return
      case 'MI':
      case 'PL':
      case 'SG': {
        const takes = (key !== 'PL' && next === '-') || (key !== 'MI' && next === '+')
        if (takes) {
          this.#sign = next as '-' | '+'
          this.#at++
        } else this.#skip(1)
        return
      }
      case 'text':
        this.#at += text.length
        return
      default:
        return
    }
  }

  #digit(key: NumberKey): void {
    const { sign, preSign, pre, bracket, decimal, plus, minus, post } = this.#template
    const done = (): boolean => this.#at >= this.#text.length
    if (this.#text.charAt(this.#at) === ' ') this.#at++
    if (done()) return
    const before = sign === 'pre' && pre !== preSign
    if (this.#sign === '' && (key === '9' || key === '0') && this.#pre + this.#post === 0) {
      const next = this.#text.charAt(this.#at)
      const opens = next === '-' || next === '+' || (bracket && !before && next === '<')
      if (opens) {
        this.#sign = next === '+' ? '+' : '-'
        this.#at++
      }
    }
    if (done()) return
    const one = this.#text.charAt(this.#at)
    let read = false
    if (/\d/.test(one)) {
      if (this.#point && this.#post === post) return
      this.#digits += one
      if (this.#point) this.#post++
      else this.#pre++
      read = true
    } else if (decimal && !this.#point && one === '.') {
      this.#digits += '.'
      this.#point = true
      read = true
    }
    if (this.#sign !== '' || this.#pre + this.#post === 0) return
    const behind = this.#text.charAt(this.#at + 1)
    if (sign !== 'none' && read && behind !== '' && !/\d/.test(behind)) {
      if (behind === '-' || behind === '+') {
        this.#sign = behind
        this.#at++
      }
    } else if (!read && sign === 'none' && (plus || minus) && (one === '-' || one === '+')) this.#sign = one
  }
}

/**
 * `to_number`: the digits, sign and point of the text, at the places that the template gives them.
 * @returns null for an empty template
 * @throws 22P02, 0A000 for templates that only write, 42601
 */
export function charToNumber(text: string, format: string): string | null {
  if (format === '') return null
  const template = readNumberTemplate(format)
  if (template.exponent) throw sqlError(SQLSTATE.featureNotSupported, '"EEEE" not supported for input')
  if (template.roman) throw sqlError(SQLSTATE.featureNotSupported, '"RN" not supported for input')
  const reader = new NumberReader(template, text)
  const written = reader.read()
  const value = parseDecimal(written)
  if (value === null)
    throw sqlError(SQLSTATE.invalidTextRepresentation, `invalid input syntax for type numeric: "${written}"`)
  const { pre, multi } = template
  const { places } = reader
  const whole = fitDecimal(value, Math.max(1, pre + multi + places), places)
  return multi === 0 ? whole : (parseDecimal(`${whole}e-${multi}`) ?? whole)
}
