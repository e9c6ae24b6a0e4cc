import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median } from '../latency.ts'
import type { Report, Row } from '../report.ts'
import type { SuiteOptions } from '../suite.ts'

const ENGINES = ['memory', 'lmdb'] as const
type EngineName = (typeof ENGINES)[number]

export interface StorageWorkerOptions {
  readonly engine: EngineName
  readonly folder: string
  readonly rows: number
}

/** What one process of one engine measured. */
export interface StorageFigures {
  /** Rows a second, applied in key order. */
  readonly loadRows: number
  /** Bytes of memory a row after the first checkpoint. */
  readonly heldBytes: number
  /** Bytes on disk a row at the end. */
  readonly diskBytes: number
  /** Rows a second, read by key in random order. */
  readonly gets: number
  /** Ranges of 100 rows a second, all columns. */
  readonly ranges: number
  /** Rows a second of a scan of everything: all columns, or one. */
  readonly scanRows: number
  readonly columnRows: number
  /** Rows a second, changed in random order. */
  readonly updateRows: number
  readonly firstCheckpointMs: number
  /** The longest time for which the event loop stood still meanwhile. */
  readonly firstStallMs: number
  readonly checkpointMs: number
  readonly stallMs: number
  /** Rows a second, exported and imported in one process. */
  readonly copyRows: number
  /** Bytes of an export a row. */
  readonly copyBytes: number
  readonly openMs: number
}

const ROWS: readonly {
  readonly what: string
  readonly of: keyof StorageFigures
  readonly unit: string
  readonly note: string
}[] = [
  { what: 'load in key order', of: 'loadRows', unit: 'rows/s', note: '500 rows a version' },
  {
    what: 'checkpoint after the load',
    of: 'firstCheckpointMs',
    unit: 'ms',
    note: 'what the engine had not written by itself',
  },
  { what: '… the event loop stood still at most', of: 'firstStallMs', unit: 'ms', note: '' },
  {
    what: 'memory a row, after that checkpoint',
    of: 'heldBytes',
    unit: 'B',
    note: 'JavaScript heap and buffers',
  },
  { what: 'get by key, random order', of: 'gets', unit: '/s', note: '' },
  { what: 'ranges of 100 rows, all columns', of: 'ranges', unit: '/s', note: '' },
  { what: 'scan of everything, all 6 columns', of: 'scanRows', unit: 'rows/s', note: '' },
  { what: 'scan of everything, 1 column', of: 'columnRows', unit: 'rows/s', note: '' },
  { what: 'update in random order', of: 'updateRows', unit: 'rows/s', note: 'a tenth of the rows' },
  { what: 'checkpoint after the update', of: 'checkpointMs', unit: 'ms', note: '' },
  { what: '… the event loop stood still at most', of: 'stallMs', unit: 'ms', note: '' },
  { what: 'copy: export and import', of: 'copyRows', unit: 'rows/s', note: 'in one process' },
  { what: 'copy: size of a row', of: 'copyBytes', unit: 'B', note: '' },
  { what: 'size of a row on disk', of: 'diskBytes', unit: 'B', note: 'room for the next checkpoint counted' },
  { what: 'open again, to the first row read', of: 'openMs', unit: 'ms', note: '' },
]

/** The storage engines side by side, without a cluster around them. */
export async function storage({ rows, runs, progress }: SuiteOptions): Promise<Report> {
  const figures = new Map<EngineName, StorageFigures[]>(ENGINES.map((engine) => [engine, []]))
  for (let run = 0; run < runs; run++) {
    for (const engine of ENGINES) {
      progress(`${engine}, run ${run + 1} of ${runs}`)
      figures.get(engine)?.push(await measure(engine, rows))
    }
  }
  const table: Row[] = []
  for (const { what, of, unit, note } of ROWS) {
    const values = new Map<EngineName, number>()
    for (const [engine, all] of figures) values.set(engine, median(all.map((one) => one[of])))
    for (const [engine, value] of values) {
      const memory = values.get('memory') ?? Number.NaN
      table.push({
        what,
        who: engine,
        value,
        unit,
        note,
        ...(engine === 'memory' ? {} : { ratios: { memory: value / memory } }),
      })
    }
  }
  return {
    suite: 'storage',
    durability: `one partition, ${rows.toLocaleString('en-US')} rows of 6 columns, each engine in a process of its own; checkpoints are synced to disk, what came since is not`,
    rows: table,
  }
}

async function measure(engine: EngineName, rows: number): Promise<StorageFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'cluster-bench-storage-'))
  try {
    const options: StorageWorkerOptions = { engine, folder, rows }
    const worker = join(import.meta.dirname, '..', 'workers', 'storage-worker.ts')
    const child = spawn(
      process.execPath,
      ['--conditions=source', '--expose-gc', worker, JSON.stringify(options)],
      { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
    )
    let figures: StorageFigures | null = null
    child.on('message', (message: StorageFigures) => {
      figures = message
    })
    const [code] = await once(child, 'exit')
    if (figures === null) throw new Error(`the process with the engine ${engine} ended with ${code}`)
    return figures
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
