import type { SuiteName } from '../../packages/node/test/sim/report.ts'

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
  /** It must be found within so many seeds. */
  readonly seedsMax: number
}

export const mutations: readonly Mutation[] = []

export function mutationOf(name: string): Mutation {
  const mutation = mutations.find((one) => one.name === name)
  if (mutation) return mutation
  throw new Error(`no mutation is called ${name}; there are ${mutations.map((one) => one.name).join(', ')}`)
}

/** The text with the bug planted. @throws Error when the text does not have the place exactly once */
export function plant({ name, file, find, put }: Mutation, text: string): string {
  const parts = text.split(find)
  if (parts.length !== 2)
    throw new Error(
      `the mutation ${name} finds its place ${parts.length - 1} times in ${file}; adapt scripts/sim/mutations.ts to the source`,
    )
  return parts.join(put)
}
