import { sqlError } from '../../../errors.ts'
import { floatToDecimal } from '../../../types/convert.ts'
import {
  absDecimal,
  addDecimal,
  ceilDecimal,
  divideDecimal,
  floorDecimal,
  moduloDecimal,
  multiplyDecimal,
  negateDecimal,
  subtractDecimal,
  truncateDecimal,
} from '../../../types/decimal.ts'
import { parseFloatText } from '../../../types/float-text.ts'
import {
  compareJson,
  isArray,
  isNumber,
  isObject,
  type Json,
  JsonNumber,
  type JsonObject,
  kindOf,
} from '../../../types/json.ts'
import {
  type CompareSign,
  isPredicate,
  type MathSign,
  type ParsedPath,
  type Path,
  parsePath,
} from '../../../types/json-path/parse.ts'
import type { Zone } from '../../../types/time-zone.ts'
import { matcherOf } from '../../text/regex/match.ts'
import { compareMoments, JsonMoment, momentOf } from './moment.ts'

/** Codes of the SQL/JSON conditions that `silent` keeps quiet. */
const failed = (code: string, message: string) => sqlError(code, message)

const math: Readonly<Record<MathSign, (a: string, b: string) => string>> = {
  '+': addDecimal,
  '-': subtractDecimal,
  '*': multiplyDecimal,
  '/': divideDecimal,
  '%': moduloDecimal,
}

const holds: Readonly<Record<CompareSign, (order: number) => boolean>> = {
  '==': (order) => order === 0,
  '!=': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
}

/** A value of JSON, or a moment that `datetime()` made of one. */
export type Item = Json | JsonMoment

interface Place {
  /** What `@` stands for. */
  readonly current: Item
  /** The array whose subscript is being computed, for `last`. */
  readonly array: readonly Item[] | null
}

/** An array or an object, but no moment. */
const arrayOf = (item: Item): readonly Json[] | null =>
  item instanceof JsonMoment || !isArray(item) ? null : item
const objectOf = (item: Item): JsonObject | null =>
  item instanceof JsonMoment || !isObject(item) ? null : item
const numberOf = (item: Item | undefined): string | null =>
  item !== undefined && !(item instanceof JsonMoment) && isNumber(item) ? item.text : null

/** True behind `**`: in strict mode too, what has no such part is passed over. */
function isBehindDescent(path: Path): boolean {
  if (path.kind === 'descend') return true
  return 'of' in path && !isPredicate(path) && isBehindDescent(path.of)
}

class Evaluator {
  readonly #root: Json
  readonly #variables: JsonObject
  readonly #strict: boolean
  readonly #zone: Zone | null

  constructor(root: Json, variables: JsonObject, strict: boolean, zone: Zone | null) {
    this.#root = root
    this.#variables = variables
    this.#strict = strict
    this.#zone = zone
  }

  *evaluate(path: Path, place: Place): Generator<Item> {
    switch (path.kind) {
      case 'root':
        yield this.#root
        return
      case 'current':
        yield place.current
        return
      case 'last':
        yield new JsonNumber(String((place.array?.length ?? 0) - 1))
        return
      case 'literal':
        yield path.value
        return
      case 'variable': {
        const value = this.#variables.get(path.name)
        if (value === undefined) throw failed('42704', `could not find jsonpath variable "${path.name}"`)
        yield value
        return
      }
      case 'math': {
        const [left, right] = [path.left, path.right].map((side, i) =>
          this.#number(side, place, i === 0 ? 'left' : 'right', path.sign),
        )
        yield new JsonNumber(math[path.sign](left ?? '0', right ?? '0'))
        return
      }
      case 'negate':
        for (const value of this.evaluate(path.of, place))
          for (const item of this.#unwrapped(value)) {
            const text = numberOf(item)
            if (text === null)
              throw failed(
                '2203B',
                `operand of unary jsonpath operator ${path.plus ? '+' : '-'} is not a numeric value`,
              )
            yield path.plus ? item : new JsonNumber(negateDecimal(text))
          }
        return
      case 'and':
      case 'or':
      case 'not':
      case 'exists':
      case 'isUnknown':
      case 'compare':
      case 'startsWith':
      case 'likeRegex':
        yield this.test(path, place)
        return
      default:
        for (const value of this.evaluate(path.of, place)) yield* this.#access(path, value, place)
    }
  }

  /** What an accessor makes of one value. */
  #access(path: Path & { kind: Accessor }, value: Item, place: Place): Iterable<Item> {
    const strict = this.#strict && !isBehindDescent(path)
    switch (path.kind) {
      case 'member':
        return this.#member(value, path.key, strict)
      case 'members':
        return this.#members(value, strict)
      case 'descend':
        return descend(value, path.from, path.to, 0)
      case 'items':
        return this.#items(value, path.bounds, place, strict)
      case 'filter':
        return this.#unwrapped(value).filter(
          (item) => this.test(path.test, { ...place, current: item }) === true,
        )
      case 'datetime':
        return this.#unwrapped(value).map((item) => momentOf(item, path.template))
      case 'method':
        return this.#method(value, path.name)
    }
  }

  /** In lax mode an array stands for its items where one value is wanted. */
  #unwrapped(value: Item): readonly Item[] {
    return (this.#strict ? null : arrayOf(value)) ?? [value]
  }

  *#member(value: Item, key: string, strict: boolean): Generator<Item> {
    for (const item of this.#unwrapped(value)) {
      const object = objectOf(item)
      if (object === null) {
        if (strict) throw failed('2203A', 'jsonpath member accessor can only be applied to an object')
        continue
      }
      const member = object.get(key)
      if (member !== undefined) yield member
      else if (strict) throw failed('2203A', `JSON object does not contain key "${key}"`)
    }
  }

  *#members(value: Item, strict: boolean): Generator<Item> {
    for (const item of this.#unwrapped(value)) {
      const object = objectOf(item)
      if (object !== null) yield* object.values()
      else if (strict)
        throw failed('2203C', 'jsonpath wildcard member accessor can only be applied to an object')
    }
  }

  *#items(
    value: Item,
    bounds: (Path & { kind: 'items' })['bounds'],
    place: Place,
    strict: boolean,
  ): Generator<Item> {
    const own = arrayOf(value)
    if (own === null && this.#strict) {
      if (!strict) return
      throw failed(
        '22039',
        bounds === null
          ? 'jsonpath wildcard array accessor can only be applied to an array'
          : 'jsonpath array accessor can only be applied to an array',
      )
    }
    const array: readonly Item[] = own ?? [value]
    if (bounds === null) {
      yield* array
      return
    }
    const inside: Place = { ...place, array }
    for (const [from, to] of bounds) {
      const first = this.#index(from, inside)
      const last = to === null ? first : this.#index(to, inside)
      if (strict && (first < 0 || first > last || last >= array.length))
        throw failed('22033', 'jsonpath array subscript is out of bounds')
      yield* array.slice(Math.max(0, first), Math.max(0, last + 1))
    }
  }

  #index(path: Path, place: Place): number {
    const [value, more] = [...this.evaluate(path, place)]
    const text = numberOf(value)
    if (text === null || more !== undefined)
      throw failed('22033', 'jsonpath array subscript is not a single numeric value')
    const index = Number(truncateDecimal(text, 0))
    if (Math.abs(index) > 2_147_483_647)
      throw failed('22033', 'jsonpath array subscript is out of integer range')
    return index
  }

  #number(path: Path, place: Place, side: string, sign: MathSign): string {
    const [value, more] = [...this.evaluate(path, place)].flatMap((one) => this.#unwrapped(one))
    const text = numberOf(value)
    if (text === null || more !== undefined)
      throw failed('22038', `${side} operand of jsonpath operator ${sign} is not a single numeric value`)
    return text
  }

  #method(value: Item, name: (Path & { kind: 'method' })['name']): readonly Item[] {
    if (name === 'type') return [value instanceof JsonMoment ? value.typeName : kindOf(value)]
    if (name === 'size') {
      const array = arrayOf(value)
      if (array !== null) return [new JsonNumber(String(array.length))]
      if (this.#strict) throw failed('22039', 'jsonpath item method .size() can only be applied to an array')
      return [new JsonNumber('1')]
    }
    return this.#unwrapped(value).flatMap((item) => this.#each(item, name))
  }

  #each(item: Item, name: (Path & { kind: 'method' })['name']): readonly Item[] {
    if (name === 'keyvalue') {
      const object = objectOf(item)
      if (object === null)
        throw failed('2203C', 'jsonpath item method .keyvalue() can only be applied to an object')
      return [...object].map(
        ([key, value]) =>
          new Map<string, Json>([
            ['id', new JsonNumber('0')],
            ['key', key],
            ['value', value],
          ]),
      )
    }
    if (name === 'double') return [double(item)]
    const text = numberOf(item)
    if (text === null)
      throw failed('22036', `jsonpath item method .${name}() can only be applied to a numeric value`)
    const change = name === 'floor' ? floorDecimal : name === 'ceiling' ? ceilDecimal : absDecimal
    return [new JsonNumber(change(text))]
  }

  /** True, false, or null for unknown: an error in a condition makes it unknown. */
  test(path: Path, place: Place): boolean | null {
    switch (path.kind) {
      case 'and': {
        const left = this.test(path.left, place)
        if (left === false) return false
        const right = this.test(path.right, place)
        return right === false ? false : left === null ? null : right
      }
      case 'or': {
        const left = this.test(path.left, place)
        if (left === true) return true
        const right = this.test(path.right, place)
        return right === true ? true : left === null ? null : right
      }
      case 'not': {
        const value = this.test(path.of, place)
        return value === null ? null : !value
      }
      case 'isUnknown':
        return this.test(path.of, place) === null
      case 'exists':
        // In strict mode all is looked at, since any error makes it unknown.
        return this.#quietly(() =>
          this.#strict
            ? [...this.evaluate(path.of, place)].length > 0
            : this.evaluate(path.of, place).next().done !== true,
        )
      case 'compare':
        return this.#pairs(path.left, path.right, place, (a, b) => compared(path.sign, a, b, this.#zone))
      case 'startsWith':
        return this.#pairs(path.of, path.start, place, (a, b) =>
          typeof a === 'string' && typeof b === 'string' ? a.startsWith(b) : null,
        )
      case 'likeRegex':
        return this.#pairs(path.of, { kind: 'literal', value: null }, place, (a) =>
          typeof a === 'string' ? matcherOf(path.pattern, regexFlags(path.flags)).test(a) : null,
        )
      default: {
        throw new TypeError(`${path.kind} is no condition`)
      }
    }
  }

  /** True when any pair holds; in strict mode an unknown pair makes all unknown. */
  #pairs(left: Path, right: Path, place: Place, test: (a: Item, b: Item) => boolean | null): boolean | null {
    return this.#quietly(() => {
      const rights = [...this.evaluate(right, place)].flatMap((value) => this.#unwrapped(value))
      let found = false
      let unknown = false
      for (const a of [...this.evaluate(left, place)].flatMap((value) => this.#unwrapped(value)))
        for (const b of rights) {
          const result = test(a, b)
          if (result === null) unknown = true
          else if (result) found = true
          if (found && !this.#strict) return true
        }
      return unknown ? null : found
    })
  }

  #quietly(work: () => boolean | null): boolean | null {
    try {
      return work()
    } catch (error) {
      if (isJsonError(error)) return null
      throw error
    }
  }
}

/** What XQuery's flags are here: without `s` a point is no end of a line, with `m` lines have ends of their own. */
function regexFlags(flags: string): string {
  const has = (flag: string): boolean => flags.includes(flag)
  const lines = has('s') ? (has('m') ? 'w' : '') : has('m') ? 'n' : 'p'
  return (has('i') ? 'i' : '') + (has('q') ? 'q' : lines)
}

type Accessor = 'member' | 'members' | 'descend' | 'items' | 'filter' | 'datetime' | 'method'

/** @throws 22036 */
function double(item: Item): Item {
  const text = numberOf(item)
  if (text !== null) {
    if (Number.isFinite(Number(text))) return item
    throw failed(
      '22036',
      'numeric argument of jsonpath item method .double() is out of range for type double precision',
    )
  }
  if (typeof item !== 'string')
    throw failed('22036', 'jsonpath item method .double() can only be applied to a string or numeric value')
  const value = parseFloatText(item, false)
  if (value === null || value === 'range' || !Number.isFinite(value))
    throw failed(
      '22036',
      'string argument of jsonpath item method .double() is not a valid representation of a double precision number',
    )
  return new JsonNumber(floatToDecimal(value, false))
}

function compared(sign: CompareSign, a: Item, b: Item, zone: Zone | null): boolean | null {
  if (a instanceof JsonMoment || b instanceof JsonMoment) {
    if (a === null || b === null) return sign === '!='
    const order = a instanceof JsonMoment && b instanceof JsonMoment ? compareMoments(a, b, zone) : null
    return order === null ? null : holds[sign](order)
  }
  const [x, y] = [kindOf(a), kindOf(b)]
  if (x !== y) {
    // NULL differs from everything else, all other kinds do not compare.
    if (a === null || b === null) return sign === '!='
    return null
  }
  if (x === 'array' || x === 'object') return null
  return holds[sign](compareJson(a, b, false))
}

function* descend(value: Item, from: number, to: number, level: number): Generator<Item> {
  const inner = arrayOf(value) ?? objectOf(value)?.values() ?? null
  const leaf = !Number.isFinite(from) && inner === null && level > 0
  if ((level >= from && level <= to) || leaf) yield value
  if (level >= to || inner === null) return
  for (const item of inner) yield* descend(item, from, to, level + 1)
}

/** The conditions 22030 … 2203F of SQL/JSON, and numbers out of range. */
export function isJsonError(error: unknown): boolean {
  const state = (error as { detail?: { sqlstate?: string } } | null)?.detail?.sqlstate ?? ''
  return /^2203/.test(state) || state === '22012' || state === '22003'
}

/** What a path found, and what stopped it, which only `silent` lets pass. */
export interface Found {
  readonly items: readonly Json[]
  readonly error: unknown
}

const plain = (item: Item): Json => (item instanceof JsonMoment ? item.text() : item)

/**
 * What a path finds in a value.
 * @param silent errors of SQL/JSON end the result instead of the statement
 * @param zone of the session, where moments with a zone and without may be compared; null: they may not
 * @param first one value is enough, unless the path is strict
 * @throws 2203A and its like
 */
export function query(
  value: Json,
  path: string,
  variables: Json,
  silent: boolean,
  zone: Zone | null = null,
  first = false,
): Found {
  const { strict, root }: ParsedPath = parsePath(path)
  if (!isObject(variables))
    throw sqlError('22023', '"vars" argument is not an object', {
      detail: 'Jsonpath parameters should be encoded as key-value pairs of "vars" object.',
    })
  const items: Json[] = []
  try {
    const found = new Evaluator(value, variables, strict, zone).evaluate(root, {
      current: value,
      array: null,
    })
    for (const item of found) {
      items.push(plain(item))
      if (first && !strict) break
    }
  } catch (error) {
    if (silent && isJsonError(error)) return { items, error }
    throw error
  }
  return { items, error: null }
}
