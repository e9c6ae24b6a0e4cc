import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parseArguments } from '../sim/arguments.ts'
import { placesOf, plant } from '../sim/mutation.ts'
import { mutations } from '../sim/mutations.ts'

const root = join(import.meta.dirname, '../..')

describe('planted bugs', () => {
  test('are there, with names of their own', () => {
    expect(mutations.length).toBeGreaterThanOrEqual(3)
    expect(new Set(mutations.map(({ name }) => name)).size).toBe(mutations.length)
  })

  for (const mutation of mutations)
    test(`${mutation.name} still finds its place in the source`, () => {
      for (const place of placesOf(mutation)) {
        const text = readFileSync(join(root, place.file), 'utf8')
        expect(plant(mutation.name, place, text)).not.toBe(text)
      }
    })

  test('complain when their place is gone or not the only one', () => {
    const place = { file: 'f', find: 'a', put: 'b' }
    expect(plant('x', place, 'cac')).toBe('cbc')
    expect(() => plant('x', place, 'ccc')).toThrow('0 times')
    expect(() => plant('x', place, 'aca')).toThrow('2 times')
  })
})

describe('arguments of the simulator', () => {
  test('have defaults, and one seed is a replay', () => {
    expect(parseArguments([])).toMatchObject({
      suites: ['serializer', 'distribution', 'objects', 'locks'],
      from: 1,
      seeds: 20,
    })
    expect(parseArguments(['--suite', 'distribution', '--seed', '7'])).toMatchObject({
      suites: ['distribution'],
      from: 7,
      seeds: 1,
      replay: true,
    })
    expect(parseArguments(['--minutes', '0.5']).seeds).toBe(Number.POSITIVE_INFINITY)
  })

  test('that make no sense are refused', () => {
    for (const wrong of [
      ['--seeds', '0'],
      ['--seeds', 'x'],
      ['--suite', 'sql'],
      ['--wat'],
      ['--seed', '1.5'],
      ['--seed', '1', '--resume', 'file'],
      ['--mutations', '--resume', 'file'],
    ])
      expect(() => parseArguments(wrong)).toThrow()
  })
})
