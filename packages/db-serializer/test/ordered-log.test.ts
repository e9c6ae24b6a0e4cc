import { describe, expect, test } from '@jest/globals'
import { Cluster } from './support/cluster.ts'
import { MemoryStores } from './support/memory-store.ts'

const stores = () => {
  const all = new MemoryStores()
  return (node: string) => all.open(node)
}

describe('orderedLog', () => {
  test('three fresh nodes form one group and agree', async () => {
    const cluster = new Cluster(['a', 'b', 'c'], stores())
    await cluster.start('a', 'b', 'c')
    await cluster.untilVoters('a', 'b', 'c')
    for (const name of ['a', 'b', 'c', 'b']) await cluster.submit(name, `from-${name}`)
    await cluster.world.run(200)
    for (const { app } of cluster.running) {
      expect(app?.words.words).toEqual(['from-a', 'from-b', 'from-c', 'from-b'])
    }
  })
})
