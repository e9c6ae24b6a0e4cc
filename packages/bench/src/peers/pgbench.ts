import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Histogram } from '../histogram.ts'
import type { KvAnswer } from '../workers/kv-worker-protocol.ts'
import type { Servers } from './servers.ts'

export interface PgbenchLoad {
  /** Of a script. */
  readonly file: string
  readonly callers: number
  readonly warmUpMs: number
  readonly measuredMs: number
  /** Variables of the script. */
  readonly variables: Readonly<Record<string, number>>
  /** True: what lost a race (40001) is run again, as long as it takes. */
  readonly again: boolean
}

let runs = 0

/** Has pgbench run a script with prepared statements, and reads what each transaction took from its logs. */
export async function pgbench(
  servers: Servers,
  program: string,
  connection: readonly string[],
  { file, callers, warmUpMs, measuredMs, variables, again }: PgbenchLoad,
): Promise<KvAnswer> {
  const { folder } = servers
  const prefix = `log-${++runs}`
  const seconds = Math.ceil((warmUpMs + measuredMs) / 1000)
  const output = await servers.run(program, [
    ...['-n', '-M', 'prepared', '-f', file, '-c', String(callers), '-j', String(Math.min(2, callers))],
    ...['-T', String(seconds), '-l', '--log-prefix', prefix],
    ...(again ? ['--max-tries=0'] : []),
    ...Object.entries(variables).flatMap(([name, value]) => ['-D', `${name}=${value}`]),
    ...connection,
  ])
  const logs = (await readdir(folder)).filter((name) => name.startsWith(`${prefix}.`))
  const ended: [at: number, micros: number][] = []
  for (const name of logs) {
    for (const line of (await readFile(join(folder, name), 'utf8')).split('\n')) {
      const [, , micros, , second, fraction] = line.split(' ').map(Number)
      if (micros !== undefined && second !== undefined && fraction !== undefined && Number.isFinite(micros))
        ended.push([second * 1000 + fraction / 1000, micros])
    }
    await rm(join(folder, name))
  }
  const from = ended.reduce((least, [at]) => Math.min(least, at), Number.POSITIVE_INFINITY) + warmUpMs
  const histogram = new Histogram()
  for (const [at, micros] of ended) if (at >= from && at < from + measuredMs) histogram.record(micros)
  const failed = Number(/number of failed transactions: (\d+)/.exec(output)?.[1] ?? 0)
  return { operations: histogram.total, wallMs: measuredMs, buckets: histogram.buckets(), failed }
}
