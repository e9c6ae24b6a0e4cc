import { Heap } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'

const drained = <Item>(heap: Heap<Item>): Item[] => {
  const items: Item[] = []
  for (let item = heap.pop(); item !== undefined; item = heap.pop()) items.push(item)
  return items
}

describe('a heap', () => {
  test('gives what a sorted list gives, whatever comes in between', () => {
    const step = fc.oneof(
      fc.record({ push: fc.integer({ min: -50, max: 50 }) }),
      fc.constant('pop' as const),
      fc.constant('odd' as const),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const heap = new Heap<number>((a, b) => a < b)
        let model: number[] = []
        for (const one of steps) {
          if (one === 'pop') expect(heap.pop()).toBe(model.shift())
          else if (one === 'odd') {
            heap.retain((item) => item % 2 !== 0)
            model = model.filter((item) => item % 2 !== 0)
          } else {
            heap.push(one.push)
            model = [...model, one.push].sort((a, b) => a - b)
          }
          expect([heap.length, heap.peek()]).toEqual([model.length, model[0]])
        }
        expect(drained(heap)).toEqual(model)
      }),
    )
  })
})
