import { readdirSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'

export interface ScriptFile {
  /** As it is shown: behind the folder that was given. */
  readonly name: string
  readonly path: string
}

/**
 * The files that some paths name, folders with all below them, sorted by name.
 * @throws Error when a path names nothing, or a folder without a script
 */
export function findScripts(paths: readonly string[]): ScriptFile[] {
  return paths.flatMap((path) => {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) throw new Error(`there is no ${path}`)
    if (statSync(path).isFile()) return [{ name: path, path }]
    const found = readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.test'))
      .map((entry) => join(entry.parentPath, entry.name))
    if (found.length === 0) throw new Error(`${path} has no file that ends with .test`)
    return found.sort().map((file) => ({ name: relative(path, file), path: file }))
  })
}
