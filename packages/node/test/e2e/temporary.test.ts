import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { type Cluster, type ClusterDatabase, join } from '@cluster/node'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'

jest.setTimeout(60_000)

const ROWS = 40_000
const BY_TEXT = `SELECT g, md5(g::text) AS h FROM generate_series(1, ${ROWS}) g ORDER BY h`

describe('temporary files of a node', () => {
  let folder = ''
  let cluster: Cluster
  let db: ClusterDatabase
  const left = (): Promise<string[]> => readdir(joinPath(folder, 'tmp'))

  beforeAll(async () => {
    folder = await mkdtemp(joinPath(tmpdir(), 'cluster-temporary-'))
    const options = { data: folder, listen: ['127.0.0.1:0'], mdns: false, temporaryBytesMax: 8 * 1024 * 1024 }
    const before = await join({ ...options, alone: true })
    await before.stop()
    await mkdir(joinPath(folder, 'tmp'), { recursive: true })
    await writeFile(joinPath(folder, 'tmp', 'rows-7'), 'left by a process that was killed')
    cluster = await join(options)
    db = await cluster.database('shop', { redundancy: 1 })
  })

  afterAll(async () => {
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  })

  test('that an earlier process left are gone', async () => {
    expect(await left()).toEqual([])
  })

  test('take what a sort has no memory for, as long as it runs', async () => {
    const session = db.session()
    await session.query("SET work_mem = '64kB'")
    let before = ''
    let rows = 0
    let most = 0
    for await (const batch of session.stream(BY_TEXT)) {
      if (rows === 0) most = (await left()).length
      for (const [, hash] of batch.rows) {
        if (String(hash) < before) throw new Error(`${hash} comes behind ${before}`)
        before = String(hash)
      }
      rows += batch.rows.length
    }
    expect(rows).toBe(ROWS)
    expect(most).toBeGreaterThan(0)
    expect(await left()).toEqual([])
    const { rows: explained } = await session.query(`EXPLAIN (ANALYZE) ${BY_TEXT}`)
    expect(explained.flat().join('\n')).toMatch(/Sort Method: external merge {2}Disk: \d+kB/)
    session.close()
  })

  test('are bounded for the whole node, and gone when a statement met the bound', async () => {
    const session = db.session()
    await session.query("SET work_mem = '64kB'")
    await expect(
      session.query(`SELECT repeat(md5(g::text), 9) AS h FROM generate_series(1, ${ROWS}) g ORDER BY h`),
    ).rejects.toMatchObject({ detail: { sqlstate: '53400' } })
    expect(await left()).toEqual([])
    expect((await session.query('SELECT 1')).rows).toEqual([[1]])
    session.close()
  })
})
