import { type Clock, type Containers, chance, delay, isClusterError, type Locks, pick } from '@cluster/core'
import type { Load, Named, Told } from '../load.ts'
import { drawn } from './objects.ts'

export interface LockInput extends Named {
  readonly lock: string
  /** False reads what was done under the lock. */
  readonly works: boolean
}

/** What was done under a lock, in the order of the log; the grant that was had, if any. */
export type LockOutput =
  | { readonly token: number; readonly grantedAt: number }
  | { readonly notes: readonly LockNote[] }
  | null

/** Written under the lock, with its fence. */
export interface LockNote {
  readonly by: string
  readonly token: number
  readonly step: 'begin' | 'end'
}

export interface LockLoadOptions<App> {
  readonly containers: (app: App) => Containers
  readonly locks: (app: App) => Locks
  readonly clockOf: (app: App) => Clock
  readonly now: () => number
}

const LOCKS = ['red', 'green']

/** Work under locks, in two steps with a pause between that may be too long: both are fenced. */
export function lockLoad<App>({
  containers,
  locks,
  clockOf,
  now,
}: LockLoadOptions<App>): Load<App, LockInput, LockOutput> {
  const notesOf = (app: App, lock: string) =>
    containers(app).topic<LockNote>(`under ${lock}`, { keep: 1_000_000 })
  return {
    next: (name, _client, random) => ({ name, lock: pick(random, LOCKS), works: chance(random, 0.9) }),
    last: (name) => ({ name, lock: 'red', works: true }),
    closing: (name) => LOCKS.map((lock) => ({ name: `${name}/${lock}`, lock, works: false })),
    writes: () => false,
    async perform(app, input) {
      const { lock, name: by } = input
      if (!input.works) return { notes: await notesOf(app, lock).toArray() }
      const held = await locks(app).acquire(lock, { timeoutMs: 5_000 })
      const grant = { token: held.token, grantedAt: now() }
      try {
        const note = (step: LockNote['step']): Promise<void> =>
          containers(app).transaction(async (tx) => {
            tx.fence(held)
            await tx.publish<LockNote>(`under ${lock}`, { by, token: held.token, step }, { keep: 1_000_000 })
          })
        await note('begin')
        const pace = drawn(input, 'pace') % 8
        await delay(clockOf(app), pace === 0 ? 4_000 : pace * 60)
        // Without asking whether it is still held: that is what the fence is for.
        await note('end')
      } catch (error) {
        if (!isClusterError(error) || error.code !== 'CONTAINER_FENCED') throw error
      } finally {
        await held.release()
      }
      return grant
    },
    judge: judgeLocks,
  }
}

/** What was done under a lock does not interleave, and tokens grow. */
export function judgeLocks({ history }: Pick<Told<LockInput, LockOutput>, 'history'>): string | null {
  for (const { input, end } of history) {
    if (end === null || end.output === null || !('notes' in end.output)) continue
    const problem = interleaved(end.output.notes)
    if (problem !== null) return `under ${input.lock} ${problem}`
  }
  const grants = history.flatMap(({ input, callTime, end }) =>
    end !== null && end.output !== null && 'token' in end.output
      ? [{ lock: input.lock, name: input.name, callTime, ...end.output }]
      : [],
  )
  for (const earlier of grants)
    for (const later of grants)
      if (earlier.grantedAt < later.callTime && earlier.token >= later.token)
        return `${later.name} got token ${later.token} after ${earlier.name} had got ${earlier.token}`
  return null
}

function interleaved(notes: readonly LockNote[]): string | null {
  let last: LockNote | null = null
  for (const note of notes) {
    if (last !== null && note.token < last.token)
      return `${note.by} did something with token ${note.token} after ${last.by} with ${last.token}`
    if (note.step === 'end' && (last?.token !== note.token || last.step !== 'begin'))
      return `${note.by} ended what it had not begun, with token ${note.token}`
    last = note
  }
  return null
}
