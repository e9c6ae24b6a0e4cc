import { type PartitionId, relationId, type Version } from '@cluster/core'
import { expect, test } from '@jest/globals'
import type { Context } from '../src/driver/context.ts'
import { Reader } from '../src/driver/read/reader.ts'
import type { Replicas } from '../src/driver/replica/replicas.ts'
import { encodeEnd } from '../src/driver/wire.ts'
import type { DatabaseRecord } from '../src/machine/state.ts'
import { settings } from '../src/options.ts'
import { id } from './support/test-cluster.ts'

test('a scan ends its half of each stream: a link has only so many of them', async () => {
  let open = 0
  const openStream = async () => {
    open++
    return {
      close: async () => void open--,
      abort: () => {},
      async *[Symbol.asyncIterator]() {
        yield encodeEnd()
      },
    }
  }
  const context = {
    self: id('a'),
    stopped: false,
    ports: { peers: { openStream }, clock: { now: () => 0, after: () => () => {} }, logger: { log() {} } },
    settings: settings({}),
    rowsFromOthers: 0,
    check: () => {},
    partition: () => ({ replicas: [{ node: id('b'), complete: true }] }),
    livingHolders: () => [id('b')],
  } as unknown as Context
  const reader = new Reader(context, { serving: () => null } as unknown as Replicas)
  const scan = {
    type: 'scan',
    database: 1,
    partitions: [1 as PartitionId],
    relation: relationId(16),
    range: {},
    version: 1 as Version,
    columns: null,
    reverse: false,
    limit: null,
    ordered: false,
  } as const
  for (let i = 0; i < 3; i++) {
    const source = await reader.scan({ id: 1, name: 'd' } as DatabaseRecord, scan, {})
    expect(await source.next()).toBeNull()
  }
  expect(open).toBe(0)
})
