import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { fileURLToPath } from 'node:url'
import { join } from '@cluster/node'
import { jobsOf, resultsOf } from './jobs.ts'

// Three nodes on this machine: this process hands out jobs, two others do them, and one of these is killed in the middle.

const JOBS = 60
const FIRST_PORT = 21_000 + (process.pid % 20_000)
const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url))

const folder = await mkdtemp(path(tmpdir(), 'cluster-job-queue-'))
const addresses = [0, 1, 2].map((i) => `127.0.0.1:${FIRST_PORT + i}`)
const optionsOf = (i: number) => ({
  data: path(folder, String(i)),
  listen: addresses.slice(i, i + 1),
  seeds: addresses,
})

const startWorker = (i: number): ChildProcess =>
  fork(WORKER, [JSON.stringify({ name: `worker ${i}`, ...optionsOf(i) })])
const victim = startWorker(1)
const worker = startWorker(2)
try {
  const [cluster] = await Promise.all([
    join({ name: 'job-queue', mdns: false, expect: 3, ...optionsOf(0) }),
    ready(victim),
    ready(worker),
  ])
  console.log('three nodes are up')
  const jobs = jobsOf(cluster)
  const results = resultsOf(cluster)
  let done = 0
  const finished = new Promise<void>((resolve) => {
    results.watch(({ key, before, after }) => {
      if (before !== undefined) throw new Error(`job ${key} was done twice`)
      done++
      if (after && after.deliveries > 1) console.log(`job ${key} was done by ${after.by}, handed out anew`)
      if (done === JOBS / 3) {
        console.log(`worker 1 is killed after ${done} jobs`)
        victim.kill('SIGKILL')
      }
      if (done === JOBS) resolve()
    })
  })
  await jobs.push({ id: JOBS, upTo: -1 })
  await Promise.all(Array.from({ length: JOBS }, (_, id) => jobs.push({ id, upTo: 40_000 + id * 1_000 })))
  await finished
  while ((await jobs.size()).aside === 0) await new Promise((resolve) => setTimeout(resolve, 50))
  for (const { id, value, deliveries } of await jobs.setAside()) {
    console.log(`job ${value.id} was set aside after ${deliveries} attempts`)
    await jobs.discard(id)
  }
  const shares = new Map<string, number>()
  for await (const { by } of results.values()) shares.set(by, (shares.get(by) ?? 0) + 1)
  for (const [by, count] of [...shares].sort()) console.log(`${by} did ${count} jobs`)
  const { ready: waiting, taken } = await jobs.size()
  console.log(`${await results.size()} of ${JOBS} jobs are done, ${waiting + taken} are left`)
  worker.send('stop')
  await once(worker, 'exit')
  await cluster.stop()
} finally {
  for (const each of [victim, worker]) each.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
}

/** Rejects when it ends before it is. */
async function ready(child: ChildProcess): Promise<void> {
  const [message] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [null])])
  if (message !== 'ready') throw new Error('a worker ended before it was ready')
}
