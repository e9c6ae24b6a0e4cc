import { errorCode } from '@cluster/core'
import type { SuiteRunner } from '../runner.ts'
import type { CreateLogs, OrderedLogFixture } from './fixture.ts'
import { ListMachine, PurseMachine, read, text } from './machines.ts'

/** Several commands as one, under conditions. */
export function bundleTests(
  { describe, test, expect }: SuiteRunner,
  make: CreateLogs,
  severalNodes: boolean,
): void {
  describe('bundles', () => {
    const add = (machine: string, purse: string, change: number) => ({
      machine,
      command: text(`${purse} ${change}`),
    })
    const atLeast = (machine: string, purse: string, least: number) => ({
      machine,
      condition: text(`${purse} ${least}`),
    })

    async function purses(world: OrderedLogFixture, name: string) {
      const mine = new PurseMachine('mine')
      const yours = new PurseMachine('yours')
      const log = await world.start(name, [mine, yours, new ListMachine()])
      await world.settle(log.ready())
      return { log, mine, yours }
    }

    test('take effect on all machines, at one index, in order', async () => {
      const world = await make()
      const a = await purses(world, 'a')
      const b = severalNodes ? await purses(world, 'b') : a
      const done = await world.settle(
        b.log.submitBundle({
          commands: [add('mine', 'jar', 5), add('yours', 'jar', 2), add('mine', 'jar', -1)],
        }),
      )
      expect(done.adopted).toBe(true)
      expect([done.unmet, done.refused]).toEqual([null, null])
      expect(done.results.map(read)).toEqual(['5', '2', '4'])
      await world.settle(a.log.applied(done.index))
      for (const { mine, yours } of [a, b])
        expect([...mine.purses, ...yours.purses]).toEqual([
          ['jar', 4],
          ['jar', 2],
        ])
    })

    test('a condition that does not hold leaves everything as it is', async () => {
      const world = await make()
      const { log, mine, yours } = await purses(world, 'a')
      await world.settle(log.submit('mine', text('jar 3')))
      const commands = [add('yours', 'jar', 3), add('mine', 'jar', -3)]
      const met = atLeast('mine', 'jar', 3)
      const unmet = await world.settle(
        log.submitBundle({ commands, requires: [met, atLeast('yours', 'jar', 1)] }),
      )
      expect([unmet.adopted, unmet.unmet, unmet.refused, unmet.results.length]).toEqual([false, 1, null, 0])
      expect([mine.purses.get('jar'), yours.purses.size]).toEqual([3, 0])
      const done = await world.settle(log.submitBundle({ commands, requires: [met] }))
      expect(done.adopted).toBe(true)
      expect([mine.purses.get('jar'), yours.purses.get('jar')]).toEqual([0, 3])
      expect(done.index).toBeGreaterThan(unmet.index)
    })

    test('a command that refuses takes the others back with it', async () => {
      const world = await make()
      const { log, mine, yours } = await purses(world, 'a')
      await world.settle(log.submit('mine', text('jar 3')))
      const refused = await world.settle(
        log.submitBundle({
          commands: [add('yours', 'jar', 1), add('mine', 'jar', -2), add('mine', 'jar', -2)],
        }),
      )
      expect([refused.adopted, refused.unmet, refused.refused]).toEqual([false, null, 2])
      expect(refused.results.map(read)).toEqual(['short'])
      expect([mine.purses.get('jar'), yours.purses.size]).toEqual([3, 0])
    })

    test('one idempotency key applies once', async () => {
      const world = await make()
      const { log, mine } = await purses(world, 'a')
      const bundle = { commands: [add('mine', 'jar', 2)] }
      const first = await world.settle(log.submitBundle(bundle, { idempotencyKey: 'k' }))
      const again = await world.settle(log.submitBundle(bundle, { idempotencyKey: 'k' }))
      expect([again.index, again.adopted, again.results.map(read)]).toEqual([first.index, true, ['2']])
      expect(mine.purses.get('jar')).toBe(2)
    })

    test('only machines that take part in bundles can be named', async () => {
      const world = await make()
      const { log, mine } = await purses(world, 'a')
      const failure = (machine: string) =>
        world.settle(
          log
            .submitBundle({ commands: [add('mine', 'jar', 1), { machine, command: text('x') }] })
            .then(() => null, errorCode),
        )
      expect(await failure('list')).toBe('LOG_NO_BUNDLES')
      expect(await failure('nobody')).toBe('LOG_UNKNOWN_MACHINE')
      expect(mine.purses.size).toBe(0)
    })
  })
}
