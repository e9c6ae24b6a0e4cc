import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { canCast, castFor, commonType } from '../../src/functions/cast.ts'
import { INTEGER, NUMERIC, numeric, TEXT, TYPES, typeName, UNKNOWN, varchar } from '../../src/types/type.ts'

// i: implicit, a: on assignment, e: explicit only, −: never. UPDATE_GOLDEN=1 records anew.
const url = new URL('./golden/casts.txt', import.meta.url)

test('the table of casts', () => {
  const types = Object.values(TYPES).filter(
    ({ id }) => !['unknown', 'enum', 'oid', 'regclass', 'regtype'].includes(id),
  )
  const width = Math.max(...types.map((type) => typeName(type).length))
  const rows = types.map((from) => {
    const cells = types.map((to) => {
      if (canCast(from, to, 'implicit')) return 'i'
      if (canCast(from, to, 'assignment')) return 'a'
      return canCast(from, to, 'explicit') ? 'e' : '-'
    })
    return `${typeName(from).padEnd(width)} ${cells.join(' ')}`
  })
  const table = `${rows.join('\n')}\n`
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(url, table)
  expect(table).toBe(readFileSync(url, 'utf8'))
})

test('every cast that is allowed has a function', () => {
  for (const from of Object.values(TYPES))
    for (const to of Object.values(TYPES))
      expect(castFor(from, to, 'explicit') !== null).toBe(canCast(from, to, 'explicit'))
})

describe('modifiers', () => {
  test('varchar(n): assignment refuses, a cast cuts, blanks go', () => {
    const store = castFor(TEXT, varchar(2), 'assignment')
    const cut = castFor(TEXT, varchar(2), 'explicit')
    if (store === null || store === 'same' || cut === null || cut === 'same') throw new Error('no cast')
    expect(store.impl('ab  ')).toBe('ab')
    expect(() => store.impl('abc')).toThrow('value too long for type character varying(2)')
    expect(cut.impl('abc')).toBe('ab')
  })

  test('nothing to do is nothing done', () => {
    expect(castFor(TEXT, TEXT, 'implicit')).toBe('same')
    expect(castFor(varchar(3), TEXT, 'implicit')).toBe('same')
    expect(castFor(numeric(5, 2), numeric(5, 2), 'assignment')).toBe('same')
    expect(castFor(numeric(5, 2), NUMERIC, 'assignment')).toBe('same')
    expect(castFor(TYPES.smallint, INTEGER, 'implicit')).toBe('same')
  })

  test('a number is rounded to its column', () => {
    const cast = castFor(NUMERIC, numeric(5, 2), 'assignment')
    expect(cast === null || cast === 'same' ? null : cast.impl('1.005')).toBe('1.01')
  })
})

describe('common type', () => {
  test.each([
    [[INTEGER, TYPES.bigint], 'bigint'],
    [[INTEGER, NUMERIC, TYPES.double], 'double precision'],
    [[TYPES.double, NUMERIC], 'double precision'],
    [[UNKNOWN, INTEGER], 'integer'],
    [[UNKNOWN, UNKNOWN], 'text'],
    [[TYPES.varchar, TEXT], 'character varying'],
    [[TYPES.date, TYPES.timestamp], 'timestamp without time zone'],
    [[], 'text'],
  ])('%#', (types, expected) => {
    const result = commonType(types)
    expect('type' in result ? typeName(result.type) : 'clash').toBe(expected)
  })

  test('what does not go together is named', () => {
    expect(commonType([INTEGER, TEXT])).toEqual({ clash: [INTEGER, TEXT] })
  })

  test('equal modifiers stay, others go', () => {
    expect(commonType([numeric(5, 2), numeric(5, 2)])).toEqual({ type: numeric(5, 2) })
    expect(commonType([numeric(5, 2), numeric(6, 2)])).toEqual({ type: NUMERIC })
  })
})
