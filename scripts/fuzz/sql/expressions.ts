import type { Dice } from './dice.ts'
import { castName, type Kind } from './schema.ts'

/** A column in view, as it must be written. */
export interface Visible {
  readonly ref: string
  readonly kind: Kind
}

/** Makes a query inside an expression; absent where there must be none. */
export interface Nested {
  /** A query of one column of that kind, over `outer` too. */
  column(kind: Kind, outer: readonly Visible[], depth: number): string
  /** A query of at most one row. */
  scalar(kind: Kind, outer: readonly Visible[], depth: number): string
}

const kinds: readonly Kind[] = [
  'int',
  'bigint',
  'numeric',
  'double',
  'text',
  'bool',
  'date',
  'timestamp',
  'interval',
  'jsonb',
  'ints',
  'bits',
  'uuid',
]
const ordered: readonly Kind[] = [
  'int',
  'int',
  'bigint',
  'numeric',
  'double',
  'text',
  'bool',
  'date',
  'timestamp',
  'interval',
  'ints',
  'bits',
  'uuid',
  'jsonb',
]

export const anyKind = (dice: Dice): Kind => dice.pick(kinds)
/** Kinds that are cheap to compare, mostly. */
export const comparable = (dice: Dice): Kind => dice.pick(ordered)

const words = ['', 'a', 'b', 'ab', 'Ab', 'abc', 'x y', '%', '_a', '42', 'é', 'null', '{1}', "it''s"]
const instants = [
  '2024-01-02 03:04:05',
  '2000-02-29 23:59:59.999999',
  '1999-12-31 00:00:00',
  '2024-03-31 12:00:00',
]
const spans = ['1 day', '2 hours 3 minutes', '-1 mon', '1 year 2 mons -3 days', '00:00:00.5', '0']
const documents = [
  '{}',
  '[]',
  'null',
  '1',
  '"a"',
  '{"a": 1, "b": [1, 2, null]}',
  '[1, "a", {"b": true}]',
  '{"b": {"a": "x"}}',
  '[3, 2, 1]',
]
const lists = ['{}', '{1}', '{1,2,3}', '{NULL,2}', '{3,3}']

/** A literal of the kind; seldom NULL. */
export function literal(dice: Dice, kind: Kind): string {
  if (dice.chance(7)) return dice.chance(50) ? 'NULL' : `NULL::${castName(kind)}`
  switch (kind) {
    case 'int':
      return dice.chance(3) ? dice.pick(['2147483647', '-2147483648']) : String(dice.between(-3, 9))
    case 'bigint':
      return dice.chance(3) ? '9223372036854775807' : `${dice.between(-5, 20)}::bigint`
    case 'numeric':
      return dice.pick(['0.0', '1.5', '-2.25', '10.00', '0.333', '7.125', '-0.5', '3.0'])
    case 'double':
      return `${dice.pick(['0', '1.5', '-2.5', '1e10', '0.25', '3'])}::float8`
    case 'text':
      return `'${dice.pick(words)}'${dice.chance(30) ? '::text' : ''}`
    case 'bool':
      return dice.pick(['true', 'false'])
    case 'date':
      return `date '${dice.pick(instants).slice(0, 10)}'`
    case 'timestamp':
      return `timestamp '${dice.pick(instants)}'`
    case 'interval':
      return `interval '${dice.pick(spans)}'`
    case 'jsonb':
      return `'${dice.pick(documents)}'::jsonb`
    case 'ints':
      return dice.chance(50)
        ? `'${dice.pick(lists)}'::int[]`
        : `ARRAY[${dice.some(1, 3, () => String(dice.between(0, 4))).join(', ')}]`
    case 'bits':
      return dice.pick(["b'101'", "b'0'", "b'11110000'", "'01'::varbit", "b''"])
    case 'uuid':
      return `'00000000-0000-4000-8000-00000000000${dice.below(4)}'::uuid`
  }
}

/** `{kind}` stands for an expression of the kind, `{same}` for one of a kind that the first of them settles. */
const templates: Readonly<Record<Kind, readonly string[]>> = {
  int: [
    '({int} + {int})',
    '({int} - {int})',
    '({int} * {int})',
    '({int} / {int})',
    '({int} % {int})',
    '(- {int})',
    'abs({int})',
    'length({text})',
    'char_length({text})',
    'position({text} IN {text})',
    'ascii({text})',
    'sign({int})::int',
    'extract(year FROM {date})::int',
    'extract(dow FROM {timestamp})::int',
    'cardinality({ints})',
    'array_length({ints}, 1)',
    '({ints})[{int}]',
    'array_position({ints}, {int})',
    '({int} & {int})',
    '({int} | {int})',
    '({int} # {int})',
    '({date} - {date})',
    'jsonb_array_length(jsonb_build_array({int}, {text}))',
    'width_bucket({double}, 0, 10, 5)',
    'length({bits})',
    'num_nulls({int}, {text}, {bool})',
    'gcd({int}, {int})',
    '{numeric}::int',
    'strpos({text}, {text})',
    '(ROW({int}, {text})).f1',
    'octet_length({text})',
    "regexp_count({text}, 'a')",
  ],
  bigint: [
    '({bigint} + {int})',
    '({bigint} - {bigint})',
    '({bigint} * {int})',
    'abs({bigint})',
    '{int}::bigint',
    '({bigint} % {bigint})',
    'lcm({bigint}, {int}::bigint)',
    '({bigint} >> ({int} & 7))',
  ],
  numeric: [
    '({numeric} + {numeric})',
    '({numeric} - {numeric})',
    '({numeric} * {numeric})',
    '({numeric} / {numeric})',
    'round({numeric}, 1)',
    'trunc({numeric})',
    'abs({numeric})',
    '{int}::numeric',
    'ceil({numeric})',
    'mod({numeric}, {numeric})',
    'extract(epoch FROM {interval})',
    'sqrt(abs({numeric}))',
    'scale({numeric})::numeric',
    '({numeric} ^ 2)',
    'round({numeric})',
    "to_number({text}, '99')",
  ],
  double: [
    '({double} + {double})',
    '({double} * {double})',
    '({double} - {double})',
    'sqrt(abs({double}))',
    '{int}::float8',
    'floor({double})',
    'atan({double})',
    'degrees({double})',
    'cbrt({double})',
  ],
  text: [
    '({text} || {text})',
    'lower({text})',
    'upper({text})',
    'substr({text}, {int})',
    'substring({text} FROM 1 FOR 2)',
    'left({text}, {int})',
    'right({text}, {int})',
    'trim({text})',
    'replace({text}, {text}, {text})',
    'reverse({text})',
    'repeat({text}, 2)',
    "lpad({text}, 4, '*')",
    'concat({text}, {int}, {bool})',
    'md5({text})',
    'initcap({text})',
    '{int}::text',
    '{date}::text',
    "{jsonb} ->> 'a'",
    "to_char({int}, 'FM999')",
    "to_char({timestamp}, 'YYYY-MM-DD')",
    "split_part({text}, ' ', 1)",
    "translate({text}, 'ab', 'xy')",
    'quote_literal({text})',
    "regexp_replace({text}, '[a-c]', '-', 'g')",
    "format('%s-%L', {int}, {text})",
    "array_to_string({ints}, ',', '*')",
    'jsonb_typeof({jsonb})',
    'pg_typeof({int})::text',
    "encode({text}::bytea, 'hex')",
    'ROW({int}, {text})::text',
    '{bits}::text',
    'to_hex({int})',
    'overlay({text} placing {text} from 1 for 1)',
    '{numeric}::text',
    '{interval}::text',
    "concat_ws(',', {text}, {int})",
  ],
  bool: [],
  date: [
    '({date} + {int} % 1000)',
    '({date} - {int} % 1000)',
    '{timestamp}::date',
    'make_date(2020, 1 + abs({int} % 12), 1)',
    "to_date('2024-05-06', 'YYYY-MM-DD')",
  ],
  timestamp: [
    '({timestamp} + {interval})',
    '({timestamp} - {interval})',
    "date_trunc('month', {timestamp})",
    '{date}::timestamp',
    '({date} + {interval})',
    "date_bin('15 minutes', {timestamp}, timestamp '2001-01-01')",
    'make_timestamp(2020, 2, 3, 4, 5, 6.5)',
  ],
  interval: [
    '({timestamp} - {timestamp})',
    '({interval} + {interval})',
    '({interval} * ({int} % 5))',
    'justify_hours({interval})',
    'age({timestamp}, {timestamp})',
    'make_interval(days => 1)',
    '(- {interval})',
    "date_trunc('hour', {interval})",
  ],
  jsonb: [
    "jsonb_build_object('a', {int}, 'b', {text})",
    "({jsonb} -> 'a')",
    '({jsonb} -> 0)',
    '({jsonb} || {jsonb})',
    'to_jsonb({text})',
    'to_jsonb({numeric})',
    'to_jsonb({ints})',
    'jsonb_strip_nulls({jsonb})',
    "({jsonb} #> '{a,b}')",
    "jsonb_set({jsonb}, '{a}', {jsonb})",
    "jsonb_path_query_first({jsonb}, '$.a')",
    'jsonb_build_array({int}, {date}, {bool})',
    'row_to_json(ROW({int}, {text}))::jsonb',
    "({jsonb} - 'a')",
  ],
  ints: [
    '({ints} || {int})',
    '({ints} || {ints})',
    'array_remove({ints}, {int})',
    'array_append({ints}, {int})',
    'ARRAY[{int}, {int}]',
    '({ints})[1:2]',
    'array_replace({ints}, {int}, {int})',
    "string_to_array('1,2', ',')::int[]",
    'trim_array({ints} || 1, 1)',
  ],
  bits: [
    '({bits} || {bits})',
    '(~ {bits})',
    '({bits} << 1)',
    'substring({bits} from 1 for 2)',
    '({int} & 7)::bit(4)::varbit',
  ],
  uuid: ['{uuid}'],
}

const tests: readonly string[] = [
  '{bool} AND {bool}',
  '{bool} OR {bool}',
  'NOT {bool}',
  '{bool} IS TRUE',
  '{bool} IS NOT FALSE',
  '{bool} IS UNKNOWN',
  "{text} LIKE '%a%'",
  '{text} LIKE {text}',
  "{text} ILIKE 'a_'",
  "{text} ~ '^[ab]+$'",
  "{text} SIMILAR TO '(a|b)%'",
  '{jsonb} @> {jsonb}',
  "{jsonb} ? 'a'",
  "{jsonb} @? '$.a'",
  '{ints} @> {ints}',
  '{ints} && {ints}',
  '{int} = ANY ({ints})',
  '{int} < ALL ({ints})',
  "{text} IN ('a', 'b', {text})",
  '{int} IN (1, 2, {int})',
  '{int} NOT IN (1, {int})',
  '{int} BETWEEN {int} AND {int}',
  '{numeric} BETWEEN SYMMETRIC {numeric} AND {int}',
  '({int}, {text}) = ({int}, {text})',
  '({int}, {date}) < ({int}, {date})',
  "({int}, {text}) IN (({int}, 'a'), (2, {text}))",
  'ROW({int}, {text}) IS NULL',
  'ROW({int}, {text}) IS DISTINCT FROM ROW({int}, {text})',
  '({date}, {date}) OVERLAPS ({date}, {date})',
  'starts_with({text}, {text})',
  'isfinite({timestamp})',
  '{int} > {numeric}',
  '{bigint} = {int}',
  '{date} < {timestamp}',
  '{double} >= {int}',
  'to_jsonb({int}) = {jsonb}',
]

/** Makes expressions over the columns in view, mostly such that they run. */
export class Expressions {
  readonly #dice: Dice
  readonly #nested: Nested | null

  constructor(dice: Dice, nested: Nested | null = null) {
    this.#dice = dice
    this.#nested = nested
  }

  /** @param depth how many levels may follow */
  of(kind: Kind, visible: readonly Visible[], depth: number): string {
    const dice = this.#dice
    const own = visible.filter((column) => column.kind === kind)
    if (depth <= 0 || dice.chance(25))
      return own.length > 0 && dice.chance(75) ? dice.pick(own).ref : literal(dice, kind)
    if (own.length > 0 && dice.chance(35)) return dice.pick(own).ref
    if (kind === 'bool') return `(${this.condition(visible, depth)})`
    const form = dice.below(100)
    const of = (): string => this.of(kind, visible, depth - 1)
    if (form < 10) return `CASE WHEN ${this.condition(visible, depth - 1)} THEN ${of()} ELSE ${of()} END`
    if (form < 16) return `coalesce(${of()}, ${of()})`
    if (form < 20) return `nullif(${of()}, ${of()})`
    if (form < 24) return `${dice.pick(['greatest', 'least'])}(${of()}, ${of()})`
    if (form < 27) return `CAST(${of()} AS ${castName(kind)})`
    if (form < 30 && this.#nested !== null) return `(${this.#nested.scalar(kind, visible, depth - 1)})`
    return this.#fill(dice.pick(templates[kind]), visible, depth)
  }

  /** Something true, false or NULL. */
  condition(visible: readonly Visible[], depth: number): string {
    const dice = this.#dice
    if (depth <= 0) {
      const kind = dice.pick(visible.length > 0 ? visible.map((column) => column.kind) : ['int' as const])
      return `${this.of(kind, visible, 0)} ${dice.pick(['=', '<>', '<', '>='])} ${this.of(kind, visible, 0)}`
    }
    const form = dice.below(100)
    if (form < 45) {
      const kind = visible.length > 0 && dice.chance(70) ? dice.pick(visible).kind : comparable(dice)
      const sign = dice.pick([
        '=',
        '=',
        '<>',
        '<',
        '<=',
        '>',
        '>=',
        'IS DISTINCT FROM',
        'IS NOT DISTINCT FROM',
      ])
      return `${this.of(kind, visible, depth - 1)} ${sign} ${this.of(kind, visible, depth - 1)}`
    }
    if (form < 55) {
      const kind = visible.length > 0 ? dice.pick(visible).kind : 'int'
      return `${this.of(kind, visible, depth - 1)} IS ${dice.chance(50) ? 'NOT ' : ''}NULL`
    }
    if (form < 63 && this.#nested !== null) {
      const kind = comparable(dice)
      const left = this.of(kind, visible, depth - 1)
      const query = this.#nested.column(kind, visible, depth - 1)
      const how = dice.pick(['IN', 'NOT IN', '= ANY', '<> ALL', '< ANY', 'EXISTS', 'NOT EXISTS'])
      return how.endsWith('EXISTS') ? `${how} (${query})` : `${left} ${how} (${query})`
    }
    return this.#fill(dice.pick(tests), visible, depth)
  }

  #fill(template: string, visible: readonly Visible[], depth: number): string {
    return template.replace(/\{(\w+)\}/g, (whole, kind: string) =>
      Object.hasOwn(templates, kind) ? this.of(kind as Kind, visible, depth - 1) : whole,
    )
  }
}
