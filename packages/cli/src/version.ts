import { readFileSync } from 'node:fs'
import { CLUSTER_VERSION } from '@cluster/core'

/** What `--version` says: of the program, and the newest version of a cluster that it can be a node of. */
export function versionText(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : ''
  return `cluster ${version}, for clusters up to version ${CLUSTER_VERSION}, on Node ${process.versions.node}`
}
