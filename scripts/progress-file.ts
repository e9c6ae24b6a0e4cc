import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What tells one long run from another; it must be the same to go on. */
export interface RunIdentity {
  /** Digest of the source that is tried. */
  readonly source: string
}

/**
 * Digest of everything that decides what a seed does.
 * @param also folders besides the sources of the packages, from the root
 */
export function sourceDigest(root: string, also: readonly string[] = []): string {
  const hash = createHash('sha256')
  const folders = readdirSync(join(root, 'packages'))
    .map((name) => `packages/${name}/src`)
    .concat(also)
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

/**
 * What a long run has done so far; null when the file is not there yet.
 * @throws Error when the file is of another run
 */
export function readProgress<P extends I, I extends RunIdentity>(file: string, now: I): P | null {
  if (!existsSync(file)) return null
  const progress = JSON.parse(readFileSync(file, 'utf8')) as P
  for (const what of Object.keys(now) as (keyof I & string)[]) {
    if (String(progress[what]) !== String(now[what]))
      throw new Error(
        `${file} is of a run with ${what} ${progress[what]}, and this one has ${now[what]}; go on with the same, or begin a new file`,
      )
  }
  return progress
}

/** All or nothing, so that a run that is killed can go on from what it wrote last. */
export function writeProgress(file: string, progress: RunIdentity): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(progress)}\n`)
  renameSync(`${file}.new`, file)
}
