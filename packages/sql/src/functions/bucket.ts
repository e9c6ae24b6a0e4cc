import type { Value } from '@cluster/core'
import { sqlError } from '../errors.ts'
import { toArray } from '../types/array-text.ts'
import { compareValues } from '../types/compare.ts'
import { arrayOf, elementOf, INTEGER } from '../types/type.ts'
import { commonType } from './cast.ts'
import { type Resolver, strictly } from './generic.ts'

/** `width_bucket(value, thresholds)`: how many of the sorted thresholds are not above the value. */
export const bucketOf: Resolver = ([value, thresholds, more]) => {
  if (value === undefined || thresholds?.element === undefined || more !== undefined) return null
  const common = commonType([value, elementOf(thresholds)])
  if ('clash' in common) return null
  const { type } = common
  return strictly('width_bucket', [type, arrayOf(type)], INTEGER, (operand: Value, text: string) => {
    const { items, dims } = toArray(type, text)
    if (dims.length > 1) throw sqlError('2202E', 'thresholds must be one-dimensional array')
    if (items.includes(null)) throw sqlError('22004', 'thresholds array must not contain NULLs')
    const above = items.findIndex((item) => compareValues(type, item, operand) > 0)
    return above < 0 ? items.length : above
  })
}
