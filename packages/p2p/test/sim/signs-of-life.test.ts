import { expect, test } from '@jest/globals'
import { simPeers } from '../sim-peers.ts'

/** Two linked nodes; `a` says something every `everyMs` for two seconds. @returns heartbeats that `a` sent meanwhile */
async function heartbeatsWhileTalking(everyMs: number): Promise<number> {
  const { world, start, until } = simPeers(1)
  const serve = { notify: () => {} }
  const a = await start('a', [], (peers) => peers.serve('talk', serve))
  const b = await start('b', ['a'], (peers) => peers.serve('talk', serve))
  await until(() => a.member(b.self)?.state === 'alive' && b.member(a.self)?.state === 'alive', 5_000)
  const heartbeats = (): number =>
    world.trace.tail(100_000, { frames: true }).filter((line) => / a .*channel=p2p bytes=2\b/.test(line))
      .length
  const before = heartbeats()
  for (let passed = 0; passed < 2_000; passed += everyMs) {
    a.notify(b.self, 'talk', new Uint8Array(10))
    await world.run(everyMs)
    expect(b.member(a.self)?.state).toBe('alive')
    expect(world.now - (b.member(a.self)?.heardAt ?? 0)).toBeLessThan(400)
  }
  return heartbeats() - before
}

test('frames of services stand for heartbeats while they flow', async () => {
  expect(await heartbeatsWhileTalking(50)).toBe(0)
})

test('who seldom says something sends heartbeats as before', async () => {
  expect(await heartbeatsWhileTalking(1_000)).toBeGreaterThan(3)
})
