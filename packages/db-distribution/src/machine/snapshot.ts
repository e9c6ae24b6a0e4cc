import { assert, type DatabaseOptions, type NodeId, type PartitionId, type RelationId } from '@cluster/core'
import { ByteReader, ByteWriter } from './bytes.ts'
import { decodeOptions, encodeOptions } from './commands.ts'
import { type KeptChanges, NOTHING_KEPT, readKept, writeKept } from './kept-changes.ts'
import { Reservations } from './reservations.ts'
import type { PartitionRecord, ReplicaRecord } from './state.ts'
import { type NodeTraits, readTraits, type TraitsOf, writeTraits } from './traits.ts'
import { CertificationWindow, type WindowLimits } from './window.ts'

/** Version of the snapshot's layout. Nobody could add to rows while there were programs that know less. */
const FORMAT = 5
/** Says nothing of what was added to rows; written while nothing was. */
const FORMAT_FOURTH = 4
/** Says nothing of databases that were dropped; written while there are none. */
const FORMAT_THIRD = 3
/** The first had no reservations. */
const FORMAT_FIRST = 1
/** The second did not say which relations a partition has, nor of which changes are kept. */
const FORMAT_SECOND = 2

/** A piece is cut once it has so many bytes. */
const PIECE_BYTES = 48 * 1024

/** All that is known of a database. */
export interface Entry {
  id: number
  name: string
  uid: string
  options: Required<DatabaseOptions>
  partitions: PartitionRecord[]
  relations: Set<RelationId>
  window: CertificationWindow
  reservations: Reservations
  kept: KeptChanges
}

/** All that is known. */
export interface State {
  /** Of the newest command applied. */
  readonly index: number
  readonly entries: Iterable<Entry>
  readonly traits: TraitsOf
  /** Unique names of databases that were dropped, in that order. */
  readonly dropped: ReadonlySet<string>
}

/**
 * The state of this moment, in pieces. Windows are by far the largest part, and only grow and lose their beginning, so what they are
 * now can be written down later.
 */
export function statePieces({ index, entries, traits, dropped }: State): Generator<Uint8Array> {
  const all = [...entries].sort((a, b) => a.id - b.id)
  const adds = all.some(({ window }) => window.hasAdditions)
  const says = adds || dropped.size > 0
  const parts: ((writer: ByteWriter) => void)[] = []
  const now = (write: (writer: ByteWriter) => void): void => {
    const writer = new ByteWriter()
    write(writer)
    const bytes = writer.finish()
    parts.push((later) => later.raw(bytes))
  }
  now((writer) =>
    writer
      .byte(adds ? FORMAT : says ? FORMAT_FOURTH : FORMAT_THIRD)
      .varint(index)
      .varint(all.length),
  )
  for (const entry of all) {
    now((writer) => writeRecord(writer, entry))
    parts.push(...entry.window.parts(adds))
    now((writer) => {
      entry.reservations.write(writer)
      writeKept(writer, entry.kept)
    })
  }
  now((writer) => {
    writer.varint(traits.size)
    for (const [node, each] of [...traits].sort(([a], [b]) => (a < b ? -1 : 1))) {
      writer.text(node)
      writeTraits(writer, each)
    }
    if (!says) return
    writer.varint(dropped.size)
    for (const uid of dropped) writer.text(uid)
  })
  return written(parts)
}

function* written(parts: readonly ((writer: ByteWriter) => void)[]): Generator<Uint8Array> {
  let writer = new ByteWriter()
  for (const write of parts) {
    write(writer)
    if (writer.length < PIECE_BYTES) continue
    yield writer.finish()
    writer = new ByteWriter()
  }
  yield writer.finish()
}

/** @throws DB_FRAME_DAMAGED */
export function readState(
  snapshot: Uint8Array,
  limits: WindowLimits,
): Omit<State, 'index' | 'entries'> & { readonly entries: readonly Entry[] } {
  const reader = new ByteReader(snapshot)
  const format = reader.byte()
  assert(
    format >= FORMAT_FIRST && format <= FORMAT,
    `a snapshot of the databases has the unknown format ${format}`,
  )
  reader.varint()
  const entries: Entry[] = []
  for (let left = reader.count(); left > 0; left--) entries.push(readEntry(reader, format, limits))
  const traits = new Map<NodeId, NodeTraits>()
  if (format > FORMAT_SECOND)
    for (let left = reader.count(3); left > 0; left--) traits.set(reader.text() as NodeId, readTraits(reader))
  const dropped = new Set<string>()
  if (format > FORMAT_THIRD) for (let left = reader.count(); left > 0; left--) dropped.add(reader.text())
  return { entries, traits, dropped }
}

function writeRecord(writer: ByteWriter, entry: Entry): void {
  writer.varint(entry.id).text(entry.name).text(entry.uid)
  encodeOptions(writer, entry.options)
  writer.varint(entry.partitions.length)
  for (const { epoch, replicas, lastWrite, relations, settled } of entry.partitions) {
    writer
      .varint(epoch)
      .varint(lastWrite)
      .byte(settled ? 1 : 0)
      .varint(replicas.length)
    for (const { node, complete, since, replaces, durable } of replicas)
      writer
        .text(node)
        .byte(complete ? 1 : 0)
        .varint(since)
        .text(replaces ?? '')
        .varint(durable)
    writeRelations(writer, relations)
  }
  writeRelations(writer, entry.relations)
}

function writeRelations(writer: ByteWriter, relations: ReadonlySet<RelationId>): void {
  writer.varint(relations.size)
  for (const relation of [...relations].sort((a, b) => a - b)) writer.varint(relation)
}

function readRelations(reader: ByteReader): Set<RelationId> {
  const relations = new Set<RelationId>()
  for (let left = reader.count(); left > 0; left--) relations.add(reader.varint() as RelationId)
  return relations
}

function readEntry(reader: ByteReader, format: number, limits: WindowLimits): Entry {
  const id = reader.varint()
  const name = reader.text()
  const uid = reader.text()
  const options = decodeOptions(reader)
  const partitions: PartitionRecord[] = []
  for (let count = reader.count(4), p = 0; p < count; p++) {
    const epoch = reader.varint()
    const lastWrite = reader.varint()
    const settled = reader.byte() === 1
    const replicas: ReplicaRecord[] = []
    for (let left = reader.count(4); left > 0; left--) {
      const node = reader.text() as NodeId
      const complete = reader.byte() === 1
      const since = reader.varint()
      const replaces = reader.text()
      const durable = reader.varint()
      replicas.push({
        node,
        complete,
        since,
        replaces: replaces === '' ? null : (replaces as NodeId),
        durable,
      })
    }
    const relations = format > FORMAT_SECOND ? readRelations(reader) : new Set<RelationId>()
    partitions.push({ id: p as PartitionId, epoch, replicas, lastWrite, relations, settled })
  }
  const relations = readRelations(reader)
  const window = CertificationWindow.read(reader, format > FORMAT_FOURTH, limits)
  const reservations = format > FORMAT_FIRST ? Reservations.read(reader) : new Reservations()
  const kept = format > FORMAT_SECOND ? readKept(reader) : NOTHING_KEPT
  return { id, name, uid, options, partitions, relations, window, reservations, kept }
}
