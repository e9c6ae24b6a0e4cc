import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { Script } from './script.ts'

// Commands above `---`, what they gave below. UPDATE_GOLDEN=1 records anew; read the diff then.
const folder = new URL('.', import.meta.url)

describe('golden scripts of the machine of containers', () => {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
    test(file, () => {
      const path = new URL(file, folder)
      const [commands = '', recorded = ''] = readFileSync(path, 'utf8').split('\n---\n')
      const script = new Script()
      const output = commands
        .split('\n')
        .filter((line) => line.trim() !== '' && !line.startsWith('#'))
        .map((line) => `> ${line}\n${script.run(line)}\n`)
        .join('')
      if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, `${commands}\n---\n${output}`)
      else expect(output).toBe(recorded)
    })
  }
})
