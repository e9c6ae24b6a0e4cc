import type { Mutation } from '../mutation.ts'

/** Bugs of what the log keeps on its disk. */
export const logDisk: readonly Mutation[] = [
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
    seedsMax: 200,
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
    seedsMax: 400,
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
    name: 'acknowledged-before-fsync',
    bug: 'a follower says that it has entries before they are on its disk',
    suite: 'serializer',
    file: 'packages/db-serializer/src/machine/raft/follower.ts',
    find: '    state.out.sendWhenDurable(from, appendReply(state, from, round, end, null))\n',
    put: '    state.send(from, appendReply(state, from, round, end, null))\n',
    seedsMax: 150,
  },
  {
    name: 'vote-before-fsync',
    bug: 'a vote leaves before it is on the disk',
    suite: 'serializer',
    file: 'packages/db-serializer/src/machine/raft/outbox.ts',
    find: '    const held = this.#hardChanged || this.#pending.some((write) => write.hard)\n',
    put: '    const held = false\n',
    seedsMax: 150,
  },
  {
    name: 'empty-disk-votes',
    bug: 'a node that comes back with an empty disk votes on under its old name',
    suite: 'serializer',
    file: 'packages/db-serializer/src/machine/raft/configuration.ts',
    find: '  return listed === undefined || listed === disk\n',
    put: '  return listed === undefined || listed !== disk || listed === disk\n',
    seedsMax: 150,
  },
]
