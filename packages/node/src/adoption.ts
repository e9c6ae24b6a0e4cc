import { createWriteStream } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { ClusterError, errorCode, type Logger } from '@cluster/core'
import type { Cluster } from './cluster.ts'
import type { NodeErrorDetail } from './errors.ts'

/** The other nodes of the cluster that is given up get this long to be found. */
const READY_MS = 20_000

/**
 * A node that is to go into another cluster takes no row with it. So that none is lost unseen it comes up in its own one
 * first and writes all databases down as SQL: `exported-<cluster>/<database>.sql` in its data folder, each file whole or not there.
 * @param open starts the node in the cluster that its folder is of
 * @param into the cluster that it is to go into
 * @returns the node's data folder
 * @throws ROWS_NOT_EXPORTED when not all rows can be read
 */
export async function exportBeforeAdoption(
  open: () => Promise<Cluster>,
  into: string,
  logger: Logger,
): Promise<string> {
  await using cluster = await open()
  const { cluster: own, witnesses } = cluster.group()
  // A fresh folder, one that went over before, or one without rows.
  if (own === null || own === into || witnesses.includes(cluster.id)) return cluster.folder
  try {
    await cluster.ready({ timeoutMs: READY_MS })
    const folder = join(cluster.folder, `exported-${own}`)
    for (const name of cluster.databases()) {
      const file = await exportDatabase(cluster, name, folder)
      logger.log('warn', 'rows of the cluster that is given up were exported', { database: name, file })
    }
  } catch (error) {
    throw notExported(own, cluster.folder, error)
  }
  return cluster.folder
}

async function exportDatabase(cluster: Cluster, name: string, folder: string): Promise<string> {
  const database = await cluster.database(name)
  await mkdir(folder, { recursive: true })
  const file = join(folder, `${encodeURIComponent(name)}.sql`)
  const unfinished = `${file}.unfinished`
  await pipeline(database.exportSql(), createWriteStream(unfinished, { flush: true }))
  await rename(unfinished, file)
  return file
}

function notExported(cluster: string, folder: string, error: unknown): ClusterError {
  const why = error instanceof Error ? error.message : String(error)
  return new ClusterError<NodeErrorDetail>(
    { code: 'ROWS_NOT_EXPORTED', outcome: 'rejected', cluster, folder, cause: errorCode(error) },
    `the rows of the cluster ${cluster} could not be exported before it is given up: ${why}. Start enough of its nodes, without --adopt (adopt in a program), and this one again; or, when another of its nodes has exported them or nobody needs them, say --no-export (adoptWithoutExport)`,
    { cause: error },
  )
}
