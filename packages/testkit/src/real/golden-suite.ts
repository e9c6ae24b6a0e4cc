import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { SuiteRunner } from '../suites/runner.ts'

/** What the whole file of a script has to be, given what it is. */
export type GoldenPlay = (recorded: string) => string | Promise<string>

const MARK = '\n---\n'

/**
 * Plays every `.txt` file of a folder and compares. With `UPDATE_GOLDEN=1` in the environment the files are recorded
 * anew instead: read the difference then.
 */
export function goldenSuite(
  { describe, test, expect }: SuiteRunner,
  title: string,
  folder: URL,
  play: GoldenPlay,
): void {
  describe(title, () => {
    const names = readdirSync(folder).filter((name) => name.endsWith('.txt'))
    for (const name of names.sort()) {
      test(name, async () => {
        const file = new URL(name, folder)
        const recorded = readFileSync(file, 'utf8')
        const played = await play(recorded)
        if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, played)
        else expect(played).toBe(recorded)
      })
    }
  })
}

/** Scripts with all their commands above one `---`, and all that they gave below it. */
export const playAtOnce =
  (play: (commands: string) => string | Promise<string>): GoldenPlay =>
  async (recorded) => {
    const [commands = ''] = recorded.split(MARK)
    return `${commands}${MARK}${await play(commands)}`
  }

/** The same with one command a line; lines that begin with `#` are comments. @param open begins a script */
export const playByLine = (open: () => (line: string) => string): GoldenPlay =>
  playAtOnce((commands) => {
    const run = open()
    return commands
      .split('\n')
      .filter((line) => line.trim() !== '' && !line.startsWith('#'))
      .map((line) => `> ${line}\n${run(line)}\n`)
      .join('')
  })
