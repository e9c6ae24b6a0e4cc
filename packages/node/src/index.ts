export { parseAddresses } from './addresses.ts'
export type {
  Cluster,
  ClusterDatabase,
  ClusterEvents,
  PostgresService,
  ReadyOptions,
  ServePostgresOptions,
} from './cluster.ts'
export {
  type ClusterTransaction,
  clusterTransaction,
  type TransactionDatabase,
} from './cluster-transaction.ts'
export { type ComposedNode, composeNode, type NodeOptions, type NodePorts } from './compose.ts'
export { nodeClock } from './driver/node-clock.ts'
export { nodeDisk } from './driver/node-disk.ts'
export { nodeRandom } from './driver/node-random.ts'
export type { StorageKind } from './driver/storage-choice.ts'
export type { NodeErrorDetail } from './errors.ts'
export { type JoinOptions, join, type OpenOptions, openCluster } from './open-cluster.ts'
export type { SharedObjects } from './shared-objects.ts'
export type { ExportOptions } from './transfer/export-sql.ts'
