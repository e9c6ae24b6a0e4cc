import { lineageId, logIndex } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import { freshStore, parseStoreName, storesOf } from '../../src/driver/replica/store-names.ts'
import { versionIn } from '../../src/machine/lineage.ts'

const [old, mine, theirs] = [lineageId('old'), lineageId('mine'), lineageId('theirs')]
const history = { lineage: mine, ancestry: [{ lineage: old, index: logIndex(100) }] }

describe('versions of a copy', () => {
  test('count as far as the history goes in which it was written', () => {
    expect(versionIn(history, mine, logIndex(150))).toBe(150)
    expect(versionIn(history, old, logIndex(100))).toBe(100)
    expect(versionIn(history, null, logIndex(150))).toBe(0)
  })

  test('are of no use when it has writes of another history', () => {
    expect(versionIn(history, theirs, logIndex(90))).toBeNull()
    // Whoever went on there after the histories had parted.
    expect(versionIn(history, old, logIndex(101))).toBeNull()
  })
})

describe('names of stores', () => {
  test('tell slot and attempt', () => {
    expect(parseStoreName('a1/p12')).toEqual({ uid: 'a1', partition: 12, slot: 'a1/p12', attempt: 0 })
    expect(parseStoreName('a1/p12.3')).toEqual({ uid: 'a1', partition: 12, slot: 'a1/p12', attempt: 3 })
    for (const name of ['a1', 'a1/p', 'a1/px', 'a1/p1.', 'A/p1', 'a1/p1.x'])
      expect(parseStoreName(name)).toBeNull()
  })

  test('are never given twice while a store has them', () => {
    const disk = ['a1/p1', 'a1/p1.2', 'a1/p11', 'a1/p1.10']
    expect(storesOf('a1/p1', disk)).toEqual(['a1/p1.10', 'a1/p1.2', 'a1/p1'])
    expect(freshStore('a1/p1', storesOf('a1/p1', disk))).toBe('a1/p1.11')
    expect(freshStore('a1/p2', [])).toBe('a1/p2')
  })
})
