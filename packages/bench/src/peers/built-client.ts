import { createHash } from 'node:crypto'
import { access, mkdir, readFile, rename } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * The program of a peer's client; built once for each version of its source, and kept in the user's cache folder.
 * @param source path of the one file it is built from
 * @param build makes `program`; `folder` is there for the caches of the compiler
 * @throws what reading the source or building throws
 */
export async function builtClient(
  name: string,
  source: string,
  build: (program: string, folder: string) => Promise<unknown>,
): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(source))
    .digest('hex')
    .slice(0, 16)
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'cluster-bench')
  const program = join(folder, `${name}-client-${hash}`)
  if (await exists(program)) return program
  await mkdir(folder, { recursive: true })
  // A build that is cut short leaves nothing that would be taken for the program.
  const unfinished = `${program}.${process.pid}`
  await build(unfinished, folder)
  await rename(unfinished, program)
  return program
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
