import { describe, expect, test } from '@jest/globals'
import type { OpenResult, Session } from '../../src/index.ts'
import { failure, testEngine } from './support.ts'

async function setting(rows: number): Promise<Session> {
  const { engine } = await testEngine()
  await engine.query('CREATE TABLE t (id integer PRIMARY KEY)')
  await engine.query('INSERT INTO t SELECT generate_series(1, $1::integer)', [rows])
  return engine.session()
}

async function takeRest({ rest }: OpenResult): Promise<number> {
  let rows = 0
  for (let next = await rest?.next(); next?.done === false; next = await rest?.next())
    rows += next.value.length
  return rows
}

/** Whether the session takes the next statement. */
const isFree = async (session: Session): Promise<boolean> =>
  (await session.query('SELECT 1')).rows.length === 1

describe('opening a statement', () => {
  test('gives all of a little result at once, and the session is free', async () => {
    const session = await setting(3)
    const opened = await session.open('SELECT id FROM t WHERE id <= $1 ORDER BY id', [2])
    expect(opened).toMatchObject({ command: 'SELECT', rows: [[1], [2]], written: null, rest: null })
    expect(opened.columns.map(({ name }) => name)).toEqual(['id'])
    expect(await session.open('SELECT id FROM t WHERE false')).toMatchObject({ rows: [], rest: null })
    expect(await session.open('DELETE FROM t WHERE id = 1 RETURNING id')).toMatchObject({
      command: 'DELETE',
      rows: [[1]],
      written: 1,
      rest: null,
    })
    expect(await isFree(session)).toBe(true)
  })

  test('of a large result gives the rest as it is taken', async () => {
    const session = await setting(5_000)
    const opened = await session.open('SELECT id FROM t')
    expect(opened.rest).not.toBeNull()
    expect(opened.rows.length + (await takeRest(opened))).toBe(5_000)
    expect(await isFree(session)).toBe(true)
  })

  test('whose rest nobody wants lets the session go', async () => {
    const session = await setting(5_000)
    const untouched = await session.open('SELECT id FROM t')
    await untouched.rest?.return?.()
    const begun = await session.open('SELECT id FROM t')
    await begun.rest?.next()
    await begun.rest?.return?.()
    expect(await isFree(session)).toBe(true)
  })

  test('that fails lets the session go, before the first row and behind it', async () => {
    const session = await setting(5_000)
    expect(await failure(session.open('SELECT 1 / (id - id) FROM t'))).toMatchObject({ sqlstate: '22012' })
    const opened = await session.open('SELECT 1 / (id - 5000) FROM t ORDER BY id')
    expect(await failure(takeRest(opened))).toMatchObject({ sqlstate: '22012' })
    expect(await isFree(session)).toBe(true)
  })
})
