import { below, relationId } from '@cluster/core'
import type { Load, Named, Told } from '../load.ts'
import { luckOf, type OpenDatabase, transact } from './rows.ts'

export const OWNERS = relationId(24)

export interface OwnerInput extends Named {
  readonly key: string
}

/** Who has the key: whoever took it, the asker if it was free. */
export interface OwnerOutput {
  readonly owner: string
}

/** Unique keys: whoever finds one free inserts it with its own name; only one may succeed. */
export function ownerLoad<App>(open: OpenDatabase<App>): Load<App, OwnerInput, OwnerOutput> {
  let asked = 0
  return {
    // Several ask for the same new key at about the same time.
    next: (name, _client, random) => ({ name, key: `key ${Math.floor(asked++ / 4) - below(random, 2)}` }),
    last: (name) => ({ name, key: name }),
    writes: () => true,
    took: ({ name }, { owner }) => owner === name,
    perform: (app, input) =>
      transact<App, OwnerOutput>(open, app, input, {
        readOnly: false,
        async run(rows) {
          const { key, name } = input
          const held = await rows.several(OWNERS, [key], luckOf(input, 'scan') % 2 === 0)
          const owner = held.get(key)
          if (owner !== undefined) return { output: { owner }, commit: false }
          rows.put(OWNERS, key, name)
          return { output: { owner: name }, commit: true }
        },
      }),
    judge: judgeOwners,
  }
}

export function judgeOwners({ history, rejected }: Told<OwnerInput, OwnerOutput>): string | null {
  const never = new Set(rejected.map(({ name }) => name))
  const owners = new Map<string, { readonly owner: string; readonly says: string }>()
  for (const { input, end } of history) {
    if (end === null) continue
    const { owner } = end.output
    if (never.has(owner)) return `${input.key} is owned by ${owner}, which was refused`
    const known = owners.get(input.key)
    if (known !== undefined && known.owner !== owner)
      return `${input.key} is owned by ${known.owner}, says ${known.says}, and by ${owner}, says ${input.name}`
    owners.set(input.key, { owner, says: input.name })
  }
  return null
}
