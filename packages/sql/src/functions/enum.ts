import type { Value } from '@cluster/core'
import { listOf } from '../types/array.ts'
import { fromArray } from '../types/array-text.ts'
import { placeOf } from '../types/enum.ts'
import { arrayOf, BOOLEAN, type SqlType, sameKind } from '../types/type.ts'
import { holds } from './comparison.ts'
import { loosely, type Resolver, strictly } from './generic.ts'

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

/** Labels of the type, in order, from one to another; NULL is open. */
function labelsBetween(type: SqlType, from: Value, to: Value): string {
  const labels = type.enum?.labels ?? []
  const [low, high] = [from, to].map((label) => (label === null ? null : placeOf(type, label)))
  const within = labels.filter(
    ({ place }) =>
      (low === null || low === undefined || place >= low) &&
      (high === null || high === undefined || place <= high),
  )
  return fromArray(type, listOf(within.map(({ label }) => label)))
}

const firstOrLast =
  (name: string, at: 0 | -1): Resolver =>
  ([type, more]) =>
    type?.enum === undefined || more !== undefined
      ? null
      : loosely(name, [type], type, () => type.enum?.labels.at(at)?.label ?? null)

/** Of the type alone: the values of the arguments do not matter, and may be NULL. */
export const enumFunctions: ReadonlyMap<string, Resolver> = new Map<string, Resolver>([
  ['enum_first', firstOrLast('enum_first', 0)],
  ['enum_last', firstOrLast('enum_last', -1)],
  [
    'enum_range',
    ([first, second, more]) => {
      const type = first?.enum === undefined ? second : first
      if (type?.enum === undefined || more !== undefined) return null
      if (second === undefined)
        return loosely('enum_range', [type], arrayOf(type), () => labelsBetween(type, null, null))
      return loosely('enum_range', [type, type], arrayOf(type), (from: Value, to: Value) =>
        labelsBetween(type, from, to),
      )
    },
  ],
])
