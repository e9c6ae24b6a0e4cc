import {
  type Addition,
  ClusterError,
  type DatabaseOptions,
  type Key,
  type NodeId,
  type PartitionId,
  type RelationId,
  type Row,
  type RowProgram,
} from '@cluster/core'
import { type AddedKey, type AddedRow, NOTHING_ADDED, readAdditions, writeAdditions } from './additions.ts'
import { ByteReader, ByteWriter, type MalformedDetail } from './bytes.ts'
import { decodeProgram, encodeProgram } from './program/codec.ts'
import { type Reads, readReads, writeReads } from './reads.ts'
import { type NodeTraits, readTraits, writeTraits } from './traits.ts'

/** Version of the commands' layout; the second byte of each. */
const COMMAND_FORMAT = 1

const CREATE = 1
const ASSIGN = 2
const COMPLETE = 3
const LOST = 4
const COMMIT = 5
const OFFER = 6
const DURABLE = 7
const EXECUTE = 8
const RESERVE = 9
const RELEASE = 10
const RESERVED_COMMIT = 11
const RESERVED_EXECUTE = 12
const KEEP = 13
const ALTER = 14
const DESCRIBE = 15
const DROP = 16
const ADDING_COMMIT = 17

/** Holders begin or cease to keep the changes of relations, for those who follow them; of all relations when none is named. */
export interface KeepCommand {
  readonly type: 'keep'
  readonly database: number
  readonly on: boolean
  readonly relations: readonly RelationId[]
}

/** Changes how many copies a database has, and how many a write needs. */
export interface AlterCommand {
  readonly type: 'alter'
  readonly database: number
  readonly redundancy: number | 'all'
  readonly minCopies: number
}

/** Ends a database; its rows are gone. */
export interface DropCommand {
  readonly type: 'drop'
  readonly database: number
}

/** A node tells its zone and its capacity. */
export interface DescribeCommand {
  readonly type: 'describe'
  readonly node: NodeId
  readonly traits: NodeTraits
}

/** Makes a database, its replicas on the candidates; nothing if the name is taken. */
export interface CreateCommand {
  readonly type: 'create'
  readonly name: string
  /** Random; tells this database from all others that ever had its name, in this cluster or another. */
  readonly uid: string
  readonly options: Required<DatabaseOptions>
  /** Nodes that may hold replicas; at least one. */
  readonly candidates: readonly NodeId[]
}

/** The new list of replicas of one partition, valid only for the epoch it was planned for. */
export interface Assignment {
  readonly database: number
  readonly partition: PartitionId
  readonly epoch: number
  readonly replicas: readonly { readonly node: NodeId; readonly replaces: NodeId | null }[]
}

export interface AssignCommand {
  readonly type: 'assign'
  readonly assignments: readonly Assignment[]
}

/** Names one assignment of one replica. */
export interface ReplicaRef {
  readonly database: number
  readonly partition: PartitionId
  readonly since: number
}

/**
 * Replicas of a node that now have everything (`complete`), that have not and must be copied anew (`lost`), or
 * that it holds although they are not assigned to it, while nobody has a complete one (`offer`; `since` is 0), or
 * that survive a restart with everything up to an index (`durable`; `since` is that index).
 */
export interface ReplicaCommand {
  readonly type: 'complete' | 'lost' | 'offer' | 'durable'
  readonly node: NodeId
  readonly replicas: readonly ReplicaRef[]
}

/** Writes in one partition: parallel lists; a null row deletes, unless something is added to the row at that position. */
export interface PartitionWrites {
  readonly partition: PartitionId
  readonly relations: readonly RelationId[]
  readonly keys: readonly Key[]
  readonly rows: readonly (Row | null)[]
  /** By position in the lists. */
  readonly added?: ReadonlyMap<number, Pick<AddedRow, 'size' | 'room' | 'additions'>>
}

export interface CommitInput extends Reads {
  readonly database: number
  /** The reservation that ends with it; 0 for none. */
  readonly reservation?: number
  /** One item a partition. */
  readonly writes: readonly PartitionWrites[]
}

/** A program instead of writes: all its rows count as written, whatever becomes of them. */
export interface ExecuteInput extends Reads {
  readonly database: number
  readonly reservation?: number
  readonly program: RowProgram
}

/** The head of a partition's writes; its rows are decoded only where they are held. */
export interface CommitPart {
  readonly partition: PartitionId
  readonly relations: readonly RelationId[]
  readonly keys: readonly Key[]
  /** Those that are added to, by position in the lists. */
  readonly added: ReadonlyMap<number, AddedKey>
  /** Only in a `commit`; null for those that are added to, too. @throws DB_FRAME_DAMAGED */
  rows(): (Row | null)[]
  /** What is added, by position. @throws DB_FRAME_DAMAGED */
  additions(): ReadonlyMap<number, readonly Addition[]>
  /** Only in an `execute`. @throws DB_FRAME_DAMAGED; UnknownProgramError where this node is too old for it */
  program(): RowProgram
  /** Size of the rows' or the program's bytes. */
  readonly bytes: number
}

export interface CommitCommand extends Reads {
  readonly type: 'commit' | 'execute'
  readonly database: number
  /** The reservation that ends with it; 0 for none. */
  readonly reservation: number
  readonly parts: readonly CommitPart[]
}

/** A transaction that lost too often asks that what it reads be kept as it is for its turn. */
export interface ReserveCommand extends Omit<Reads, 'version'> {
  readonly type: 'reserve'
  readonly database: number
  /** How long its turn may last, in log time. */
  readonly turnMs: number
}

/** The owner of a reservation does not need it any more. */
export interface ReleaseCommand {
  readonly type: 'release'
  readonly database: number
  readonly reservation: number
}

const REPLICA_TYPES = { complete: COMPLETE, lost: LOST, offer: OFFER, durable: DURABLE } as const

export type Command =
  | CreateCommand
  | AssignCommand
  | ReplicaCommand
  | CommitCommand
  | ReserveCommand
  | ReleaseCommand
  | KeepCommand
  | AlterCommand
  | DescribeCommand
  | DropCommand

const damaged = (what: string): ClusterError<MalformedDetail> =>
  new ClusterError(
    { code: 'DB_FRAME_DAMAGED', outcome: 'rejected' },
    `A command of the databases cannot be read: ${what}. Run the same version on all nodes.`,
  )

const begin = (type: number): ByteWriter => new ByteWriter().byte(type).byte(COMMAND_FORMAT)

const writeReplicas = (writer: ByteWriter, replicas: readonly ReplicaRef[]): void => {
  writer.varint(replicas.length)
  for (const { database, partition, since } of replicas)
    writer.varint(database).varint(partition).varint(since)
}

export function encodeOptions(writer: ByteWriter, options: Required<DatabaseOptions>): void {
  writer
    .varint(options.redundancy === 'all' ? 0 : options.redundancy)
    .varint(options.partitions)
    .varint(options.minCopies)
}

export function decodeOptions(reader: ByteReader): Required<DatabaseOptions> {
  const redundancy = reader.varint()
  return {
    redundancy: redundancy === 0 ? 'all' : redundancy,
    partitions: reader.varint(),
    minCopies: reader.varint(),
  }
}

export function encodeCreate({ name, uid, options, candidates }: Omit<CreateCommand, 'type'>): Uint8Array {
  const writer = begin(CREATE).text(name).text(uid)
  encodeOptions(writer, options)
  writer.varint(candidates.length)
  for (const node of candidates) writer.text(node)
  return writer.finish()
}

export function encodeAssign(assignments: readonly Assignment[]): Uint8Array {
  const writer = begin(ASSIGN).varint(assignments.length)
  for (const { database, partition, epoch, replicas } of assignments) {
    writer.varint(database).varint(partition).varint(epoch).varint(replicas.length)
    for (const { node, replaces } of replicas) {
      writer.text(node).text(replaces ?? '')
    }
  }
  return writer.finish()
}

export function encodeReplicas({ type, node, replicas }: ReplicaCommand): Uint8Array {
  const writer = begin(REPLICA_TYPES[type]).text(node)
  writeReplicas(writer, replicas)
  return writer.finish()
}

/**
 * Layout: head (reads, and for each partition the keys written), then for each partition its rows. A node that
 * holds none of the partitions needs the head only.
 */
export function encodeCommit({ database, writes, reservation = 0, ...reads }: CommitInput): Uint8Array {
  const adds = writes.some(({ added }) => added !== undefined && added.size > 0)
  const writer = adds
    ? begin(ADDING_COMMIT).varint(reservation)
    : reservation === 0
      ? begin(COMMIT)
      : begin(RESERVED_COMMIT).varint(reservation)
  writeHead(writer, database, reads, writes)
  if (adds) for (const { added } of writes) writeAdded(writer, added ?? NOTHING_ADDED)
  const body = new ByteWriter()
  for (const part of writes) {
    const start = body.length
    for (let i = 0; i < part.rows.length; i++) {
      const row = part.rows[i] as Row | null
      const added = part.added?.get(i)
      if (added !== undefined) writeAdditions(body.byte(2), added.additions)
      else if (row === null) body.byte(0)
      else body.byte(1).row(row)
    }
    writer.varint(body.length - start)
  }
  return writer.append(body).finish()
}

function writeAdded(writer: ByteWriter, added: ReadonlyMap<number, AddedKey>): void {
  writer.varint(added.size)
  for (const [at, { size, room }] of added) writer.varint(at).double(size).double(room)
}

function readAdded(reader: ByteReader, keys: number): ReadonlyMap<number, AddedKey> {
  const added = new Map<number, AddedKey>()
  for (let left = reader.count(17); left > 0; left--) {
    const at = reader.varint()
    const size = reader.double()
    const room = reader.double()
    if (at >= keys || !(size >= 0 && room >= 0)) throw damaged('an addition does not fit')
    added.set(at, { size, room })
  }
  return added
}

/** Layout: as a commit's, with the program in place of the rows. @throws DB_OPTION_INVALID when it is too large */
export function encodeExecute({ database, program, reservation = 0, ...reads }: ExecuteInput): Uint8Array {
  const { partition, relation, steps } = program
  const relations = steps.map(() => relation)
  const keys = steps.map(({ key }) => key)
  const body = encodeProgram(program)
  const writer = reservation === 0 ? begin(EXECUTE) : begin(RESERVED_EXECUTE).varint(reservation)
  writeHead(writer, database, reads, [{ partition, relations, keys }])
  return writer.varint(body.length).raw(body).finish()
}

export function encodeReserve({ database, turnMs, ...reads }: Omit<ReserveCommand, 'type'>): Uint8Array {
  const writer = begin(RESERVE).varint(database).varint(turnMs)
  writeReads(writer, reads)
  return writer.finish()
}

export function encodeRelease({ database, reservation }: Omit<ReleaseCommand, 'type'>): Uint8Array {
  return begin(RELEASE).varint(database).varint(reservation).finish()
}

type PartHead = Pick<PartitionWrites, 'partition' | 'relations' | 'keys'>

function writeHead(writer: ByteWriter, database: number, reads: Reads, writes: readonly PartHead[]): void {
  writer.varint(database).varint(reads.version)
  writeReads(writer, reads)
  writer.varint(writes.length)
  for (const part of writes) {
    writer.varint(part.partition).varint(part.keys.length)
    // Runs of one relation share its id.
    for (let i = 0; i < part.keys.length; ) {
      const relation = part.relations[i] as RelationId
      let end = i + 1
      while (end < part.keys.length && part.relations[end] === relation) end++
      writer.varint(relation).varint(end - i)
      for (; i < end; i++) writer.key(part.keys[i] as Key)
    }
  }
}

export function encodeKeep({ database, on, relations }: Omit<KeepCommand, 'type'>): Uint8Array {
  const writer = begin(KEEP)
    .varint(database)
    .byte(on ? 1 : 0)
    .varint(relations.length)
  for (const relation of relations) writer.varint(relation)
  return writer.finish()
}

export const encodeDrop = ({ database }: Omit<DropCommand, 'type'>): Uint8Array =>
  begin(DROP).varint(database).finish()

export function encodeAlter({ database, redundancy, minCopies }: Omit<AlterCommand, 'type'>): Uint8Array {
  return begin(ALTER)
    .varint(database)
    .varint(redundancy === 'all' ? 0 : redundancy)
    .varint(minCopies)
    .finish()
}

export function encodeDescribe({ node, traits }: Omit<DescribeCommand, 'type'>): Uint8Array {
  const writer = begin(DESCRIBE).text(node)
  writeTraits(writer, traits)
  return writer.finish()
}

function readReplicas(reader: ByteReader): ReplicaRef[] {
  const replicas: ReplicaRef[] = []
  for (let left = reader.count(3); left > 0; left--) {
    const database = reader.varint()
    const partition = reader.varint() as PartitionId
    replicas.push({ database, partition, since: reader.varint() })
  }
  return replicas
}

function readReplicaCommand(type: ReplicaCommand['type'], reader: ByteReader): ReplicaCommand {
  const node = reader.text() as NodeId
  return { type, node, replicas: readReplicas(reader) }
}

function readCreate(reader: ByteReader): CreateCommand {
  const name = reader.text()
  const uid = reader.text()
  const options = decodeOptions(reader)
  const candidates: NodeId[] = []
  for (let left = reader.count(); left > 0; left--) candidates.push(reader.text() as NodeId)
  if (candidates.length === 0) throw damaged('it names no node')
  if (options.partitions < 1 || options.partitions > 1024) throw damaged('it asks for too many partitions')
  return { type: 'create', name, uid, options, candidates }
}

function readAssign(reader: ByteReader): AssignCommand {
  const assignments: Assignment[] = []
  for (let left = reader.count(4); left > 0; left--) {
    const database = reader.varint()
    const partition = reader.varint() as PartitionId
    const epoch = reader.varint()
    const replicas: { node: NodeId; replaces: NodeId | null }[] = []
    for (let nodes = reader.count(2); nodes > 0; nodes--) {
      const node = reader.text() as NodeId
      const replaces = reader.text()
      replicas.push({ node, replaces: replaces === '' ? null : (replaces as NodeId) })
    }
    assignments.push({ database, partition, epoch, replicas })
  }
  return { type: 'assign', assignments }
}

class EncodedPart implements CommitPart {
  readonly partition: PartitionId
  readonly relations: RelationId[] = []
  readonly keys: Key[] = []
  added = NOTHING_ADDED
  bytes = 0
  readonly #command: Uint8Array
  at = 0

  constructor(partition: PartitionId, command: Uint8Array) {
    this.partition = partition
    this.#command = command
  }

  rows(): (Row | null)[] {
    const reader = new ByteReader(this.#command, this.at)
    const rows: (Row | null)[] = []
    for (let i = 0; i < this.keys.length; i++) {
      const kind = reader.byte()
      rows.push(kind === 1 ? reader.row() : null)
      if (kind === 2) readAdditions(reader)
    }
    return rows
  }

  additions(): ReadonlyMap<number, readonly Addition[]> {
    const additions = new Map<number, readonly Addition[]>()
    if (this.added.size === 0) return additions
    const reader = new ByteReader(this.#command, this.at)
    for (let i = 0; i < this.keys.length; i++) {
      const kind = reader.byte()
      if (kind === 1) reader.row()
      if (kind === 2) additions.set(i, readAdditions(reader))
    }
    return additions
  }

  program(): RowProgram {
    return decodeProgram({
      relation: this.relations[0] as RelationId,
      partition: this.partition,
      keys: this.keys,
      command: this.#command,
      at: this.at,
    })
  }
}

function readCommit(
  type: CommitCommand['type'],
  reader: ByteReader,
  bytes: Uint8Array,
  { reservation = 0, adds = false } = {},
): CommitCommand {
  const database = reader.varint()
  const version = reader.varint()
  const reads = readReads(reader)
  const parts: EncodedPart[] = []
  for (let left = reader.count(2); left > 0; left--) {
    const part = new EncodedPart(reader.varint() as PartitionId, bytes)
    const rows = reader.count()
    while (part.keys.length < rows) {
      const relation = reader.varint() as RelationId
      const run = reader.count()
      if (run === 0 || part.keys.length + run > rows) throw damaged('a run of keys does not fit')
      for (let i = 0; i < run; i++) {
        part.relations.push(relation)
        part.keys.push(reader.key())
      }
    }
    parts.push(part)
  }
  if (adds) for (const part of parts) part.added = readAdded(reader, part.keys.length)
  for (const part of parts) part.bytes = reader.count()
  let at = reader.position
  for (const part of parts) {
    part.at = at
    at += part.bytes
  }
  if (at !== bytes.length) throw damaged('its length is wrong')
  if (type === 'execute') checkProgram(parts)
  return { type, database, version, ...reads, reservation, parts }
}

function checkProgram(parts: readonly CommitPart[]): void {
  const relations = parts[0]?.relations ?? []
  if (parts.length !== 1 || relations.length === 0)
    throw damaged('a program names no rows, or several partitions')
  if (relations.some((relation) => relation !== relations[0]))
    throw damaged('a program names several relations')
}

/** @throws DB_FRAME_DAMAGED, the same on every node */
export function decodeCommand(bytes: Uint8Array): Command {
  const reader = new ByteReader(bytes)
  const type = reader.byte()
  const format = reader.byte()
  if (format !== COMMAND_FORMAT)
    throw damaged(`it has format ${format}, this version reads ${COMMAND_FORMAT}`)
  switch (type) {
    case CREATE:
      return readCreate(reader)
    case ASSIGN:
      return readAssign(reader)
    case COMPLETE:
      return readReplicaCommand('complete', reader)
    case LOST:
      return readReplicaCommand('lost', reader)
    case OFFER:
      return readReplicaCommand('offer', reader)
    case DURABLE:
      return readReplicaCommand('durable', reader)
    case COMMIT:
      return readCommit('commit', reader, bytes)
    case EXECUTE:
      return readCommit('execute', reader, bytes)
    case RESERVED_COMMIT:
      return readCommit('commit', reader, bytes, { reservation: reader.varint() })
    case ADDING_COMMIT:
      return readCommit('commit', reader, bytes, { reservation: reader.varint(), adds: true })
    case RESERVED_EXECUTE:
      return readCommit('execute', reader, bytes, { reservation: reader.varint() })
    case RESERVE: {
      const database = reader.varint()
      return { type: 'reserve', database, turnMs: reader.varint(), ...readReads(reader) }
    }
    case RELEASE: {
      const database = reader.varint()
      return { type: 'release', database, reservation: reader.varint() }
    }
    case KEEP: {
      const database = reader.varint()
      const on = reader.byte() === 1
      const relations: RelationId[] = []
      for (let left = reader.count(); left > 0; left--) relations.push(reader.varint() as RelationId)
      return { type: 'keep', database, on, relations }
    }
    case ALTER: {
      const database = reader.varint()
      const copies = reader.varint()
      return {
        type: 'alter',
        database,
        redundancy: copies === 0 ? 'all' : copies,
        minCopies: reader.varint(),
      }
    }
    case DROP:
      return { type: 'drop', database: reader.varint() }
    case DESCRIBE: {
      const node = reader.text() as NodeId
      return { type: 'describe', node, traits: readTraits(reader) }
    }
    default:
      throw damaged(`it has the unknown type ${type}`)
  }
}
