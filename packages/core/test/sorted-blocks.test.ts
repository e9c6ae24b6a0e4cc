import { type Key, SortedBlocks } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'

const KEYS = 3_000
const keyOf = (n: number): Key => String(n).padStart(4, '0')

/** Everything that a walk along the blocks from a key on finds. */
function walked(blocks: SortedBlocks<number>, from: Key | undefined): [Key, number][] {
  const found: [Key, number][] = []
  for (let place = blocks.seek(from); place !== null; place = blocks.blockAt(place.index + 1)) {
    const { block, at } = place
    for (let i = at; i < block.keys.length; i++) found.push([block.keys[i] as Key, block.items[i] as number])
  }
  return found
}

describe('sorted blocks', () => {
  const run = fc.record({
    kind: fc.constantFrom('set', 'delete', 'get'),
    from: fc.nat(KEYS),
    count: fc.integer({ min: 1, max: 1_400 }),
    stride: fc.constantFrom(1, 2, 7),
  })

  test('are a map in order, whatever was looked up, set and deleted before', () => {
    fc.assert(
      fc.property(fc.array(run, { maxLength: 12 }), fc.nat(KEYS), (runs, from) => {
        const blocks = new SortedBlocks<number>()
        const model = new Map<Key, number>()
        let next = 0
        let same = true
        for (const { kind, from: start, count, stride } of runs)
          for (let i = 0; i < count; i++) {
            const key = keyOf((start + i * stride) % KEYS)
            if (kind === 'set') {
              blocks.set(key, ++next)
              model.set(key, next)
            } else if (kind === 'delete') same &&= blocks.delete(key) === model.delete(key)
            else same &&= blocks.get(key) === model.get(key)
          }
        const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1))
        expect(same).toBe(true)
        expect(blocks.size).toBe(model.size)
        expect(walked(blocks, undefined)).toEqual(sorted)
        expect(walked(blocks, keyOf(from))).toEqual(sorted.filter(([key]) => key >= keyOf(from)))
        const keys = Array.from({ length: KEYS + 1 }, (_, n) => keyOf(n))
        expect(keys.map((key) => blocks.get(key))).toEqual(keys.map((key) => model.get(key)))
      }),
      { numRuns: 60 },
    )
  })

  test('have another shape when blocks came or went, and only then', () => {
    const blocks = new SortedBlocks<number>()
    const shapes = new Set<number>([blocks.shape])
    for (let n = 0; n < KEYS; n++) blocks.set(keyOf(n), n)
    shapes.add(blocks.shape)
    const { shape } = blocks
    blocks.set(keyOf(7), 8)
    blocks.delete(keyOf(9))
    expect(blocks.shape).toBe(shape)
    for (let n = 0; n < KEYS; n++) blocks.delete(keyOf(n))
    shapes.add(blocks.shape)
    expect(shapes.size).toBe(3)
    expect(blocks.seek(undefined)).toBeNull()
  })
})
