import { spawnSync } from 'node:child_process'
import { lmdbStorage } from '@cluster/storage-lmdb'
import { clock, type Report, rowsOf, v, writesOf } from './rows.ts'

/**
 * A process with one store, for tests that kill it or take its disk away. It writes version after version, tells what
 * is durable, and goes on until it is killed, or until a checkpoint failed and went well again.
 */
const [folder = '', mode = ''] = process.argv.slice(2)
const store = await lmdbStorage({ folder })({ clock }).open('p')
const report = (line: Report): void => void process.stdout.write(`${JSON.stringify(line)}\n`)
let failed: string | null = null
for (let version = store.appliedVersion() + 1; ; version++) {
  store.apply(v(version), writesOf(version))
  try {
    const durable = await store.checkpoint()
    report({ durable, failed, rows: failed === null ? null : rowsOf(store, version) })
    if (failed !== null) break
    if (mode === 'full') store.trim(v(1))
  } catch (error) {
    failed = (error as { code?: string }).code ?? String(error)
    report({ durable: store.durableVersion(), failed, rows: rowsOf(store, version) })
    // Somebody makes room.
    spawnSync('mount', ['-o', 'remount,size=64m', folder], { stdio: 'inherit' })
  }
}
await store.close()
// The disk is gone with this process, so it looks itself what is there.
const again = await lmdbStorage({ folder })({ clock }).open('p')
const version = again.appliedVersion()
report({ durable: version, failed, rows: rowsOf(again, version) })
await again.close()
