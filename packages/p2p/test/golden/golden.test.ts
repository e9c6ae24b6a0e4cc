import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { playScript } from './script.ts'

const folder = new URL('.', import.meta.url)

describe('membership, step by step', () => {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.txt'))) {
    test(name, () => {
      const file = new URL(name, folder)
      const [commands = '', recorded = ''] = readFileSync(file, 'utf8').split('---\n')
      const output = playScript(commands)
      if (process.env['UPDATE_GOLDEN']) writeFileSync(file, `${commands}---\n${output}`)
      else expect(output).toBe(recorded)
    })
  }
})
