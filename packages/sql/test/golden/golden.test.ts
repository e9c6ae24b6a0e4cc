import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { playScript } from './script.ts'

const folder = new URL('.', import.meta.url)

describe('statements and their plans', () => {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.txt'))) {
    test(name, async () => {
      const file = new URL(name, folder)
      const [commands = ''] = readFileSync(file, 'utf8').split('\n---\n')
      const output = `${commands}\n---\n${await playScript(commands)}`
      if (process.env['UPDATE_GOLDEN']) writeFileSync(file, output)
      else expect(output).toBe(readFileSync(file, 'utf8'))
    })
  }
})
