import { type LogIndex, logIndex, type NodeId, nodeId } from '@cluster/core'
import { StillClock } from '@cluster/testkit'
import { expect, test } from '@jest/globals'
import { Barriers } from '../src/driver/commands/barriers.ts'

const self = nodeId('a')

/** Barriers of a node that leads; its own machine answers at once, as it does where nobody else votes. */
function leading(voters: number) {
  const clock = new StillClock()
  const barriers: Barriers = new Barriers({
    clock,
    self,
    leader: (): NodeId => self,
    sole: () => voters === 1,
    read: (ask) => barriers.answer(ask, logIndex(7)),
    ask: () => false,
  })
  const ask = (): Promise<LogIndex> => new Promise((resolve) => barriers.add(resolve))
  return { ask, turns: () => clock.turns }
}

test('who votes alone answers itself without a turn of the event loop, but lets others have theirs', async () => {
  const { ask, turns } = leading(1)
  expect(await ask()).toBe(7)
  expect(turns()).toBe(1)
  for (let i = 0; i < 256; i++) await ask()
  expect(turns()).toBe(1)
  await ask()
  expect(turns()).toBe(2)
})

test('with other voters those who ask in one turn share a question', async () => {
  const { ask, turns } = leading(3)
  await Promise.all([ask(), ask(), ask()])
  expect(turns()).toBe(1)
  await ask()
  expect(turns()).toBe(2)
})
