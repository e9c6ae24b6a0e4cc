import { createHash } from 'node:crypto'
import { assert, type Key, type RelationId } from '@cluster/core'

/** The longest key of a block; LMDB's own limit is 1,978 bytes. Longer rows' keys are no problem: they share a block. */
export const FENCE_BYTES_MAX = 1900
/** Longer row keys are cut in the history, and told apart by a hash. */
const HISTORY_KEY_MAX = 1800

const VERSION_BYTES = 7

function fourBytes(value: number): string {
  return String.fromCharCode((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255)
}

function versionBytes(version: number): string {
  let text = ''
  let rest = version
  for (let i = 0; i < VERSION_BYTES; i++) {
    text = String.fromCharCode(rest % 256) + text
    rest = Math.floor(rest / 256)
  }
  return text
}

/** The key of the block that begins at `fence`. */
export function blockKey(relation: RelationId, fence: Key): string {
  assert(relation >= 0 && relation < 0xffff_ffff, `relation ${relation} has a number of 32 bits`)
  return fourBytes(relation) + fence
}

export const fenceOf = (key: string): Key => key.slice(4)

/**
 * What all versions of a row have in common in the history: relation, length of the key, key. The length keeps rows
 * apart whose keys begin alike.
 */
export function historyPrefix(relation: RelationId, key: Key): string {
  const head = fourBytes(relation) + fourBytes(key.length)
  if (key.length <= HISTORY_KEY_MAX) return head + key
  const hash = createHash('sha256').update(key, 'latin1').digest().toString('latin1')
  return head + key.slice(0, HISTORY_KEY_MAX) + hash
}

export const historyKey = (prefix: string, version: number): string => prefix + versionBytes(version)

/** The key of a record of the journal; they are read in this order. */
export const journalKey = (position: number): string => fourBytes(position)
