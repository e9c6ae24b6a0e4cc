/** A compile-time tag: two brands of the same base type do not mix. */
export type Brand<Base, Name extends string> = Base & { readonly __brand: Name }

/** Who a node is: the text form of its public identity key. Sorts by code unit. */
export type NodeId = Brand<string, 'NodeId'>
/** One formed cluster; minted at random when the cluster forms. */
export type ClusterId = Brand<string, 'ClusterId'>
/** One unforked history of a cluster; a new one is minted by every step taken without a quorum. */
export type LineageId = Brand<string, 'LineageId'>
/** Raft's term of office, a whole number from 0. */
export type Term = Brand<number, 'Term'>
/** A position in the ordered log, a whole number; the first entry has 1, 0 means "before everything". */
export type LogIndex = Brand<number, 'LogIndex'>
/** A version of the data: the log index that made it. */
export type Version = LogIndex
/** A partition of one database, 0 … partitions; `EVERYWHERE` is the one that every node holds. */
export type PartitionId = Brand<number, 'PartitionId'>
/** A relation of one database: a table or an index. */
export type RelationId = Brand<number, 'RelationId'>
/** Where a node can be reached: a multiaddr for TCP, any text for other transports. */
export type Address = Brand<string, 'Address'>

export const nodeId = (text: string): NodeId => text as NodeId
export const clusterId = (text: string): ClusterId => text as ClusterId
export const lineageId = (text: string): LineageId => text as LineageId
export const term = (value: number): Term => value as Term
export const logIndex = (value: number): LogIndex => value as LogIndex
export const partitionId = (value: number): PartitionId => value as PartitionId
export const relationId = (value: number): RelationId => value as RelationId
export const address = (text: string): Address => text as Address

/** The partition that every node holds: catalogs and reference tables. */
export const EVERYWHERE: PartitionId = partitionId(0)
