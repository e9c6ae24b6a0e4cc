import type { Mutation } from '../mutation.ts'

/** Bugs of witnesses, and of clusters whose nodes run programs of several versions. */
export const logUpgrades: readonly Mutation[] = [
  {
    name: 'witness-forgets-its-vote',
    bug: 'a witness does not write down for whom it voted',
    suite: 'serializer',
    file: 'packages/db-serializer/src/machine/raft/raft.ts',
    find: '    return state.out.flush(state.hard, ',
    put: '    const hard = state.isWitness ? { ...state.hard, votedFor: null } : state.hard\n    return state.out.flush(hard, ',
    seedsMax: 200,
  },
  {
    name: 'version-raised-early',
    bug: 'the cluster goes on to a version that only the voters support',
    suite: 'serializer',
    file: 'packages/db-serializer/src/driver/commands/applier.ts',
    find: '    for (const node of [...voters, ...learners, ...away])\n      lowest',
    put: '    for (const node of learners.length + away.length < 0 ? [] : voters)\n      lowest',
    seedsMax: 1_000,
  },
  {
    name: 'bundle-before-its-time',
    bug: 'a bundle is submitted although a member does not know bundles yet',
    suite: 'serializer',
    file: 'packages/db-serializer/src/driver/commands/versions.ts',
    find: '    if (version < needs) throw',
    put: '    if (version < needs && version < 0) throw',
    seedsMax: 60,
  },
]
