import { isIntervalSpan } from '../../types/interval-fields.ts'
import { RANGE_TYPES } from '../../types/range-types.ts'
import type { Identifier, TypeName } from '../ast.ts'
import type { IntervalSpanCst, TimeZoneCst, TypeNameCst } from '../cst/expression.ts'
import { has, only, scanned, spanOf } from './tree.ts'

/** Other spellings, by PostgreSQL's long name. */
const spellings: Readonly<Record<string, string>> = {
  bool: 'boolean',
  int: 'integer',
  int2: 'smallint',
  int4: 'integer',
  int8: 'bigint',
  float4: 'real',
  float8: 'double precision',
  float: 'double precision',
  decimal: 'numeric',
  dec: 'numeric',
  varchar: 'character varying',
  varbit: 'bit varying',
  char: 'character',
  timestamp: 'timestamp without time zone',
  timestamptz: 'timestamp with time zone',
  time: 'time without time zone',
  timetz: 'time with time zone',
}

/** Types that PostgreSQL has an array of by the name with `_` in front, beside those of other spellings. */
const plainNames = new Set([
  ...'bpchar text name numeric date interval uuid json jsonb bytea oid regclass regtype jsonpath bit'.split(
    ' ',
  ),
  ...RANGE_TYPES.flatMap(({ range, multirange }) => [range, multirange]),
])

/** The type of the items that a name like `_int4` tells of; null for any other name. */
function itemsOf(name: string): string | null {
  const item = name.startsWith('_') ? name.slice(1) : ''
  return plainNames.has(item) || spellings[item] !== undefined ? item : null
}

const zoned = new Set(['timestamp without time zone', 'time without time zone'])

/** What to throw at an offset. */
type Unexpected = (offset: number) => Error

export function typeNameOf(node: TypeNameCst, unexpected: Unexpected): TypeName {
  const {
    Double,
    Character,
    Char,
    Varying,
    Interval,
    intervalSpan,
    qualifiedName,
    typeModifier,
    timeZone,
    LBracket,
    Array: ArrayWord,
  } = node.children
  let written = ''
  if (has(Double)) written = 'float8'
  else if (has(Character) || has(Char)) written = has(Varying) ? 'varchar' : 'char'
  else if (has(Interval)) written = intervalName(intervalSpan?.[0], has(typeModifier), unexpected)
  else {
    const { ColumnId, Label = [] } = only(qualifiedName).children
    const words = [...ColumnId, ...Label].map((token) => scanned(token).value)
    if (has(Varying)) {
      if (words.join('.') !== 'bit') throw unexpected(only(Varying).startOffset)
      words[0] = 'varbit'
    }
    // What folds, or has a dot in it, keeps its quotes.
    const names = words.map((word) =>
      /^[a-z_][a-z0-9_$]*$/.test(word) ? word : `"${word.replaceAll('"', '""')}"`,
    )
    written = names.length === 2 && names[0] === 'pg_catalog' ? (names[1] ?? '') : names.join('.')
  }
  const modifiers = (typeModifier ?? []).map(({ children }) => {
    const token = only(children.NumberLiteral)
    if (!/^\d+$/.test(token.image)) throw unexpected(token.startOffset)
    return has(children.Minus) ? -Number(token.image) : Number(token.image)
  })
  const items = itemsOf(written)
  const plain = items ?? written
  let name = withZone(spellings[plain] ?? plain, timeZone?.[0], unexpected)
  // float(1 … 24) is single precision.
  const [bits] = modifiers
  if (written === 'float' && bits !== undefined) {
    name = bits <= 24 ? 'real' : 'double precision'
    modifiers.length = 0
  }
  return {
    kind: 'typeName',
    name,
    modifiers,
    array: items !== null || has(LBracket) || has(ArrayWord),
    span: spanOf(node),
  }
}

/**
 * The name of a type of interval, fields included.
 * @param rounded digits of a second follow, which only a span that ends with seconds takes
 */
export function intervalName(
  node: IntervalSpanCst | undefined,
  rounded: boolean,
  unexpected: Unexpected,
): string {
  if (node === undefined) return 'interval'
  const words = node.children.IntervalField.map((token) => scanned(token).value)
  const span = words.join(' to ')
  const last = node.children.IntervalField.at(-1)
  if (!isIntervalSpan(span)) throw unexpected(last?.startOffset ?? spanOf(node).start)
  if (rounded && words.at(-1) !== 'second') throw unexpected(spanOf(node).end)
  return `interval ${span}`
}

/** The type of `type 'text'`. */
export function typedLiteralType(
  type: Identifier,
  zone: TimeZoneCst | undefined,
  unexpected: Unexpected,
): TypeName {
  const name = withZone(spellings[type.name] ?? type.name, zone, unexpected)
  const end = zone === undefined ? type.span.end : spanOf(zone).end
  return { kind: 'typeName', name, modifiers: [], array: false, span: { start: type.span.start, end } }
}

function withZone(name: string, zone: TimeZoneCst | undefined, unexpected: Unexpected): string {
  if (zone === undefined) return name
  if (!zoned.has(name)) throw unexpected(spanOf(zone).start)
  return has(zone.children.WithTime) ? name.replace('without', 'with') : name
}
