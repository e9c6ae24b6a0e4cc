import { allDistributed, distributedMaps } from './containers/distributed-maps.ts'
import { events, mapEvents } from './containers/events.ts'
import type { ContainersFixture, Three } from './containers/fixture.ts'
import { maps } from './containers/maps.ts'
import { others } from './containers/others.ts'
import { queues } from './containers/queues.ts'
import { smallMaps } from './containers/small-maps.ts'
import { transactions } from './containers/transactions.ts'
import type { SuiteRunner } from './runner.ts'

export type { ContainersFixture } from './containers/fixture.ts'

/** What every implementation of `Containers` must do, over any ordered log. Three nodes are started in each test. */
export function containersSuite(runner: SuiteRunner, open: () => Promise<ContainersFixture>): void {
  const three = async (): Promise<Three> => {
    const fixture = await open()
    const a = await fixture.start('a')
    const b = await fixture.start('b')
    return { ...fixture, a, b, c: await fixture.start('c') }
  }
  const parts = { ...runner, three }
  runner.describe('containers', () => {
    maps(parts)
    smallMaps(parts)
    mapEvents(parts)
    others(parts)
    queues(parts)
    events(parts)
    transactions(parts)
  })
}

/** The same of maps on the partitions of a database, as far as they are the same, and what only they have. */
export function distributedMapsSuite(runner: SuiteRunner, open: () => Promise<ContainersFixture>): void {
  const three = async (): Promise<Three> => {
    const fixture = await open()
    const start = async (name: string) => allDistributed(await fixture.start(name))
    const a = await start('a')
    const b = await start('b')
    return { ...fixture, start, a, b, c: await start('c') }
  }
  const parts = { ...runner, three }
  runner.describe('distributed maps', () => {
    maps(parts)
    distributedMaps(parts)
    mapEvents(parts)
    transactions(parts)
  })
}
