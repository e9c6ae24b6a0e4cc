import type { SuiteName } from '../../packages/node/test/sim/report.ts'

/** One place of a bug. */
export interface Place {
  readonly file: string
  readonly find: string
  readonly put: string
}

/** A bug to plant: in `file`, `find` is replaced by `put`. Nothing of it is in the shipped source. */
export interface Mutation {
  readonly name: string
  /** What the bug is, in a few words. */
  readonly bug: string
  readonly suite: SuiteName
  /** From the root of the repository. */
  readonly file: string
  /** Occurs exactly once in the file. */
  readonly find: string
  readonly put: string
  /** More places of the same bug. */
  readonly also?: readonly Place[]
  /** It must be found within so many seeds. */
  readonly seedsMax: number
}

export const mutations: readonly Mutation[] = [
  {
    name: 'fsync-skipped',
    bug: 'the log calls its entries durable without waiting for the disk',
    suite: 'serializer',
    file: 'packages/db-serializer/src/driver/disk/log-files.ts',
    find: '    await this.#active?.sync()\n',
    put: '',
    seedsMax: 20,
  },
  {
    name: 'term-check-forgotten',
    bug: 'entries of a leader whose term is over are still taken',
    suite: 'serializer',
    file: 'packages/db-serializer/src/machine/raft/raft.ts',
    find: "} else if (message.term < state.term && message.type !== 'preVote') {",
    put: "} else if (message.term < 0 && message.type !== 'preVote') {",
    seedsMax: 20,
  },
  {
    name: 'two-votes-a-term',
    bug: 'a node votes again in a term in which it has voted for another one',
    suite: 'serializer',
    file: 'packages/db-serializer/src/machine/raft/election.ts',
    find: '    (votedFor === null || votedFor === from) &&\n    state.leader === null &&\n',
    put: '',
    seedsMax: 40,
  },
  {
    name: 'retry-applies-twice',
    bug: 'a command that was sent again is applied again',
    suite: 'serializer',
    file: 'packages/db-serializer/src/machine/commands/session-table.ts',
    find: "return outcome ? { verdict: 'done', outcome } : NEW",
    put: 'if (outcome) open.applied.delete(number)\n    return NEW',
    seedsMax: 20,
  },
  {
    name: 'damage-taken-as-torn',
    bug: 'a damaged record in the middle of the log is cut off like a write that a crash cut short',
    suite: 'serializer',
    file: 'packages/db-serializer/src/driver/disk/log-files.ts',
    find:
      '        if (index <= noted || wasDurable(bytes, segment.size, index))\n' +
      "          throw damaged(path, segment.size, 'a record that had been durable does not hold')\n",
    put: '',
    also: [
      {
        file: 'packages/db-serializer/src/driver/disk/log-files.ts',
        find: '  if (end < known) throw damaged(',
        put: '  if (end < Math.min(known, 0)) throw damaged(',
      },
    ],
    seedsMax: 40,
  },
  {
    name: 'renounced-voter-votes',
    bug: 'a node with a damaged log empties it and goes on voting under its old name',
    suite: 'serializer',
    file: 'packages/db-serializer/src/driver/disk/open-log.ts',
    find: '    await renounce(ports, identity, error, options.giveUpDamaged === true)\n',
    put:
      '    const hard = await HardFile.open(disk)\n' +
      '    for (const path of (await disk.list()).filter(isLogFile))\n' +
      "      if (!path.startsWith('hard')) await disk.remove(path)\n" +
      '    if (hard.record?.state) {\n' +
      '      const state = { ...hard.record.state, committed: 0 as never }\n' +
      '      await hard.write({ state, durableIndex: 0 })\n' +
      '      await hard.close()\n' +
      '    }\n' +
      '    return { store: await LogFiles.open(disk, options), identity, groupFile }\n',
    seedsMax: 40,
  },
  {
    name: 'full-disk-acknowledged',
    bug: 'a write that found no room counts as done',
    suite: 'serializer',
    file: 'packages/db-serializer/src/driver/disk/patient-disk.ts',
    find: "          if (errorCode(error) !== 'DISK_FULL' || this.#closed) throw error\n",
    put: "          if (errorCode(error) === 'DISK_FULL') return undefined as T\n          throw error\n",
    seedsMax: 20,
  },
  {
    name: 'stalled-leader-reads',
    bug: 'a leader answers reads without asking whether it leads still, and does not notice that it was held up',
    suite: 'serializer',
    file: 'packages/db-serializer/src/machine/raft/read-index.ts',
    find: '      if (!confirmed) return\n',
    put: '',
    also: [
      {
        file: 'packages/db-serializer/src/machine/raft/leadership.ts',
        find: '  if (!heard || stalls) {\n',
        put: '  if (stalls && !heard && !stalls) {\n',
      },
    ],
    seedsMax: 40,
  },
  {
    name: 'learner-counted',
    bug: 'the copy of a learner counts for a commit like that of a voter',
    suite: 'serializer',
    file: 'packages/db-serializer/src/machine/raft/leadership.ts',
    find: '    const reached = quorumsValue(state.quorums(), (voter) =>\n      voter === state.self ? state.durableIndex : (office.progress.get(voter)?.match ?? 0),\n    )\n',
    put: '    const copies = [state.durableIndex, ...[...office.progress.values()].map((each) => each.match)]\n    const reached = copies.sort((a, b) => b - a)[Math.floor(state.voters().length / 2)] ?? 0\n',
    seedsMax: 200,
  },
  {
    name: 'read-without-asking',
    bug: 'a leader answers reads without asking whether it still leads',
    suite: 'serializer',
    file: 'packages/db-serializer/src/machine/raft/read-index.ts',
    find: '      const confirmed = haveQuorums(',
    put: '      const confirmed = office !== null || haveQuorums(',
    seedsMax: 80,
  },
  {
    name: 'deduplicated-by-maximum',
    bug: 'a command counts as applied when a later one of its session was',
    suite: 'serializer',
    file: 'packages/db-serializer/src/machine/commands/session-table.ts',
    find: '    const outcome = open.applied.get(number)\n',
    put: '    const outcome =\n      open.applied.get(number) ?? [...open.applied].find(([other]) => other > number)?.[1]\n',
    seedsMax: 10,
  },
  {
    name: 'stale-log-elected',
    bug: 'votes are given to a candidate whose log is behind',
    suite: 'serializer',
    file: 'packages/db-serializer/src/machine/raft/log-tail.ts',
    find: '  return a.term > b.term || (a.term === b.term && a.index >= b.index)\n',
    put: '  return a.term > 0 || b.term === 0\n',
    seedsMax: 20,
  },
  {
    name: 'sessions-forgotten',
    bug: 'a node that gets a snapshot does not take over who submitted what',
    suite: 'serializer',
    file: 'packages/db-serializer/src/driver/commands/applier.ts',
    find: '    this.sessions.load(fields[4] as SessionTableState)\n',
    put: '',
    seedsMax: 10,
  },
  {
    name: 'stale-take-over',
    bug: 'a holder gives its copy of a partition away although it lags behind what was asked for',
    suite: 'distribution',
    file: 'packages/db-distribution/src/driver/server.ts',
    find: '    const store = await this.#storeAt(database, partition, needed)\n' + '    // The newest',
    put:
      '    const held = this.#replicas.get(database, partition)?.store\n' +
      '    const store = held ?? (await this.#storeAt(database, partition, needed))\n' +
      '    // The newest',
    seedsMax: 40,
  },
  {
    name: 'unproved-outcome',
    bug: 'what was read without asking for the newest version is told without being proved',
    suite: 'distribution',
    file: 'packages/db-distribution/src/driver/committer.ts',
    find: '    if (changed !== null) throw this.#refused(database, reads, changed)\n',
    put: '',
    seedsMax: 20,
  },
  {
    name: 'program-not-counted',
    bug: 'rows of a program that ran where it was applied do not count as written',
    suite: 'distribution',
    file: 'packages/db-distribution/src/machine/machine.ts',
    find: '    const relations = entry.window.add(index, commit.parts)\n',
    put: "    const relations = entry.window.add(index, commit.type === 'execute' ? [] : commit.parts)\n",
    seedsMax: 40,
  },
  {
    name: 'program-lost-in-copy',
    bug: 'a program that came while the partition was being copied is left out',
    suite: 'distribution',
    file: 'packages/db-distribution/src/driver/local-replica.ts',
    find: '    for (const { version, writes } of this.#pending) this.#put(store, version, writes)\n',
    put:
      '    for (const { version, writes } of this.#pending)\n' +
      "      this.#put(store, version, 'steps' in writes ? [] : writes)\n",
    seedsMax: 40,
  },
  {
    name: 'range-not-judged',
    bug: 'what a scan has read is left out of what a transaction is judged by',
    suite: 'distribution',
    file: 'packages/db-distribution/src/driver/transaction.ts',
    find: '    this.#reads.addRange(covered)\n',
    put: '',
    seedsMax: 20,
  },
  {
    name: 'log-cut-early',
    bug: 'the log is cut although rows of replicas are in memory alone',
    suite: 'distribution',
    file: 'packages/db-distribution/src/driver/replicas.ts',
    find: '    const { machine, settings } = this.#context\n    let durable = Number.POSITIVE_INFINITY\n',
    put: '    if (this.#ready) return Number.POSITIVE_INFINITY\n    const { machine, settings } = this.#context\n    let durable = Number.POSITIVE_INFINITY\n',
    seedsMax: 20,
  },
]

export function mutationOf(name: string): Mutation {
  const mutation = mutations.find((one) => one.name === name)
  if (mutation) return mutation
  throw new Error(`no mutation is called ${name}; there are ${mutations.map((one) => one.name).join(', ')}`)
}

/** All places of a bug. */
export function placesOf({ file, find, put, also = [] }: Mutation): readonly Place[] {
  return [{ file, find, put }, ...also]
}

/** The text with the bug planted. @throws Error when the text does not have the place exactly once */
export function plant(name: string, { file, find, put }: Place, text: string): string {
  const parts = text.split(find)
  if (parts.length !== 2)
    throw new Error(
      `the mutation ${name} finds its place ${parts.length - 1} times in ${file}; adapt scripts/sim/mutations.ts to the source`,
    )
  return parts.join(put)
}
