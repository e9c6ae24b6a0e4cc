import { ClusterError, type Value } from '@cluster/core'
import { isSqlError, SQLSTATE, sqlError } from '../../errors.ts'
import { parseValue, wholeNumber } from '../../types/parse.ts'
import { formatType, type SqlType } from '../../types/type.ts'

/** What may be given for `$n`. A Date stands for its time in UTC; a text is read as the type is written. */
export type Parameter = Value | Date | undefined

const MICROS = 1_000n
const MS_A_DAY = 86_400_000

/** @throws 08P01 when there are too few or too many, 22P02, 22003 or 42804 when one does not fit its type */
export function convertParameters(given: readonly Parameter[], types: readonly SqlType[]): Value[] {
  if (given.length !== types.length)
    throw sqlError(
      '08P01',
      `the statement needs ${types.length} parameter${types.length === 1 ? '' : 's'}, but ${given.length} ${given.length === 1 ? 'was' : 'were'} given`,
    )
  return types.map((type, i) => convert(given[i], type, i + 1))
}

function convert(value: Parameter, type: SqlType, index: number): Value {
  if (value === null || value === undefined) return null
  const converted = typeof value === 'string' ? parseText(value, type, index) : direct(value, type)
  if (converted !== undefined) return converted
  throw sqlError(
    SQLSTATE.datatypeMismatch,
    `parameter $${index} is of type ${formatType(type)}, but a ${kindOf(value)} was given`,
    { hint: 'Give a value of that type, or cast the parameter: $1::text.' },
  )
}

const kindOf = (value: Exclude<Parameter, null | undefined>): string =>
  value instanceof Date
    ? 'Date'
    : value instanceof Uint8Array
      ? 'Uint8Array'
      : typeof value === 'number' && !Number.isInteger(value)
        ? 'number with a fraction'
        : typeof value

function parseText(text: string, type: SqlType, index: number): Value {
  if (isText(type)) return text
  try {
    return parseValue(type, text)
  } catch (error) {
    if (!isSqlError(error)) throw error
    const detail = { ...error.detail, detail: `It was given for parameter $${index}.` }
    throw new ClusterError(detail, error.message, { cause: error })
  }
}

const isText = ({ id }: SqlType): boolean =>
  id === 'text' || id === 'varchar' || id === 'char' || id === 'unknown'

/** Undefined: the value does not fit the type. */
function direct(value: Exclude<Parameter, null | undefined | string>, type: SqlType): Value | undefined {
  if (isText(type)) {
    if (value instanceof Date) return value.toISOString()
    return value instanceof Uint8Array ? undefined : String(value)
  }
  switch (typeof value) {
    case 'boolean':
      return type.id === 'boolean' ? value : undefined
    case 'number':
      return fromNumber(value, type)
    case 'bigint':
      return fromBigint(value, type)
    default:
      if (value instanceof Date) return fromDate(value, type)
      return type.id === 'bytea' ? value : undefined
  }
}

function fromNumber(value: number, type: SqlType): Value | undefined {
  switch (type.id) {
    case 'real':
    case 'double':
      return type.id === 'real' ? Math.fround(value) : value
    case 'numeric':
      return parseValue(type, Number.isInteger(value) ? BigInt(value).toString() : String(value))
    case 'smallint':
    case 'integer':
    case 'bigint':
      // Whole numbers beyond 2^53 are not what was meant any more, but are taken as JavaScript has them.
      return Number.isInteger(value) ? wholeNumber(type, BigInt(value)) : undefined
    default:
      return undefined
  }
}

function fromBigint(value: bigint, type: SqlType): Value | undefined {
  switch (type.id) {
    case 'real':
    case 'double':
      return Number(value)
    case 'numeric':
      return parseValue(type, value.toString())
    case 'smallint':
    case 'integer':
    case 'bigint':
      return wholeNumber(type, value)
    case 'timestamp':
    case 'timestamptz':
      return value
    default:
      return undefined
  }
}

function fromDate(value: Date, type: SqlType): Value | undefined {
  if (type.id === 'timestamp' || type.id === 'timestamptz') return BigInt(value.getTime()) * MICROS
  return type.id === 'date' ? Math.floor(value.getTime() / MS_A_DAY) : undefined
}
