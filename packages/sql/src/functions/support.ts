import type { Value } from '@cluster/core'
import { compareValues } from '../types/compare.ts'
import { addDecimal } from '../types/decimal.ts'
import { INTEGER, TYPES, type TypeId } from '../types/type.ts'
import { fn } from './define.ts'
import type { ScalarFunction } from './function.ts'
import { strictly } from './generic.ts'

/** What `max` and `min` are made of in PostgreSQL, by what the names begin with. */
const extremes: Readonly<Record<string, TypeId>> = {
  int2: 'smallint',
  int4: 'integer',
  int8: 'bigint',
  float4: 'real',
  float8: 'double',
  numeric_: 'numeric',
  text_: 'text',
  bpchar_: 'char',
  date_: 'date',
  time_: 'time',
  timetz_: 'timetz',
  timestamp_: 'timestamp',
  timestamptz_: 'timestamptz',
  interval_: 'interval',
  oid: 'oid',
}

/** What indexes compare with, by the whole name. */
const comparisons: Readonly<Record<string, TypeId>> = {
  btint2cmp: 'smallint',
  btint4cmp: 'integer',
  btint8cmp: 'bigint',
  btfloat4cmp: 'real',
  btfloat8cmp: 'double',
  btboolcmp: 'boolean',
  bttextcmp: 'text',
  bpcharcmp: 'char',
  btoidcmp: 'oid',
  byteacmp: 'bytea',
  bitcmp: 'bit',
  varbitcmp: 'varbit',
  numeric_cmp: 'numeric',
  date_cmp: 'date',
  time_cmp: 'time',
  timetz_cmp: 'timetz',
  timestamp_cmp: 'timestamp',
  timestamptz_cmp: 'timestamptz',
  interval_cmp: 'interval',
  uuid_cmp: 'uuid',
  jsonb_cmp: 'jsonb',
}

const extreme = (name: string, id: TypeId, sign: 1 | -1): ScalarFunction => {
  const type = TYPES[id]
  return strictly(name, [type, type], type, (a: Value, b: Value) =>
    compareValues(type, a, b) * sign > 0 ? a : b,
  )
}

/** Functions by which PostgreSQL builds aggregates and indexes, and which can be called like any other. */
export const supportFunctions: readonly ScalarFunction[] = [
  ...Object.entries(extremes).flatMap(([prefix, id]) => [
    extreme(`${prefix}larger`, id, 1),
    extreme(`${prefix}smaller`, id, -1),
  ]),
  ...Object.entries(comparisons).map(([name, id]) =>
    strictly(name, [TYPES[id], TYPES[id]], INTEGER, (a: Value, b: Value) =>
      Math.sign(compareValues(TYPES[id], a, b)),
    ),
  ),
  fn('numeric_inc', ['numeric'], 'numeric', (value) => addDecimal(value, '1')),
  fn('booland_statefunc', ['boolean', 'boolean'], 'boolean', (a, b) => a && b),
  fn('boolor_statefunc', ['boolean', 'boolean'], 'boolean', (a, b) => a || b),
]
