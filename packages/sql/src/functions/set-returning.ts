import type { Value } from '@cluster/core'
import { LETTERS, parseAclText, privilegeName } from '../access/privileges.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import { toArray } from '../types/array-text.ts'
import { isInfinite } from '../types/datetime.ts'
import { addDecimal, compareDecimal, isSpecial, signDecimal } from '../types/decimal.ts'
import { intervalSpan, shiftTimestamp, toInterval } from '../types/interval.ts'
import { rangeKindOf } from '../types/range-kind.ts'
import { fromRanges, toRanges } from '../types/range-text.ts'
import { fromRecord } from '../types/record-text.ts'
import { UTC } from '../types/time-zone.ts'
import {
  arrayOf,
  BIGINT,
  BOOLEAN,
  elementOf,
  INTEGER,
  INTERVAL,
  JSON_TYPE,
  JSONB,
  JSONPATH,
  NUMERIC,
  OID,
  REGCLASS,
  recordOf,
  type SqlType,
  TEXT,
  TIMESTAMP,
  TIMESTAMPTZ,
  unmodified,
} from '../types/type.ts'
import { splitText } from './array.ts'
import { jsonItems, jsonMembers } from './json/functions.ts'
import { pathRows } from './json/path-functions.ts'
import { isPopulate } from './json/populate.ts'
import { plainText } from './json/text.ts'
import { chooseOverload } from './resolve.ts'
import { allMatches, splitBy } from './text/regexp.ts'

/** An overload of a function that gives rows of one column, which may be rows themselves. Arguments come cast to `args`; none is NULL. */
export interface SetReturning {
  readonly name: string
  readonly args: readonly SqlType[]
  readonly returns: SqlType
  readonly rows: (...values: readonly never[]) => Iterable<Value>
}

const zeroStep = () => sqlError(SQLSTATE.invalidParameterValue, 'step size cannot equal zero')

function* numbers(start: number, stop: number, step = 1): Generator<number> {
  if (step === 0) throw zeroStep()
  for (let value = start; step > 0 ? value <= stop : value >= stop; value += step) yield value
}

function* bigints(start: bigint, stop: bigint, step = 1n): Generator<bigint> {
  if (step === 0n) throw zeroStep()
  for (let value = start; step > 0n ? value <= stop : value >= stop; value += step) {
    if (BigInt.asIntN(64, value) !== value) return
    yield value
  }
}

function* decimals(start: string, stop: string, step = '1'): Generator<string> {
  for (const [value, word] of [
    [start, 'start value'],
    [stop, 'stop value'],
    [step, 'step size'],
  ] as const)
    if (isSpecial(value))
      throw sqlError(
        SQLSTATE.invalidParameterValue,
        `${word} cannot be ${value === 'NaN' ? 'NaN' : 'infinity'}`,
      )
  const sign = signDecimal(step)
  if (sign === 0) throw zeroStep()
  for (let value = start; compareDecimal(value, stop) * sign <= 0; value = addDecimal(value, step))
    yield value
}

function* moments(start: bigint, stop: bigint, step: string): Generator<bigint> {
  const by = toInterval(step)
  const span = intervalSpan(by)
  if (span === 0n) throw zeroStep()
  if (isInfinite(start)) return
  for (let value = start; span > 0n ? value <= stop : value >= stop; value = shiftTimestamp(value, by, 1))
    yield value
}

const define = (
  name: string,
  args: readonly SqlType[],
  returns: SqlType,
  rows: SetReturning['rows'],
): SetReturning => ({ name, args, returns, rows })

const OPTION = recordOf([
  { name: 'option_name', type: TEXT },
  { name: 'option_value', type: TEXT },
])

/** A row of `aclexplode`. */
const ACL_ITEM = recordOf([
  { name: 'grantor', type: OID },
  { name: 'grantee', type: OID },
  { name: 'privilege_type', type: TEXT },
  { name: 'is_grantable', type: BOOLEAN },
])

/** One row a privilege. @param acl an access list with roles by number */
function* aclRows(acl: string): Generator<Value> {
  for (const text of toArray(TEXT, acl).items) {
    const item = parseAclText(String(text))
    if (item === null) throw sqlError('22P02', `malformed access list: "${text}"`)
    for (const letter of item.letters) {
      const name = letterNames.get(letter) ?? letter
      const grantable = item.grantable.includes(letter)
      yield fromRecord(ACL_ITEM, [Number(item.grantor), Number(item.grantee), name, grantable])
    }
  }
}

const letterNames: ReadonlyMap<string, string> = new Map(
  LETTERS.map((letter) => [letter, privilegeName(letter)]),
)

const plain: readonly SetReturning[] = [
  define('aclexplode', [arrayOf(TEXT)], ACL_ITEM, aclRows),
  // No table is a partition of another one.
  define('pg_partition_ancestors', [REGCLASS], REGCLASS, () => []),
  define(
    'pg_partition_tree',
    [REGCLASS],
    recordOf([
      { name: 'relid', type: REGCLASS },
      { name: 'parentrelid', type: REGCLASS },
      { name: 'isleaf', type: BOOLEAN },
      { name: 'level', type: INTEGER },
    ]),
    () => [],
  ),
  // Options of foreign tables, of which there are none; each is `name=value`.
  define('pg_options_to_table', [arrayOf(TEXT)], OPTION, function* (options: string) {
    for (const option of toArray(TEXT, options).items) {
      const [name = '', value = ''] = String(option).split('=', 2)
      yield fromRecord(OPTION, [name, value])
    }
  }),
  define('generate_series', [INTEGER, INTEGER], INTEGER, numbers),
  define('generate_series', [INTEGER, INTEGER, INTEGER], INTEGER, numbers),
  define('generate_series', [BIGINT, BIGINT], BIGINT, bigints),
  define('generate_series', [BIGINT, BIGINT, BIGINT], BIGINT, bigints),
  define('generate_series', [NUMERIC, NUMERIC], NUMERIC, decimals),
  define('generate_series', [NUMERIC, NUMERIC, NUMERIC], NUMERIC, decimals),
  define('generate_series', [TIMESTAMP, TIMESTAMP, INTERVAL], TIMESTAMP, moments),
  define('generate_series', [TIMESTAMPTZ, TIMESTAMPTZ, INTERVAL], TIMESTAMPTZ, moments),
  define(
    'string_to_table',
    [TEXT, TEXT, TEXT],
    TEXT,
    (text: string, delimiter: string, empty: string) => splitText(text, delimiter, empty).items,
  ),
  define(
    'string_to_table',
    [TEXT, TEXT],
    TEXT,
    (text: string, delimiter: string) => splitText(text, delimiter, null).items,
  ),
  ...[2, 3, 4].flatMap((count) => {
    const args = [JSONB, JSONPATH, JSONB, BOOLEAN].slice(0, count)
    return [
      define('jsonb_path_query', args, JSONB, pathRows(null)),
      // Rows are made without the session, so moments with and without a zone compare in UTC.
      define('jsonb_path_query_tz', args, JSONB, pathRows(UTC)),
    ]
  }),
  ...[2, 3].flatMap((count) => {
    const args = [TEXT, TEXT, TEXT].slice(0, count)
    return [
      define('regexp_matches', args, arrayOf(TEXT), allMatches),
      define('regexp_split_to_table', args, TEXT, splitBy),
    ]
  }),
  ...(['json', 'jsonb'] as const).flatMap((word) => {
    const binary = word === 'jsonb'
    const type = binary ? JSONB : JSON_TYPE
    const elements = `${word}_array_elements`
    return [
      define(elements, [type], type, (text: string) => jsonItems(text, binary, elements)),
      define(`${elements}_text`, [type], TEXT, function* (text: string) {
        for (const item of jsonItems(text, binary, `${elements}_text`)) yield plainText(item)
      }),
      ...[false, true].map((plain): SetReturning => {
        const name = `${word}_each${plain ? '_text' : ''}`
        const members = recordOf([
          { name: 'key', type: TEXT },
          { name: 'value', type: plain ? TEXT : type },
        ])
        return define(name, [type], members, function* (text: string) {
          for (const { key, value } of jsonMembers(text, binary, name))
            yield fromRecord(members, [key, plain ? plainText(value) : value])
        })
      }),
      define(`${word}_object_keys`, [type], TEXT, function* (text: string) {
        for (const { key } of jsonMembers(text, binary, `${word}_object_keys`)) yield key
      }),
    ]
  }),
]

const byName = Map.groupBy(plain, ({ name }) => name)

/** Of `information_schema`: the items of an array with their places. Drivers ask with it for the columns of keys. */
const EXPAND = '_pg_expandarray'

/** The ranges of a multirange. */
function ofMultirange(name: string, args: readonly SqlType[]): SetReturning | null {
  const [type, more] = args
  const kind = type === undefined ? null : rangeKindOf(type)
  if (name !== 'unnest' || kind === null || more !== undefined || kind.multirange.id !== type?.id) return null
  return define(name, [kind.multirange], kind.range, (text: string) =>
    toRanges(kind, kind.multirange, text).map((range) => fromRanges(kind, kind.range, [range])),
  )
}

function ofArray(name: string, args: readonly SqlType[]): SetReturning | null {
  const [array] = args
  if (array?.element === undefined) return null
  const element = unmodified(elementOf(array))
  const type = arrayOf(element)
  if (name === 'unnest' && args.length === 1)
    return define(name, [type], element, (text: string) => toArray(element, text).items)
  if (name === EXPAND && args.length === 1) {
    const place = recordOf([
      { name: 'x', type: element },
      { name: 'n', type: INTEGER },
    ])
    return define(name, [type], place, (text: string) =>
      toArray(element, text).items.map((item, i) => fromRecord(place, [item, i + 1])),
    )
  }
  if (name !== 'generate_subscripts' || args.length < 2 || args.length > 3) return null
  const flag = args.length === 3 ? [BOOLEAN] : []
  return define(
    name,
    [type, INTEGER, ...flag],
    INTEGER,
    (text: string, dimension: number, reverse = false) => {
      const { dims, lowers } = toArray(element, text)
      const [length, lower] = [dims[dimension - 1], lowers[dimension - 1]]
      if (length === undefined || lower === undefined) return []
      const last = lower + length - 1
      return reverse ? numbers(last, lower, -1) : numbers(lower, last)
    },
  )
}

/**
 * The function of that name that gives rows, for arguments of those types.
 * @returns null when there is none
 */
export function resolveSetFunction(name: string, args: readonly SqlType[]): SetReturning | null {
  const generic = ofArray(name, args) ?? ofMultirange(name, args)
  if (generic !== null) return generic
  const chosen = chooseOverload(byName.get(name) ?? [], args)
  return typeof chosen === 'object' ? chosen : null
}

/** True for names of functions that give rows, whatever their arguments. */
export const isSetFunction = (name: string): boolean =>
  byName.has(name) ||
  name === 'unnest' ||
  name === 'pg_listening_channels' ||
  name === 'generate_subscripts' ||
  name === EXPAND ||
  isPopulate(name)
