import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { cstTypes } from './cst-types.ts'

// Run with UPDATE_GOLDEN=1 after a change of the grammar, then let the formatter see the files.
const squeezed = (text: string): string => text.replaceAll(/[\s,;]/g, '')

describe('types of the concrete tree', () => {
  test.each([...cstTypes()])('%s are those of the grammar', (file, text) => {
    const url = new URL(`../../src/syntax/cst/${file}.ts`, import.meta.url)
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(url, text)
    expect(squeezed(readFileSync(url, 'utf8')) === squeezed(text)).toBe(true)
  })
})
