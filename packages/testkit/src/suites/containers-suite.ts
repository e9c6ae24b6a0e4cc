import { events } from './containers/events.ts'
import type { ContainersFixture, Three } from './containers/fixture.ts'
import { maps } from './containers/maps.ts'
import { others } from './containers/others.ts'
import { queues } from './containers/queues.ts'
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
    others(parts)
    queues(parts)
    events(parts)
    transactions(parts)
  })
}
