import type { Value } from '@cluster/core'
import { placeOf } from '../types/enum.ts'
import { BOOLEAN, type SqlType, sameKind } from '../types/type.ts'
import { type Resolver, strictly } from './generic.ts'

const holds: Readonly<Record<string, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
}

/** Values of one enum compare by their places in it; a literal beside one is read as a label. */
export const enumOperators: ReadonlyMap<string, readonly Resolver[]> = new Map(
  Object.entries(holds).map(([sign, test]) => [sign, [comparison(sign, test)]]),
)

function comparison(sign: string, test: (order: number) => boolean): Resolver {
  return ([left, right]) => {
    const type = commonEnum(left, right)
    if (type === null) return null
    const impl = (a: Value, b: Value): boolean => test(placeOf(type, a) - placeOf(type, b))
    return strictly(sign, [type, type], BOOLEAN, impl as never)
  }
}

function commonEnum(left: SqlType | undefined, right: SqlType | undefined): SqlType | null {
  if (left === undefined || right === undefined) return null
  if (left.id === 'enum') return right.id === 'unknown' || sameKind(left, right) ? left : null
  return right.id === 'enum' && left.id === 'unknown' ? right : null
}
