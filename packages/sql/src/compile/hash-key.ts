import type { Value } from '@cluster/core'
import { hashableAsIs } from '../types/hash-as-is.ts'
import { hashKey } from '../types/key.ts'
import { type SqlType, typeName } from '../types/type.ts'
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
  return parts.map((part) => partCode(writer, part)).join(' + ')
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
