import { assert, type Key, type PartitionId, type Version } from '@cluster/core'

/** Where a change stands among all of a database. */
export interface ChangePlace {
  readonly version: Version
  readonly partition: PartitionId
  /** Among the changes of this version in this partition. */
  readonly ordinal: number
}

/** Changes are rows under keys that begin with this, in the relation that a partition has for itself. */
const CHANGES = '\xf0'
const BEHIND_CHANGES = '\xf1'
/** The row that says up to which version changes were dropped. */
export const FLOOR_KEY: Key = '\xef'
const KEY_LENGTH = 13

const digits = (value: number, bytes: number): string => {
  let text = ''
  let rest = value
  for (let i = 0; i < bytes; i++) {
    text = String.fromCharCode(rest % 256) + text
    rest = Math.floor(rest / 256)
  }
  return text
}

const number = (text: string): number => {
  let value = 0
  for (let i = 0; i < text.length; i++) value = value * 256 + text.charCodeAt(i)
  return value
}

/** Sorts by version, then by partition, then by ordinal. */
export const changeKey = ({ version, partition, ordinal }: ChangePlace): Key =>
  CHANGES + digits(version, 6) + digits(partition, 2) + digits(ordinal, 4)

export function changePlace(key: Key): ChangePlace {
  assert(key.length === KEY_LENGTH && key.startsWith(CHANGES), 'a change is kept under a key of its own')
  return {
    version: number(key.slice(1, 7)) as Version,
    partition: number(key.slice(7, 9)) as PartitionId,
    ordinal: number(key.slice(9)),
  }
}

/** Keys of the changes behind a place, or behind a version. */
export function changesBehind(place: ChangePlace | Version): { readonly from: Key; readonly to: Key } {
  const from = typeof place === 'number' ? CHANGES + digits(place + 1, 6) : `${changeKey(place)}\0`
  return { from, to: BEHIND_CHANGES }
}

export const ALL_CHANGES = { from: CHANGES, to: BEHIND_CHANGES } as const
