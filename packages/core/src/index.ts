export { ADDITION_DIGITS_MAX, type Addition } from './database/addition.ts'
export type {
  ArchiveOptions,
  BackupFile,
  BackupInfo,
  BackupOptions,
  BackupProgress,
  BackupReport,
  RestoreOptions,
  RestoreReport,
} from './database/backup.ts'
export type { Change, ChangeFeed, ChangesOptions } from './database/changes.ts'
export type {
  CommitOptions,
  CommitReceipt,
  Database,
  DatabaseErrorDetail,
  DatabaseEvents,
  DatabaseStatus,
  Databases,
  ExecuteReceipt,
  FollowedScan,
  PreparedCommit,
  ReplicaInfo,
  RowAddress,
  Transaction,
  TransactionMark,
  TransactionOptions,
  TransactionScan,
} from './database/database.ts'
export type { AlterOptions, DatabaseOptions } from './database/database-options.ts'
export {
  type ColumnBatch,
  type FragmentEvaluator,
  type FragmentInput,
  type FragmentReads,
  type FragmentRequest,
  inputColumns,
  type OpenInput,
  type Traffic,
} from './database/fragment.ts'
export type { PartitionRisk, RiskReport } from './database/risk.ts'
export {
  PROGRAM_DEPTH_MAX,
  PROGRAM_DIGITS_MAX,
  PROGRAM_EXPRESSIONS_MAX,
  PROGRAM_ROWS_MAX,
  type PresentAction,
  type ProgramFailure,
  type ProgramNumber,
  type ProgramOutcome,
  type ProgramStep,
  type RowExpression,
  type RowProgram,
} from './database/row-program.ts'
export type { PartitionStore, RowBatch, RowWrite, ScanRequest, StorageEngine } from './database/storage.ts'
export type { Divergence, VerifyOptions, VerifyReport } from './database/verify.ts'
export { VersionHorizon } from './database/version-horizon.ts'
export {
  assert,
  ClusterError,
  type CommonErrorDetail,
  type ErrorDetail,
  errorCode,
  InvariantError,
  isClusterError,
  type Outcome,
  unreachable,
} from './errors.ts'
export { EventHub, type Events } from './events.ts'
export { type Cancel, type Clock, delay } from './host/clock.ts'
export type { Disk, DiskErrorDetail, DiskFile } from './host/disk.ts'
export { type LogFields, type Logger, type LogLevel, silentLogger } from './host/logger.ts'
export { below, chance, pick, type Random, randomId, shuffle } from './host/random.ts'
export {
  type Address,
  address,
  type Brand,
  type ClusterId,
  clusterId,
  EVERYWHERE,
  type LineageId,
  type LogIndex,
  lineageId,
  logIndex,
  type NodeId,
  nodeId,
  type PartitionId,
  partitionId,
  type RelationId,
  relationId,
  type Term,
  term,
  type Version,
} from './ids.ts'
export { CLUSTER_VERSION, type ClusterVersion, VERSION_OF } from './log/cluster-version.ts'
export { dataMembers } from './log/group.ts'
export type {
  Applied,
  AppliedBundle,
  Bundle,
  BundleCondition,
  BundleSupport,
  GroupView,
  LogEntry,
  LogErrorDetail,
  NodeRole,
  OrderedLog,
  OrderedLogEvents,
  StateLoading,
  StateMachine,
  StatePieces,
  SubmitOptions,
} from './log/ordered-log.ts'
export type { DiscoveredPeer, Discovery } from './network/discovery.ts'
export type {
  DeathProof,
  Member,
  MemberState,
  Peers,
  PeersErrorDetail,
  PeersEvents,
} from './network/peers.ts'
export type {
  CallOptions,
  ChannelHandlers,
  FrameStream,
  LinkDownCause,
  LinkInfo,
  ProbeResult,
  Transport,
  TransportErrorDetail,
  TransportEvents,
} from './network/transport.ts'
export type {
  BundleVerdict,
  CacheOptions,
  ChangeEvent,
  ContainerCodec,
  ContainerErrorDetail,
  ContainerInfo,
  ContainerKey,
  ContainerKind,
  ContainerOptions,
  Containers,
  ContainersTransaction,
  ContainersTransactionOptions,
  DistributedOptions,
  FastCounter,
  FastCounterOptions,
  FeedOptions,
  KeyedOptions,
  LocalView,
  MapOptions,
  Observable,
  PushOptions,
  QueueMessage,
  QueueOptions,
  QueueSize,
  ReadOptions,
  SetAsideMessage,
  SharedCounter,
  SharedList,
  SharedMap,
  SharedMultiset,
  SharedObject,
  SharedQueue,
  SharedReference,
  SharedRing,
  SharedSet,
  SharedSortedMap,
  SharedTopic,
  SortedRange,
  StandardResult,
  StandardSchema,
  SubscribeOptions,
  TakeOptions,
  TopicMessage,
  TransactionMap,
  ValueOptions,
  WatchOptions,
  WriteOptions,
  Written,
} from './objects/containers.ts'
export type {
  AcquireOptions,
  HeldLock,
  Latches,
  LockHolder,
  LockInfo,
  LockMode,
  LockOptions,
  Locks,
  LockWait,
  LockWaiter,
  MutexErrorDetail,
} from './objects/locks.ts'
export { ByteReader, ByteWriter } from './rows/bytes.ts'
export { readColumnBatch, writeColumnBatch } from './rows/column-batch.ts'
export { type BlockRows, RowBlock, writeRowBlock } from './rows/row-block.ts'
export {
  CHUNK_FORMAT,
  CHUNK_HEADER_BYTES,
  chunkBytes,
  chunkDamaged,
  decodeChunk,
  type EndChunk,
  encodeChunk,
  type RowsChunk,
} from './rows/row-chunks.ts'
export { ValueVector, writeVector } from './rows/value-vector.ts'
export type { Describable, StructureNode } from './structure.ts'
export { type BackoffOptions, backoffMs } from './tools/backoff.ts'
export { crc32c } from './tools/checksum.ts'
export { hash32 } from './tools/hash.ts'
export { Heap } from './tools/heap.ts'
export { joinBytes } from './tools/join-bytes.ts'
export { type Block, type BlockPlace, lowerBound, SortedBlocks } from './tools/sorted-blocks.ts'
export { afterKey, afterPrefix, KeyWriter } from './values/ordered-key.ts'
export { inRange, type Key, type KeyRange, type Row, type Value } from './values/value.ts'
