import { describe, expect, test } from '@jest/globals'
import { Cluster, read } from './support/cluster.ts'

const three = async (options = {}): Promise<Cluster> => {
  const cluster = new Cluster(['a', 'b', 'c'], options)
  await cluster.start('a', 'b', 'c')
  await cluster.untilVoters('a', 'b', 'c')
  return cluster
}

const others = (cluster: Cluster, ...names: string[]): string[] =>
  cluster.running.map(({ id }) => String(id)).filter((id) => !names.includes(id))

describe('orderedLog', () => {
  test('three fresh nodes form one group and agree', async () => {
    const cluster = await three()
    for (const name of ['a', 'b', 'c', 'b']) await cluster.submit(name, `from-${name}`)
    await cluster.world.run(200)
    for (const { app } of cluster.running) {
      expect(app?.words.words).toEqual(['from-a', 'from-b', 'from-c', 'from-b'])
    }
  })

  test('after a restart of all nodes everything is there again', async () => {
    const cluster = await three()
    for (const text of ['x', 'y', 'z']) await cluster.submit('b', text)
    for (const node of cluster.nodes) node.crash('kill')
    await cluster.start('a', 'b', 'c')
    for (const { app } of cluster.running) expect(app?.words.words).toEqual(['x', 'y', 'z'])
    expect(await cluster.submit('c', 'more')).toMatchObject({ durableOn: expect.any(Number) })
  })

  test('a killed leader is replaced within 150 ms', async () => {
    const cluster = await three()
    await cluster.submit('a', 'before')
    const leader = cluster.leader()
    const survivor = others(cluster, leader)[0] ?? ''
    await cluster.submit(survivor, 'opens its session')
    cluster.node(leader).crash('kill')
    const at = cluster.world.now
    await cluster.submit(survivor, 'after')
    expect(cluster.world.now - at).toBeLessThan(150)
  })

  test('a retried proposal is applied once: commands in flight while the leader dies', async () => {
    const cluster = await three()
    const leader = cluster.leader()
    const survivor = others(cluster, leader)[0] ?? ''
    await cluster.submit(survivor, 'first')
    const flying = Array.from({ length: 50 }, (_, i) =>
      cluster.app(survivor).log.submit('words', new TextEncoder().encode(`w${i}`)),
    )
    await cluster.world.run(0.7)
    cluster.node(leader).crash('kill')
    await cluster.world.settle(Promise.all(flying), 5_000)
    const words = cluster.app(survivor).words.words
    expect([...words].sort()).toEqual([...new Set(words)].sort())
    expect(words).toHaveLength(51)
  })

  test('the scene: four nodes, killed one after another, down to the last', async () => {
    const cluster = new Cluster(['a', 'b', 'c', 'd'])
    await cluster.start('a', 'b', 'c', 'd')
    await cluster.untilVoters('a', 'b', 'c', 'd')
    let written = 0
    while (cluster.running.length > 0) {
      for (const { id } of cluster.running) await cluster.submit(id, `w${written++}`)
      await cluster.untilVoters(...cluster.running.map(({ id }) => id))
      await cluster.world.run(100)
      for (const { app } of cluster.running) expect(app?.words.words).toHaveLength(written)
      cluster.node(cluster.leader()).crash('kill')
    }
  })
})

describe('first contact', () => {
  test('four simultaneous fresh nodes form one cluster', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const cluster = new Cluster(['a', 'b', 'c', 'd'], {}, seed)
      await cluster.start('a', 'b', 'c', 'd')
      await cluster.untilVoters('a', 'b', 'c', 'd')
      const clusters = new Set(['a', 'b', 'c', 'd'].map((name) => cluster.group(name).cluster))
      expect(clusters.size).toBe(1)
      expect(cluster.group('a').provisional).toBe(false)
    }
  })

  test('a node alone forms a provisional group, and a later one joins it', async () => {
    const cluster = new Cluster(['a', 'b'])
    await cluster.start('b')
    expect(cluster.group('b')).toMatchObject({ voters: ['b'], provisional: true })
    await cluster.submit('b', 'early')
    await cluster.start('a')
    await cluster.untilVoters('a', 'b')
    expect(cluster.app('a').words.words).toEqual(['early'])
  })

  test('expect n forms with n nodes and not before', async () => {
    const cluster = new Cluster(['a', 'b', 'c'], { expect: 3 })
    await cluster.world.settle(Promise.all([cluster.node('a').start(), cluster.node('b').start()]), 1_000)
    await cluster.world.run(3_000)
    expect(cluster.group('a').cluster).toBeNull()
    expect(cluster.app('a').events.at(-1)).toContain('3 nodes to form the group')
    await cluster.start('c')
    await cluster.untilVoters('a', 'b', 'c')
  })

  test('two empty groups that meet become one', async () => {
    const cluster = new Cluster(['a', 'b', 'c', 'd'])
    cluster.world.network.partition(['a', 'b'], ['c', 'd'])
    await cluster.start('a', 'b', 'c', 'd')
    await cluster.until(
      () => cluster.group('a').voters.length === 2 && cluster.group('c').voters.length === 2,
    )
    expect(cluster.group('a').cluster).not.toBe(cluster.group('c').cluster)
    cluster.world.network.mend()
    await cluster.untilVoters('a', 'b', 'c', 'd')
    expect(new Set(['a', 'b', 'c', 'd'].map((name) => cluster.group(name).cluster)).size).toBe(1)
    await cluster.submit('d', 'together')
  })

  test('an empty group dissolves into one with data; what is submitted meanwhile is not lost', async () => {
    const cluster = new Cluster(['a', 'b'])
    cluster.world.network.partition(['a'], ['b'])
    await cluster.start('a', 'b')
    await cluster.submit('a', 'data')
    cluster.world.network.mend()
    await cluster.untilVoters('a', 'b')
    await cluster.submit('b', 'more')
    expect(cluster.app('b').words.words).toEqual(['data', 'more'])
    // Once as it started without a group, and once when it gave its own up.
    expect(cluster.app('b').words.restoredAt).toEqual([0, 0])
  })

  test('two clusters with data stay apart, say so, and one goes into the other by the word of its operator', async () => {
    const options: { adopt?: string } = {}
    const cluster = new Cluster(['a', 'b', 'c', 'd'], () => options)
    cluster.world.network.partition(['a', 'b'], ['c', 'd'])
    await cluster.start('a', 'b', 'c', 'd')
    for (const name of ['a', 'c']) await cluster.submit(name, `of ${name}`)
    const met: string[] = []
    for (const { app } of cluster.running)
      app?.log.on('met', ({ cluster: other }) => met.push(`${app.log.self} ${other}`))
    cluster.world.network.mend()
    await cluster.world.run(3_000)
    const [ours, theirs] = [cluster.group('a').cluster, cluster.group('c').cluster]
    expect(new Set(met)).toEqual(new Set([`a ${theirs}`, `b ${theirs}`, `c ${ours}`, `d ${ours}`]))
    for (const name of ['a', 'c']) expect(cluster.app(name).words.words).toEqual([`of ${name}`])

    options.adopt = ours ?? ''
    for (const name of ['c', 'd']) {
      cluster.node(name).crash('kill')
      await cluster.start(name)
    }
    await cluster.untilVoters('a', 'b', 'c', 'd')
    await cluster.submit('d', 'together')
    await cluster.until(() => cluster.running.every(({ app }) => app?.words.words.join() === 'of a,together'))
    const { disk } = cluster.node('c')
    const path = disk.paths().find((each) => each.endsWith('/writes.jsonl')) ?? ''
    const file = disk.file(path)
    expect(read(file?.read(0, file.size) ?? new Uint8Array())).toContain('"machine":"words"')
    // Said again at a later start, the word changes nothing.
    cluster.node('c').crash('kill')
    await cluster.start('c')
    expect(cluster.group('c').cluster).toBe(ours)
  })

  test('a group that has restarted since can still dissolve', async () => {
    const cluster = new Cluster(['a', 'b'])
    cluster.world.network.partition(['a'], ['b'])
    await cluster.start('a', 'b')
    cluster.node('b').crash('kill')
    await cluster.start('b')
    await cluster.submit('a', 'data')
    cluster.world.network.mend()
    await cluster.untilVoters('a', 'b')
    expect(cluster.group('b').cluster).toBe(cluster.group('a').cluster)
    cluster.node('b').crash('kill')
    await cluster.start('b')
    await cluster.submit('b', 'more')
    expect(cluster.app('b').words.words).toEqual(['data', 'more'])
  })

  test('who is told to be alone forms at once and stays apart', async () => {
    const cluster = new Cluster(['a', 'b'], { alone: true })
    await cluster.start('a', 'b')
    expect(cluster.world.now).toBeLessThan(100)
    await cluster.world.run(2_000)
    expect(cluster.group('a')).toMatchObject({ voters: ['a'], provisional: false })
    expect(cluster.group('b')).toMatchObject({ voters: ['b'], provisional: false })
  })

  test('two groups with data stay apart', async () => {
    const cluster = new Cluster(['a', 'b'])
    cluster.world.network.partition(['a'], ['b'])
    await cluster.start('a', 'b')
    await cluster.submit('a', 'one')
    await cluster.submit('b', 'other')
    cluster.world.network.mend()
    await cluster.world.run(3_000)
    expect(cluster.group('a').voters).toEqual(['a'])
    expect(cluster.group('b').voters).toEqual(['b'])
    expect(cluster.world.trace.tail(1000).join('\n')).toContain('they stay apart')
  })
})

describe('members', () => {
  test('a node that is removed while it is down comes back as a learner, then votes', async () => {
    const cluster = await three()
    const victim = others(cluster, cluster.leader())[0] ?? ''
    cluster.node(victim).crash('kill')
    const left = others(cluster, victim)
    await cluster.untilVoters(...left)
    await cluster.submit(left[0] ?? '', 'meanwhile')
    const roles: string[] = []
    const app = cluster.node(victim).start()
    await cluster.until(() => cluster.node(victim).app !== null)
    cluster.app(victim).log.on('group', ({ role }) => roles.push(role))
    await app
    await cluster.untilVoters('a', 'b', 'c')
    expect(roles).toContain('learner')
    expect(cluster.app(victim).words.words).toEqual(['meanwhile'])
  })

  test('two voters, one proved dead: the other goes on; the dead one rejoins', async () => {
    const cluster = new Cluster(['a', 'b'])
    await cluster.start('a', 'b')
    await cluster.untilVoters('a', 'b')
    await cluster.submit('b', 'both')
    const leader = cluster.leader()
    const other = others(cluster, leader)[0] ?? ''
    cluster.node(leader).crash('kill')
    const at = cluster.world.now
    await cluster.submit(other, 'alone')
    expect(cluster.world.now - at).toBeLessThan(150)
    expect(cluster.group(other)).toMatchObject({ voters: [other], alone: true })
    await cluster.start(leader)
    await cluster.untilVoters('a', 'b')
    expect(cluster.app(leader).words.words).toEqual(['both', 'alone'])
  })

  test('two voters, silence: writes pause with LOG_NO_QUORUM and go on after it', async () => {
    const cluster = new Cluster(['a', 'b'])
    await cluster.start('a', 'b')
    await cluster.untilVoters('a', 'b')
    await cluster.submit('a', 'before')
    cluster.world.network.partition(['a'], ['b'])
    await cluster.world.run(1_500)
    for (const name of ['a', 'b']) {
      await expect(cluster.submit(name, 'lost', { deadlineMs: 500 })).rejects.toMatchObject({
        code: 'LOG_NO_QUORUM',
        outcome: 'rejected',
      })
    }
    await cluster.world.run(8_000)
    expect(cluster.group('a').voters).toEqual(['a', 'b'])
    cluster.world.network.mend()
    await cluster.submit('b', 'after')
    expect(cluster.app('b').words.words).toEqual(['before', 'after'])
  })

  test('a leader that stops hands over; the last one stays the group; a cold start needs it', async () => {
    const cluster = await three()
    await cluster.submit('a', 'x')
    const order: string[] = []
    while (cluster.running.length > 1) {
      const leader = cluster.leader()
      order.push(leader)
      const at = cluster.world.now
      await cluster.world.settle(cluster.node(leader).stop(), 3_000)
      expect(cluster.world.now - at).toBeLessThan(1_000)
      const [next] = cluster.running
      await cluster.submit(next?.id ?? '', `after ${leader}`)
      expect(cluster.group(next?.id ?? '').away).toContain(leader)
    }
    const [last] = cluster.running
    await cluster.world.settle(last?.stop() ?? Promise.resolve(), 3_000)
    for (const name of order) await cluster.world.settle(cluster.node(name).start(), 1_000)
    await cluster.world.run(3_000)
    expect(cluster.app(order[0] ?? '').events.join()).toContain(`node ${last?.id}`)
    await cluster.start(last?.id ?? '')
    await cluster.untilVoters('a', 'b', 'c')
    for (const { app } of cluster.running) expect(app?.words.words).toHaveLength(3)
  })

  test('a seventh node learns only, and stands in when a voter dies', async () => {
    const names = ['a', 'b', 'c', 'd']
    const cluster = new Cluster(names, { maxVoters: 3 })
    await cluster.start(...names)
    await cluster.until(
      () => cluster.group('a').voters.length === 3 && cluster.group('a').learners.length === 1,
    )
    const [learner] = cluster.group('a').learners
    await cluster.submit(learner ?? '', 'from a learner')
    cluster.node(cluster.leader()).crash('kill')
    await cluster.until(
      () =>
        cluster.group(learner ?? '').role !== 'learner' && cluster.group(learner ?? '').voters.length === 3,
    )
  })

  test('a node that is far behind gets a snapshot', async () => {
    const cluster = await three({ snapshotEntries: 20, tailEntries: 5, graceMs: 60_000 })
    const slow = others(cluster, cluster.leader())[0] ?? ''
    const [one] = others(cluster, slow)
    cluster.world.network.isolate(slow)
    for (let i = 0; i < 60; i++) await cluster.submit(one ?? '', `w${i}`)
    // Long enough for the links to be given up, and what waits in them with them.
    await cluster.world.run(6_000)
    cluster.world.network.mend()
    await cluster.until(() => cluster.app(slow).words.words.length === 60)
    expect(cluster.app(slow).events).toContain('snapshot installed')
    await cluster.submit(slow, 'and on')
    for (const node of cluster.nodes) node.crash('kill')
    await cluster.start('a', 'b', 'c')
    for (const { app } of cluster.running) expect(app?.words.words).toHaveLength(61)
  })
})

describe('outcomes', () => {
  test('a retried proposal is applied once: the key of an unknown outcome', async () => {
    const cluster = await three({ graceMs: 60_000 })
    const leader = cluster.leader()
    await cluster.submit(leader, 'first')
    cluster.world.network.isolate(leader)
    const failed = await cluster.submit(leader, 'once', { deadlineMs: 100 }).catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 'OUTCOME_UNKNOWN', outcome: 'unknown' })
    const { key } = (failed as { detail: { key: string } }).detail
    cluster.world.network.mend()
    await cluster.submit(leader, 'once', { idempotencyKey: key })
    await cluster.submit(leader, 'last')
    expect(cluster.app(leader).words.words).toEqual(['first', 'once', 'last'])
  })

  test('the same idempotency key applies once, from whatever node', async () => {
    const cluster = await three()
    const first = await cluster.submit('a', 'x', { idempotencyKey: 'k' })
    const again = await cluster.submit('b', 'x', { idempotencyKey: 'k' })
    expect(again.index).toBe(first.index)
    await cluster.submit('c', 'y')
    expect(cluster.app('c').words.words).toEqual(['x', 'y'])
  })

  test('nothing is acknowledged before a majority has it on disk', async () => {
    const cluster = await three()
    await cluster.submit('a', 'x')
    for (const name of others(cluster, cluster.leader())) {
      Object.assign(cluster.node(name).disk.faults, { slow: 1, slowMsMax: 400 })
    }
    const waits: number[] = []
    for (let i = 0; i < 10; i++) {
      const at = cluster.world.now
      await cluster.submit(cluster.leader(), `slow ${i}`)
      waits.push(cluster.world.now - at)
    }
    // The faster of two disks that take up to 400 ms each.
    expect(waits.reduce((sum, wait) => sum + wait, 0) / waits.length).toBeGreaterThan(20)
  })

  test('a machine that throws stops its node and says so', async () => {
    const cluster = await three()
    const wrong = cluster.submit('a', 'throw', { deadlineMs: 300 })
    await expect(wrong).rejects.toMatchObject({ outcome: 'unknown' })
    expect(cluster.app('a').events.join()).toContain('failed')
    await expect(cluster.submit('a', 'more')).rejects.toMatchObject({ code: 'STOPPED' })
  })

  test('what the log cannot take is rejected with a reason', async () => {
    const cluster = await three({ commandBytesMax: 100 })
    await expect(cluster.submit('a', 'x'.repeat(101))).rejects.toMatchObject({
      code: 'LOG_COMMAND_TOO_LARGE',
    })
    await expect(cluster.app('a').log.submit('other', new Uint8Array())).rejects.toMatchObject({
      code: 'LOG_UNKNOWN_MACHINE',
    })
  })

  test('a barrier covers what was acknowledged on another node', async () => {
    const cluster = await three()
    for (let i = 0; i < 5; i++) {
      const { index } = await cluster.submit('a', `w${i}`)
      for (const name of ['b', 'c']) {
        expect(await cluster.world.settle(cluster.app(name).log.barrier(), 1_000)).toBeGreaterThanOrEqual(
          index,
        )
      }
    }
  })

  test('garbage from a peer is ignored', async () => {
    const cluster = await three()
    for (const bytes of [[], [1, 2, 3], [0x83, 1, 1, 0xff], [0x82, 1, 99], [0x83, 1, 2, 0x81, 0x41, 0]]) {
      cluster.app('a').peers.notify(cluster.node('b').id, 'raft', new Uint8Array(bytes))
      cluster.app('b').peers.notify(cluster.node('a').id, 'raft', new Uint8Array(bytes))
    }
    await cluster.world.run(100)
    await cluster.submit('b', 'still here')
  })
})
