import { parseArgs } from 'node:util'

export interface SltArguments {
  /** Files, or folders whose `.test` files are played. */
  readonly paths: readonly string[]
  readonly nodes: number
  /** Of the database, when there is more than one node. */
  readonly partitions: number
  /** Least share of the played records that must pass, 0 … 1. */
  readonly least: number
  readonly storage: Storage
  readonly json: boolean
}

export type Storage = 'memory' | 'lmdb'

/** What PostgreSQL 15 passes of the public sample of the corpus, in which it differs from SQLite by design. */
const POSTGRESQL_SHARE = 0.9926

export const usage = `npm run slt -- PATH… [options]
  PATH            a file in the format of sqllogictest, or a folder of such files (*.test)
  --nodes N       play on a cluster of N nodes in this process, redundancy 1, asked at the node that
                  holds least (default 1)
  --partitions N  hash partitions of each database (default 8)
  --storage NAME  storage engine, memory or lmdb (default memory)
  --least SHARE   least share of the records that must pass (default ${POSTGRESQL_SHARE}, PostgreSQL's own)
  --json          print the result as JSON on the standard output`

/** @throws Error with what is wrong with the arguments */
export function parseArguments(argv: readonly string[]): SltArguments {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      nodes: { type: 'string', default: '1' },
      partitions: { type: 'string', default: '8' },
      storage: { type: 'string', default: 'memory' },
      least: { type: 'string', default: String(POSTGRESQL_SHARE) },
      json: { type: 'boolean', default: false },
    },
  })
  if (positionals.length === 0) throw new Error('no file and no folder was given')
  const { storage } = values
  if (storage !== 'memory' && storage !== 'lmdb')
    throw new Error(`--storage is ${storage}; it must be memory or lmdb`)
  return {
    paths: positionals,
    nodes: numberOf('nodes', values.nodes, 1, 16, true),
    partitions: numberOf('partitions', values.partitions, 1, 1_024, true),
    least: numberOf('least', values.least, 0, 1, false),
    storage,
    json: values.json,
  }
}

function numberOf(name: string, text: string, least: number, most: number, whole: boolean): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= least && value <= most) || (whole && !Number.isInteger(value)))
    throw new Error(
      `--${name} is ${text}; it must be ${whole ? 'a whole number' : 'a number'} from ${least} to ${most}`,
    )
  return value
}
