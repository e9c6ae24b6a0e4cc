import type { Addition, Row, Value } from '@cluster/core'

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/
const BITS = { smallint: 16, integer: 32, bigint: 64 } as const

/** The row with the sums; null when it does not hold such numbers, or one leaves its bounds. */
export function addedTo(row: Row, additions: readonly Addition[]): Row | null {
  const after = [...row]
  for (const addition of additions) {
    const value = after[addition.position] ?? null
    if (value === null) continue
    const sum = addition.type === 'numeric' ? decimalSum(value, addition) : wholeSum(value, addition)
    if (sum === null) return null
    after[addition.position] = sum
  }
  return Object.freeze(after)
}

function wholeSum(value: Value, { type, by }: Addition): Value {
  const kind = type === 'bigint' ? 'bigint' : 'number'
  if (type === 'numeric' || typeof value !== kind || typeof by !== kind) return null
  const sum = BigInt(value as number | bigint) + BigInt(by as number | bigint)
  if (BigInt.asIntN(BITS[type], sum) !== sum) return null
  return kind === 'bigint' ? sum : Number(sum)
}

function decimalSum(value: Value, { by, digits }: Addition): Value {
  const a = DECIMAL.exec(String(value))
  const b = DECIMAL.exec(String(by))
  if (a === null || b === null) return null
  const places = Math.max(a[3]?.length ?? 0, b[3]?.length ?? 0)
  const units = ([, sign, whole = '', fraction = '']: RegExpExecArray): bigint =>
    BigInt(`${sign}${whole}${fraction.padEnd(places, '0')}`)
  const sum = units(a) + units(b)
  const text = String(sum < 0n ? -sum : sum).padStart(places + 1, '0')
  const whole = text.slice(0, text.length - places)
  if (
    digits !== undefined &&
    ((b[3]?.length ?? 0) > digits.behind || whole.length > Math.max(1, digits.before))
  )
    return null
  return `${sum < 0n ? '-' : ''}${whole}${places === 0 ? '' : `.${text.slice(-places)}`}`
}
