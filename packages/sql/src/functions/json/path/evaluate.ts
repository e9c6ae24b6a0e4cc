import { sqlError } from '../../../errors.ts'
import {
  absDecimal,
  addDecimal,
  ceilDecimal,
  divideDecimal,
  floorDecimal,
  moduloDecimal,
  multiplyDecimal,
  negateDecimal,
  parseDecimal,
  subtractDecimal,
  truncateDecimal,
} from '../../../types/decimal.ts'
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
import { matcherOf } from '../../text/regex/match.ts'
import { type CompareSign, type MathSign, type ParsedPath, type Path, parsePath } from './parse.ts'

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

interface Place {
  /** What `@` stands for. */
  readonly current: Json
  /** The array whose subscript is being computed, for `last`. */
  readonly array: readonly Json[] | null
}

class Evaluator {
  readonly #root: Json
  readonly #variables: JsonObject
  readonly #strict: boolean

  constructor(root: Json, variables: JsonObject, strict: boolean) {
    this.#root = root
    this.#variables = variables
    this.#strict = strict
  }

  evaluate(path: Path, place: Place): readonly Json[] {
    switch (path.kind) {
      case 'root':
        return [this.#root]
      case 'current':
        return [place.current]
      case 'last':
        return [new JsonNumber(String((place.array?.length ?? 0) - 1))]
      case 'literal':
        return [path.value]
      case 'variable': {
        const value = this.#variables.get(path.name)
        if (value === undefined) throw failed('42704', `could not find jsonpath variable "${path.name}"`)
        return [value]
      }
      case 'member':
        return this.evaluate(path.of, place).flatMap((value) => this.#member(value, path.key))
      case 'members':
        return this.evaluate(path.of, place).flatMap((value) => this.#members(value))
      case 'descend':
        return this.evaluate(path.of, place).flatMap((value) => [...descend(value, path.from, path.to, 0)])
      case 'items':
        return this.evaluate(path.of, place).flatMap((value) => this.#items(value, path.bounds, place))
      case 'filter':
        return this.evaluate(path.of, place)
          .flatMap((value) => this.#unwrapped(value))
          .filter((value) => this.test(path.test, { ...place, current: value }) === true)
      case 'method':
        return this.evaluate(path.of, place).flatMap((value) => this.#method(value, path.name))
      case 'math': {
        const [left, right] = [path.left, path.right].map((side, i) =>
          this.#number(side, place, i === 0 ? 'left' : 'right', path.sign),
        )
        return [new JsonNumber(math[path.sign](left ?? '0', right ?? '0'))]
      }
      case 'negate':
        return this.evaluate(path.of, place)
          .flatMap((value) => this.#unwrapped(value))
          .map((value) => {
            if (!isNumber(value))
              throw failed(
                '2203B',
                `operand of unary jsonpath operator ${path.plus ? '+' : '-'} is not a numeric value`,
              )
            return path.plus ? value : new JsonNumber(negateDecimal(value.text))
          })
      default:
        return [this.test(path, place)]
    }
  }

  /** In lax mode an array stands for its items where one value is wanted. */
  #unwrapped(value: Json): readonly Json[] {
    return !this.#strict && isArray(value) ? value : [value]
  }

  #member(value: Json, key: string): readonly Json[] {
    return this.#unwrapped(value).flatMap((item) => {
      if (!isObject(item)) {
        if (this.#strict) throw failed('2203A', 'jsonpath member accessor can only be applied to an object')
        return []
      }
      const member = item.get(key)
      if (member !== undefined) return [member]
      if (this.#strict) throw failed('2203A', `JSON object does not contain key "${key}"`)
      return []
    })
  }

  #members(value: Json): readonly Json[] {
    return this.#unwrapped(value).flatMap((item) => {
      if (isObject(item)) return [...item.values()]
      if (this.#strict)
        throw failed('2203C', 'jsonpath wildcard member accessor can only be applied to an object')
      return []
    })
  }

  #items(value: Json, bounds: (Path & { kind: 'items' })['bounds'], place: Place): readonly Json[] {
    if (this.#strict && !isArray(value))
      throw failed(
        '22039',
        bounds === null
          ? 'jsonpath wildcard array accessor can only be applied to an array'
          : 'jsonpath array accessor can only be applied to an array',
      )
    const array = isArray(value) ? value : [value]
    if (bounds === null) return array
    const inside: Place = { ...place, array }
    return bounds.flatMap(([from, to]) => {
      const first = this.#index(from, inside)
      const last = to === null ? first : this.#index(to, inside)
      if (this.#strict && (first < 0 || first > last || last >= array.length))
        throw failed('22033', 'jsonpath array subscript is out of bounds')
      return array.slice(Math.max(0, first), Math.max(0, last + 1))
    })
  }

  #index(path: Path, place: Place): number {
    const [value, more] = this.evaluate(path, place)
    if (value === undefined || more !== undefined || !isNumber(value))
      throw failed('22033', 'jsonpath array subscript is not a single numeric value')
    return Number(truncateDecimal(value.text, 0))
  }

  #number(path: Path, place: Place, side: string, sign: MathSign): string {
    const [value, more] = this.evaluate(path, place).flatMap((one) => this.#unwrapped(one))
    if (value === undefined || more !== undefined || !isNumber(value))
      throw failed('22038', `${side} operand of jsonpath operator ${sign} is not a single numeric value`)
    return value.text
  }

  #method(value: Json, name: string): readonly Json[] {
    if (name === 'type') return [kindOf(value)]
    if (name === 'size') {
      if (isArray(value)) return [new JsonNumber(String(value.length))]
      if (this.#strict) throw failed('22039', 'jsonpath item method .size() can only be applied to an array')
      return [new JsonNumber('1')]
    }
    return this.#unwrapped(value).flatMap((item) => this.#each(item, name))
  }

  #each(item: Json, name: string): readonly Json[] {
    if (name === 'keyvalue') {
      if (!isObject(item))
        throw failed('2203C', 'jsonpath item method .keyvalue() can only be applied to an object')
      return [...item].map(
        ([key, value]) =>
          new Map<string, Json>([
            ['id', new JsonNumber('0')],
            ['key', key],
            ['value', value],
          ]),
      )
    }
    if (name === 'double') {
      const text = isNumber(item) ? item.text : typeof item === 'string' ? parseDecimal(item) : null
      if (text === null || !Number.isFinite(Number(text)))
        throw failed(
          '22036',
          typeof item === 'string'
            ? 'string argument of jsonpath item method .double() is not a valid representation of a double precision number'
            : 'jsonpath item method .double() can only be applied to a string or numeric value',
        )
      return [new JsonNumber(parseDecimal(String(Number(text))) ?? text)]
    }
    if (!isNumber(item))
      throw failed('22036', `jsonpath item method .${name}() can only be applied to a numeric value`)
    const change = name === 'floor' ? floorDecimal : name === 'ceiling' ? ceilDecimal : absDecimal
    return [new JsonNumber(change(item.text))]
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
        return this.#quietly(() => this.evaluate(path.of, place).length > 0)
      case 'compare':
        return this.#pairs(path.left, path.right, place, (a, b) => compared(path.sign, a, b))
      case 'startsWith':
        return this.#pairs(path.of, path.start, place, (a, b) =>
          typeof a === 'string' && typeof b === 'string' ? a.startsWith(b) : null,
        )
      case 'likeRegex':
        return this.#pairs(path.of, { kind: 'literal', value: null }, place, (a) =>
          typeof a === 'string' ? matcherOf(path.pattern, regexFlags(path.flags)).test(a) : null,
        )
      default: {
        const [value] = this.evaluate(path, place)
        return typeof value === 'boolean' ? value : null
      }
    }
  }

  /** True when any pair holds; in strict mode an unknown pair makes all unknown. */
  #pairs(left: Path, right: Path, place: Place, test: (a: Json, b: Json) => boolean | null): boolean | null {
    return this.#quietly(() => {
      const rights = this.evaluate(right, place).flatMap((value) => this.#unwrapped(value))
      let found = false
      let unknown = false
      for (const a of this.evaluate(left, place).flatMap((value) => this.#unwrapped(value)))
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

const regexFlags = (flags: string): string => flags.replace(/s/g, '').replace(/m/g, 'n')

function compared(sign: CompareSign, a: Json, b: Json): boolean | null {
  const [x, y] = [kindOf(a), kindOf(b)]
  if (x !== y) {
    // NULL differs from everything else, all other kinds do not compare.
    if (a === null || b === null) return sign === '!='
    return null
  }
  if (x === 'array' || x === 'object') return null
  return holds[sign](compareJson(a, b, false))
}

function* descend(value: Json, from: number, to: number, level: number): Generator<Json> {
  if (level >= from && level <= to) yield value
  if (level >= to) return
  const inner = isArray(value) ? value : isObject(value) ? value.values() : []
  for (const item of inner) yield* descend(item, from, to, level + 1)
}

/** The conditions 22030 … 2203F of SQL/JSON, and numbers out of range. */
export function isJsonError(error: unknown): boolean {
  const state = (error as { detail?: { sqlstate?: string } } | null)?.detail?.sqlstate ?? ''
  return /^2203/.test(state) || state === '22012' || state === '22003'
}

/**
 * What a path finds in a value.
 * @param silent errors of SQL/JSON end the result instead of the statement
 * @throws 2203A and its like
 */
export function query(value: Json, path: string, variables: Json, silent: boolean): readonly Json[] {
  const { strict, root }: ParsedPath = parsePath(path)
  if (!isObject(variables))
    throw sqlError('22023', '"vars" argument is not an object', {
      detail: 'Jsonpath parameters should be encoded as key-value pairs of "vars" object.',
    })
  try {
    return new Evaluator(value, variables, strict).evaluate(root, { current: value, array: null })
  } catch (error) {
    if (silent && isJsonError(error)) return []
    throw error
  }
}
