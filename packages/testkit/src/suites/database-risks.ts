import { EVERYWHERE } from '@cluster/core'
import { type DatabaseTools, ITEMS, item } from './database-tools.ts'

/** What would be lost or pause if nodes went. */
export function riskTests({ describe, expect, test, write, read }: DatabaseTools): void {
  describe('risks', () => {
    test('are told for each node alone, and for several together', async ({ first, last, fixture }) => {
      await write(first, [[1, 'a']])
      // What a node knows of is what it has applied.
      for (const database of [first, last]) await read(database, 1)
      const { partition } = item(first, 1)
      const members = [...first.holders(EVERYWHERE)]
      const reports = last.explainRisk()
      expect(reports.map(({ nodes }) => nodes)).toEqual(members.map((node) => [node]))
      for (const { database, lost, paused, nodes } of reports) {
        expect(database).toBe('shop')
        expect(paused).toEqual([])
        // Only where there is no other copy.
        const alone = members.length === 1
        expect(lost.map((risk) => risk.partition)).toEqual(alone ? [0, 1, 2, 3, 4] : [])
        expect(nodes.length).toBe(1)
      }
      const [all] = last.explainRisk(members)
      expect(all?.lost.map((risk) => risk.partition)).toEqual([0, 1, 2, 3, 4])
      expect(all?.lost[partition]).toMatchObject({ partition, copies: 0, relations: [ITEMS] })
      expect(all?.lost[partition]?.waitingFor).toEqual(first.holders(partition))
      expect(all?.writesPause).toBe(true)
      const node = fixture.nodes[0]
      expect(node?.explainRisk(members)).toEqual(first.explainRisk(members))
    })

    test('of a node that holds nothing are none', async ({ first }) => {
      const [report] = first.explainRisk([])
      expect(report).toMatchObject({ nodes: [], lost: [], paused: [], writesPause: false })
    })
  })
}
