import {
  logIndex,
  type PartitionStore,
  type Row,
  type RowBatch,
  relationId,
  type ScanRequest,
  type StorageEngine,
} from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import {
  type ModelStorageDisk,
  mirrorStorage,
  modelStorage,
  type StorageFixture,
  storageSuite,
} from '../src/index.ts'

const onDisk = (disk: ModelStorageDisk): StorageFixture => ({
  engine: modelStorage(disk),
  restart: async () => onDisk(new Map(disk)),
})

describe('the naive model', () => {
  storageSuite({ describe, test, expect }, async () => onDisk(new Map()))
})

describe('a mirror', () => {
  const mirrored = (disks: readonly [ModelStorageDisk, ModelStorageDisk]): StorageFixture => ({
    engine: mirrorStorage(modelStorage(disks[0]), modelStorage(disks[1])),
    restart: async () => mirrored([new Map(disks[0]), new Map(disks[1])]),
  })
  storageSuite({ describe, test, expect }, async () => mirrored([new Map(), new Map()]))
})

const ITEMS = relationId(16)
const v = logIndex

/** An engine that answers like the model but for what `lies` puts in its place. */
function liar(lies: (store: PartitionStore) => Partial<PartitionStore>): StorageEngine {
  const wrap = (store: PartitionStore): PartitionStore => {
    const told = lies(store)
    return new Proxy(store, {
      get: (target, name) => {
        const value = Reflect.get(told, name) ?? Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
  const model = modelStorage()
  return {
    ...model,
    open: async (name) => wrap(await model.open(name)),
    import: async (name, version, chunks) => wrap(await model.import(name, version, chunks)),
  }
}

async function mirrorOf(lies: (store: PartitionStore) => Partial<PartitionStore>): Promise<PartitionStore> {
  const store = await mirrorStorage(liar(lies), modelStorage()).open('db/1')
  store.apply(v(1), [
    { relation: ITEMS, key: 'a', row: [1, 'tea'] },
    { relation: ITEMS, key: 'b', row: [2, 'milk'] },
  ])
  store.apply(v(2), [{ relation: ITEMS, key: 'a', row: [0, new Uint8Array([7])] }])
  return store
}

/** A scan of the store with each batch changed. */
const changed =
  (store: PartitionStore, change: (batch: RowBatch) => RowBatch | null) =>
  (request: ScanRequest): Iterable<RowBatch> =>
    [...store.scan(request)].flatMap((batch) => change(batch) ?? [])

describe('a mirror of an engine that lies', () => {
  const all = { relation: ITEMS, range: {}, version: v(2) }
  const lies: readonly [
    what: string,
    lie: (store: PartitionStore) => Partial<PartitionStore>,
    ask: (store: PartitionStore) => unknown,
    message: RegExp,
  ][] = [
    [
      'a row that is not there',
      () => ({ get: () => null }),
      (store) => store.get(ITEMS, 'b', v(2)),
      /get of "b" in relation 16 at version 2 of db\/1 gives null by the first, but \[2,"milk"\] by the second/,
    ],
    [
      'a row of another version',
      (store) => ({ get: (relation, key) => store.get(relation, key, v(1)) }),
      (store) => store.get(ITEMS, 'a', v(2)),
      /gives \[1,"tea"\] by the first, but \[0,"bytes 7"\] by the second/,
    ],
    [
      'a zero with another sign',
      () => ({ get: (): Row => [-0, new Uint8Array([7])] }),
      (store) => store.get(ITEMS, 'a', v(2)),
      /gives \["-0","bytes 7"\] by the first, but \[0,"bytes 7"\]/,
    ],
    [
      'other bytes',
      () => ({ get: (): Row => [0, new Uint8Array([8])] }),
      (store) => store.get(ITEMS, 'a', v(2)),
      /"bytes 8".*"bytes 7"/,
    ],
    [
      'a scan without its last row',
      (store) => ({
        scan: changed(store, ({ keys, columns }) => ({
          length: 1,
          keys: keys.slice(0, 1),
          columns: columns.map((column) => column.slice(0, 1)),
        })),
      }),
      (store) => [...store.scan(all)],
      /row 1 of scan .* of db\/1 gives no row by the first, but \["b",2,"milk"\] by the second/,
    ],
    [
      'a scan of nothing',
      (store) => ({ scan: changed(store, () => null) }),
      (store) => [...store.scan(all)],
      /row 0 of scan .* gives no row by the first/,
    ],
    [
      'a scan with a row too many',
      (store) => ({
        scan: changed(store, ({ length, keys, columns }) => ({
          length: length + 1,
          keys: [...keys, 'z'],
          columns: columns.map((column) => [...column, null]),
        })),
      }),
      (store) => [...store.scan({ ...all, columns: [1] })],
      /row 2 of scan .* gives \["z",null\] by the first, but no row by the second/,
    ],
    [
      'a scan in another order',
      (store) => ({
        scan: changed(store, ({ length, keys, columns }) => ({
          length,
          keys: keys.toReversed(),
          columns: columns.map((column) => column.toReversed()),
        })),
      }),
      (store) => [...store.scan(all)],
      /row 0 of scan .* gives \["b",2,"milk"\] by the first, but \["a",/,
    ],
    [
      'a wrong count',
      () => ({ count: () => 3 }),
      (store) => store.count(ITEMS),
      /count of relation 16 of db\/1 gives 3 by the first, but 2 by the second/,
    ],
    [
      'an export of another version',
      (store) => ({ export: () => store.export(v(1)) }),
      async (store) => {
        for await (const chunk of store.export(v(2))) expect(chunk.length).toBeGreaterThan(0)
      },
      /row 0 of export of version 2 of db\/1 gives \[16,"a",1,"tea"\] by the first, but \[16,"a",0,"bytes 7"\]/,
    ],
    [
      'an error where there is an answer',
      () => ({
        get() {
          throw new Error('no')
        },
      }),
      (store) => store.get(ITEMS, 'a', v(2)),
      /gives the error Error: no by the first, but an answer by the second/,
    ],
    [
      'a checkpoint of less than was applied',
      () => ({ checkpoint: async () => v(1) }),
      (store) => store.checkpoint(),
      /checkpoint of version 2 of db\/1 gives 1 by the first, but 2 by the second/,
    ],
  ]

  for (const [what, lie, ask, message] of lies) {
    test(`stops at ${what}`, async () => {
      const store = await mirrorOf(lie)
      await expect((async () => ask(store))()).rejects.toThrow(message)
      // From then on there are no answers any more.
      expect(() => store.count(ITEMS)).toThrow(message)
    })
  }

  test('says nothing while the lie is not told', async () => {
    const store = await mirrorOf(() => ({ count: () => 3 }))
    expect(store.get(ITEMS, 'a', v(1))).toEqual([1, 'tea'])
    expect([...store.scan(all)].flatMap((batch) => batch.keys)).toEqual(['a', 'b'])
    expect(await store.checkpoint()).toBe(2)
  })
})
