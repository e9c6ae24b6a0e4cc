import { readFile } from 'node:fs/promises'
import { ClusterError } from '@cluster/core'
import type { NodeErrorDetail } from '@cluster/node'
import type { StartOptions } from './options.ts'

/**
 * What clients of PostgreSQL's protocol encrypt with; null when no files were named.
 * @throws OPTION_INVALID when only one of the files was, or one cannot be read
 */
export async function certificate({
  postgresCert,
  postgresKey,
}: StartOptions): Promise<{ readonly cert: string; readonly key: string } | null> {
  if (postgresCert === undefined && postgresKey === undefined) return null
  if (postgresCert === undefined) throw invalid('postgres-cert', '', 'it goes with --postgres-key')
  if (postgresKey === undefined) throw invalid('postgres-key', '', 'it goes with --postgres-cert')
  const read = async (option: string, file: string): Promise<string> => {
    try {
      return await readFile(file, 'utf8')
    } catch (error) {
      throw invalid(option, file, error instanceof Error ? error.message : String(error))
    }
  }
  return { cert: await read('postgres-cert', postgresCert), key: await read('postgres-key', postgresKey) }
}

const invalid = (option: string, given: string, why: string) =>
  new ClusterError<NodeErrorDetail>(
    { code: 'OPTION_INVALID', outcome: 'rejected', option, given },
    `--${option} is missing or cannot be used: ${why}`,
  )
