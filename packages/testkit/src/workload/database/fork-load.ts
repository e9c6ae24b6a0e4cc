import { below, chance, pick, relationId } from '@cluster/core'
import type { Load, Named, Told } from '../load.ts'
import { luckOf, type OpenDatabase, transact } from './rows.ts'

export const FORKS = relationId(21)

export interface ForkInput extends Named {
  readonly group: string
  /** Null reads the whole group. Each key is written once. */
  readonly key: string | null
}

/** The keys that were there; null for a write. */
export type ForkOutput = readonly string[] | null

const KEYS = ['a', 'b', 'c', 'd']
const OPEN = 4

/** Long fork: blind writes of single keys, and reads of whole groups, which must all fit into one order. */
export function forkLoad<App>(open: OpenDatabase<App>): Load<App, ForkInput, ForkOutput> {
  const left = new Map<string, string[]>()
  let groups = 0
  const openGroups = (): string[] => {
    for (const [group, keys] of left) if (keys.length === 0) left.delete(group)
    while (left.size < OPEN) left.set(`group ${groups++}`, [...KEYS])
    return [...left.keys()]
  }
  return {
    next(name, _client, random) {
      const group = pick(random, openGroups())
      const keys = left.get(group) ?? []
      if (chance(random, 0.7) || keys.length === 0) return { name, group, key: null }
      return { name, group, key: keys.splice(below(random, keys.length), 1)[0] ?? null }
    },
    last: (name) => ({ name, group: name, key: 'a' }),
    writes: ({ key }) => key !== null,
    mayRepeat: (input) => input.key !== null && luckOf(input, 'insists') % 3 > 0,
    perform: (app, input) =>
      transact<App, ForkOutput>(open, app, input, {
        readOnly: input.key === null,
        idempotent: true,
        async run(rows) {
          const { group, key } = input
          if (key !== null) {
            rows.put(FORKS, `${group}/${key}`, input.name)
            return { output: null, commit: true }
          }
          const names = KEYS.map((each) => `${group}/${each}`)
          const held = await rows.several(FORKS, names, luckOf(input, 'scan') % 2 === 0)
          return { output: KEYS.filter((each) => held.has(`${group}/${each}`)), commit: false }
        },
      }),
    judge: judgeForks,
  }
}

export function judgeForks({ history }: Told<ForkInput, ForkOutput>): string | null {
  const groups = new Map<string, { readonly keys: readonly string[]; readonly by: string }[]>()
  for (const { input, end } of history) {
    if (end === null || end.output === null) continue
    const reads = groups.get(input.group) ?? []
    groups.set(input.group, reads)
    reads.push({ keys: end.output, by: input.name })
  }
  for (const [group, reads] of groups) {
    // Sorted by how much they saw, each must have seen all that the one before saw.
    reads.sort((a, b) => a.keys.length - b.keys.length)
    for (const [at, later] of reads.entries()) {
      const earlier = reads[at - 1]
      if (earlier?.keys.some((key) => !later.keys.includes(key)))
        return `${earlier.by} saw [${earlier.keys}] and ${later.by} saw [${later.keys}] of ${group}: two orders (long fork)`
    }
  }
  return null
}
