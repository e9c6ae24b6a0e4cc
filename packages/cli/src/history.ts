import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

const LINES_MAX = 1000

/** The shell's lines of earlier times, newest first, kept in the person's home folder. */
export interface History {
  readonly lines: readonly string[]
  save(lines: readonly string[]): void
}

/** Reads the history. One that cannot be read is empty; one that cannot be written is told once. */
export async function openHistory(
  warn: (text: string) => void,
  folder = join(homedir(), '.cluster'),
): Promise<History> {
  const path = join(folder, 'history')
  let lines: readonly string[] = []
  try {
    lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') warn(`cannot read ${path}: ${String(error)}`)
  }
  let warned = false
  let last: Promise<void> = Promise.resolve()
  return {
    lines: lines.slice(0, LINES_MAX),
    save(newest) {
      const text = `${newest.slice(0, LINES_MAX).join('\n')}\n`
      last = last
        .then(() => mkdir(folder, { recursive: true }))
        .then(() => writeFile(path, text, { mode: 0o600 }))
        .catch((error: unknown) => {
          if (!warned) warn(`cannot write ${path}: ${String(error)}`)
          warned = true
        })
    },
  }
}
