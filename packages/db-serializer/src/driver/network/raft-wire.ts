import type { LineageId, LogIndex, NodeId, Term } from '@cluster/core'
import type {
  Ancestor,
  Configuration,
  Entry,
  Lineage,
  LogPosition,
  Message,
  SnapshotMeta,
} from '../../machine/raft/types.ts'
import { bool, bytes, list, text, texts, WireError, whole } from './shape.ts'

/** Positions count, names cost bytes: every message is one flat list. New fields go to the end with a new version. */
const CODES = {
  preVote: 1,
  preVoteReply: 2,
  vote: 3,
  voteReply: 4,
  append: 5,
  appendReply: 6,
  timeoutNow: 7,
  lineage: 8,
} as const

const KINDS = ['command', 'noop', 'configuration'] as const
/** Values an entry takes in the flat list of an append: term, time, wall, kind, body. */
const ENTRY_WIDTH = 5

/** A Raft message as a list of plain values for CBOR. */
export function packMessage(message: Message): unknown[] {
  const head = [CODES[message.type], message.lineage, message.term]
  switch (message.type) {
    case 'preVote':
      return [...head, message.last.index, message.last.term]
    case 'vote':
      return [...head, message.last.index, message.last.term, message.transfer]
    case 'preVoteReply':
      return [...head, message.granted, message.commit.index, message.commit.term, message.disk ?? null]
    case 'voteReply':
      return [...head, message.granted, message.disk ?? null]
    case 'append':
      return [
        ...head,
        message.previous.index,
        message.previous.term,
        message.commit,
        message.round,
        message.configuration,
        message.acknowledged,
        packEntries(message.entries),
        ...(message.everywhere === undefined && !message.rest ? [] : [message.everywhere ?? null]),
        ...(message.rest ? [true] : []),
      ]
    case 'appendReply': {
      const { rejected } = message
      return [
        ...head,
        message.round,
        message.match,
        message.configuration,
        message.acknowledged,
        rejected ? [rejected.previous, rejected.hint.index, rejected.hint.term] : null,
        message.disk ?? null,
        ...(message.lease === undefined ? [] : [message.lease]),
      ]
    }
    case 'timeoutNow':
      return head
    case 'lineage':
      return [...head, packLineage(message.history)]
  }
}

/** @throws WireError when the value is not what `packMessage` makes */
export function unpackMessage(value: unknown): Message {
  const fields = list(value)
  const head = { lineage: text(fields[1]) as LineageId, term: whole(fields[2]) as Term }
  switch (fields[0]) {
    case CODES.preVote:
      return { type: 'preVote', ...head, last: position(fields[3], fields[4]) }
    case CODES.vote:
      return { type: 'vote', ...head, last: position(fields[3], fields[4]), transfer: bool(fields[5]) }
    case CODES.preVoteReply:
      return {
        type: 'preVoteReply',
        ...head,
        granted: bool(fields[3]),
        commit: position(fields[4], fields[5]),
        ...diskAt(fields[6]),
      }
    case CODES.voteReply:
      return { type: 'voteReply', ...head, granted: bool(fields[3]), ...diskAt(fields[4]) }
    case CODES.append: {
      const previous = position(fields[3], fields[4])
      return {
        type: 'append',
        ...head,
        previous,
        commit: whole(fields[5]) as LogIndex,
        round: whole(fields[6]),
        configuration: whole(fields[7]) as LogIndex,
        acknowledged: bool(fields[8]),
        entries: unpackEntries(list(fields[9]), previous.index + 1),
        ...(fields.length > 10 && fields[10] !== null ? { everywhere: whole(fields[10]) as LogIndex } : {}),
        ...(fields.length > 11 && bool(fields[11]) ? { rest: true } : {}),
      }
    }
    case CODES.appendReply: {
      const rejected = fields[7] === null ? null : list(fields[7])
      return {
        type: 'appendReply',
        ...head,
        round: whole(fields[3]),
        match: whole(fields[4]) as LogIndex,
        configuration: whole(fields[5]) as LogIndex,
        acknowledged: bool(fields[6]),
        rejected: rejected
          ? { previous: whole(rejected[0]) as LogIndex, hint: position(rejected[1], rejected[2]) }
          : null,
        ...diskAt(fields[8]),
        ...(fields.length > 9 ? { lease: number(fields[9]) } : {}),
      }
    }
    case CODES.timeoutNow:
      return { type: 'timeoutNow', ...head }
    case CODES.lineage:
      return { type: 'lineage', ...head, history: unpackLineage(fields[3]) }
    default:
      throw new WireError(`unknown message code ${String(fields[0])}`)
  }
}

function packEntries(entries: readonly Entry[]): unknown[] {
  const flat: unknown[] = []
  for (const entry of entries) {
    const kind = KINDS.indexOf(entry.kind)
    const body =
      entry.kind === 'command'
        ? entry.data
        : entry.kind === 'configuration'
          ? packConfiguration(entry.configuration)
          : null
    flat.push(entry.term, entry.time, entry.wall, kind, body)
  }
  return flat
}

function unpackEntries(flat: readonly unknown[], first: number): Entry[] {
  if (flat.length % ENTRY_WIDTH !== 0) throw new WireError('entries of odd width')
  const entries: Entry[] = []
  for (let at = 0; at < flat.length; at += ENTRY_WIDTH) {
    const head = {
      index: (first + at / ENTRY_WIDTH) as LogIndex,
      term: whole(flat[at]) as Term,
      time: number(flat[at + 1]),
      wall: number(flat[at + 2]),
    }
    const body = flat[at + 4]
    switch (KINDS[whole(flat[at + 3])]) {
      case 'command':
        entries.push({ ...head, kind: 'command', data: bytes(body) })
        break
      case 'noop':
        entries.push({ ...head, kind: 'noop' })
        break
      case 'configuration':
        entries.push({ ...head, kind: 'configuration', configuration: unpackConfiguration(body) })
        break
      default:
        throw new WireError('unknown kind of entry')
    }
  }
  return entries
}

export function packConfiguration(configuration: Configuration): unknown[] {
  const { voters, learners, away, provisional, disks, outgoing, witnesses } = configuration
  const pairs = disks === undefined ? null : Object.entries(disks).flat()
  const more = [outgoing ?? null, witnesses ?? null, configuration.seniors ?? null]
  return [voters, learners, away, provisional, pairs, ...more]
}

function diskAt(value: unknown): { readonly disk?: string } {
  return value === null ? {} : { disk: text(value) }
}

function disksAt(value: unknown): Pick<Configuration, 'disks'> {
  if (value === null) return {}
  const flat = texts(value)
  const disks: Record<string, string> = {}
  for (let at = 0; at + 1 < flat.length; at += 2) disks[flat[at] ?? ''] = flat[at + 1] ?? ''
  return { disks }
}

export function unpackConfiguration(value: unknown): Configuration {
  const fields = list(value)
  return {
    voters: texts(fields[0]) as NodeId[],
    learners: texts(fields[1]) as NodeId[],
    away: texts(fields[2]) as NodeId[],
    provisional: bool(fields[3]),
    ...disksAt(fields[4]),
    ...(fields[5] === null ? {} : { outgoing: texts(fields[5]) as NodeId[] }),
    ...(fields[6] === null ? {} : { witnesses: texts(fields[6]) as NodeId[] }),
    ...(fields[7] === null ? {} : { seniors: texts(fields[7]) as NodeId[] }),
  }
}

export function packLineage({ cluster, lineage, ancestry }: Lineage): unknown[] {
  return [
    cluster,
    lineage,
    ancestry.map((each) => [each.lineage, each.index, each.term, each.by, each.senior]),
  ]
}

export function unpackLineage(value: unknown): Lineage {
  const fields = list(value)
  return {
    cluster: text(fields[0]) as Lineage['cluster'],
    lineage: text(fields[1]) as LineageId,
    ancestry: list(fields[2]).map((each): Ancestor => {
      const [lineage, index, term, by, senior] = list(each)
      return {
        lineage: text(lineage) as LineageId,
        ...position(index, term),
        by: text(by) as NodeId,
        senior: senior === null ? null : (text(senior) as NodeId),
      }
    }),
  }
}

export function packSnapshotMeta(meta: SnapshotMeta): unknown[] {
  return [
    meta.index,
    meta.term,
    meta.time,
    packConfiguration(meta.configuration),
    meta.configurationIndex,
    packLineage(meta.history),
  ]
}

export function unpackSnapshotMeta(value: unknown): SnapshotMeta {
  const fields = list(value)
  return {
    ...position(fields[0], fields[1]),
    time: number(fields[2]),
    configuration: unpackConfiguration(fields[3]),
    configurationIndex: whole(fields[4]) as LogIndex,
    history: unpackLineage(fields[5]),
  }
}

function position(index: unknown, term: unknown): LogPosition {
  return { index: whole(index) as LogIndex, term: whole(term) as Term }
}

function number(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new WireError('no finite number')
  return value
}
