/**
 * A floating-point number as PostgreSQL prints it: the fewest digits that read back as the same number, with an
 * exponent (of two digits at least) when it is below −4 or from `wide` on.
 */
function floatText(value: number, digitsOf: (absolute: number) => string, wide: number): string {
  if (Number.isNaN(value)) return 'NaN'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  if (value === 0) return `${sign}0`
  if (!Number.isFinite(value)) return `${sign}Infinity`
  const [mantissa = '', power = '0'] = digitsOf(Math.abs(value)).split('e')
  const digits = mantissa.replace('.', '')
  const exponent = Number(power)
  if (exponent < -4 || exponent >= wide) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : ''
    const size = String(Math.abs(exponent)).padStart(2, '0')
    return `${sign}${digits.slice(0, 1)}${fraction}e${exponent < 0 ? '-' : '+'}${size}`
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  if (digits.length <= exponent + 1) return sign + digits.padEnd(exponent + 1, '0')
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`
}

export function doubleText(value: number): string {
  // Small whole numbers are by far the most frequent.
  if (Number.isInteger(value) && Math.abs(value) < 1e15 && !Object.is(value, -0)) return String(value)
  return floatText(value, (absolute) => absolute.toExponential(), 15)
}

export function realText(value: number): string {
  return floatText(value, shortestSingle, 6)
}

const DIGITS = { double: 15, real: 6 } as const

/**
 * With so many digits more than the type is sure of (fewer, below zero), as `extra_float_digits` asks for where it is not
 * above zero.
 */
export function roundedFloatText(value: number, type: 'double' | 'real', extra: number): string {
  const digits = Math.max(DIGITS[type] + extra, 1)
  return floatText(
    value,
    (absolute) =>
      absolute
        .toExponential(digits - 1)
        .replace(/(\.\d*?)0+e/, '$1e')
        .replace('.e', 'e'),
    digits,
  )
}

function shortestSingle(absolute: number): string {
  for (let digits = 0; digits < 9; digits++) {
    const text = absolute.toExponential(digits)
    if (Math.fround(Number(text)) === absolute) return text.replace(/\.?0+e/, 'e')
  }
  return absolute.toExponential()
}

/**
 * Reads a floating-point number: blanks around it, `NaN`, `Infinity` and `inf` in any case.
 * @returns null when it is none, `'range'` when it is too large or too small
 */
export function parseFloatText(text: string, single: boolean): number | null | 'range' {
  const trimmed = text.trim()
  const special = /^([-+]?)(infinity|inf|nan)$/i.exec(trimmed)
  if (special !== null) {
    if (special[2]?.toLowerCase() === 'nan') return special[1] === '' ? Number.NaN : null
    return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  }
  if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(trimmed)) return null
  const exact = Number(trimmed)
  const value = single ? Math.fround(exact) : exact
  if (!Number.isFinite(value)) return 'range'
  const zero = !/[1-9]/.test(trimmed.replace(/e.*$/i, ''))
  return value === 0 && !zero ? 'range' : value
}
