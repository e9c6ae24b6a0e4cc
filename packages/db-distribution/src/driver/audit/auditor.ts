import {
  type Divergence,
  delay,
  errorCode,
  isClusterError,
  type Key,
  type NodeId,
  type PartitionId,
  type RelationId,
  type VerifyOptions,
  type VerifyReport,
} from '@cluster/core'
import { aborted, isVersionGone, stopped } from '../../errors.ts'
import { type Digest, groupsOf, NO_ROWS, sameDigest } from '../../machine/digest.ts'
import { type DatabaseRecord, replicaOn } from '../../machine/state.ts'
import type { Context } from '../context.ts'
import type { AuditServer } from './audit-server.ts'
import {
  AUDIT_SERVICE,
  type AuditRequest,
  decodeDigests,
  encodeAudit,
  encodeMend,
  type Named,
} from './audit-wire.ts'

/** A holder gets this long for one reading of a partition. */
const READING_MS = 600_000
/** A partition whose version was let go while it was compared is compared at a newer one, so many times. */
const ATTEMPTS = 3
/** Rows that differ and are named. */
const NAMED_MAX = 100
/** A copy that is made anew is waited for this long. */
const MENDING_MS = 30_000
const ROWS_PER_SECOND = 500_000

/** What became of one partition. */
type Outcome =
  | { readonly type: 'same'; readonly rows: number }
  | { readonly type: 'skipped'; readonly why: string }
  | { readonly type: 'diverged'; readonly rows: number; readonly divergence: Divergence }

type Holdings = ReadonlyMap<NodeId, readonly Named<number | Key>[]>

/** Compares what holders hold at one version: relations first, then buckets of rows, then rows, only where they differ. */
export class Auditor {
  readonly #context: Context
  readonly #server: AuditServer

  constructor(context: Context, server: AuditServer) {
    this.#context = context
    this.#server = server
  }

  /** @throws ABORTED, STOPPED */
  async verify(record: () => DatabaseRecord, options: VerifyOptions): Promise<VerifyReport> {
    const { name, partitions: all } = record()
    const partitions = options.partitions ?? all.map(({ id }) => id)
    const compared: PartitionId[] = []
    const skipped: { partition: PartitionId; why: string }[] = []
    const divergences: Divergence[] = []
    let rows = 0
    for (const [done, partition] of partitions.entries()) {
      const outcome = await this.partition(record(), partition, options)
      if (outcome.type === 'skipped') skipped.push({ partition, why: outcome.why })
      else {
        compared.push(partition)
        rows += outcome.rows
        if (outcome.type === 'diverged') divergences.push(outcome.divergence)
      }
      options.onProgress?.({ done: done + 1, partitions: partitions.length })
    }
    return { database: name, compared, rows, skipped, divergences }
  }

  async partition(
    database: DatabaseRecord,
    partition: PartitionId,
    options: VerifyOptions,
  ): Promise<Outcome> {
    let why = ''
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      this.#check(options)
      const record = this.#context.partition(database.id, partition)
      const holders = record === null ? [] : this.#context.livingHolders(record)
      if (holders.length < 2)
        return {
          type: 'skipped',
          why: `${holders.length} of its holders answer: there is nothing to compare`,
        }
      try {
        return await this.#compare(database, partition, holders, options)
      } catch (error) {
        this.#check(options)
        if (!isClusterError(error)) throw error
        why = error.message
        if (!isVersionGone(error)) await delay(this.#context.ports.clock, 100)
      }
    }
    return { type: 'skipped', why }
  }

  #check({ signal }: VerifyOptions): void {
    if (signal?.aborted) throw aborted()
    if (this.#context.stopped) throw stopped()
  }

  async #compare(
    database: DatabaseRecord,
    partition: PartitionId,
    holders: readonly NodeId[],
    options: VerifyOptions,
  ): Promise<Outcome> {
    const version = this.#context.ports.log.appliedIndex()
    const ask = {
      database: database.id,
      partition,
      version,
      rowsPerSecond: options.rowsPerSecond ?? ROWS_PER_SECOND,
    }
    const unreadable: NodeId[] = []
    const holdings = new Map<NodeId, readonly Named<number | Key>[]>()
    const answers = await Promise.allSettled(
      holders.map((node) => this.#digests(node, { ...ask, what: { type: 'relations' } }, options)),
    )
    for (const [i, answer] of answers.entries()) {
      const node = holders[i] as NodeId
      if (answer.status === 'fulfilled') holdings.set(node, answer.value)
      // Whoever cannot read its own copy has none.
      else if (errorCode(answer.reason) === 'DISK_DAMAGED') unreadable.push(node)
      else throw answer.reason
    }
    const names = new Map<NodeId, string>(
      [...holdings].map(([node, digests]) => [node, JSON.stringify(digests)]),
    )
    for (const node of unreadable) names.set(node, `unreadable ${node}`)
    const groups = groupsOf(names)
    const rows = Math.max(0, ...[...holdings.values()].map(rowsIn))
    if (groups.length === 1) return { type: 'same', rows }
    const differing = holdings.size < 2 ? [] : await this.#differingRows(ask, holdings, options)
    const right = judge(groups, unreadable, options.trust)
    const divergence: Divergence = { partition, version, groups, right, rows: differing, mended: [] }
    this.#tell(database, divergence)
    const wrong = right === null ? [] : groups.flatMap((group, i) => (i === right ? [] : group))
    const mended = options.mend === false ? [] : await this.#mend(database, partition, wrong)
    return { type: 'diverged', rows, divergence: { ...divergence, mended } }
  }

  async #digests(
    node: NodeId,
    request: AuditRequest,
    { signal }: VerifyOptions,
  ): Promise<Named<number | Key>[]> {
    if (node === this.#context.self) return this.#server.digest(request, signal)
    const call = { deadlineMs: READING_MS, ...(signal ? { signal } : {}) }
    return decodeDigests(
      await this.#context.ports.peers.request(node, AUDIT_SERVICE, encodeAudit(request), call),
    )
  }

  /** Descends to some of the rows that are not the same everywhere. */
  async #differingRows(
    ask: Omit<AuditRequest, 'what'>,
    holdings: Holdings,
    options: VerifyOptions,
  ): Promise<Divergence['rows']> {
    const nodes = [...holdings.keys()]
    const named: { relation: RelationId; key: Key }[] = []
    const all = (what: AuditRequest['what']) =>
      Promise.all(nodes.map((node) => this.#digests(node, { ...ask, what }, options)))
    for (const relation of differing([...holdings.values()]) as RelationId[]) {
      const buckets = differing(await all({ type: 'buckets', relation })) as number[]
      const keys = differing(await all({ type: 'rows', relation, buckets })) as Key[]
      for (const key of keys) if (named.length < NAMED_MAX) named.push({ relation, key })
      if (named.length === NAMED_MAX) break
    }
    return named
  }

  #tell({ name }: DatabaseRecord, { partition, version, groups, right, rows }: Divergence): void {
    this.#context.ports.logger.log('error', 'copies of a partition differ', {
      database: name,
      partition,
      version,
      groups: groups.map((group) => group.join(' ')).join(' | '),
      right: right === null ? 'nobody can tell' : (groups[right] ?? []).join(' '),
      rows: rows.length,
    })
    this.#context.emit(name, 'diverged', { database: name, partition, groups, right })
  }

  /** Has wrong copies made anew; resolves with those for which that has begun, and waits a while for the end. */
  async #mend(database: DatabaseRecord, partition: PartitionId, wrong: readonly NodeId[]): Promise<NodeId[]> {
    const begun: NodeId[] = []
    const version = this.#context.machine.index
    const { peers, logger, clock } = this.#context.ports
    for (const node of wrong) {
      const record = this.#context.partition(database.id, partition)
      const replica = record === null ? undefined : replicaOn(record, node)
      if (replica === undefined) continue
      const request = { database: database.id, partition, since: replica.since }
      try {
        const taken =
          node === this.#context.self
            ? this.#server.mend(request)
            : (
                await peers.request(node, AUDIT_SERVICE, encodeMend(request), { deadlineMs: READING_MS })
              )[0] === 1
        if (taken) begun.push(node)
      } catch (error) {
        if (this.#context.stopped) throw stopped()
        logger.log('warn', 'a copy that differs was not given up', { node, partition, error: String(error) })
      }
    }
    const until = clock.now() + MENDING_MS
    const open = (): boolean =>
      begun.some((node) => {
        const record = this.#context.partition(database.id, partition)
        const replica = record === null ? undefined : replicaOn(record, node)
        return replica !== undefined && !(replica.complete && replica.since > version)
      })
    while (open() && clock.now() < until && !this.#context.stopped)
      await this.#context.changed.next(clock, until - clock.now())
    return begun
  }
}

const rowsIn = (digests: readonly Named<number | Key>[]): number =>
  digests.reduce((sum, { digest }) => sum + digest.rows, 0)

/** Names whose digests are not the same in all lists, sorted. */
function differing(lists: readonly (readonly Named<number | Key>[])[]): (number | Key)[] {
  const maps = lists.map((list) => new Map(list.map(({ name, digest }) => [name, digest])))
  const names = [...new Set(lists.flatMap((list) => list.map(({ name }) => name)))]
  const differs = (name: number | Key): boolean => {
    const [first = NO_ROWS, ...rest] = maps.map((map): Digest => map.get(name) ?? NO_ROWS)
    return rest.some((digest) => !sameDigest(digest, first))
  }
  return names.filter(differs).sort((a, b) => (a < b ? -1 : 1))
}

/** The group that counts: the one trusted, else the one with more members than every other. */
function judge(
  groups: readonly (readonly NodeId[])[],
  unreadable: readonly NodeId[],
  trust: NodeId | undefined,
): number | null {
  const readable = groups.filter((group) => !group.some((node) => unreadable.includes(node)))
  const [first, second] = readable
  if (first === undefined) return null
  if (trust !== undefined) {
    const trusted = readable.find((group) => group.includes(trust))
    return trusted === undefined ? null : groups.indexOf(trusted)
  }
  return second !== undefined && second.length === first.length ? null : groups.indexOf(first)
}
