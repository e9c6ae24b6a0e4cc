import type { TypeId } from '../types/type.ts'

/** Types by what the names of their operators' functions begin with; null: of two types, or of any. */
const prefixes: Readonly<Record<string, TypeId | null>> = {
  int2: 'smallint',
  int4: 'integer',
  int8: 'bigint',
  int24: null,
  int42: null,
  int28: null,
  int82: null,
  int48: null,
  int84: null,
  float4: 'real',
  float8: 'double',
  float48: null,
  float84: null,
  numeric_: 'numeric',
  text: 'text',
  text_: 'text',
  bpchar: 'char',
  bool: 'boolean',
  date_: 'date',
  time_: 'time',
  timetz_: 'timetz',
  timestamp_: 'timestamp',
  timestamptz_: 'timestamptz',
  interval_: 'interval',
  jsonb_: 'jsonb',
  array_: null,
  uuid_: 'uuid',
  bytea: 'bytea',
  bit: 'bit',
  varbit: 'varbit',
  oid: 'oid',
  enum_: null,
  record_: null,
  name: 'text',
}
const endings: Readonly<Record<string, string>> = {
  eq: '=',
  ne: '<>',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
  pl: '+',
  add: '+',
  mi: '-',
  sub: '-',
  mul: '*',
  div: '/',
  mod: '%',
  um: '-',
  uminus: '-',
  up: '+',
  uplus: '+',
  and: '&',
  or: '|',
  xor: '#',
  not: '~',
  shl: '<<',
  shr: '>>',
  like: '~~',
  nlike: '!~~',
  iclike: '~~*',
  icnlike: '!~~*',
  regexeq: '~',
  regexne: '!~',
  icregexeq: '~*',
  icregexne: '!~*',
  cat: '||',
}
const regular = new RegExp(`^(${Object.keys(prefixes).join('|')})(${Object.keys(endings).join('|')})$`)

/** Functions of operators whose names follow no rule. */
const others: Readonly<Record<string, string>> = {
  like: '~~',
  notlike: '!~~',
  jsonb_concat: '||',
  jsonb_contains: '@>',
  jsonb_contained: '<@',
  jsonb_exists: '?',
  jsonb_exists_any: '?|',
  jsonb_exists_all: '?&',
  jsonb_delete: '-',
  jsonb_delete_path: '#-',
  jsonb_object_field: '->',
  jsonb_object_field_text: '->>',
  jsonb_array_element: '->',
  jsonb_array_element_text: '->>',
  json_object_field: '->',
  json_object_field_text: '->>',
  json_array_element: '->',
  json_array_element_text: '->>',
  jsonb_path_exists_opr: '@?',
  jsonb_path_match_opr: '@@',
  arraycontains: '@>',
  arraycontained: '<@',
  arrayoverlap: '&&',
  date_pli: '+',
  date_mii: '-',
  integer_pl_date: '+',
  timetzdate_pl: '+',
  datetimetz_pl: '+',
  datetime_pl: '+',
  timedate_pl: '+',
  textanycat: '||',
  anytextcat: '||',
}

/** Other names of functions. */
const twins: Readonly<Record<string, string>> = {
  numeric_power: 'power',
  numeric_sqrt: 'sqrt',
  numeric_exp: 'exp',
  numeric_ln: 'ln',
  numeric_log: 'log',
  numeric_div_trunc: 'div',
  dpow: 'power',
  dsqrt: 'sqrt',
  dexp: 'exp',
  dlog1: 'ln',
  dlog10: 'log',
  dcbrt: 'cbrt',
  dround: 'round',
  dtrunc: 'trunc',
  similar_escape: 'similar_to_escape',
}

/** An operator, by the name of the function that computes it in PostgreSQL. */
export interface NamedOperator {
  readonly sign: string
  /** Of the left operand, and null where it is open. */
  readonly left: TypeId | null
  /** Of the right one, or of the only one. */
  readonly right: TypeId | null
}

/** The operator that PostgreSQL computes with a function of that name; null for other functions. */
export function operatorNamed(name: string): NamedOperator | null {
  const other = others[name]
  if (other !== undefined) {
    const first = /^(jsonb?|date)_/.exec(name)?.[1] as TypeId | undefined
    return { sign: other, left: first ?? null, right: null }
  }
  const [, prefix = '', ending = ''] = regular.exec(name) ?? []
  const sign = endings[ending]
  if (sign === undefined) return null
  const type = prefixes[prefix] ?? null
  return { sign, left: type, right: sign === '<<' || sign === '>>' ? null : type }
}

/** What a function is called here that PostgreSQL knows by another name, too, and what it takes. */
export function twinOf(name: string): { readonly name: string; readonly takes: TypeId } | null {
  const twin = twins[name]
  if (twin === undefined) return null
  return {
    name: twin,
    takes: name.startsWith('numeric') ? 'numeric' : name.startsWith('d') ? 'double' : 'text',
  }
}
