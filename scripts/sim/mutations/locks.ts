import type { Mutation } from '../mutation.ts'

/** Bugs of locks, and of the database that is to refuse who lost one. */
export const locks: readonly Mutation[] = [
  {
    name: 'fence-not-checked',
    bug: 'a condition on a lock holds whatever the token is',
    suite: 'locks',
    file: 'packages/mutex/src/machine/machine.ts',
    find: '      if (!wanted || !claim || claim.broken !== null) return false\n',
    put: '      if (!wanted || !claim) return wanted !== null\n',
    seedsMax: 10,
  },
  {
    name: 'fence-not-sent',
    bug: 'a commit under a lock is submitted without its fence',
    suite: 'locks',
    file: 'packages/db-distribution/src/driver/committer.ts',
    find: '      requires: [...fences, ...(along?.requires ?? [])],\n',
    put: '      requires: [...(along?.requires ?? [])],\n',
    seedsMax: 10,
  },
  {
    name: 'fence-of-the-name',
    bug: 'a fence holds as long as anybody of the same session has the lock',
    suite: 'locks',
    file: 'packages/mutex/src/machine/machine.ts',
    find: 'lock?.holders.find(({ token }) => token === wanted?.token)',
    put: 'lock?.holders[0]',
    seedsMax: 60,
  },
  {
    name: 'bundle-commit-forgotten',
    bug: 'a commit in a bundle is answered as done, and does not take place',
    suite: 'locks',
    file: 'packages/db-distribution/src/machine/machine.ts',
    find: '    const commits = this.#bundle?.commits ?? []\n    this.#bundle = null\n',
    put: '    const commits = (this.#bundle?.commits ?? []).slice(1)\n    this.#bundle = null\n',
    seedsMax: 5,
  },
  {
    name: 'tokens-begin-anew',
    bug: 'tokens are counted, and the count is not in snapshots',
    suite: 'locks',
    file: 'packages/mutex/src/machine/machine.ts',
    find: '    this.#state.counter = Math.max(counter + 1, entry.index)\n',
    put: '    this.#state.counter = counter + 1\n',
    also: [
      {
        file: 'packages/mutex/src/machine/snapshot.ts',
        find: 'counter: input.varint() }',
        put: 'counter: 0 * input.varint() }',
      },
    ],
    seedsMax: 20,
  },
  {
    name: 'expired-by-the-note',
    bug: "a session ends by the leader's note, although it was renewed before that in the log",
    suite: 'locks',
    file: 'packages/mutex/src/machine/machine.ts',
    find: "    if (left > 0) return answer('kept', Math.ceil(left))\n",
    put: "    if (left > session.leaseMs) return answer('kept', Math.ceil(left))\n",
    also: [
      {
        file: 'packages/mutex/src/driver/expiry.ts',
        find: '    return Math.max(notBefore, at + (this.#context.machine.sessions.get(id)?.leaseMs ?? 0))\n',
        put: '    return Math.max(notBefore, at + (this.#context.machine.sessions.get(id)?.leaseMs ?? 0) / 3)\n',
      },
      {
        file: 'packages/mutex/src/driver/expiry.ts',
        find: '    if (exists === undefined || silentMs >= settings.busyMs) return false\n',
        put: '    if (exists === undefined || silentMs >= 0) return false\n',
      },
    ],
    seedsMax: 20,
  },
  {
    name: 'lease-counted-from-the-answer',
    bug: 'a holder counts its lease from the answer to its renewal, and trusts it twice as long',
    suite: 'locks',
    file: 'packages/mutex/src/driver/session.ts',
    find: '      this.#validUntil = sentAt + leaseMs * TRUSTED\n',
    put: '      this.#validUntil = clock.now() + leaseMs * 2\n',
    seedsMax: 60,
  },
]
