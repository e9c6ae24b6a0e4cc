import { SQLSTATE, sqlError } from '../errors.ts'

/** What a part of a template stands for; `text` is copied as it is. */
export type NumberKey =
  | '9'
  | '0'
  | '.'
  | 'D'
  | ','
  | 'G'
  | 'L'
  | 'B'
  | 'C'
  | 'SP'
  | 'FM'
  | 'S'
  | 'MI'
  | 'PL'
  | 'SG'
  | 'PR'
  | 'RN'
  | 'rn'
  | 'TH'
  | 'th'
  | 'V'
  | 'EEEE'
  | 'text'

export interface NumberPart {
  readonly key: NumberKey
  readonly text: string
}

/** A template of `to_char` and `to_number` for numbers, with what its parts say of the whole. */
export interface NumberTemplate {
  readonly parts: readonly NumberPart[]
  /** Digits before the point, behind it, and by which V shifts. */
  pre: number
  post: number
  multi: number
  /** The digit, from 0, from which on zeros are shown, and how many digits there are up to the last `0`. */
  zeroStart: number
  zeroEnd: number
  fill: boolean
  decimal: boolean
  zero: boolean
  bracket: boolean
  plus: boolean
  minus: boolean
  roman: boolean
  exponent: boolean
  /** Where the sign of `S` stands. */
  sign: 'none' | 'pre' | 'post'
  /** Digits before `S`. */
  preSign: number
  shifts: boolean
}

const token =
  /"((?:[^"\\]|\\[\s\S])*)(?:"|$)|\\"|EEEE|eeee|FM|fm|MI|mi|PL|pl|PR|pr|RN|rn|SG|sg|SP|sp|TH|th|[09.,BbCcDdGgLlSsVv]|[\s\S]/gu

const keys: ReadonlySet<string> = new Set<NumberKey>([
  '9',
  '0',
  '.',
  'D',
  ',',
  'G',
  'L',
  'B',
  'C',
  'SP',
  'FM',
  'S',
  'MI',
  'PL',
  'SG',
  'PR',
  'RN',
  'TH',
  'V',
  'EEEE',
])

function partOf(source: string, quoted: string | undefined): NumberPart {
  if (quoted !== undefined) return { key: 'text', text: quoted.replace(/\\([\s\S])/g, '$1') }
  if (source === '\\"') return { key: 'text', text: '"' }
  if (source === 'rn' || source === 'th') return { key: source, text: source }
  const upper = source.toUpperCase()
  return keys.has(upper) ? { key: upper as NumberKey, text: source } : { key: 'text', text: source }
}

const wrong = (message: string, detail?: string) => sqlError(SQLSTATE.syntaxError, message, { detail })

/** Notes what a part says of the whole. @throws 42601 for what does not go together */
function note(template: NumberTemplate, key: NumberKey): void {
  if (template.exponent && key !== 'EEEE' && key !== 'text')
    throw wrong('"EEEE" must be the last pattern used')
  switch (key) {
    case '9':
      if (template.bracket) throw wrong('"9" must be ahead of "PR"')
      if (template.shifts) template.multi++
      else if (template.decimal) template.post++
      else template.pre++
      return
    case '0':
      if (template.bracket) throw wrong('"0" must be ahead of "PR"')
      if (!template.zero && !template.decimal) {
        template.zero = true
        template.zeroStart = template.pre
      }
      if (template.decimal) template.post++
      else template.pre++
      template.zeroEnd = template.pre + template.post
      return
    case '.':
    case 'D':
      if (template.decimal) throw wrong('multiple decimal points')
      if (template.shifts) throw wrong('cannot use "V" and decimal point together')
      template.decimal = true
      return
    case 'FM':
      template.fill = false
      return
    case 'S':
      if (template.sign !== 'none') throw wrong('cannot use "S" twice')
      if (template.plus || template.minus || template.bracket)
        throw wrong('cannot use "S" and "PL"/"MI"/"SG"/"PR" together')
      template.sign = template.decimal ? 'post' : 'pre'
      template.preSign = template.pre
      return
    case 'MI':
    case 'PL':
    case 'SG':
      if (template.sign !== 'none') throw wrong(`cannot use "S" and "${key}" together`)
      if (key !== 'PL') template.minus = true
      if (key !== 'MI') template.plus = true
      return
    case 'PR':
      if (template.sign !== 'none' || template.plus || template.minus)
        throw wrong('cannot use "PR" and "S"/"PL"/"MI"/"SG" together')
      template.bracket = true
      return
    case 'RN':
    case 'rn':
      template.roman = true
      return
    case 'V':
      if (template.decimal) throw wrong('cannot use "V" and decimal point together')
      template.shifts = true
      return
    case 'EEEE': {
      if (template.exponent) throw wrong('cannot use "EEEE" twice')
      const { fill, sign, bracket, minus, plus, roman, shifts } = template
      if (!fill || sign !== 'none' || bracket || minus || plus || roman || shifts)
        throw wrong(
          '"EEEE" is incompatible with other formats',
          '"EEEE" may only be used together with digit and decimal point patterns.',
        )
      template.exponent = true
      return
    }
    default:
      return
  }
}

/** @throws 42601 for a template that makes no sense */
export function readNumberTemplate(format: string): NumberTemplate {
  const parts = [...format.matchAll(token)].map(([source, quoted]) => partOf(source, quoted))
  const template: NumberTemplate = {
    parts,
    pre: 0,
    post: 0,
    multi: 0,
    zeroStart: 0,
    zeroEnd: 0,
    fill: true,
    decimal: false,
    zero: false,
    bracket: false,
    plus: false,
    minus: false,
    roman: false,
    exponent: false,
    sign: 'none',
    preSign: 0,
    shifts: false,
  }
  for (const { key } of parts) note(template, key)
  return template
}
