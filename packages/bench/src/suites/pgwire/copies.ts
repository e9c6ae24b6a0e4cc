import { wire } from '@cluster/testkit'
import { median } from '../../latency.ts'
import type { Row } from '../../report.ts'
import type { SuiteOptions } from '../../suite.ts'
import { countRows } from './connections.ts'

/** One that speaks PostgreSQL's protocol, and copies. */
export interface CopyStand {
  readonly who: string
  readonly port: number
  readonly startup: Readonly<Record<string, string>>
}

const ROWS = 200_000
const LINES_A_MESSAGE = 500
/** Bytes that may wait to be sent. */
const WAITING_MAX = 1024 * 1024

/** COPY in and out of a table with a key and a text, in text format. */
export async function copies(stands: readonly CopyStand[], { progress, runs }: SuiteOptions): Promise<Row[]> {
  const rows: Row[] = []
  for (const stand of stands) {
    const { who, port, startup } = stand
    const client = await wire.WireClient.ready(port, startup)
    const ask = async (text: string): Promise<void> => {
      client.send(wire.query(text))
      const error = (await client.untilReady()).find((line) => line.startsWith('error'))
      if (error !== undefined) throw new Error(`${who}: ${error}`)
    }
    const speeds: { readonly in: number[]; readonly out: number[] } = { in: [], out: [] }
    for (let run = 0; run < runs; run++) {
      progress(`COPY: ${who}, run ${run + 1}`)
      await ask('DROP TABLE IF EXISTS copied')
      await ask('CREATE TABLE copied (id int PRIMARY KEY, v text)')
      speeds.in.push(await copyIn(client))
      speeds.out.push(await copyOut(stand))
    }
    client.close()
    for (const way of ['in', 'out'] as const)
      rows.push({
        what: `rows of a COPY ${way}`,
        who,
        value: median(speeds[way]),
        unit: 'rows/s',
        durability: '',
        note: `${ROWS.toLocaleString('en-US')} rows of a key and a text, one transaction; runs ${speeds[way].map((speed) => Math.round(speed).toLocaleString('en-US')).join('; ')}`,
      })
  }
  return rows
}

const perSecond = (start: number): number => (ROWS / (performance.now() - start)) * 1000

async function copyIn(client: wire.WireClient): Promise<number> {
  const start = performance.now()
  client.send(wire.query('COPY copied FROM STDIN'))
  const [asked = ''] = await client.lines(1)
  if (!asked.startsWith('copy in')) throw new Error(asked)
  for (let from = 0; from < ROWS; from += LINES_A_MESSAGE) {
    const lines = Array.from(
      { length: LINES_A_MESSAGE },
      (_, i) => `${from + i}\ta text of about thirty characters\n`,
    )
    client.send(wire.copyData(lines.join('')))
    if (client.socket.writableLength > WAITING_MAX)
      await new Promise<void>((resolve) => {
        client.socket.once('drain', () => resolve())
      })
  }
  client.send(wire.copyDone())
  expectTag(await client.untilReady())
  return perSecond(start)
}

async function copyOut({ port, startup }: CopyStand): Promise<number> {
  const start = performance.now()
  const rows = await countRows(port, startup, 'COPY copied TO STDOUT', 'd')
  if (rows !== ROWS) throw new Error(`a COPY out gave ${rows} rows of ${ROWS}`)
  return perSecond(start)
}

function expectTag(lines: readonly string[]): void {
  if (!lines.includes(`complete COPY ${ROWS}`)) throw new Error(`a COPY in was answered ${lines.join(', ')}`)
}
