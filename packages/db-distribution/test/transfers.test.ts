import type { PartitionId, PartitionStore, Version } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import { Context } from '../src/driver/context.ts'
import { Server } from '../src/driver/read/server.ts'
import { LocalReplica } from '../src/driver/replica/local-replica.ts'
import type { Replicas } from '../src/driver/replica/replicas.ts'
import { Bell } from '../src/driver/waiting.ts'
import { decodeFrame, decodeRows, encodeExport, encodeRows, encodeScan } from '../src/driver/wire.ts'
import { DatabasesMachine } from '../src/machine/machine.ts'
import { settings } from '../src/options.ts'
import { ModelStorageDisk, modelStorage } from './support/model-storage.ts'
import { ITEMS, id, TestCluster } from './support/test-cluster.ts'

const ROWS: readonly (readonly [number, string])[] = Array.from({ length: 50 }, (_, i) => [i, `row ${i}`])

describe('copies', () => {
  test('are given at an index of another machine, where the databases stood still', async () => {
    // This node has applied 10; no command of the databases was among the last ones.
    const ports = {
      log: { self: id('a'), appliedIndex: () => 10 },
      logger: { log() {} },
      clock: { now: () => 0, after: () => () => {} },
    }
    const context = new Context(ports as never, settings({}), new DatabasesMachine())
    const store = await modelStorage(new ModelStorageDisk()).open('p')
    const { stream } = new Server(context, {
      serving: () => store,
      get: () => undefined,
    } as unknown as Replicas).handlers()
    const frames: Uint8Array[] = []
    await new Promise<void>((resolve) => {
      const sink = {
        send: async (frame: Uint8Array) => void frames.push(frame),
        close: async () => resolve(),
      }
      const request = { database: 1, partition: 1 as PartitionId, version: 5 as Version }
      stream?.(id('b'), encodeExport(request), sink as never)
    })
    expect(frames.map((frame) => decodeFrame(frame))).toMatchObject([
      { type: 'copy', version: 5 },
      { type: 'chunk' },
      { type: 'end' },
    ])
  })

  test('count once what was queued behind them is on disk, too', async () => {
    const disk = new ModelStorageDisk()
    const engine = modelStorage(disk)
    const partition = 1 as PartitionId
    const replica = new LocalReplica({ id: 1, uid: 'u' }, partition, 3, 1_000, () => null)
    replica.phase = 'copying'
    replica.restartQueue(5)
    const program = (): never => {
      throw new Error('it has rows')
    }
    const part = {
      partition,
      relations: [ITEMS],
      keys: ['k'],
      added: new Map(),
      rows: () => [['queued']],
      additions: () => new Map(),
      program,
      bytes: 10,
    }
    expect(replica.write(7 as Version, part, 'commit')).toEqual({ type: 'written' })
    const nothing = async function* () {}
    const store = await engine.import(replica.name, 6 as Version, nothing())
    expect(replica.adopt(store, true)).toBe(true)
    expect(replica.phase).toBe('ready')
    // The log may be cut at 7 by now: what is on disk ends at 6.
    expect(replica.solid).toBe(false)
    await store.checkpoint()
    expect(replica.solid).toBe(true)
    expect((await engine.open(replica.name)).get(ITEMS, 'k', 7 as Version)).toEqual(['queued'])
  })

  test('that are under way keep the log on every node from their assignment on', async () => {
    const cluster = new TestCluster({ nodes: ['a', 'b'] })
    await cluster.start('a')
    await cluster.write('a', ROWS)
    const database = await cluster.open('a')
    await cluster.settle(cluster.app('a').databases.checkpoint())
    await cluster.start('b')
    await cluster.until(() => database.status().replicas.some(({ node }) => node === id('b')))
    const assigned = cluster.app('a').log.appliedIndex()
    cluster.log.hold('b')
    await cluster.write('a', ROWS)
    await cluster.settle(cluster.app('a').databases.checkpoint())
    await cluster.world.run(2_000)
    expect(cluster.machine('a').durableIndex()).toBeLessThanOrEqual(assigned)
  })
})

describe('a holder that serves a scan', () => {
  test('leaves nothing pinned when one of the partitions has trimmed the version', async () => {
    let pinned = 0
    const store = (gone: boolean) =>
      ({
        pin: () => {
          if (gone) throw new Error('gone')
          pinned++
          return { release: () => pinned-- }
        },
      }) as unknown as PartitionStore
    const stores = [store(false), store(false), store(true)]
    const ports = {
      log: { self: id('a'), appliedIndex: () => 10 },
      logger: { log() {} },
      clock: {},
    }
    const context = new Context(ports as never, settings({}), new DatabasesMachine())
    const replicas = { serving: (_: number, partition: number) => stores[partition] } as unknown as Replicas
    const { stream } = new Server(context, replicas).handlers()
    const frames: Uint8Array[] = []
    const ended = new Promise<void>((resolve) => {
      const sink = {
        send: async (frame: Uint8Array) => void frames.push(frame),
        close: async () => resolve(),
      }
      const opening = encodeScan({
        database: 1,
        version: 5 as Version,
        relation: ITEMS,
        range: {},
        partitions: [0, 1, 2] as PartitionId[],
        ordered: false,
        reverse: false,
        columns: null,
        limit: null,
      })
      stream?.(id('b'), opening, sink as never)
    })
    await ended
    expect(frames.map((frame) => decodeFrame(frame).type)).toEqual(['failed'])
    expect(pinned).toBe(0)
  })
})

describe('a reader that takes nothing', () => {
  test('is given up, and its version is let go', async () => {
    const cluster = new TestCluster({ nodes: ['a', 'b'], databases: { pinMs: 2_000 } })
    await cluster.start('a', 'b')
    const many = Array.from({ length: 3_000 }, (_, i): [number, string] => [i, 'x'.repeat(3_000)])
    await cluster.open('a', { partitions: 1 })
    await cluster.write('a', many)
    await cluster.applied()
    const { peers, log } = cluster.app('b')
    const opening = encodeScan({
      database: 1,
      version: log.appliedIndex(),
      relation: ITEMS,
      range: {},
      partitions: [1] as PartitionId[],
      ordered: false,
      reverse: false,
      columns: null,
      limit: null,
    })
    await cluster.settle(peers.openStream(id('a'), 'db', opening))
    await cluster.until(() => cluster.said('a stream of rows ended early') > 0, 10_000)
  })
})

describe('a reply of rows', () => {
  test('has as many as make a frame, and at least one', () => {
    const rows = Array.from({ length: 200 }, () => ['x'.repeat(60_000)])
    const reply = encodeRows(rows)
    expect(reply.length).toBeLessThan(400_000)
    const some = decodeRows(reply, rows.length)
    expect(some.length).toBeGreaterThan(0)
    expect(some).toEqual(rows.slice(0, some.length))
  })
})

describe('a bell', () => {
  test('forgets who waited long enough', async () => {
    const bell = new Bell()
    const clock = {
      after: (_: number, run: () => void) => {
        queueMicrotask(run)
        return () => {}
      },
    }
    for (let i = 0; i < 10; i++) await bell.next(clock as never, 1)
    await expect(bell.next(clock as never, 1, AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' })
    expect(bell.waiting).toBe(0)
  })
})
