import { expect, test } from '@jest/globals'
import { PATIENCE_MS, WholeCluster } from './whole-cluster.ts'

test('copies are put into different zones as soon as nodes have told theirs', async () => {
  const zones: Readonly<Record<string, string>> = { n1: 'north', n2: 'north', n3: 'south', n4: 'south' }
  const names = Object.keys(zones)
  const cluster = new WholeCluster('zones', names, (name) => ({ databases: { zone: zones[name] ?? '' } }))
  await cluster.start(...names)
  const database = await cluster.open('n1', { redundancy: 2, partitions: 8 })
  await cluster.write('n1', [[1, 'row']])
  const hash = () => database.status().replicas.filter(({ partition }) => partition > 0)
  const spread = (): boolean =>
    [1, 2, 3, 4, 5, 6, 7, 8].every((partition) => {
      const holders = hash().filter((replica) => replica.partition === partition)
      return holders.length === 2 && new Set(holders.map(({ node }) => zones[node])).size === 2
    })
  await cluster.until('every partition in both zones', spread, PATIENCE_MS)
  // One zone goes at once: everything is in the other one.
  const lost = database.explainRisk(
    cluster.running.map(({ log }) => log.self).filter((node) => zones[node] === 'south'),
  )
  expect(lost[0]?.lost).toEqual([])
  expect(lost[0]?.paused).toEqual([])
  expect(await cluster.read('n4')).toEqual([[1, 'row']])
})
