import { clusterId, crc32c, lineageId, logIndex, nodeId, silentLogger, term } from '@cluster/core'
import { MemoryDisk, SimRandom } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { openLog } from '../src/driver/disk/open-log.ts'
import { Raft } from '../src/machine/raft/raft.ts'
import type { Effect } from '../src/machine/raft/types.ts'
import { Cluster } from './support/cluster.ts'

const SEGMENT = 'log-0000000000000001'

/** Some nodes that vote and agree on three words. */
async function formed(names: readonly string[], options = {}): Promise<Cluster> {
  const cluster = new Cluster(names, options)
  await cluster.start(...names)
  await cluster.untilVoters(...names)
  for (const text of ['x', 'y', 'z']) await cluster.submit(names[0] ?? '', text)
  await cluster.until(() => cluster.running.every(({ app }) => app?.words.words.length === 3))
  return cluster
}

/** Spoils a record in the middle of a node's log. */
function spoil(cluster: Cluster, name: string, path = SEGMENT): void {
  const { disk } = cluster.node(name)
  const size = disk.file(path)?.size ?? 0
  expect(disk.damage(path, Math.floor(size / 2))).toBe(true)
}

const keptOn = (cluster: Cluster, name: string): string[] =>
  cluster
    .node(name)
    .disk.paths()
    .filter((path) => path.startsWith('damaged-'))

const logged = (cluster: Cluster, what: string): boolean =>
  cluster.world.trace.tail(400).some((line) => line.includes(what))

describe('a damaged log', () => {
  test('a corrupted minority wins an election: never, as it renounced its vote', async () => {
    const cluster = await formed(['a', 'b', 'c'])
    // Only a and c have the last word; c loses it by damage, and b never had it.
    const { network } = cluster.world
    await cluster.until(() => cluster.leader() !== '')
    const stale = ['a', 'b', 'c'].find((name) => name !== cluster.leader()) ?? ''
    const leader = cluster.leader()
    const spoilt = ['a', 'b', 'c'].find((name) => name !== leader && name !== stale) ?? ''
    network.isolate(stale)
    await cluster.submit(leader, 'last')
    cluster.node(leader).crash('power')
    cluster.node(spoilt).crash('kill')
    spoil(cluster, spoilt)
    network.mend()
    await cluster.world.settle(cluster.node(spoilt).start(), 2_000)
    await cluster.world.run(5_000)
    expect(cluster.group(stale).leader).toBeNull()
    expect(cluster.group(spoilt)).toMatchObject({ role: 'outsider', leader: null })
    await cluster.world.settle(cluster.node(leader).start(), 2_000)
    await cluster.untilVoters('a', 'b', 'c')
    await cluster.until(() => cluster.running.every(({ app }) => app?.words.words.length === 4))
  })

  test('a renounced voter tells, keeps the files and comes back through the configuration', async () => {
    const cluster = await formed(['a', 'b', 'c'])
    cluster.node('c').crash('kill')
    spoil(cluster, 'c')
    const [before] = cluster
      .node('c')
      .disk.paths()
      .filter((path) => path === SEGMENT)
    expect(before).toBe(SEGMENT)
    await cluster.start('c')
    await cluster.untilVoters('a', 'b', 'c')
    expect(logged(cluster, 'renounces its vote')).toBe(true)
    expect(keptOn(cluster, 'c').map((path) => path.split('/')[1])).toContain(SEGMENT)
    expect(cluster.app('c').words.words).toEqual(['x', 'y', 'z'])
    // It stays renounced: another start finds the same, and no second renunciation.
    const kept = keptOn(cluster, 'c')
    cluster.node('c').crash('power')
    await cluster.start('c')
    await cluster.untilVoters('a', 'b', 'c')
    expect(keptOn(cluster, 'c')).toEqual(kept)
    await cluster.submit('c', 'more')
  })

  test('of two voters the other goes on alone when one renounces', async () => {
    const cluster = await formed(['a', 'b'])
    for (const node of cluster.nodes) node.crash('kill')
    spoil(cluster, 'b')
    await cluster.start('a', 'b')
    await cluster.untilVoters('a', 'b')
    expect(logged(cluster, 'the other voter renounced its vote')).toBe(true)
    for (const name of ['a', 'b']) expect(cluster.app(name).words.words).toEqual(['x', 'y', 'z'])
    await cluster.submit('b', 'more')
  })

  test('an only voter waits for the operator, and goes on by his word alone', async () => {
    const cluster = await formed(['a'])
    cluster.node('a').crash('kill')
    spoil(cluster, 'a')
    await expect(cluster.world.settle(cluster.node('a').start(), 1_000)).rejects.toMatchObject({
      code: 'LOG_DAMAGED',
      message: expect.stringContaining('waits for the operator'),
    })
  })

  test('what the operator gives up is kept aside', async () => {
    const cluster = await formed(['a'], { giveUpDamaged: true })
    cluster.node('a').crash('kill')
    spoil(cluster, 'a')
    await cluster.start('a')
    expect(cluster.app('a').words.words).toEqual([])
    expect(keptOn(cluster, 'a').length).toBeGreaterThan(0)
  })

  test('one damaged copy of the hard state is mended, all of them wait for the operator', async () => {
    const cluster = await formed(['a', 'b', 'c'])
    const { disk } = cluster.node('c')
    // Each of the four parts begins at a page of its own.
    for (let part = 0; part < 4; part++) {
      cluster.node('c').crash('kill')
      disk.damage('hard', part * 4096 + 100)
      await cluster.start('c')
      expect(keptOn(cluster, 'c')).toEqual([])
      await cluster.submit('c', `again ${part}`)
    }
    cluster.node('c').crash('kill')
    for (let part = 0; part < 4; part++) disk.damage('hard', part * 4096 + 100)
    await expect(cluster.world.settle(cluster.node('c').start(), 1_000)).rejects.toMatchObject({
      code: 'LOG_DAMAGED',
    })
  })

  test('a damaged snapshot is renounced like a damaged log', async () => {
    const cluster = await formed(['a', 'b', 'c'], { snapshotEntries: 20, tailEntries: 5 })
    for (let i = 0; i < 60; i++) await cluster.submit('a', `w${i}`)
    const { disk } = cluster.node('c')
    await cluster.until(() => disk.paths().some((path) => path.startsWith('snapshot-')))
    await cluster.world.run(100)
    cluster.node('c').crash('kill')
    spoil(
      cluster,
      'c',
      disk.paths().find((path) => path.startsWith('snapshot-')),
    )
    await cluster.start('c')
    await cluster.untilVoters('a', 'b', 'c')
    expect(keptOn(cluster, 'c').length).toBeGreaterThan(0)
    expect(cluster.app('c').words.words).toEqual(cluster.app('a').words.words)
  })

  test('a crash while the files are moved is finished at the next start', async () => {
    for (let left = 1; left < 12; left++) {
      const cluster = await formed(['a', 'b', 'c'])
      cluster.node('c').crash('kill')
      spoil(cluster, 'c')
      const starting = cluster.node('c').start()
      // Killed in the middle of it, it never settles; it must not fail before.
      starting.catch((error) => cluster.world.fail(error))
      await cluster.world.run(left * 0.7)
      cluster.node('c').crash('kill')
      await cluster.start('c')
      await cluster.untilVoters('a', 'b', 'c')
      expect(cluster.app('c').words.words).toEqual(['x', 'y', 'z'])
    }
  })
})

describe('a torn tail', () => {
  test('is cut, and is no damage', async () => {
    const cluster = await formed(['a', 'b', 'c'])
    cluster.node('c').crash('power')
    const file = cluster.node('c').disk.file(SEGMENT)
    const size = file?.size ?? 0
    // The beginning of a record that was never finished.
    file?.append(file.read(size - 60, 40))
    await cluster.start('c')
    expect(keptOn(cluster, 'c')).toEqual([])
    await cluster.submit('c', 'more')
    expect(cluster.app('c').words.words).toEqual(['x', 'y', 'z', 'more'])
  })
})

describe('a voter', () => {
  test('is a node with its disk: votes and copies of another disk count for nothing', () => {
    const [a, b, c] = [nodeId('a'), nodeId('b'), nodeId('c')]
    const history = { cluster: clusterId('k'), lineage: lineageId('l'), ancestry: [] }
    const disks = { a: 'a1', b: 'b1', c: 'c1' }
    const configuration = { voters: [a, b, c], learners: [], away: [], provisional: false, disks }
    const entry = { index: logIndex(1), term: term(1), time: 0, wall: 0, kind: 'configuration' } as const
    const raft = new Raft(
      { self: a, disk: 'a1' },
      {
        hardState: {
          history,
          term: term(1),
          votedFor: null,
          alone: false,
          committed: logIndex(1),
          founding: false,
        },
        snapshot: null,
        entries: [{ ...entry, configuration }],
      },
      new SimRandom('voter'),
    )
    const head = { lineage: history.lineage, granted: true } as const
    const settle = (effects: readonly Effect[]): void => {
      for (const effect of effects)
        if (effect.type === 'persist') settle(raft.step({ type: 'persisted', ticket: effect.ticket }))
    }
    for (const now of [1, 1_000]) settle(raft.step({ type: 'tick', now, wall: 0 }))
    const commit = { index: logIndex(1), term: term(1) }
    const preVote = { ...head, type: 'preVoteReply', term: term(2), commit } as const
    settle(raft.step({ type: 'message', from: b, message: { ...preVote, disk: 'b2' } }))
    expect(raft.view().term).toBe(1)
    settle(raft.step({ type: 'message', from: b, message: { ...preVote, disk: 'b1' } }))
    expect(raft.view()).toMatchObject({ term: 2, role: 'candidate' })
    const vote = { ...head, type: 'voteReply', term: term(2) } as const
    settle(raft.step({ type: 'message', from: c, message: { ...vote, disk: 'c2' } }))
    expect(raft.view().role).toBe('candidate')
    settle(raft.step({ type: 'message', from: c, message: { ...vote, disk: 'c1' } }))
    expect(raft.view()).toMatchObject({ role: 'leader', commitIndex: 1 })
    const copy = {
      type: 'appendReply',
      lineage: history.lineage,
      term: term(2),
      round: 0,
      match: logIndex(2),
      rejected: null,
      configuration: logIndex(1),
      acknowledged: false,
    } as const
    settle(raft.step({ type: 'message', from: b, message: { ...copy, disk: 'b2' } }))
    expect(raft.view().commitIndex).toBe(1)
    settle(raft.step({ type: 'message', from: b, message: { ...copy, disk: 'b1' } }))
    expect(raft.view().commitIndex).toBe(2)
  })
})

describe('a node that restarts with an empty disk and its old identity', () => {
  test('votes again: never, as its vote belonged to the disk', async () => {
    const cluster = await formed(['a', 'b', 'c'])
    const leader = cluster.leader()
    const [stale = '', wiped = ''] = ['a', 'b', 'c'].filter((name) => name !== leader)
    cluster.world.network.isolate(stale)
    await cluster.submit(leader, 'last')
    cluster.node(leader).crash('power')
    cluster.node(wiped).crash('kill')
    cluster.node(wiped).disk.wipe()
    cluster.world.network.mend()
    await cluster.world.settle(cluster.node(wiped).start(), 2_000)
    await cluster.world.run(5_000)
    expect(cluster.group(stale).leader).toBeNull()
    expect(cluster.group(wiped).role).toBe('outsider')
    await cluster.world.settle(cluster.node(leader).start(), 2_000)
    await cluster.untilVoters('a', 'b', 'c')
    await cluster.until(() => cluster.running.every(({ app }) => app?.words.words.at(-1) === 'last'))
  })

  test('comes back as a new member while the others go on', async () => {
    const cluster = await formed(['a', 'b', 'c'])
    for (const name of ['c', 'b', 'a']) {
      cluster.node(name).crash('power')
      cluster.node(name).disk.wipe()
      await cluster.start(name)
      await cluster.untilVoters('a', 'b', 'c')
      await cluster.submit(name, `back-${name}`)
    }
    await cluster.until(() => cluster.running.every(({ app }) => app?.words.words.length === 6))
  })
})

describe('opening a log', () => {
  const open = (disk: MemoryDisk) =>
    openLog({
      self: nodeId('a'),
      disk,
      random: new SimRandom('open'),
      logger: silentLogger,
      wall: () => 0,
    })

  test('the name of a disk is drawn once and stays', async () => {
    const disk = new MemoryDisk()
    const { identity } = await open(disk)
    expect((await open(disk)).identity.disk).toBe(identity.disk)
    await disk.remove('disk-a')
    expect((await open(disk)).identity.disk).toBe(identity.disk)
  })

  test('files of another version are recognised, and are no damage', async () => {
    const cluster = await formed(['a', 'b', 'c'], { snapshotEntries: 5, tailEntries: 2 })
    for (let i = 0; i < 20; i++) await cluster.submit('a', `w${i}`)
    await cluster.world.run(500)
    cluster.node('a').crash('kill')
    const { disk } = cluster.node('a')
    const paths = disk.paths().filter((path) => /^(hard$|disk-|snapshot-)/.test(path))
    expect(paths.length).toBeGreaterThanOrEqual(4)
    for (const path of paths) {
      const files = new MemoryDisk()
      for (const each of disk.paths()) {
        const file = disk.file(each)
        if (file) await files.replace(each, file.read(0, file.size))
      }
      const bytes = (await files.read(path)) ?? new Uint8Array()
      const view = new DataView(bytes.buffer)
      const end = 24 + view.getUint32(8, true) + view.getFloat64(12, true)
      view.setUint16(4, 99, true)
      view.setUint32(20, crc32c(bytes.subarray(24, end), crc32c(bytes.subarray(0, 20))), true)
      await files.replace(path, bytes)
      await expect(open(files)).rejects.toMatchObject({ code: 'DISK_FORMAT', detail: { path, found: 99 } })
      expect((await files.list()).filter((each) => each.startsWith('damaged-'))).toEqual([])
    }
  })

  test('without a readable name of the disk it waits for the operator', async () => {
    const disk = new MemoryDisk()
    await open(disk)
    for (const path of ['disk-a', 'disk-b']) await disk.replace(path, new Uint8Array(40))
    await expect(open(disk)).rejects.toMatchObject({ code: 'LOG_DAMAGED' })
  })
})

describe('power', () => {
  test('acknowledged before fsync: a power cut of all nodes loses nothing that was acknowledged', async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const cluster = new Cluster(['a', 'b', 'c'], {}, `power ${seed}`)
      await cluster.start('a', 'b', 'c')
      await cluster.untilVoters('a', 'b', 'c')
      const acknowledged: string[] = []
      for (let i = 0; i < 40; i++) {
        const text = `w${i}`
        cluster
          .app('b')
          .log.submit('words', new TextEncoder().encode(text))
          .then(
            () => acknowledged.push(text),
            () => {},
          )
        await cluster.world.run(0.3)
      }
      for (const node of cluster.nodes) node.crash('power')
      expect(acknowledged.length).toBeGreaterThan(0)
      await cluster.start('a', 'b', 'c')
      const words = new Set(cluster.app('a').words.words.flatMap((each) => each.split(' ')))
      for (const text of acknowledged) expect(words).toContain(text)
    }
  })
})
