import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { fileURLToPath } from 'node:url'
import { join } from '@cluster/node'

// Four nodes on this machine: this process looks on, the other three stand for an office.

const FIRST_PORT = 21_000 + (process.pid % 20_000)
const CANDIDATE = fileURLToPath(new URL('./candidate.ts', import.meta.url))
const STEPS = 5

type Word =
  | { readonly say: 'ready' }
  | { readonly say: 'elected'; readonly token: number }
  | { readonly say: 'refused'; readonly why: string }

/** What the candidates say, and who waits for it. */
class Hall {
  readonly #said: { readonly by: ChildProcess; readonly word: Word }[] = []
  #ring: () => void = () => {}

  hear(candidate: ChildProcess): void {
    candidate.on('message', (word) => {
      this.#said.push({ by: candidate, word: word as Word })
      this.#ring()
    })
  }

  /** The next one that says it. */
  async next<Say extends Word['say']>(
    say: Say,
  ): Promise<{ by: ChildProcess; word: Extract<Word, { say: Say }> }> {
    for (;;) {
      const at = this.#said.findIndex(({ word }) => word.say === say)
      const [found] = at < 0 ? [] : this.#said.splice(at, 1)
      if (found !== undefined) return found as { by: ChildProcess; word: Extract<Word, { say: Say }> }
      await new Promise<void>((resolve) => {
        this.#ring = resolve
      })
    }
  }
}

const folder = await mkdtemp(path(tmpdir(), 'cluster-election-'))
const addresses = [0, 1, 2, 3].map((i) => `127.0.0.1:${FIRST_PORT + i}`)
const optionsOf = (i: number) => ({
  data: path(folder, String(i)),
  listen: addresses.slice(i, i + 1),
  seeds: addresses,
})

const hall = new Hall()
const candidates: ChildProcess[] = []
try {
  const cluster = await join({ name: 'election', mdns: false, locks: { busyMs: 0 }, ...optionsOf(0) })
  const db = await cluster.database('work', { redundancy: 2 })
  await db.sql`CREATE TABLE steps (id serial PRIMARY KEY, token bigint NOT NULL, step integer NOT NULL, pid integer NOT NULL)`
  for (const i of [1, 2, 3]) {
    const candidate = fork(CANDIDATE, [JSON.stringify(optionsOf(i))])
    candidates.push(candidate)
    hall.hear(candidate)
  }
  for (const _ of candidates) await hall.next('ready')
  console.log('four nodes are up; three of them stand for the office')
  cluster.election('scheduler').observe((leader) => {
    console.log(
      leader === null ? '  nobody leads' : `  ${leader.node.slice(-8)} leads, token ${leader.token}`,
    )
  })

  /** Waits until whoever has that token has done so many steps. */
  const worked = async (token: number): Promise<void> => {
    for (;;) {
      const [row] = await db.sql`SELECT count(*) AS steps FROM steps WHERE token = ${token}`
      if (Number(row?.['steps']) >= STEPS) return
      await new Promise((resolve) => {
        setTimeout(resolve, 50)
      })
    }
  }

  const first = await hall.next('elected')
  await worked(first.word.token)
  console.log('the leader is killed')
  const killedAt = performance.now()
  first.by.kill('SIGKILL')
  const second = await hall.next('elected')
  console.log(`the next one leads after ${Math.round(performance.now() - killedAt)} ms`)
  await worked(second.word.token)
  console.log('the leader is stopped in the middle of its work, for longer than its lease')
  second.by.kill('SIGSTOP')
  const third = await hall.next('elected')
  await worked(third.word.token)
  console.log('it is woken up, takes itself for the leader, and writes')
  second.by.kill('SIGCONT')
  const { word } = await hall.next('refused')
  console.log(`it was refused: ${word.why}`)

  const rows =
    await db.sql`SELECT token, count(*) AS steps, max(step) AS last FROM steps GROUP BY token ORDER BY token`
  for (const { token, steps, last } of rows) {
    console.log(`token ${token}: ${steps} steps`)
    if (Number(steps) !== Number(last)) throw new Error('a step is missing')
  }
  if (rows.length !== 3) throw new Error('three leaders have worked')
  for (const candidate of [second.by, third.by]) {
    const gone = once(candidate, 'exit')
    candidate.send('stop')
    await gone
  }
  await cluster.stop()
} finally {
  for (const candidate of candidates) candidate.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
}
