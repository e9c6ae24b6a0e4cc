import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { modelStorage } from '@cluster/testkit'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { lmdbStorage } from '../../src/index.ts'
import { clock, ITEMS, type Report, rowsOf, v, writesOf } from './rows.ts'

// Real processes and disks on a machine that may be busy.
jest.setTimeout(60_000)

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cluster-lmdb-crash-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const program = [
  '--conditions=source',
  '--disable-warning=ExperimentalWarning',
  join(import.meta.dirname, 'program.ts'),
]

/** What the store must answer at the version: the naive engine's answer. */
async function expectedAt(version: number): Promise<{ readonly rows: string; readonly count: number }> {
  const store = await modelStorage().open('p')
  for (let i = 1; i <= version; i++) store.apply(v(i), writesOf(i))
  return { rows: rowsOf(store, version), count: store.count(ITEMS) }
}

test('a process killed −9 in the middle of its checkpoints comes back with one of them, whole', async () => {
  const place = join(folder, 'killed')
  let known = 0
  for (let round = 0; round < 5; round++) {
    const child = spawn(process.execPath, [...program, place], { stdio: ['ignore', 'pipe', 'inherit'] })
    // Killed behind a few checkpoints, in the middle of whatever comes next.
    let left = 2 + round * 2
    for await (const line of createInterface({ input: child.stdout })) {
      known = (JSON.parse(line) as Report).durable
      if (--left === 0) child.kill('SIGKILL')
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    const store = await lmdbStorage({ folder: place })({ clock }).open('p')
    const version = store.appliedVersion()
    expect(version).toBeGreaterThanOrEqual(known)
    const expected = await expectedAt(version)
    expect(rowsOf(store, version)).toBe(expected.rows)
    expect(store.count(ITEMS)).toBe(expected.count)
    await store.close()
  }
})

test('a full disk fails the checkpoint and nothing else; with room again all is written', async () => {
  // A disk of its own size is a matter of the system; where this user may not have one, it cannot be tried.
  if (spawnSync('unshare', ['-rm', 'true']).status !== 0) return
  const place = join(folder, 'full')
  await mkdir(place)
  const mounted = 'mount -t tmpfs -o size=1536k tmpfs "$1" && shift && exec "$@"'
  const command = ['-rm', 'bash', '-c', mounted, 'bash', place, process.execPath, ...program, place, 'full']
  const child = spawn('unshare', command, { stdio: ['ignore', 'pipe', 'pipe'] })
  const reports: Report[] = []
  for await (const line of createInterface({ input: child.stdout })) reports.push(JSON.parse(line) as Report)
  const failure = reports.find(({ failed }) => failed !== null)
  expect(failure?.failed).toBe('DISK_FULL')
  expect(failure?.durable).toBeGreaterThan(0)
  // What did not get to the disk was still there to be read.
  expect(failure?.rows).toBe((await expectedAt((failure?.durable ?? 0) + 1)).rows)
  const expected = await expectedAt((failure?.durable ?? 0) + 2)
  expect(reports.slice(-2)).toEqual([
    { durable: (failure?.durable ?? 0) + 2, failed: 'DISK_FULL', rows: expected.rows },
    { durable: (failure?.durable ?? 0) + 2, failed: 'DISK_FULL', rows: expected.rows },
  ])
})
