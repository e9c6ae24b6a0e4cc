import { setTimeout as pause } from 'node:timers/promises'
import { wire } from '@cluster/testkit'
import { MIB, residentBytes } from './memory.ts'
import type { Place } from './place.ts'

const COPIES = 100
const READERS = 20
const READ_MS = 3_000
/** What one result that nobody reads may cost: buffers of both ends, and the batch that is under way. */
const READER_BYTES_MAX = 8 * MIB
const RELEASE_MS_MAX = 10_000

/** Clients that go in the middle of a COPY, in a transaction of theirs: nothing of it stays, and what they held is free. */
export async function vanishInCopy({ port, startup }: Place): Promise<string[]> {
  const watcher = await wire.WireClient.ready(port, startup)
  const ask = async (text: string): Promise<string[]> => {
    watcher.send(wire.query(text))
    return watcher.untilReady()
  }
  await ask('CREATE TABLE copied (id int PRIMARY KEY, v text)')
  const half = Array.from({ length: 500 }, (_, i) => `${i}\t${'x'.repeat(100)}\n`).join('')
  await Promise.all(
    Array.from({ length: COPIES }, async (_, i) => {
      const client = await wire.WireClient.ready(port, startup)
      client.send(wire.query(`BEGIN; SELECT pg_advisory_lock(${1000 + i}); COPY copied FROM STDIN`))
      for (let asked = false; !asked; ) asked = (await client.next())?.type === 'G'
      client.send(wire.copyData(half), wire.copyData('501\thalf a li'))
      client.close()
    }),
  )
  const problems: string[] = []
  const free = `SELECT count(*) FILTER (WHERE pg_try_advisory_lock(1000 + g)) FROM generate_series(0, ${COPIES - 1}) g`
  const deadline = performance.now() + RELEASE_MS_MAX
  let held = ''
  do {
    held = (await ask(free))[1] ?? ''
    await ask('SELECT pg_advisory_unlock_all()')
  } while (held !== `row ${COPIES}` && performance.now() < deadline)
  if (held !== `row ${COPIES}`)
    problems.push(`locks of clients that went in a COPY: ${held} of ${COPIES} are free`)
  const [, left = ''] = await ask('SELECT count(*) FROM copied')
  if (left !== 'row 0') problems.push(`rows of clients that went in a COPY are there: ${left}`)
  watcher.close()
  console.log(`${COPIES} clients vanished in a COPY: their locks are free, none of their rows is there`)
  return problems
}

/** Clients that ask for more rows than any buffer holds and do not read them. */
export async function neverRead({ port, startup, pids }: Place, large: string): Promise<string[]> {
  const before = await residentBytes(pids)
  const clients = await Promise.all(
    Array.from({ length: READERS }, async () => {
      const client = await wire.WireClient.ready(port, startup)
      client.socket.pause()
      client.send(wire.query(large))
      return client
    }),
  )
  let most = 0
  for (const until = performance.now() + READ_MS; performance.now() < until; await pause(100))
    most = Math.max(most, await residentBytes(pids))
  const each = (most - before) / READERS
  console.log(`${READERS} clients did not read a huge result: ${(each / MIB).toFixed(1)} MiB for each`)
  for (const client of clients) client.close()
  return each > READER_BYTES_MAX ? [`a result that nobody reads costs ${Math.round(each / MIB)} MiB`] : []
}
