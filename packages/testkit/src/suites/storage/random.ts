import { type Key, type PartitionStore, type Row, type RowWrite, relationId, type Value } from '@cluster/core'
import fc from 'fast-check'
import { mirrorStorage } from '../../model/mirror-storage.ts'
import { type ModelStorageDisk, modelStorage } from '../../model/model-storage.ts'
import type { SuiteRunner } from '../runner.ts'
import { type CreateStorage, v } from './fixture.ts'

const RUNS = 40
const RELATIONS = [1, 2].map(relationId)

type Step =
  | { readonly type: 'apply'; readonly skip: number; readonly writes: readonly RowWrite[] }
  | { readonly type: 'load'; readonly from: number; readonly count: number }
  | { readonly type: 'get'; readonly relation: number; readonly key: Key; readonly back: number }
  | {
      readonly type: 'scan'
      readonly relation: number
      readonly from: Key | null
      readonly to: Key | null
      readonly back: number
      readonly reverse: boolean
      readonly columns: readonly number[]
      readonly limit: number | null
    }
  | { readonly type: 'trim' | 'pin' | 'copy'; readonly back: number }
  | { readonly type: 'count' | 'release' | 'checkpoint' | 'begin checkpoint' | 'turn' | 'restart' }

const smallKey: fc.Arbitrary<Key> = fc
  .tuple(fc.constantFrom('', '\x00', 'a', 'ab', '\xff'), fc.nat({ max: 60 }))
  .map(([head, n]) => head + String.fromCharCode(n * 4))
const someKey = fc.oneof(
  { weight: 20, arbitrary: smallKey },
  fc.constantFrom('k'.repeat(2500), `${'k'.repeat(2500)}l`),
)
const someValue: fc.Arbitrary<Value> = fc.oneof(
  fc.integer({ min: -5, max: 500 }),
  fc.string({ maxLength: 8 }),
  fc.constantFrom(null, true, 10n ** 12n, -0, 'x'.repeat(900)),
)
const someRow: fc.Arbitrary<Row | null> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(someValue, someValue) },
  fc.constant(null),
)
const someWrite = fc.record({ relation: fc.constantFrom(...RELATIONS), key: someKey, row: someRow })
const back = fc.nat({ max: 6 })
const relation = fc.nat({ max: RELATIONS.length - 1 })

const someStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      type: fc.constant('apply' as const),
      skip: fc.nat({ max: 2 }),
      writes: fc.array(someWrite, { maxLength: 12 }),
    }),
  },
  fc.record({
    type: fc.constant('load' as const),
    from: fc.nat({ max: 3000 }),
    count: fc.nat({ max: 1500 }),
  }),
  { weight: 3, arbitrary: fc.record({ type: fc.constant('get' as const), relation, key: someKey, back }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('scan' as const),
      relation,
      from: fc.option(someKey),
      to: fc.option(someKey),
      back,
      reverse: fc.boolean(),
      columns: fc.subarray([0, 1, 2]),
      limit: fc.option(fc.nat({ max: 40 })),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constantFrom('trim' as const, 'pin' as const, 'copy' as const), back }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constantFrom(
        'count' as const,
        'release' as const,
        'checkpoint' as const,
        'begin checkpoint' as const,
        'turn' as const,
        'restart' as const,
      ),
    }),
  },
)

/** Random operations beside the naive model, each answer compared; a part of `storageSuite`. */
export function storageRandomSuite({ test }: SuiteRunner, create: CreateStorage): void {
  test('random operations give the same answers as a naive model', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(someStep, { maxLength: 60, size: 'max' }), (steps) => play(create, steps)),
      { numRuns: RUNS },
    )
  })
}

async function play(create: CreateStorage, steps: readonly Step[]): Promise<void> {
  const disk: ModelStorageDisk = new Map()
  let fixture = await create()
  let engine = mirrorStorage(fixture.engine, modelStorage(disk))
  let store = await engine.open('db/1')
  /** Everything that was ever applied, for the replay after a restart. */
  const log: { readonly version: number; readonly writes: readonly RowWrite[] }[] = []
  let pins: { release(): void }[] = []
  let checkpoints: Promise<unknown>[] = []
  const apply = (skip: number, writes: readonly RowWrite[]): void => {
    const version = store.appliedVersion() + 1 + skip
    log.push({ version, writes })
    store.apply(v(version), writes)
  }
  const at = (steps: number) => v(Math.max(store.oldestVersion(), store.appliedVersion() - steps))
  for (const step of steps) {
    switch (step.type) {
      case 'apply':
        apply(step.skip, step.writes)
        break
      case 'load':
        apply(0, loaded(step.from, step.count, log.length))
        break
      case 'get':
        store.get(RELATIONS[step.relation] ?? relationId(1), step.key, at(step.back))
        break
      case 'scan':
        drain(store, step, at(step.back))
        break
      case 'trim':
        store.trim(at(step.back))
        break
      case 'pin':
        pins.push(store.pin(at(step.back)))
        break
      case 'release':
        pins.shift()?.release()
        break
      case 'count':
        for (const id of RELATIONS) store.count(id)
        break
      case 'begin checkpoint':
        checkpoints.push(store.checkpoint())
        break
      case 'turn':
        await Promise.resolve()
        break
      case 'checkpoint':
        await store.checkpoint()
        break
      case 'copy': {
        const version = at(step.back)
        const copy = await engine.import('db/2', version, store.export(version))
        for (const id of RELATIONS) drain(copy, { relation: id === 1 ? 0 : 1 }, version)
        await copy.close()
        break
      }
      case 'restart': {
        await Promise.all(checkpoints)
        checkpoints = []
        pins = []
        const crashed = fixture
        const abandoned = store
        fixture = await crashed.restart()
        engine = mirrorStorage(fixture.engine, modelStorage(disk))
        store = await engine.open('db/1')
        await abandoned.close()
        for (const { version, writes } of log) store.apply(v(version), writes)
        break
      }
    }
  }
  await Promise.all(checkpoints)
  for (const id of [0, 1]) drain(store, { relation: id }, store.appliedVersion())
  // Whether a store that holds nothing leaves something on disk is up to the engine.
  if (store.durableVersion() > 0) await engine.list()
  await store.close()
}

/** A run of rows in key order, as a bulk load has them. */
function loaded(from: number, count: number, seed: number): RowWrite[] {
  return Array.from({ length: count }, (_, i) => ({
    relation: RELATIONS[0] ?? relationId(1),
    key: `n${String.fromCharCode(((from + i) >> 8) & 255, (from + i) & 255)}`,
    row: (from + i) % 11 === seed % 11 ? null : [from + i, `load ${seed}`],
  }))
}

function drain(
  store: PartitionStore,
  scan: Partial<Extract<Step, { type: 'scan' }>> & { readonly relation: number },
  version: ReturnType<typeof v>,
): void {
  const { from = null, to = null, reverse = false, columns = [0, 1], limit = null } = scan
  const request = {
    relation: RELATIONS[scan.relation] ?? relationId(1),
    range: { ...(from === null ? {} : { from }), ...(to === null ? {} : { to }) },
    version,
    reverse,
    columns,
    ...(limit === null ? {} : { limit }),
  }
  // The mirror compares; here the batches are only taken.
  for (const batch of store.scan(request)) if (batch.length === 0) throw new Error('a batch without rows')
}
