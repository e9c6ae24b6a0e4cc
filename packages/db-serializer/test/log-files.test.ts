import { errorCode, logIndex, type Term } from '@cluster/core'
import { MemoryDisk } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { LogFiles } from '../src/driver/disk/log-files.ts'
import type { NewSnapshot } from '../src/driver/disk/log-store.ts'
import type { Entry, HardState, Lineage, PersistEffect, SnapshotMeta } from '../src/machine/raft/types.ts'
import { Crash, CrashDisk } from './crash-disk.ts'
import { TestRandom } from './raft-cluster.ts'

const history = {
  cluster: 'c1',
  lineage: 'l2',
  ancestry: [{ lineage: 'l1', index: 3, term: 1 }],
} as unknown as Lineage
const configuration = { voters: ['a', 'b'], learners: [], away: ['z'], provisional: false } as never

const hard = (term: number, committed = 0): HardState => ({
  history,
  term: term as Term,
  votedFor: null,
  alone: false,
  committed: logIndex(committed),
  founding: false,
})

const command = (index: number, term: number, bytes: number): Entry => ({
  index: logIndex(index),
  term: term as Term,
  time: index * 10,
  wall: 1_700_000_000_000.5,
  kind: 'command',
  data: Uint8Array.from({ length: bytes }, (_, at) => (index + at) & 255),
})

const meta = (index: number, term: number): SnapshotMeta => ({
  index: logIndex(index),
  term: term as Term,
  time: index * 10,
  configuration,
  configurationIndex: logIndex(1),
  history,
})

let tickets = 0
function persist(what: Partial<PersistEffect>): PersistEffect {
  tickets++
  // What waits for the disk is the driver's part.
  const then: PersistEffect['then'] = []
  return {
    type: 'persist',
    ticket: tickets,
    hardState: null,
    snapshot: null,
    truncateFrom: null,
    entries: [],
    then,
    ...what,
  }
}

/** A snapshot of these bytes, written beside the log. */
async function received(files: LogFiles, of: SnapshotMeta, bytes: Uint8Array): Promise<NewSnapshot> {
  const writer = await files.newSnapshot(of)
  await writer.add(bytes)
  return { path: writer.path, summary: await writer.finish() }
}

async function* pieces(...all: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* all
}

/** All bytes of the newest snapshot. */
async function stored(files: LogFiles): Promise<number[] | null> {
  const snapshot = await files.readSnapshot()
  if (snapshot === null) return null
  const bytes: number[] = []
  for await (const piece of snapshot.reader.pieces()) bytes.push(...piece)
  await snapshot.reader.close()
  return bytes
}

const none = (): NewSnapshot => {
  throw new Error('no snapshot was received')
}

const plain = (entries: readonly Entry[]): unknown[] =>
  entries.map((entry) => (entry.kind === 'command' ? { ...entry, data: [...entry.data] } : { ...entry }))

describe('the log files', () => {
  test('an empty folder holds nothing, and is left empty', async () => {
    const disk = new MemoryDisk()
    const files = await LogFiles.open(disk)
    expect(files.recovered).toEqual({ hardState: null, snapshot: null, entries: [] })
    expect(await stored(files)).toBeNull()
    await files.close()
    expect(await disk.list()).toEqual([])
  })

  test('give back every kind of entry, over several segments', async () => {
    const disk = new MemoryDisk()
    const files = await LogFiles.open(disk, { segmentBytesMax: 500 })
    const entries: Entry[] = [
      { index: logIndex(1), term: 1 as Term, time: 0, wall: 5, kind: 'configuration', configuration },
      { index: logIndex(2), term: 1 as Term, time: 0, wall: 5, kind: 'noop' },
      command(3, 1, 0),
    ]
    for (let index = 4; index <= 40; index++) entries.push(command(index, 2, index * 3))
    await files.write([persist({ hardState: hard(2, 1), entries: entries.slice(0, 3) })], none)
    for (const entry of entries.slice(3)) await files.write([persist({ entries: [entry] })], none)
    await files.close()
    expect((await disk.list()).filter((path) => path.startsWith('log-')).length).toBeGreaterThan(5)
    const again = await LogFiles.open(disk)
    expect(again.recovered.hardState).toEqual(hard(2, 1))
    expect(plain(again.recovered.entries)).toEqual(plain(entries))
  })

  test('replace the end of the log, across segments too', async () => {
    const disk = new MemoryDisk()
    const files = await LogFiles.open(disk, { segmentBytesMax: 300 })
    const old = Array.from({ length: 20 }, (_, at) => command(at + 1, 1, 50))
    await files.write([persist({ hardState: hard(1) })], none)
    for (const entry of old) await files.write([persist({ entries: [entry] })], none)
    const fresh = [command(6, 2, 9), command(7, 2, 9)]
    await files.write([persist({ hardState: hard(2), truncateFrom: logIndex(6), entries: fresh })], none)
    await files.close()
    const again = await LogFiles.open(disk, { segmentBytesMax: 300 })
    expect(plain(again.recovered.entries)).toEqual(plain([...old.slice(0, 5), ...fresh]))
    await again.write([persist({ truncateFrom: logIndex(1), entries: [command(1, 3, 1)] })], none)
    await again.write([persist({ hardState: hard(3) })], none)
    const third = await LogFiles.open(disk)
    expect(plain(third.recovered.entries)).toEqual(plain([command(1, 3, 1)]))
  })

  test('own snapshots let the segments before them go', async () => {
    const disk = new MemoryDisk()
    const files = await LogFiles.open(disk, { segmentBytesMax: 300 })
    await files.write([persist({ hardState: hard(1) })], none)
    for (let index = 1; index <= 30; index++)
      await files.write([persist({ entries: [command(index, 1, 50)] })], none)
    const before = (await disk.list()).length
    await files.saveSnapshot(meta(20, 1), pieces(new Uint8Array([1, 2, 3])), logIndex(18))
    await files.saveSnapshot(meta(25, 1), pieces(new Uint8Array([4, 5])), logIndex(23))
    expect((await disk.list()).length).toBeLessThan(before)
    expect((await disk.list()).filter((path) => path.startsWith('snapshot-')).length).toBe(1)
    await files.close()
    const again = await LogFiles.open(disk)
    expect(again.recovered.snapshot).toEqual(meta(25, 1))
    expect(await stored(again)).toEqual([4, 5])
    const first = again.recovered.entries[0]?.index ?? 0
    expect(first).toBeLessThanOrEqual(23)
    expect(first).toBeGreaterThan(15)
    expect(again.recovered.entries.at(-1)?.index).toBe(30)
  })

  test("a leader's snapshot replaces the log, and the log goes on behind it", async () => {
    const disk = new MemoryDisk()
    const files = await LogFiles.open(disk)
    await files.write([persist({ hardState: hard(1), entries: [command(1, 1, 5), command(2, 1, 5)] })], none)
    const install = persist({ hardState: hard(4), snapshot: { ref: 9, meta: meta(50, 3) } })
    const snapshot = await received(files, meta(50, 3), new Uint8Array([9]))
    await files.write([install, persist({ entries: [command(51, 4, 5)] })], () => snapshot)
    const again = await LogFiles.open(disk)
    expect(again.recovered.snapshot).toEqual(meta(50, 3))
    expect(await stored(again)).toEqual([9])
    expect(again.recovered.entries.map((entry) => entry.index)).toEqual([51])
  })

  test('what a killed process left unsynced is synced before it counts as durable', async () => {
    const disk = new CrashDisk(new TestRandom(1))
    const files = await LogFiles.open(disk)
    await files.write([persist({ hardState: hard(1), entries: [command(1, 1, 5)] })], none)
    const [path] = (await disk.list()).filter((name) => name.startsWith('log-'))
    const file = disk.files.get(path ?? '')
    if (file === undefined) throw new Error('there is no segment')
    // The process is killed between the append and the sync.
    file.durable = 60
    const again = await LogFiles.open(disk)
    expect(again.recovered.entries.map((entry) => entry.index)).toEqual([1])
    expect(file.durable).toBe(file.bytes.length)
  })

  test('neighbouring writes of entries share one sync', async () => {
    const disk = new CrashDisk(new TestRandom(1))
    const files = await LogFiles.open(disk)
    await files.write([persist({ hardState: hard(1), entries: [command(1, 1, 5)] })], none)
    const before = disk.syncs
    await files.write(
      [2, 3, 4, 5].map((index) => persist({ entries: [command(index, 1, 100)] })),
      none,
    )
    expect(disk.syncs - before).toBe(1)
  })

  test('clearing leaves an empty folder, even when it is interrupted', async () => {
    for (let operations = 1; operations < 12; operations++) {
      const disk = new CrashDisk(new TestRandom(operations))
      const files = await LogFiles.open(disk, { segmentBytesMax: 100 })
      await files.write([persist({ hardState: hard(1) })], none)
      for (let index = 1; index < 6; index++)
        await files.write([persist({ entries: [command(index, 1, 90)] })], none)
      await files.saveSnapshot(meta(2, 1), pieces(new Uint8Array(4)), logIndex(2))
      disk.operationsLeft = operations
      const done = await files.clear().then(
        () => true,
        (error: unknown) => {
          expect(error).toBeInstanceOf(Crash)
          return false
        },
      )
      disk.crash()
      const again = await LogFiles.open(disk)
      // Interrupted before its first write was durable, it has not begun.
      if (done || again.recovered.hardState === null) expect(await disk.list()).toEqual([])
      else expect(again.recovered.entries.length).toBe(4)
    }
  })

  test('say which format they do not read', async () => {
    const disk = new CrashDisk(new TestRandom(1))
    const files = await LogFiles.open(disk)
    await files.write([persist({ hardState: hard(1), entries: [command(1, 1, 5)] })], none)
    const segment = disk.files.get('log-0000000000000001')
    if (segment === undefined) throw new Error('no segment')
    const { encodeSegmentHeader } = await import('../src/driver/disk/records.ts')
    const { crc32c } = await import('@cluster/core')
    const header = encodeSegmentHeader(1, 'c1')
    const view = new DataView(header.buffer)
    view.setUint16(4, 2, true)
    view.setUint32(header.length - 4, crc32c(header.subarray(0, header.length - 4)), true)
    segment.bytes.set(header)
    const error = await LogFiles.open(disk).catch((caught: unknown) => caught)
    expect(errorCode(error)).toBe('DISK_FORMAT')
    expect(String(error)).toContain('format version 2')
  })

  test('refuse files of another cluster, and a log without its hard state', async () => {
    const disk = new CrashDisk(new TestRandom(1))
    const files = await LogFiles.open(disk)
    await files.write([persist({ hardState: hard(1), entries: [command(1, 1, 5)] })], none)
    const other = new CrashDisk(new TestRandom(2))
    const otherFiles = await LogFiles.open(other)
    const elsewhere = { ...hard(1), history: { ...history, cluster: 'c2' as never } }
    await otherFiles.write([persist({ hardState: elsewhere, entries: [command(1, 1, 5)] })], none)
    const path = 'log-0000000000000001'
    const strange = other.files.get(path)
    if (strange !== undefined) disk.files.set(path, strange)
    await expect(LogFiles.open(disk)).rejects.toThrow('belongs to another cluster')
    other.files.delete('hard')
    await expect(LogFiles.open(other)).rejects.toThrow('term, vote and lineage are missing')
  })
})

/** What the folder must hold, kept in plain lists. */
interface Model {
  base: number
  entries: Entry[]
  hardState: HardState | null
  snapshot: SnapshotMeta | null
  /** The end of the log before the newest batch. */
  before: number
}

const end = (model: Model): number => model.entries.at(-1)?.index ?? model.base

function randomWrite(random: TestRandom, model: Model): PersistEffect {
  const term = model.hardState?.term ?? 1
  const last = end(model)
  const lowest = Math.max(model.base, model.snapshot?.index ?? 0)
  if (random.below(8) === 0) {
    const state = hard(term + 1)
    const conflict = random.below(2) === 0 && last > lowest
    if (!conflict) return persist({ hardState: state })
    const from = lowest + 1 + random.below(last - lowest)
    return persist({
      hardState: state,
      truncateFrom: logIndex(from),
      entries: [command(from, term + 1, random.below(200))],
    })
  }
  const count = 1 + random.below(4)
  return persist({
    entries: Array.from({ length: count }, (_, at) => command(last + 1 + at, term, random.below(200))),
  })
}

function applyTo(model: Model, write: PersistEffect): void {
  if (write.hardState !== null) model.hardState = write.hardState
  if (write.snapshot !== null) {
    model.snapshot = write.snapshot.meta
    model.base = write.snapshot.meta.index
    model.entries = []
  }
  const from = write.truncateFrom
  if (from !== null) model.entries = model.entries.filter((entry) => entry.index < from)
  model.entries.push(...write.entries)
}

/** Entries after `index`, in a form that compares. */
const after = (entries: readonly Entry[], index: number): string =>
  JSON.stringify(plain(entries.filter((entry) => entry.index > index)))

async function fill(
  random: TestRandom,
  disk: CrashDisk,
  rounds: number,
): Promise<{ files: LogFiles; model: Model }> {
  const files = await LogFiles.open(disk, { segmentBytesMax: 600 })
  const model: Model = { base: 0, entries: [], hardState: null, snapshot: null, before: 0 }
  const first = persist({ hardState: hard(1) })
  await files.write([first], none)
  applyTo(model, first)
  for (let round = 0; round < rounds; round++) {
    model.before = end(model)
    const writes: PersistEffect[] = []
    for (let i = random.below(3); i >= 0; i--) {
      const write = randomWrite(random, model)
      writes.push(write)
      applyTo(model, write)
      const cut = write.truncateFrom
      if (cut !== null) model.before = Math.min(model.before, cut - 1)
    }
    await files.write(writes, none)
    const last = end(model)
    if (random.below(10) === 0 && last > (model.snapshot?.index ?? 0)) {
      const entry = model.entries.at(-1)
      const snapshot = meta(last, entry?.term ?? model.snapshot?.term ?? 1)
      await files.saveSnapshot(
        snapshot,
        pieces(random.bytes(30)),
        logIndex(Math.max(1, last - random.below(5))),
      )
      model.snapshot = snapshot
      model.before = last
    }
  }
  return { files, model }
}

describe('the log files after a crash', () => {
  test('hold everything that was acknowledged, and a beginning of what was not', async () => {
    let crashes = 0
    for (let seed = 1; seed <= 400; seed++) {
      const random = new TestRandom(seed)
      const disk = new CrashDisk(random)
      const { files, model } = await fill(random, disk, 1 + random.below(8))
      disk.operationsLeft = 1 + random.below(12)
      // Everything the folder may hold: after each write, and any beginning of it that still has what is durable.
      const possible: { readonly model: Model; readonly least: number }[] = []
      let least = end(model)
      let hards = [model.hardState]
      const note = (): void => {
        possible.push({ model: { ...model, entries: [...model.entries] }, least })
      }
      note()
      let crashed = false
      for (let round = 0; round < 6 && !crashed; round++) {
        const writes: PersistEffect[] = []
        for (let i = random.below(3); i >= 0; i--) {
          const write =
            random.below(12) === 0
              ? persist({ snapshot: { ref: 1, meta: meta(end(model) + 5, model.hardState?.term ?? 1) } })
              : randomWrite(random, model)
          writes.push(write)
          const from = write.truncateFrom
          if (from !== null) {
            // Whole segments go first, so a part of the cut may be done.
            least = Math.min(least, from - 1)
            note()
          }
          applyTo(model, write)
          hards.push(model.hardState)
          if (write.snapshot !== null) least = end(model)
          note()
        }
        try {
          // Its file is written before the log is asked to take it, and may be cut short as well.
          const incoming: NewSnapshot[] = []
          for (const { snapshot } of writes)
            if (snapshot !== null) incoming.push(await received(files, snapshot.meta, random.bytes(10)))
          await files.write(writes, () => incoming.shift() ?? none())
          possible.length = 0
          least = end(model)
          hards = [model.hardState]
          note()
        } catch (error) {
          if (!(error instanceof Crash)) throw error
          crashed = true
        }
      }
      if (crashed) crashes++
      disk.crash()
      const { recovered } = await LogFiles.open(disk, { segmentBytesMax: 600 }).catch((error: unknown) => {
        throw new Error(`seed ${seed}: ${String(error)}`, { cause: error })
      })
      expect(hards).toContainEqual(recovered.hardState)
      const base = recovered.snapshot?.index ?? 0
      const last = recovered.entries.at(-1)?.index ?? base
      const fits = possible.some((candidate) => {
        if ((candidate.model.snapshot?.index ?? 0) !== base || last < candidate.least) return false
        const beginning = candidate.model.entries.filter((entry) => entry.index <= last)
        return last <= end(candidate.model) && after(recovered.entries, base) === after(beginning, base)
      })
      expect([seed, fits]).toEqual([seed, true])
    }
    expect(crashes).toBeGreaterThan(200)
  })

  test('a flipped bit or a cut file is never taken for the truth', async () => {
    let errors = 0
    let intact = 0
    for (let seed = 1; seed <= 600; seed++) {
      const random = new TestRandom(seed)
      const disk = new CrashDisk(random)
      const { files, model } = await fill(random, disk, 4 + random.below(8))
      if (random.below(2) === 0) await files.close()
      const paths = [...disk.files.keys()].sort()
      const path = paths[random.below(paths.length)] as string
      const file = disk.files.get(path)
      if (file === undefined || file.bytes.length === 0) continue
      if (random.below(3) === 0) file.bytes = file.bytes.slice(0, random.below(file.bytes.length))
      else {
        // The parts of the hard state's file are hardly filled; what is behind their content means nothing.
        const parts = path === 'hard' ? [0, 4096, 8192, 12_288, 16_384, 18_432] : []
        const part = parts[random.below(parts.length + 1)]
        const at = part === undefined ? random.below(file.bytes.length) : part + random.below(280)
        file.bytes[at] = (file.bytes[at] as number) ^ (1 << random.below(8))
      }
      const opened = await LogFiles.open(disk, { segmentBytesMax: 600 }).catch((error: unknown) => error)
      if (!(opened instanceof LogFiles)) {
        expect(['LOG_DAMAGED', 'DISK_FORMAT']).toContain(errorCode(opened))
        errors++
        continue
      }
      const { recovered } = opened
      const base = model.snapshot?.index ?? 0
      expect(recovered.hardState).toEqual(model.hardState)
      expect(recovered.snapshot).toEqual(model.snapshot)
      expect([seed, after(recovered.entries, base)]).toEqual([seed, after(model.entries, base)])
      intact++
    }
    expect(errors).toBeGreaterThan(200)
    expect(intact).toBeGreaterThan(50)
  })
})
