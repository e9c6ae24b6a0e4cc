import { BIGINT, DOUBLE, INTEGER, type SqlType } from '../types/type.ts'

/** Functions that make sense over windows only. Every aggregate can be used over one too. */
export type WindowFunctionName =
  | 'row_number'
  | 'rank'
  | 'dense_rank'
  | 'percent_rank'
  | 'cume_dist'
  | 'ntile'
  | 'lag'
  | 'lead'
  | 'first_value'
  | 'last_value'
  | 'nth_value'

/** `value`: any type, the first of which is the result's; `integer`: a whole number. */
type Argument = 'value' | 'integer'

interface Signature {
  readonly required: readonly Argument[]
  readonly optional: readonly Argument[]
  /** Null: the type of the values. */
  readonly returns: SqlType | null
}

const plain = (returns: SqlType): Signature => ({ required: [], optional: [], returns })

const shifted: Signature = { required: ['value'], optional: ['integer', 'value'], returns: null }
const picked: Signature = { required: ['value'], optional: [], returns: null }

const signatures: Readonly<Record<WindowFunctionName, Signature>> = {
  row_number: plain(BIGINT),
  rank: plain(BIGINT),
  dense_rank: plain(BIGINT),
  percent_rank: plain(DOUBLE),
  cume_dist: plain(DOUBLE),
  ntile: { required: ['integer'], optional: [], returns: INTEGER },
  lag: shifted,
  lead: shifted,
  first_value: picked,
  last_value: picked,
  nth_value: { required: ['value', 'integer'], optional: [], returns: null },
}

export const isWindowFunction = (name: string): name is WindowFunctionName => Object.hasOwn(signatures, name)

/** What each of `count` arguments must be; null when it does not take as many. */
export function windowArguments(name: WindowFunctionName, count: number): readonly Argument[] | null {
  const { required, optional } = signatures[name]
  if (count < required.length || count > required.length + optional.length) return null
  return [...required, ...optional].slice(0, count)
}

/** The type of the result; null: that of the values. */
export const windowResult = (name: WindowFunctionName): SqlType | null => signatures[name].returns
