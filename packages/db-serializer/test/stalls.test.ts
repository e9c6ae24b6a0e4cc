import { describe, expect, test } from '@jest/globals'
import { Cluster, word } from './support/cluster.ts'

async function three(): Promise<Cluster> {
  const cluster = new Cluster(['a', 'b', 'c'])
  await cluster.start('a', 'b', 'c')
  await cluster.untilVoters('a', 'b', 'c')
  for (const name of ['a', 'b', 'c']) await cluster.submit(name, `first-${name}`)
  return cluster
}

describe('a full disk', () => {
  test('an only voter acknowledges nothing until there is room, then goes on by itself', async () => {
    const cluster = new Cluster(['a'])
    await cluster.start('a')
    await cluster.submit('a', 'before')
    const { disk } = cluster.node('a')
    disk.faults.full = true
    let acknowledged = false
    const waiting = cluster.app('a').log.submit('words', word('during'), { deadlineMs: 60_000 })
    waiting.then(
      () => {
        acknowledged = true
      },
      () => {},
    )
    await cluster.world.run(5_000)
    expect(acknowledged).toBe(false)
    expect(cluster.app('a').events).toContain('waiting for room on its disk')
    expect(cluster.app('a').words.words).toEqual(['before'])
    disk.faults.full = false
    await cluster.world.settle(waiting, 5_000)
    expect(cluster.app('a').words.words).toEqual(['before', 'during'])
    cluster.node('a').crash('power')
    await cluster.start('a')
    expect(cluster.app('a').words.words).toEqual(['before', 'during'])
  })

  test('a leader with a full disk hands its office on, and has all once there is room', async () => {
    const cluster = await three()
    const full = cluster.leader()
    cluster.node(full).disk.faults.full = true
    const other = ['a', 'b', 'c'].find((name) => name !== full) ?? ''
    for (let i = 0; i < 5; i++) await cluster.submit(other, `w${i}`)
    await cluster.until(() => ![null, full].includes(cluster.group(other).leader), 3_000)
    await cluster.submit(other, 'later')
    expect(cluster.app(full).words.words).not.toContain('later')
    cluster.node(full).disk.faults.full = false
    await cluster.until(() => cluster.app(full).words.words.includes('later'))
    expect(cluster.app(full).words.words).toEqual(cluster.app(other).words.words)
    await cluster.untilVoters('a', 'b', 'c')
  })

  test('a follower with a full disk makes no quorum: nothing is acknowledged on its word', async () => {
    const cluster = await three()
    const leader = cluster.leader()
    const [full = '', down = ''] = ['a', 'b', 'c'].filter((name) => name !== leader)
    cluster.node(full).disk.faults.full = true
    cluster.world.network.isolate(down)
    const waiting = cluster.app(leader).log.submit('words', word('x'), { deadlineMs: 1_500 })
    await expect(cluster.world.settle(waiting, 5_000)).rejects.toMatchObject({ outcome: 'unknown' })
    cluster.node(full).disk.faults.full = false
    await cluster.submit(leader, 'y', { deadlineMs: 10_000 })
  })

  test('a node that stops or is started while its disk is full comes through it', async () => {
    const cluster = await three()
    const node = cluster.node('c')
    node.disk.faults.full = true
    await cluster.submit('a', 'x')
    await cluster.world.settle(node.stop(), 10_000)
    const starting = node.start()
    await cluster.world.run(1_000)
    node.disk.faults.full = false
    await cluster.world.settle(starting, 5_000)
    await cluster.until(() => cluster.app('c').words.words.includes('x'))
  })
})

describe('a leader that stalls', () => {
  test('reads nothing stale after its event loop was blocked', async () => {
    const cluster = await three()
    const leader = cluster.leader()
    const other = ['a', 'b', 'c'].find((name) => name !== leader) ?? ''
    cluster.node(leader).stall(3_000)
    await cluster.until(() => cluster.leader() !== leader && cluster.group(other).leader !== leader, 2_900)
    const { index } = await cluster.submit(other, 'newer')
    // Asked of the sleeper, before it knows anything: the first thing that it does when it wakes.
    const barrier = cluster.app(leader).log.barrier()
    expect(await cluster.world.settle(barrier, 10_000)).toBeGreaterThanOrEqual(index)
  })

  test('steps down when it wakes, before it hears of its successor', async () => {
    const cluster = await three()
    const leader = cluster.leader()
    cluster.world.network.isolate(leader)
    cluster.node(leader).stall(2_000)
    await cluster.world.run(2_050)
    expect(cluster.group(leader).role).not.toBe('leader')
  })

  test('steps down when its disk takes no write for longer than an election', async () => {
    const cluster = await three()
    const leader = cluster.leader()
    Object.assign(cluster.node(leader).disk.faults, { slow: 1, slowMsMax: 60_000 })
    const other = ['a', 'b', 'c'].find((name) => name !== leader) ?? ''
    const at = cluster.world.now
    for (let i = 0; i < 3; i++) await cluster.submit(other, `w${i}`)
    await cluster.until(() => cluster.group(other).leader !== leader, 3_000)
    await cluster.submit(other, 'on')
    expect(cluster.world.now - at).toBeLessThan(5_000)
  })
})
