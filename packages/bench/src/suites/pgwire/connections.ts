import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { wire } from '@cluster/testkit'

type Startup = Readonly<Record<string, string>>

/** From the first packet to the first row. */
export async function firstRowMs(port: number, startup: Startup): Promise<number> {
  const start = performance.now()
  const client = await wire.WireClient.ready(port, startup)
  client.send(wire.query('SELECT 1'))
  await client.untilReady()
  const ms = performance.now() - start
  client.close()
  return ms
}

const READY = 'Z'.charCodeAt(0)
const ERROR = 'E'.charCodeAt(0)
const HEAD_BYTES = 5

/** Rows of a statement, counted as they come and thrown away. @param letter of their messages: `d` for those of a COPY */
export async function countRows(
  port: number,
  startup: Startup,
  text: string,
  letter: 'D' | 'd' = 'D',
): Promise<number> {
  const wanted = letter.charCodeAt(0)
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(wire.startup(startup))
  let rest: Buffer = Buffer.alloc(0)
  let skip = 0
  let rows = 0
  let readies = 0
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (;;) {
      if (skip >= bytes.length) break
      if (bytes.length - skip < HEAD_BYTES) break
      const found = bytes[skip]
      if (found === ERROR) throw new Error(bytes.toString('latin1', skip))
      if (found === wanted) rows++
      if (found === READY && ++readies === 1) socket.write(wire.query(text))
      skip += 1 + bytes.readUInt32BE(skip + 1)
    }
    const from = Math.min(skip, bytes.length)
    skip -= from
    bytes = bytes.subarray(from)
    rest = bytes
    if (readies === 2) break
  }
  socket.destroy()
  return rows
}

/** Memory of processes and of those that they have started; pages that they share count once. Linux only. */
export async function residentBytes(pids: readonly number[]): Promise<number> {
  const wanted = new Set(pids)
  let bytes = 0
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = await readFile(`/proc/${name}/stat`, 'utf8')
      const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (!wanted.has(Number(name)) && !wanted.has(Number(parent))) continue
      const memory = await readFile(`/proc/${name}/smaps_rollup`, 'utf8')
      bytes += Number(/^Pss:\s+(\d+) kB/m.exec(memory)?.[1] ?? 0) * 1024
    } catch (error) {
      // It ended meanwhile.
      if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
  return bytes
}
