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

/** All places of a bug. */
export function placesOf({ file, find, put, also = [] }: Mutation): readonly Place[] {
  return [{ file, find, put }, ...also]
}

/** The text with the bug planted. @throws Error when the text does not have the place exactly once */
export function plant(name: string, { file, find, put }: Place, text: string): string {
  const parts = text.split(find)
  if (parts.length !== 2)
    throw new Error(
      `the mutation ${name} finds its place ${parts.length - 1} times in ${file}; adapt scripts/sim/mutations to the source`,
    )
  return parts.join(put)
}
