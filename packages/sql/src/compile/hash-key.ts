import type { Value } from '@cluster/core'
import { hashableAsIs } from '../types/hash-as-is.ts'
import { hashKey } from '../types/key.ts'
import { type SqlType, type TypeId, typeName } from '../types/type.ts'
import type { FunctionWriter } from './function-writer.ts'

export { hashableAsIs } from '../types/hash-as-is.ts'

/** A text that is the same for equal values of the type; for the types that are not `hashableAsIs`. */
const canonical = new Map<string, (value: Value) => unknown>()

function canonicalText(type: SqlType): (value: Value) => unknown {
  const name = typeName(type)
  let make = canonical.get(name)
  if (make === undefined) {
    make = (value) => hashKey(type, value)
    canonical.set(name, make)
  }
  return make
}

/** One value that takes part in a key. */
export interface KeyPart {
  readonly type: SqlType
  readonly code: string
  readonly nullable: boolean
}

/**
 * Code for the hash key of a tuple: equal tuples have equal keys and no others do; NULL equals NULL. One value
 * is its own key where it can be; several are joined into one text.
 */
export function hashKeyCode(writer: FunctionWriter, parts: readonly KeyPart[]): string {
  const [only] = parts
  if (only === undefined) return 'null'
  if (parts.length === 1) {
    if (hashableAsIs(only.type)) return only.code
    const text = `${writer.capture(canonicalText(only.type), 'f')}(${only.code})`
    return only.nullable ? `(${only.code} === null ? null : ${text})` : text
  }
  const [first, second] = parts
  if (parts.length === 2 && first !== undefined && second !== undefined && isShort(first) && isShort(second))
    return pairCode(writer, first, second)
  return parts.map((part) => partCode(writer, part)).join(' + ')
}

const short: ReadonlySet<TypeId> = new Set(['smallint', 'integer'])
/** Whole numbers of 32 bits. */
const isShort = ({ type }: KeyPart): boolean => short.has(type.id)
/** Beside 32 bits a double has room for numbers from minus this up to it, one less. */
const BESIDE = 2 ** 20

/** Two whole numbers as one, where they fit, else as a text. */
function pairCode(writer: FunctionWriter, first: KeyPart, second: KeyPart): string {
  const known = [first, second].flatMap(({ code, nullable }) => (nullable ? [`${code} !== null`] : []))
  const fits = [...known, `${first.code} >= ${-BESIDE}`, `${first.code} < ${BESIDE}`].join(' && ')
  const text = [first, second].map((part) => partCode(writer, part)).join(' + ')
  return `(${fits} ? ${first.code} * ${2 ** 32} + ${second.code} : ${text})`
}

/** Each part ends where it says: texts begin with their length, the others end with a comma. */
function partCode(writer: FunctionWriter, { type, code, nullable }: KeyPart): string {
  const text = (): string => {
    if (type.id === 'text' || type.id === 'varchar' || type.id === 'unknown')
      return `(${code}.length + ':' + ${code})`
    if (hashableAsIs(type)) return `(${code} + ',')`
    const name = writer.fresh('t')
    writer.line(
      `const ${name} = ${nullable ? `${code} === null ? '' : ` : ''}${writer.capture(canonicalText(type), 'f')}(${code})`,
    )
    return `(${name}.length + ':' + ${name})`
  }
  return nullable ? `(${code} === null ? 'n,' : ${text()})` : text()
}
