import { clusterId, type LineageId, lineageId, logIndex, type NodeId, nodeId, term } from '@cluster/core'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { branchOf, type ForkSide, type KeepRule, losesTo } from '../../src/machine/group/history-choice.ts'
import type { Ancestor, Lineage } from '../../src/machine/raft/types.ts'

const step = (lineage: LineageId, by: NodeId, senior: NodeId | null): Ancestor => ({
  lineage,
  index: logIndex(5),
  term: term(1),
  by,
  senior,
})

/** Two histories with some steps in common, that then went on each by itself. */
const sides = fc
  .record({
    common: fc.nat(3),
    mine: fc.integer({ min: 1, max: 3 }),
    theirs: fc.integer({ min: 1, max: 3 }),
    senior: fc.constantFrom(nodeId('a'), nodeId('b'), null),
    writes: fc.tuple(fc.nat(3), fc.nat(3)),
  })
  .map(({ common, mine, theirs, senior, writes }): readonly [ForkSide, ForkSide] => {
    const shared = Array.from({ length: common }, (_, i) => step(lineageId(`c${i}`), nodeId('a'), null))
    const root = lineageId(`c${common}`)
    const side = (name: string, steps: number, count: number): ForkSide => {
      const own = Array.from({ length: steps }, (_, i) =>
        step(i === 0 ? root : lineageId(`${name}${i}`), nodeId(name), i === 0 ? senior : nodeId('c')),
      )
      const history: Lineage = {
        cluster: clusterId('x'),
        lineage: lineageId(`${name}${steps}`),
        ancestry: [...shared, ...own],
      }
      return { history, writes: count }
    }
    return [side('a', mine, writes[0]), side('b', theirs, writes[1])]
  })

test('of two histories that parted exactly one goes, whoever is asked', () => {
  fc.assert(
    fc.property(sides, fc.constantFrom<KeepRule>('oldest-voter', 'most-writes'), ([a, b], rule) => {
      expect(losesTo(rule, a, b)).toBe(!losesTo(rule, b, a))
      expect(branchOf(a.history, b.history)?.by).toBe('a')
      expect(branchOf(b.history, a.history)?.by).toBe('b')
    }),
  )
})

test('the rules pick what they say', () => {
  fc.assert(
    fc.property(sides, ([a, b]) => {
      if (a.writes !== b.writes) expect(losesTo('most-writes', a, b)).toBe(a.writes < b.writes)
      const senior = branchOf(a.history, b.history)?.senior ?? null
      if (senior !== null) expect(losesTo('oldest-voter', a, b)).toBe(senior === 'b')
    }),
  )
})
