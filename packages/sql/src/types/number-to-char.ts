import { SQLSTATE, sqlError } from '../errors.ts'
import { isSpecial, parseDecimal, roundDecimal } from './decimal.ts'

/** A template of `to_char` for numbers, taken apart. */
interface Template {
  /** Digits before the point: `9` or `0`, with `G` and `,` between them. */
  readonly whole: readonly string[]
  /** Digits behind the point; null: there is no point. */
  readonly fraction: readonly string[] | null
  readonly fill: boolean
  readonly sign: 'none' | 'lead' | 'trail' | 'minus' | 'minusTrail' | 'plus' | 'brackets'
  readonly ordinal: 'th' | 'TH' | null
  readonly exponent: boolean
  /** Digits that the value is shifted by. */
  readonly shift: number
  readonly roman: 'RN' | 'rn' | null
  readonly prefix: string
  readonly suffix: string
}

const token = /"((?:[^"\\]|\\.)*)"|FM|EEEE|TH|th|RN|rn|PR|MI|PL|SG|[09.,DGSVL]|[\s\S]/gi

/** Marks a text between digits. */
const LITERAL = '"'

/** @throws 42601 for a template that makes no sense */
function readTemplate(format: string): Template {
  const whole: string[] = []
  let fraction: string[] | null = null
  let fill = true
  let sign: Template['sign'] = 'none'
  let ordinal: Template['ordinal'] = null
  let exponent = false
  let shift: number | null = null
  let roman: Template['roman'] = null
  let prefix = ''
  let suffix = ''
  for (const part of format.match(token) ?? []) {
    const upper = part.toUpperCase()
    const digits = whole.some((one) => one === '9' || one === '0') || fraction !== null
    if (upper === 'FM') fill = false
    else if (upper === '9' || upper === '0') {
      if (shift !== null) shift++
      else (fraction ?? whole).push(upper)
    } else if (upper === '.' || upper === 'D') {
      if (fraction !== null) throw sqlError(SQLSTATE.syntaxError, 'multiple decimal points')
      fraction = []
    } else if (upper === ',' || upper === 'G') whole.push(',')
    else if (upper === 'V') shift = 0
    else if (upper === 'S') sign = digits ? 'trail' : 'lead'
    else if (upper === 'SG') sign = digits ? 'trail' : 'lead'
    else if (upper === 'MI') sign = digits ? 'minusTrail' : 'minus'
    else if (upper === 'PL') sign = 'plus'
    else if (upper === 'PR') sign = 'brackets'
    else if (upper === 'TH') ordinal = part === 'th' ? 'th' : 'TH'
    else if (upper === 'EEEE') exponent = true
    else if (upper === 'RN') roman = part === 'rn' ? 'rn' : 'RN'
    else {
      const text = part.startsWith('"')
        ? part.slice(1, -1).replace(/\\(.)/g, '$1')
        : upper === 'L'
          ? ' '
          : upper === 'B'
            ? ''
            : part
      if (!digits) prefix += text
      else if (fraction === null && shift === null) whole.push(LITERAL + text)
      else suffix += text
    }
  }
  // A text behind the last digit is no part of the number.
  while (fraction === null && whole.at(-1)?.startsWith(LITERAL) === true)
    suffix = (whole.pop() ?? '').slice(LITERAL.length) + suffix
  return { whole, fraction, fill, sign, ordinal, exponent, shift: shift ?? 0, roman, prefix, suffix }
}

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

function romanText(value: number, { roman, fill }: Template): string {
  let text = ''
  if (value < 1 || value > 3_999 || !Number.isInteger(value)) text = '###############'
  else
    for (const [size, sign] of romanDigits)
      while (value >= size) {
        text += sign
        value -= size
      }
  const shown = roman === 'rn' ? text.toLowerCase() : text
  return fill ? shown.padStart(15) : shown
}

function ordinalOf(digits: string, capital: boolean): string {
  const value = Number(digits.slice(-2))
  const ending = value >= 11 && value <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][value % 10] ?? 'th')
  return capital ? ending.toUpperCase() : ending
}

function scientific(value: string, { fraction, fill }: Template): string {
  const places = fraction?.length ?? 0
  if (isSpecial(value)) return `${fill ? ' ' : ''}${`#.${'#'.repeat(places)}####`}`
  const negative = value.startsWith('-')
  const [whole = '', rest = ''] = value.replace('-', '').split('.')
  const digits = (whole + rest).replace(/^0+/, '')
  let exponent = digits === '' ? 0 : digits.length - rest.length - 1
  let mantissa = roundDecimal(digits === '' ? '0' : `${digits.slice(0, 1)}.${digits.slice(1) || '0'}`, places)
  if (mantissa.startsWith('10')) {
    mantissa = roundDecimal(`1.${'0'.repeat(Math.max(1, places))}`, places)
    exponent++
  }
  const size = String(Math.abs(exponent)).padStart(2, '0')
  return `${negative ? '-' : fill ? ' ' : ''}${mantissa}e${exponent < 0 ? '-' : '+'}${size}`
}

/** `to_char` of a number by PostgreSQL's templates: 9 0 . , D G S MI PL SG PR TH V EEEE RN FM. */
export function numberToChar(value: string, format: string): string {
  const template = readTemplate(format)
  const { whole, fraction, fill, sign, ordinal, shift } = template
  if (template.roman !== null) return romanText(Number(roundDecimal(value, 0)), template)
  if (template.exponent) return scientific(value, template)
  const places = fraction?.length ?? 0
  const shifted = shift === 0 || isSpecial(value) ? value : (parseDecimal(`${value}e${shift}`) ?? value)
  const rounded = roundDecimal(shifted, places)
  const special = isSpecial(rounded)
  const absolute = rounded.replace('-', '')
  const negative = rounded.startsWith('-') && (special || /[1-9]/.test(absolute))
  const [wholeDigits = '', fractionDigits = ''] = absolute.split('.')
  const slots = whole.filter(isDigit).length + shift
  const bare = wholeDigits.replace(/^0+(?=\d)/, '')
  const zero = bare === '0'
  const overflow = special || (zero ? 0 : bare.length) > slots
  const padded = overflow
    ? '#'.repeat(slots)
    : (zero && slots > 0 && !(places > 0) ? '0' : zero ? '' : bare).padStart(slots, ' ')
  const places0 = [...whole, ...Array.from({ length: shift }, () => '9')]
  const firstZero = places0.filter(isDigit).indexOf('0')
  let at = 0
  let started = false
  let body = ''
  for (const place of places0) {
    if (place.startsWith(LITERAL)) {
      body += place.slice(LITERAL.length)
      continue
    }
    if (place === ',') {
      body += started ? ',' : fill ? ' ' : ''
      continue
    }
    const digit = padded.charAt(at)
    const forced = firstZero >= 0 && at >= firstZero
    at++
    if (digit !== ' ' && digit !== '') {
      started = true
      body += digit
    } else if (forced) {
      started = true
      body += '0'
    } else body += fill ? ' ' : ''
  }
  if (fraction !== null) {
    const shownDigits = overflow ? '#'.repeat(places) : fractionDigits.padEnd(places, '0')
    const lastZero = fraction.lastIndexOf('0')
    const trimmed = fill ? shownDigits : trimDigits(shownDigits, lastZero + 1)
    // A lone point needs a digit before it, when there is room for none.
    body = zero && !started && fill && slots > 0 && places === 0 ? `${body}.` : `${body}.${trimmed}`
  }
  return signed(body, negative, template, ordinal === null ? '' : ordinalOf(bare, ordinal === 'TH'), sign)
}

const isDigit = (place: string): boolean => place === '9' || place === '0'

function trimDigits(digits: string, keep: number): string {
  let end = digits.length
  while (end > keep && digits[end - 1] === '0') end--
  return digits.slice(0, end)
}

function signed(
  body: string,
  negative: boolean,
  { fill, prefix, suffix }: Template,
  ordinal: string,
  sign: Template['sign'],
): string {
  const blanks = /^ */.exec(body)?.[0] ?? ''
  const digits = body.slice(blanks.length)
  const tail = (negative || sign !== 'none' ? '' : ordinal) || (sign === 'none' ? '' : '')
  switch (sign) {
    case 'lead':
      return `${prefix}${blanks}${negative ? '-' : '+'}${digits}${suffix}`
    case 'trail':
      return `${prefix}${blanks}${digits}${negative ? '-' : '+'}${suffix}`
    case 'minus':
      return `${prefix}${negative ? '-' : fill ? ' ' : ''}${blanks}${digits}${suffix}`
    case 'minusTrail':
      return `${prefix}${blanks}${digits}${negative ? '-' : fill ? ' ' : ''}${suffix}`
    case 'plus':
      return `${prefix}${negative ? `${blanks}-` : `+${blanks} `}${digits}${suffix}`
    case 'brackets':
      return negative
        ? `${prefix}${blanks}<${digits}>${suffix}`
        : fill
          ? `${prefix}${blanks} ${digits} ${suffix}`
          : `${prefix}${digits}${suffix}`
    default:
      return `${prefix}${blanks}${negative ? '-' : fill ? ' ' : ''}${digits}${tail}${suffix}`
  }
}

/** `to_number`: the digits, sign and point of the text; what else the template has is passed over. @throws 22P02 */
export function charToNumber(text: string, format: string): string {
  const { fraction, shift } = readTemplate(format)
  const negative = /-|<.*>/.test(text)
  const cleaned = text.replace(/[^\d.]/g, '')
  const [whole = '', rest = ''] = cleaned.split('.')
  const digits = fraction === null ? whole : `${whole}.${rest.slice(0, fraction.length)}`
  const value = parseDecimal(digits.replace(/\.$/, ''))
  if (value === null)
    throw sqlError(SQLSTATE.invalidTextRepresentation, `invalid input syntax for type numeric: "${text}"`)
  const scaled = shift === 0 ? value : (parseDecimal(`${value}e-${shift}`) ?? value)
  return negative ? `-${scaled}` : scaled
}
