import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../errors.ts'
import { ANY_ENUM, type EnumType, type SqlType, typeName } from './type.ts'

/** The type of an enum in the catalog. */
export const enumType = ({ oid, schema, name, labels }: EnumType): SqlType => ({
  ...ANY_ENUM,
  enum: { oid, schema, name, labels },
})

const places = new WeakMap<EnumType, ReadonlyMap<string, number>>()

/** Where a label stands in its type's order. */
export function placeOf({ enum: type }: SqlType, label: Value): number {
  if (type === undefined) return 0
  let known = places.get(type)
  if (known === undefined) {
    known = new Map(type.labels.map((one) => [one.label, one.place]))
    places.set(type, known)
  }
  return known.get(label as string) ?? 0
}

/** @throws 22P02 */
export function parseEnum(type: SqlType, text: string): string {
  if (type.enum?.labels.some(({ label }) => label === text) === true) return text
  throw sqlError(
    SQLSTATE.invalidTextRepresentation,
    `invalid input value for enum ${typeName(type)}: "${text}"`,
  )
}
