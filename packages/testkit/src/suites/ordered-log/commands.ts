import { errorCode } from '@cluster/core'
import type { SuiteRunner } from '../runner.ts'
import { bundleTests } from './bundles.ts'
import { begin, type CreateLogs, crew, level, SOON_MS } from './fixture.ts'
import { ListMachine, PageMachine, read, text } from './machines.ts'

/** What every log does with commands, on one node or on several. */
export function commandTests(runner: SuiteRunner, make: CreateLogs, severalNodes: boolean): void {
  const { describe, test, expect } = runner
  describe('an ordered log', () => {
    test('gives every node the same commands in the same order, whoever submits', async () => {
      const { world, all } = await crew(make, severalNodes)
      const answers = await world.settle(
        Promise.all(
          Array.from({ length: 60 }, (_, i) => all[i % all.length]?.log.submit('list', text(`w${i}`))),
        ),
      )
      await level(world, all)
      const lines = all[0]?.list.lines ?? []
      expect(lines.length).toBe(60)
      for (const { list } of all) expect(list.lines).toEqual(lines)
      const numbers = answers.map((answer) => answer?.index ?? 0)
      expect(new Set(numbers).size).toBe(60)
      // What one node submits in a row keeps its order.
      const own = numbers.filter((_, i) => i % all.length === all.length - 1)
      expect(own).toEqual([...own].sort((x, y) => x - y))
    })

    test('answers the submitter with the index, the result and how many hold it', async () => {
      const { world, b, all } = await crew(make, severalNodes)
      await world.settle(b.log.submit('list', text('one')))
      const two = await world.settle(b.log.submit('list', text('two')))
      expect(read(two.result)).toBe('2')
      expect(two.durableOn).toBeGreaterThanOrEqual(severalNodes ? 2 : 1)
      expect(two.lineage).toBe(b.log.group().lineage)
      expect(b.log.appliedIndex()).toBeGreaterThanOrEqual(two.index)
      await level(world, all)
      for (const { list } of all) expect(list.lines.at(-1)).toBe(`${two.index} ${b.log.self} two`)
    })

    test('stamps entries with a log time that never goes back, the same on every node', async () => {
      const { world, all } = await crew(make, severalNodes)
      for (let i = 0; i < 9; i++) {
        const at = i % all.length
        for (const { log } of all.slice(at, at + 1)) await world.settle(log.submit('list', text('x')))
      }
      await level(world, all)
      const times = all.map(({ list }) => list.entries.map(({ time, wall }) => [time, wall]))
      for (const each of times) expect(each).toEqual(times[0])
      const clock = times[0]?.map(([time]) => time ?? 0) ?? []
      expect(clock).toEqual([...clock].sort((x, y) => x - y))
    })

    test('keeps machines apart by name', async () => {
      const world = await make()
      const left = new ListMachine('left')
      const right = new ListMachine('right')
      const log = await world.start('a', [left, right])
      await world.settle(log.ready())
      await world.settle(Promise.all([log.submit('left', text('l')), log.submit('right', text('r'))]))
      expect(left.entries.map(({ command }) => read(command))).toEqual(['l'])
      expect(right.entries.map(({ command }) => read(command))).toEqual(['r'])
      const failure = await world.settle(log.submit('middle', text('m')).catch(errorCode))
      expect(failure).toBe('LOG_UNKNOWN_MACHINE')
    })

    test('applies one idempotency key once, and answers every retry alike', async () => {
      const { world, a, b, all } = await crew(make, severalNodes)
      const first = await world.settle(a.log.submit('list', text('x'), { idempotencyKey: 'k1' }))
      const again = await world.settle(a.log.submit('list', text('x'), { idempotencyKey: 'k1' }))
      const there = await world.settle(b.log.submit('list', text('x'), { idempotencyKey: 'k1' }))
      expect([again.index, there.index]).toEqual([first.index, first.index])
      expect(read(there.result)).toBe(read(first.result))
      await world.settle(b.log.submit('list', text('y'), { idempotencyKey: 'k2' }))
      await level(world, all)
      expect(a.list.entries.map(({ command }) => read(command))).toEqual(['x', 'y'])
    })

    bundleTests(runner, make, severalNodes)

    test('a barrier covers everything acknowledged before, on whatever node', async () => {
      const { world, a, b, c } = await crew(make, severalNodes)
      for (let i = 0; i < 5; i++) {
        const { index } = await world.settle(a.log.submit('list', text(`${i}`)))
        const [here, there] = await world.settle(Promise.all([b.log.barrier(), c.log.barrier()]))
        expect(here).toBeGreaterThanOrEqual(index)
        await world.settle(c.log.applied(there))
        expect(c.list.lines.length).toBeGreaterThanOrEqual(i + 1)
      }
    })

    test('what was acknowledged is there after a kill, and after a stop', async () => {
      const world = await make()
      const first = await begin(world, 'a')
      await world.settle(first.log.submit('list', text('x')))
      world.kill('a')
      const second = await begin(world, 'a')
      expect(second.list.lines).toEqual(first.list.lines)
      await world.settle(second.log.submit('list', text('y')))
      await world.settle(world.stop('a', 'away'))
      const failure = await world.settle(second.log.submit('list', text('late')).then(() => null, errorCode))
      expect(failure).toBe('STOPPED')
      const third = await begin(world, 'a')
      expect(third.list.lines).toEqual(second.list.lines)
      expect(third.log.group()).toMatchObject({ role: 'leader', voters: ['a'], leader: 'a', alone: false })
    })

    test('a machine gives and takes a large state in pieces, while commands are applied', async () => {
      const world = await make()
      const machines = { a: new PageMachine(), b: new PageMachine() }
      const log = await world.start('a', [machines.a])
      await world.settle(log.ready())
      // More than logs commonly keep before they take a snapshot.
      const page = (i: number): string => `${i} `.padEnd(96 * 1024, 'page ')
      const pages = Array.from({ length: 120 }, (_, i) => page(i))
      for (let i = 0; i < pages.length; i += 20)
        await world.settle(Promise.all(pages.slice(i, i + 20).map((each) => log.submit('pages', text(each)))))
      expect(machines.a.pages).toEqual(pages)
      if (severalNodes) {
        const other = await world.start('b', [machines.b])
        await world.settle(other.ready())
        await world.until(() => machines.b.pages.length === pages.length, SOON_MS)
        expect(machines.b.pages).toEqual(pages)
        world.kill('b')
      }
      world.kill('a')
      const again = { a: new PageMachine(), b: new PageMachine() }
      const logs = [await world.start('a', [again.a])]
      if (severalNodes) logs.push(await world.start('b', [again.b]))
      for (const each of logs) await world.settle(each.ready())
      await world.until(() => again.a.pages.length === pages.length, SOON_MS)
      expect(again.a.pages).toEqual(pages)
      if (!severalNodes) return
      await world.until(() => again.b.pages.length === pages.length, SOON_MS)
      expect(again.b.pages).toEqual(pages)
    })

    test('takes a command of several MiB whole, and applies it once', async () => {
      const { world, a, all } = await crew(make, severalNodes)
      const long = 'long '.repeat(1024 * 1024)
      const key = { idempotencyKey: 'long' }
      const submitted = Promise.all([
        a.log.submit('list', text(long), key),
        a.log.submit('list', text('short')),
        a.log.submit('list', text(long), key),
      ])
      const [first, , again] = await world.settle(submitted)
      expect(again).toMatchObject({ index: first.index, result: first.result })
      for (const { log, list } of all) {
        await world.settle(log.barrier().then((index) => log.applied(index)))
        expect(list.lines.map((line) => line.split(' ').slice(2).join(' ')).sort()).toEqual([long, 'short'])
      }
    })

    test('a call that is aborted before it began leaves nothing', async () => {
      const { world, a, all } = await crew(make, severalNodes)
      const signal = AbortSignal.abort()
      expect(await world.settle(a.log.submit('list', text('no'), { signal }).catch(errorCode))).toBe(
        'ABORTED',
      )
      await world.settle(a.log.submit('list', text('yes')))
      await level(world, all)
      expect(a.list.entries.map(({ command }) => read(command))).toEqual(['yes'])
    })
  })
}
