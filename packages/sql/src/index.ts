export type { PasswordVerifier } from './access/password.ts'
export type { RoleInfo } from './access/role-info.ts'
export type { VirtualColumn, VirtualContext, VirtualTable } from './catalog/virtual-table.ts'
export type { CopyOutput } from './copy/copy-out.ts'
export type { CopyShape, CopySource, OpenCopySource } from './copy/feed.ts'
export type { BinaryValues } from './copy/values.ts'
export { isSqlError, type SqlError, type SqlErrorDetail } from './errors.ts'
export {
  type NodeTemporaryFiles,
  type TemporaryFile,
  type TemporaryFiles,
  type TemporaryFilesOptions,
  temporaryFiles,
} from './executor/spill/temporary-files.ts'
export { type FragmentOptions, sqlFragments } from './fragment/evaluator.ts'
export type { Listening, ListenOptions } from './notify/listening.ts'
export type { Notification } from './notify/notification.ts'
export type { ResultColumn } from './plan/statement.ts'
export {
  type SqlEngine,
  type SqlEngineOptions,
  type SqlEnginePorts,
  type SqlTransaction,
  sqlEngine,
} from './session/engine.ts'
export { type LayerErrorDetail, sqlstateOf } from './session/errors.ts'
export type { Fence, SqlTransactionOptions } from './session/locks/fences.ts'
export type { Parameter } from './session/run/parameters.ts'
export {
  type CopyFromOptions,
  type OpenResult,
  objectsOf,
  type PreparedStatement,
  type QueryOptions,
  type RowObject,
  type RowsBatch,
  type Session,
  type SessionOptions,
  type SqlResult,
  type SqlRunner,
  type SqlTag,
  type StatementOutline,
  type TransactionState,
} from './session/types.ts'
export { formatValue } from './types/format.ts'
export {
  formatType,
  type SqlType,
  TEXT,
  type TypeId,
  typeBytes,
  typeModifier,
  typeName,
  typeOid,
} from './types/type.ts'
