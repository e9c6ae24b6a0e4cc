import { errorCode, nodeId } from '@cluster/core'
import type { SuiteRunner } from '../runner.ts'
import { begin, type CreateLogs, level, SOON_MS, trio } from './fixture.ts'
import { text } from './machines.ts'

/** Coming, going, dying, and what the group is told to be. */
export function severalNodesTests({ describe, test, expect }: SuiteRunner, make: CreateLogs): void {
  describe('an ordered log on several nodes', () => {
    test('who comes later has everything once it is ready', async () => {
      const world = await make()
      const a = await begin(world, 'a')
      for (let i = 0; i < 20; i++) await world.settle(a.log.submit('list', text(`${i}`)))
      const b = await begin(world, 'b')
      expect(b.list.lines).toEqual(a.list.lines)
    })

    test('a killed node changes nothing for the others, and comes back with all of it', async () => {
      const { world, a, b, c } = await trio(make)
      await world.settle(c.log.submit('list', text('before')))
      const victim = [a, b, c].find(({ log }) => log.group().leader === log.self)?.log.self ?? nodeId('a')
      const survivors = [a, b, c].filter(({ log }) => log.self !== victim)
      world.kill(victim)
      for (const { log } of survivors) await world.settle(log.submit('list', text(`after ${log.self}`)))
      const back = await begin(world, victim)
      await level(world, [...survivors, back])
      expect(back.list.lines.length).toBe(3)
      for (const { list } of survivors) expect(list.lines).toEqual(back.list.lines)
    })

    test('a node that stops is away, hands over, and comes back', async () => {
      const { world, all } = await trio(make)
      const leader = all.find(({ log }) => log.group().leader === log.self)?.log.self ?? nodeId('a')
      const rest = all.filter(({ log }) => log.self !== leader)
      await world.settle(world.stop(leader, 'away'))
      await world.until(() => rest.every(({ log }) => log.group().away.join() === leader), SOON_MS)
      for (const { log } of rest) {
        expect(log.group().voters.length).toBe(2)
        await world.settle(log.submit('list', text('x')))
      }
      const stopped = all.find(({ log }) => log.self === leader)
      const failure = await world.settle(
        stopped?.log.submit('list', text('late')).then(() => null, errorCode) ?? Promise.resolve(null),
      )
      expect(failure).toBe('STOPPED')
      const back = await begin(world, leader)
      await world.until(() => back.log.group().voters.length === 3, SOON_MS)
      await level(world, [...rest, back])
      expect(back.list.lines).toEqual(rest[0]?.list.lines)
    })

    test('a node that leaves is removed, and the others hear of it', async () => {
      const { world, a, b, c } = await trio(make)
      const removed: string[] = []
      for (const { log } of [a, b]) log.on('removed', ({ node, reason }) => removed.push(`${node} ${reason}`))
      await world.settle(world.stop('c', 'left'))
      await world.until(() => removed.length === 2, SOON_MS)
      expect(removed).toEqual([`${c.log.self} left`, `${c.log.self} left`])
      for (const { log } of [a, b]) {
        expect(log.group().voters).toEqual(['a', 'b'])
        expect(log.group().away).toEqual([])
      }
      await world.settle(a.log.submit('list', text('on')))
    })

    test('the last one that stopped still has all of it when it comes back alone', async () => {
      const { world, a } = await trio(make)
      await world.settle(a.log.submit('list', text('x')))
      for (const name of ['c', 'b', 'a']) await world.settle(world.stop(name, 'away'))
      const back = await begin(world, 'a')
      expect(back.list.lines.length).toBe(1)
      await world.settle(back.log.submit('list', text('y')))
    })

    test('tells the view of the group alike on all nodes, and when it changes', async () => {
      const { world, a, all } = await trio(make)
      const views = all.map(({ log }) => log.group())
      for (const view of views) {
        expect(view.voters).toEqual(['a', 'b', 'c'])
        expect(view.cluster).toBe(views[0]?.cluster)
        expect(view.leader).toBe(views[0]?.leader)
        expect(view.provisional).toBe(false)
        expect(view.alone).toBe(false)
      }
      expect(views.filter(({ role }) => role === 'leader').length).toBe(1)
      let told = 0
      a.log.on('group', () => told++)
      const d = await begin(world, 'd')
      await world.until(() => a.log.group().voters.length === 4 && d.log.group().voters.length === 4, SOON_MS)
      expect(told).toBeGreaterThan(0)
    })
  })
}
