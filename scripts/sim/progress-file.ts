import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Failure } from './failure.ts'
import type { TotalsState } from './totals.ts'

/** What a long run has done so far. */
export interface Progress {
  /** Digest of the source that was simulated. */
  readonly source: string
  readonly suites: readonly string[]
  readonly from: number
  readonly seeds: number
  /** Jobs done: all before `done`, and these behind it. */
  readonly done: number
  readonly also: readonly number[]
  readonly totals: TotalsState
  readonly failures: readonly Omit<Failure, 'tail'>[]
}

/** Digest of everything that decides what a seed does. */
export function sourceDigest(root: string): string {
  const hash = createHash('sha256')
  const folders = readdirSync(join(root, 'packages'))
    .map((name) => `packages/${name}/src`)
    .concat('packages/node/test/sim', 'scripts/sim')
  for (const folder of folders.sort()) {
    if (!existsSync(join(root, folder))) continue
    const paths = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    for (const path of paths.sort()) {
      if (!path.endsWith('.ts')) continue
      hash.update(`${folder}/${path}\n`)
      hash.update(readFileSync(join(root, folder, path)))
    }
  }
  return hash.digest('hex').slice(0, 16)
}

/** @throws Error when the file is of another source or of other seeds */
export function readProgress(
  file: string,
  now: Pick<Progress, 'source' | 'suites' | 'from' | 'seeds'>,
): Progress | null {
  if (!existsSync(file)) return null
  const progress = JSON.parse(readFileSync(file, 'utf8')) as Progress
  const same = (what: 'source' | 'suites' | 'from' | 'seeds'): void => {
    if (String(progress[what]) !== String(now[what]))
      throw new Error(
        `${file} is of a run with ${what} ${progress[what]}, and this one has ${now[what]}; go on with the same, or begin a new file`,
      )
  }
  for (const what of ['source', 'suites', 'from', 'seeds'] as const) same(what)
  return progress
}

/** All or nothing, so that a run that is killed can go on from what it wrote last. */
export function writeProgress(file: string, progress: Progress): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(progress)}\n`)
  renameSync(`${file}.new`, file)
}
