import type { Value } from '@cluster/core'
import { parseDecimal } from './decimal.ts'
import { BIGINT, INTEGER, NUMERIC, type SqlType } from './type.ts'

/**
 * What a number in the source is: the first of integer, bigint and numeric that holds it, numeric when it has a
 * point or an exponent.
 * @param text as in `NumberLiteral.text`
 */
export function numberLiteral(text: string): { readonly type: SqlType; readonly value: Value } {
  if (/^-?\d+$/.test(text)) {
    const value = BigInt(text)
    if (value >= -2_147_483_648n && value <= 2_147_483_647n) return { type: INTEGER, value: Number(value) }
    if (value >= -9_223_372_036_854_775_808n && value <= 9_223_372_036_854_775_807n)
      return { type: BIGINT, value }
  }
  return { type: NUMERIC, value: parseDecimal(text) }
}
