import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { isSqlError } from '../../src/errors.ts'
import { resolveOperator } from '../../src/functions/resolve.ts'
import { BIGINT, INTEGER, SMALLINT, type SqlType } from '../../src/types/type.ts'

/** The outcome of an operator, or the condition of its error. */
function run(sign: string, type: SqlType, a: unknown, b: unknown): unknown {
  const fn = resolveOperator(sign, type, type)
  try {
    return fn.impl(a as never, b as never)
  } catch (error) {
    if (isSqlError(error)) return error.detail.sqlstate
    throw error
  }
}

const edges = (bits: number): fc.Arbitrary<bigint> => {
  const bound = 2n ** BigInt(bits - 1)
  return fc.oneof(
    fc.bigInt({ min: -bound, max: bound - 1n }),
    fc.constantFrom(-bound, -bound + 1n, -1n, 0n, 1n, 2n, bound - 1n, bound / 2n),
  )
}

/** What the operators say over whole numbers without bounds; null: a division by zero. */
const exact: Readonly<Record<string, (a: bigint, b: bigint) => bigint | null>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => (b === 0n ? null : a / b),
  '%': (a, b) => (b === 0n ? null : a % b),
}

describe.each([
  ['smallint', SMALLINT, 16],
  ['integer', INTEGER, 32],
  ['bigint', BIGINT, 64],
] as const)('%s', (_, type, bits) => {
  test.each(Object.keys(exact))('%s is exact, or an error', (sign) => {
    const wrap = (value: bigint): number | bigint => (bits === 64 ? value : Number(value))
    fc.assert(
      fc.property(edges(bits), edges(bits), (a, b) => {
        const result = exact[sign]?.(a, b) ?? null
        const expected =
          result === null ? '22012' : BigInt.asIntN(bits, result) === result ? wrap(result) : '22003'
        const found = run(sign, type, wrap(a), wrap(b))
        // Zero has no sign here.
        expect(typeof found === 'number' ? found + 0 : found).toBe(expected)
      }),
    )
  })
})
