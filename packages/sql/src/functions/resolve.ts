import type { Value } from '@cluster/core'
import { nearest, SQLSTATE, sqlError } from '../errors.ts'
import { RANGE_TYPES } from '../types/range-types.ts'
import {
  isPreferred,
  type SqlType,
  sameKind,
  TYPES,
  type TypeCategory,
  type TypeId,
  typeCategory,
  typeName,
} from '../types/type.ts'
import { aggregates, countOf } from './aggregates.ts'
import { arithmetic } from './arithmetic.ts'
import { bitFunctions } from './bits.ts'
import { canCast, castFor } from './cast.ts'
import { catalogFunctions } from './catalog.ts'
import { polymorphicAggregates } from './collect-aggregates.ts'
import { comparisons } from './comparison.ts'
import { datetimeFunctions } from './datetime/arithmetic.ts'
import { datetimeParts } from './datetime/parts.ts'
import { zoneFunctions } from './datetime/zone.ts'
import type { AggregateFunction, ScalarFunction } from './function.ts'
import { strictly } from './generic.ts'
import { hashFunctions } from './hash.ts'
import { interned } from './interned.ts'
import { jsonFunctions } from './json/functions.ts'
import { jsonPathFunctions } from './json/path-functions.ts'
import { lockFunctions } from './locks.ts'
import { mathFunctions } from './math.ts'
import { operatorNamed, twinOf } from './operator-names.ts'
import { polymorphicFunctions, polymorphicOperators } from './polymorphic.ts'
import { rangeAggregates } from './range/aggregates.ts'
import { rangeFunctions } from './range/functions.ts'
import { sequenceFunctions } from './sequence.ts'
import { sessionFunctions } from './session.ts'
import { supportFunctions } from './support.ts'
import { codeFunctions } from './text/codes.ts'
import { textFunctions } from './text/functions.ts'
import { identifierFunctions } from './text/identifiers.ts'
import { regexFunctions } from './text/regexp.ts'

interface Overload {
  readonly name: string
  readonly args: readonly SqlType[]
}

const group = <T extends Overload>(overloads: readonly T[]): ReadonlyMap<string, readonly T[]> =>
  Map.groupBy(overloads, ({ name }) => name)

const isSign = (name: string): boolean => /^[^\w]/.test(name)
const all = [
  ...arithmetic,
  ...comparisons,
  ...textFunctions,
  ...mathFunctions,
  ...datetimeFunctions,
  ...datetimeParts,
  ...zoneFunctions,
  ...regexFunctions,
  ...codeFunctions,
  ...sessionFunctions,
  ...sequenceFunctions,
  ...lockFunctions,
  ...hashFunctions,
  ...supportFunctions,
  ...catalogFunctions,
  ...jsonFunctions,
  ...jsonPathFunctions,
  ...bitFunctions,
  ...identifierFunctions,
  ...rangeFunctions,
]
const operators = group(all.filter(({ name }) => isSign(name)))
const functions = group(all.filter(({ name }) => !isSign(name)))
const fixedAggregates = [...aggregates, ...rangeAggregates]
const aggregatesByName = group(fixedAggregates)

const isKind = (wanted: SqlType, given: SqlType | undefined): boolean =>
  given !== undefined && sameKind(wanted, given)

/** Every type with a known category for a literal whose type is open. */
const isUnknown = (type: SqlType): boolean => type.id === 'unknown'

/**
 * PostgreSQL's choice among overloads: an exact match; else of those that the arguments can be cast to
 * implicitly the ones with most exact matches, then with most preferred types; literals of unknown type
 * lean to text, then to the category or type of the others.
 * @returns the overload, `'none'`, or `'ambiguous'`
 * @see PostgreSQL 15 documentation, chapter 10, "Type Conversion"
 */
export function chooseOverload<T extends Overload>(
  overloads: readonly T[],
  args: readonly SqlType[],
): T | 'none' | 'ambiguous' {
  const fitting = overloads.filter(({ args: wanted }) => wanted.length === args.length)
  const exact = fitting.find(({ args: wanted }) => wanted.every((type, i) => isKind(type, args[i])))
  if (exact !== undefined) return exact
  let candidates = fitting.filter(({ args: wanted }) =>
    wanted.every((type, i) => {
      const arg = args[i]
      return arg !== undefined && canCast(arg, type, 'implicit')
    }),
  )
  if (candidates.length <= 1) return candidates[0] ?? 'none'
  candidates = best(candidates, args, (wanted, given) => wanted === given)
  if (candidates.length === 1) return candidates[0] ?? 'none'
  candidates = best(
    candidates,
    args,
    (wanted, given) =>
      wanted === given || (isPreferred(wanted) && typeCategory(wanted) === typeCategory(given)),
  )
  if (candidates.length === 1) return candidates[0] ?? 'none'
  const open = args.flatMap((type, i) => (isUnknown(type) ? [i] : []))
  if (open.length === 0) return 'ambiguous'
  const byCategory = leanToCategory(candidates, open)
  if (byCategory.length === 1) return byCategory[0] ?? 'none'
  return leanToOthers(byCategory, args) ?? 'ambiguous'
}

/** Those with the most positions of known type for which `counts` holds. */
function best<T extends Overload>(
  candidates: readonly T[],
  args: readonly SqlType[],
  counts: (wanted: TypeId, given: TypeId) => boolean,
): T[] {
  // varchar counts as text, to which it is cast without work.
  const idOf = (type: SqlType): TypeId => (type.id === 'varchar' ? 'text' : type.id)
  const score = ({ args: wanted }: T): number =>
    args.filter((arg, i) => {
      const type = wanted[i]
      return type !== undefined && !isUnknown(arg) && counts(idOf(type), idOf(arg))
    }).length
  const scores = candidates.map(score)
  const top = Math.max(...scores)
  return candidates.filter((_, i) => scores[i] === top)
}

/** Each open position decides for text if any candidate takes it there, else for the category all agree on. */
function leanToCategory<T extends Overload>(candidates: readonly T[], open: readonly number[]): readonly T[] {
  const wanted = new Map<number, { readonly category: TypeCategory; readonly preferred: boolean }>()
  for (const i of open) {
    const types = candidates.map(({ args }) => args[i]?.id ?? 'unknown')
    const categories = new Set(types.map(typeCategory))
    const [only] = categories
    const category = categories.has('string') ? 'string' : categories.size === 1 ? only : undefined
    if (category === undefined) return candidates
    const preferred = types.some((id) => typeCategory(id) === category && isPreferred(id))
    wanted.set(i, { category, preferred })
  }
  const kept = candidates.filter(({ args }) =>
    open.every((i) => {
      const id = args[i]?.id ?? 'unknown'
      const rule = wanted.get(i)
      return rule !== undefined && typeCategory(id) === rule.category && (!rule.preferred || isPreferred(id))
    }),
  )
  return kept.length > 0 ? kept : candidates
}

/** If all known arguments have one type, the open ones are taken to have it too. */
function leanToOthers<T extends Overload>(candidates: readonly T[], args: readonly SqlType[]): T | null {
  const [known, other] = [...new Set(args.filter((type) => !isUnknown(type)).map(({ id }) => id))]
  if (known === undefined || other !== undefined) return null
  const type = TYPES[known]
  const kept = candidates.filter(({ args: wanted }) =>
    wanted.every((target) => target.id === known || canCast(type, target, 'implicit')),
  )
  return kept.length === 1 ? (kept[0] ?? null) : null
}

const listed = (types: readonly SqlType[]): string => types.map(typeName).join(', ')

/**
 * The function of that name for arguments of those types. The caller casts each argument to `args[i]` with
 * `castFor(…, 'explicit')`.
 * @param name lower case, without schema
 * @throws 42883 when there is none, 42725 when several fit as well
 */
export function resolveFunction(name: string, args: readonly SqlType[], position?: number): ScalarFunction {
  const generic = polymorphicFunctions.get(name)?.(args) ?? null
  if (generic !== null) return interned(name, args, 'function', () => generic)
  const overloads = functions.get(name) ?? []
  const chosen = chooseOverload(overloads, args)
  if (typeof chosen === 'object') return chosen
  const cast = chosen === 'none' ? (castCall(name, args) ?? namedOtherwise(name, args)) : null
  return cast ?? refuse(chosen, name, args, overloads.length > 0 || polymorphicFunctions.has(name), position)
}

/** The function of an operator, or one of two names; null: there is none such, or not for these types. */
function namedOtherwise(name: string, args: readonly SqlType[]): ScalarFunction | null {
  const twin = twinOf(name)
  const taken = (arg: SqlType, id: TypeId | null): SqlType | null => {
    if (id === null) return arg
    return canCast(arg, TYPES[id], 'implicit') ? TYPES[id] : null
  }
  if (twin !== null) {
    const types = args.map((arg) => taken(arg, twin.takes))
    return types.includes(null) ? null : resolveFunction(twin.name, types as SqlType[])
  }
  const operator = operatorNamed(name)
  const [first, second, more] = args
  if (operator === null || first === undefined || more !== undefined) return null
  const left = second === undefined ? null : taken(first, operator.left)
  const right = taken(second ?? first, operator.right)
  if (right === null || (second !== undefined && left === null)) return null
  return resolveOperator(operator.sign, left, right)
}

/** Types by their names in `pg_type`, which are those of functions as well. */
const castNames: ReadonlyMap<string, TypeId> = new Map<string, TypeId>([
  ['bool', 'boolean'],
  ['int2', 'smallint'],
  ['int4', 'integer'],
  ['int8', 'bigint'],
  ['float4', 'real'],
  ['float8', 'double'],
  ['numeric', 'numeric'],
  ['text', 'text'],
  ['varchar', 'varchar'],
  ['bpchar', 'char'],
  ['date', 'date'],
  ['timestamp', 'timestamp'],
  ['timestamptz', 'timestamptz'],
  ['time', 'time'],
  ['timetz', 'timetz'],
  ['interval', 'interval'],
  ['uuid', 'uuid'],
  ['json', 'json'],
  ['jsonb', 'jsonb'],
  ['bytea', 'bytea'],
  ...RANGE_TYPES.flatMap(({ range, multirange }) => [
    [range, range] as const,
    [multirange, multirange] as const,
  ]),
])

/** `date(x)` and its like: a call of one argument by the name of a type is a cast. */
function castCall(name: string, args: readonly SqlType[]): ScalarFunction | null {
  const [from, more] = args
  const id = castNames.get(name)
  if (id === undefined || from === undefined || more !== undefined) return null
  const fn = castFor(from, TYPES[id], 'explicit')
  if (fn !== 'same') return fn
  return interned(name, args, 'cast', () => strictly(name, [from], TYPES[id], (value: Value) => value))
}

function refuse(
  why: 'none' | 'ambiguous',
  name: string,
  args: readonly SqlType[],
  known: boolean,
  position: number | undefined,
): never {
  const call = `${name}(${listed(args)})`
  if (why === 'ambiguous')
    throw sqlError(SQLSTATE.ambiguousFunction, `function ${call} is not unique`, {
      position,
      hint: 'Could not choose a best candidate function. You might need to add explicit type casts.',
    })
  const near = known
    ? null
    : nearest(name, [...functions.keys(), ...aggregatesByName.keys(), ...polymorphicFunctions.keys()])
  throw sqlError(SQLSTATE.undefinedFunction, `function ${call} does not exist`, {
    position,
    hint:
      near === null
        ? 'No function matches the given name and argument types. You might need to add explicit type casts.'
        : `Perhaps you meant ${near}.`,
  })
}

/** Choices made among plain overloads, which look at ids alone: statements ask for the same ones all the time. */
const choices = new Map<string, ScalarFunction>()

const keyOf = (sign: string, left: SqlType | null, right: SqlType): string =>
  `${sign} ${left === null ? '' : typeName(left)} ${typeName(right)}`

/**
 * The operator for operands of those types; `left` is null for a prefix operator.
 * @throws 42883 when there is none, 42725 when several fit as well
 */
export function resolveOperator(
  sign: string,
  left: SqlType | null,
  right: SqlType,
  position?: number,
): ScalarFunction {
  const args = left === null ? [right] : [left, right]
  const chosen = choices.get(keyOf(sign, left, right)) ?? chooseOperator(operators.get(sign) ?? [], args)
  if (typeof chosen === 'object') {
    choices.set(keyOf(sign, left, right), chosen)
    return chosen
  }
  for (const resolver of polymorphicOperators.get(sign) ?? []) {
    const generic = resolver(args)
    if (generic !== null) return interned(sign, args, 'operator', () => generic)
  }
  const shown = `${left === null ? '' : `${typeName(left)} `}${sign} ${typeName(right)}`
  if (chosen === 'ambiguous')
    throw sqlError(SQLSTATE.ambiguousFunction, `operator is not unique: ${shown}`, {
      position,
      hint: 'Could not choose a best candidate operator. You might need to add explicit type casts.',
    })
  throw sqlError(SQLSTATE.undefinedFunction, `operator does not exist: ${shown}`, {
    position,
    hint:
      left === null
        ? 'No operator matches the given name and argument type. You might need to add an explicit type cast.'
        : 'No operator matches the given name and argument types. You might need to add explicit type casts.',
  })
}

/** A literal beside a value is first taken to be of the value's type. */
function chooseOperator(overloads: readonly ScalarFunction[], args: readonly SqlType[]) {
  const [left, right] = args
  if (left !== undefined && right !== undefined && isUnknown(left) !== isUnknown(right)) {
    const known = isUnknown(left) ? right : left
    const id = known.id === 'varchar' ? 'text' : known.id
    const twin = overloads.find(
      ({ args: wanted }) => wanted.length === 2 && wanted.every((type) => type.id === id),
    )
    if (twin !== undefined) return twin
  }
  return chooseOverload(overloads, args)
}

export const isAggregate = (name: string): boolean =>
  aggregatesByName.has(name) || polymorphicAggregates.has(name)

export const isFunction = (name: string): boolean => functions.has(name) || polymorphicFunctions.has(name)

/**
 * The aggregate of that name; no arguments for `count(*)`.
 * @throws 42883, 42725
 */
export function resolveAggregate(
  name: string,
  args: readonly SqlType[],
  position?: number,
): AggregateFunction {
  const [first] = args
  if (name === 'count' && args.length === 1 && first !== undefined)
    return countOf(isUnknown(first) ? TYPES.text : first)
  const generic = polymorphicAggregates.get(name)?.(args) ?? null
  if (generic !== null) return generic
  const overloads = aggregatesByName.get(name) ?? []
  const chosen = chooseOverload(overloads, args)
  if (typeof chosen === 'object') return chosen
  return refuse(chosen, name, args, overloads.length > 0, position)
}

/** False for what the optimizer makes for itself, which has no name that statements or other nodes know. */
export const isBuiltIn = (fn: AggregateFunction): boolean => fixedAggregates.includes(fn)

/** All whose types are fixed. */
export const builtIns = (): {
  readonly functions: readonly ScalarFunction[]
  readonly aggregates: readonly AggregateFunction[]
} => ({ functions: [...functions.values()].flat(), aggregates: fixedAggregates })
