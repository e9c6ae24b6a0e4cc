export type {
  WireAdmission,
  WireBackend,
  WireCall,
  WireColumn,
  WireCopyOut,
  WireCopyShape,
  WireDescription,
  WireError,
  WireLogin,
  WireNotification,
  WireNotifications,
  WireOrigin,
  WireParameter,
  WireResult,
  WireRow,
  WireSession,
} from './backend.ts'
export { nodeCrypto, scramVerifier } from './driver/node-crypto.ts'
export {
  type ListenOptions,
  type PgwirePorts,
  type PgwireServer,
  pgwireServer,
} from './driver/pgwire-server.ts'
export { decodeBinary, encodeBinary } from './machine/binary-format.ts'
export type { ScramCrypto, ScramVerifier } from './machine/scram.ts'
export type { PgwireOptions } from './options.ts'
