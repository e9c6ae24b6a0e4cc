import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { type Session, sqlstateOf } from '../../src/index.ts'
import { formatValue } from '../../src/types/format.ts'
import { zoneNamed } from '../../src/types/time-zone.ts'
import { testEngine } from '../engine/support.ts'

// A statement, `---`, and PostgreSQL 15's own rows (columns with `|` between) or error. `-- zone NAME` sets the time
// zone for what follows. The statements of a file run on one session, one after another.
interface Case {
  readonly zone: string
  readonly statement: string
  readonly outcome: string
}

function cases(file: string): readonly Case[] {
  let zone = 'UTC'
  const text = readFileSync(new URL(`./golden/statements/${file}.txt`, import.meta.url), 'utf8')
  return text.split(/\n\n/).flatMap((block) => {
    const named = /^-- zone (.*)$/.exec(block.trim())?.[1]
    if (named !== undefined) zone = named
    const [statement, outcome] = block
      .trimStart()
      .replace(/\n$/, '')
      .split(/\n---(?:\n|$)/)
    return statement === undefined || outcome === undefined ? [] : [{ zone, statement, outcome }]
  })
}

async function outcomeOf(session: Session, { zone, statement }: Case): Promise<string> {
  await session.query(`SET timezone = '${zone}'`)
  try {
    const { columns, rows } = await session.query(statement)
    const shown = (row: readonly unknown[]): string =>
      columns
        .map(({ type }, i) => {
          const value = (row[i] ?? null) as Parameters<typeof formatValue>[1]
          return value === null ? 'NULL' : formatValue(type, value, zoneNamed(zone))
        })
        .join('|')
    return rows.map(shown).join('\n')
  } catch (error) {
    const sqlstate = sqlstateOf(error)
    if (!(error instanceof Error) || sqlstate === null) throw error
    return `error ${sqlstate} ${error.message}`
  }
}

describe.each([
  'arrays',
  'json',
  'json-path',
  'datetime',
  'numbers',
  'regex',
  'text',
  'rows',
  'bits',
  'with',
  'more',
  'aggregates',
  'writes',
  'joins',
  'found',
  'constraints',
  'literals',
  'styles',
  'arithmetic',
  'templates',
  'json-more',
  'reading-dates',
  'types-found',
  'ranges',
])('%s', (file) => {
  let session: Session | null = null

  test.each(cases(file).map((one) => [one.statement, one] as const))('%s', async (_, one) => {
    session ??= (await testEngine()).engine.session()
    expect(await outcomeOf(session, one)).toBe(one.outcome)
  })
})
