export { ADDITION_DIGITS_MAX, type Addition } from './addition.ts'
export { type BackoffOptions, backoffMs } from './backoff.ts'
export type {
  ArchiveOptions,
  BackupFile,
  BackupInfo,
  BackupOptions,
  BackupProgress,
  BackupReport,
  RestoreOptions,
  RestoreReport,
} from './backup.ts'
export type { Change, ChangeFeed, ChangesOptions } from './changes.ts'
export { crc32c } from './checksum.ts'
export { type Cancel, type Clock, delay } from './clock.ts'
export { CLUSTER_VERSION, type ClusterVersion, VERSION_OF } from './cluster-version.ts'
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
} from './containers.ts'
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
} from './database.ts'
export type { AlterOptions, DatabaseOptions } from './database-options.ts'
export type { DiscoveredPeer, Discovery } from './discovery.ts'
export type { Disk, DiskErrorDetail, DiskFile } from './disk.ts'
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
export {
  type ColumnBatch,
  type FragmentEvaluator,
  type FragmentInput,
  type FragmentReads,
  type FragmentRequest,
  inputColumns,
  type OpenInput,
  type Traffic,
} from './fragment.ts'
export { dataMembers } from './group.ts'
export { hash32 } from './hash.ts'
export { Heap } from './heap.ts'
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
export { joinBytes } from './join-bytes.ts'
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
} from './locks.ts'
export { type LogFields, type Logger, type LogLevel, silentLogger } from './logger.ts'
export { afterKey, afterPrefix, KeyWriter } from './ordered-key.ts'
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
} from './ordered-log.ts'
export type { DeathProof, Member, MemberState, Peers, PeersErrorDetail, PeersEvents } from './peers.ts'
export { below, chance, pick, type Random, randomId, shuffle } from './random.ts'
export type { PartitionRisk, RiskReport } from './risk.ts'
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
} from './row-program.ts'
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
export { type Block, type BlockPlace, lowerBound, SortedBlocks } from './sorted-blocks.ts'
export type { PartitionStore, RowBatch, RowWrite, ScanRequest, StorageEngine } from './storage.ts'
export type { Describable, StructureNode } from './structure.ts'
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
} from './transport.ts'
export { inRange, type Key, type KeyRange, type Row, type Value } from './value.ts'
export type { Divergence, VerifyOptions, VerifyReport } from './verify.ts'
export { VersionHorizon } from './version-horizon.ts'
