import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { nothingHappened, type SeedReport } from '../../packages/node/test/sim/report.ts'
import { readProgress, sourceDigest, writeProgress } from '../progress-file.ts'
import { Totals } from '../sim/totals.ts'

const report = (change: Partial<SeedReport> = {}): SeedReport => ({
  suite: 'serializer',
  seed: 1,
  problem: null,
  tooLittle: null,
  hash: '0',
  nodes: 3,
  virtualMs: 60_000,
  events: 10,
  operations: { called: 500, acknowledged: 400, rejected: 60, unknown: 40, repeated: 3 },
  errors: { DEADLINE: 2 },
  faults: { kill: 2 },
  happenings: { ...nothingHappened, elections: 4 },
  tail: [],
  ...change,
})

describe('totals of many seeds', () => {
  test('say what is rare, from 100 seeds on', () => {
    const totals = new Totals()
    for (let seed = 1; seed < 100; seed++) totals.add(report({ seed }), 1)
    expect(totals.rare()).toEqual([])
    totals.add(report({ faults: { kill: 1, split: 1 } }), 1)
    const rare = totals.rare()
    expect(rare).toContain('isolate in 0 of 100 seeds')
    expect(rare.some((line) => line.startsWith('kill in'))).toBe(false)
    expect(rare.some((line) => line.startsWith('split in'))).toBe(false)
    // No seed of the other suite was played, so what only that one shows is not missed.
    expect(rare.some((line) => line.startsWith('takeOvers'))).toBe(false)
  })

  test('do not miss what a suite cannot show', () => {
    const totals = new Totals()
    for (let seed = 0; seed < 100; seed++) totals.add(report({ seed, suite: 'locks' }), 1)
    expect(totals.rare().some((line) => line.startsWith('repeated'))).toBe(false)
    for (let seed = 0; seed < 100; seed++) totals.add(report({ seed, suite: 'objects' }), 1)
    expect(totals.rare()).toContain('repeated in 0 of 100 seeds')
  })

  test('leave out seeds in which too little happened, and complain of too many of them', () => {
    const totals = new Totals()
    for (let seed = 0; seed < 94; seed++) totals.add(report({ seed }), 1)
    for (let seed = 0; seed < 5; seed++) totals.add(report({ tooLittle: 'few operations' }), 1)
    expect(totals.seeds).toBe(94)
    expect(totals.tooLittle).toBe(5)
    totals.add(report({ tooLittle: 'few operations' }), 1)
    expect(totals.rare().at(-1)).toMatch(/6 of 100 seeds do not count/)
    // One that failed always counts.
    totals.add(report({ tooLittle: 'few operations', problem: 'lost' }), 1)
    expect(totals.seeds).toBe(95)
  })

  test('go on from where they were', () => {
    const [once, twice] = [new Totals(), new Totals()]
    for (let seed = 0; seed < 7; seed++) once.add(report({ seed }), 5)
    for (let seed = 0; seed < 3; seed++) twice.add(report({ seed }), 5)
    const kept = JSON.parse(JSON.stringify(twice.state())) as ReturnType<Totals['state']>
    const goneOn = new Totals(kept)
    for (let seed = 3; seed < 7; seed++) goneOn.add(report({ seed }), 5)
    expect(goneOn.lines()).toEqual(once.lines())
  })
})

describe('the file of a long run', () => {
  test('is read again, and refused when the source or the seeds are others', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sim-'))
    try {
      const file = join(folder, 'progress')
      const run = { source: 'a', suites: ['serializer'], from: 1, seeds: 10 }
      expect(readProgress(file, run)).toBeNull()
      const progress = { ...run, done: 3, also: [5], totals: new Totals().state(), failures: [] }
      writeProgress(file, progress)
      expect(readProgress(file, run)).toEqual(progress)
      expect(() => readProgress(file, { ...run, source: 'b' })).toThrow(/of a run with source a/)
      expect(() => readProgress(file, { ...run, seeds: 11 })).toThrow(/seeds 10/)
      writeFileSync(file, 'torn')
      expect(() => readProgress(file, run)).toThrow()
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('knows the source by all of its files', () => {
    const root = mkdtempSync(join(tmpdir(), 'sim-'))
    try {
      const folder = join(root, 'packages/some/src/deep')
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, 'a.ts'), 'one')
      const first = sourceDigest(root)
      writeFileSync(join(root, 'packages/some/README.md'), 'no source')
      expect(sourceDigest(root)).toBe(first)
      writeFileSync(join(folder, 'a.ts'), 'two')
      expect(sourceDigest(root)).not.toBe(first)
    } finally {
      rmSync(root, { recursive: true })
    }
  })
})
