import type { Value } from '@cluster/core'
import { comparatorOf, compareFloat, MEASURED_TYPES, sameWithoutBlanks } from '../types/compare.ts'
import { compareDecimal } from '../types/decimal.ts'
import { compareText } from '../types/text-order.ts'
import { BOOLEAN, TYPES, type TypeId } from '../types/type.ts'
import type { Capture, Implementation, ScalarFunction } from './function.ts'

/** An operator that compares two values. */
export type Sign = '=' | '<>' | '<' | '<=' | '>' | '>='
const signs: readonly Sign[] = ['=', '<>', '<', '<=', '>', '>=']

/** Whether the operator is true, from how the left value stands to the right one: below, at or above 0. */
export const holds: Readonly<Record<Sign, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
}

const jsSign: Readonly<Record<Sign, string>> = {
  '=': '===',
  '<>': '!==',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
}

/** JavaScript compares these as SQL does. */
const direct: ReadonlySet<TypeId> = new Set([
  'boolean',
  'smallint',
  'integer',
  'bigint',
  'timestamp',
  'timestamptz',
  'date',
  'time',
  'oid',
])
const texts: ReadonlySet<TypeId> = new Set(['text', 'varchar'])
const floats: ReadonlySet<TypeId> = new Set(['real', 'double'])

function inline(sign: Sign, id: TypeId) {
  return ([a, b]: readonly string[], capture: Capture): string => {
    if (direct.has(id)) return `${a} ${jsSign[sign]} ${b}`
    if (texts.has(id) && (sign === '=' || sign === '<>')) return `${a} ${jsSign[sign]} ${b}`
    if (id === 'char') return `${sign === '=' ? '' : '!'}${capture(sameWithoutBlanks)}(${a}, ${b})`
    const compare = texts.has(id) ? compareText : floats.has(id) ? compareFloat : compareDecimal
    return `${capture(compare)}(${a}, ${b}) ${jsSign[sign]} 0`
  }
}

function comparison(sign: Sign, left: TypeId, right: TypeId): ScalarFunction {
  const compare = comparatorOf(TYPES[left])
  const holdsFor = holds[sign]
  const inlined =
    direct.has(left) ||
    texts.has(left) ||
    floats.has(left) ||
    left === 'numeric' ||
    (left === 'char' && (sign === '=' || sign === '<>'))
  return {
    name: sign,
    args: [TYPES[left], TYPES[right]],
    returns: BOOLEAN,
    strict: true,
    volatility: 'immutable',
    impl: ((a: Value, b: Value) => holdsFor(compare(a, b))) as Implementation,
    contextual: null,
    js: inlined ? inline(sign, left) : null,
  }
}

/** `varchar` compares as text, to which it is cast without cost. */
const compared: readonly TypeId[] = [
  'boolean',
  ...MEASURED_TYPES,
  'bytea',
  'uuid',
  'jsonb',
  'oid',
  'bit',
  'varbit',
]

/** Numbers whose values look alike in JavaScript compare without a cast. */
const mixed: readonly (readonly [TypeId, TypeId])[] = [
  ['smallint', 'integer'],
  ['integer', 'smallint'],
  ['real', 'double'],
  ['double', 'real'],
]

export const comparisons: readonly ScalarFunction[] = signs.flatMap((sign) => [
  ...compared.map((id) => comparison(sign, id, id)),
  ...mixed.map(([left, right]) => comparison(sign, left, right)),
  // The order of the characters' numbers, which is the only one here.
  ...(sign === '=' || sign === '<>' ? [] : (['text', 'char'] as const)).map((id) => ({
    ...comparison(sign, id, id),
    name: `~${sign}~`,
  })),
])
