import { describe, expect, test } from '@jest/globals'
import type { Notification, Session } from '../../src/index.ts'
import { failure, type TestEngine, testEngine } from './support.ts'

/** So many notifications of a session, as they come. */
async function taken(session: Session, count: number): Promise<string[]> {
  const all: Notification[] = []
  while (all.length < count) {
    const arrival = new Promise<void>((resolve) => session.onNotification(resolve))
    all.push(...session.takeNotifications())
    if (all.length < count) await arrival
  }
  return all.map(({ channel, payload }) => `${channel} ${payload}`)
}

async function listening({ engine }: TestEngine, ...channels: readonly string[]): Promise<Session> {
  const session = engine.session()
  for (const channel of channels) await session.query(`LISTEN ${channel}`)
  return session
}

describe('LISTEN and NOTIFY', () => {
  test('committed transactions are told in the order of commits, each of them whole', async () => {
    const given = await testEngine()
    const listener = await listening(given, 'a', 'b')
    const { engine } = given
    await engine.query("NOTIFY a, 'one'")
    await engine.query('NOTIFY other')
    const session = engine.session()
    await session.query('BEGIN')
    await session.query("NOTIFY b, 'two'")
    await engine.query("NOTIFY a, 'before two'")
    await session.query("SELECT pg_notify('a', 'three'), pg_notify('b', NULL)")
    await session.query("NOTIFY b, 'two'")
    await session.query('COMMIT')
    await engine.query('NOTIFY a')
    expect(await taken(listener, 6)).toEqual(['a one', 'a before two', 'b two', 'a three', 'b ', 'a '])
  })

  test('what is rolled back is not told, nor what a savepoint takes back', async () => {
    const given = await testEngine()
    const listener = await listening(given, 'a')
    const session = given.engine.session()
    await session.query('BEGIN')
    await session.query("NOTIFY a, 'never'")
    await session.query('ROLLBACK')
    await session.query('CREATE TABLE t (id int PRIMARY KEY)')
    await session.query('BEGIN')
    await session.query("NOTIFY a, 'kept'")
    await session.query('SAVEPOINT s')
    await session.query("NOTIFY a, 'undone'")
    await session.query('ROLLBACK TO s')
    await session.query('INSERT INTO t VALUES (1), (2), (3)')
    await session.query("NOTIFY a, 'undone'")
    await session.query("NOTIFY a, 'kept'")
    await session.query('COMMIT')
    await expect(session.query("SELECT pg_notify('a', 'failed'), 1 / (id - 1) FROM t")).rejects.toThrow()
    await given.engine.query("NOTIFY a, 'last'")
    expect(await taken(listener, 3)).toEqual(['a kept', 'a undone', 'a last'])
  })

  test('LISTEN and UNLISTEN count when they are committed', async () => {
    const given = await testEngine()
    const session = given.engine.session()
    const channels = async () =>
      (await session.query('SELECT pg_listening_channels()')).rows.map(([name]) => name)
    await session.query('BEGIN')
    await session.query('LISTEN a')
    expect(await channels()).toEqual([])
    await session.query('ROLLBACK')
    expect(await channels()).toEqual([])
    await session.query('LISTEN "My Channel"')
    await session.query('LISTEN b')
    await session.query('LISTEN b')
    expect(await channels()).toEqual(['My Channel', 'b'])
    await given.engine.query('NOTIFY "My Channel", \'x\'')
    expect(await taken(session, 1)).toEqual(['My Channel x'])
    await session.query('UNLISTEN "My Channel"')
    expect(await channels()).toEqual(['b'])
    await session.query('UNLISTEN *')
    expect(await channels()).toEqual([])
    await given.engine.query('NOTIFY b')
    await session.query('LISTEN b')
    await given.engine.query("NOTIFY b, 'now'")
    expect(await taken(session, 1)).toEqual(['b now'])
    session.close()
  })

  test('a session in a transaction is told afterwards, and of its own messages too', async () => {
    const given = await testEngine()
    const session = await listening(given, 'a')
    await session.query('BEGIN')
    const arrived = new Promise<void>((resolve) => session.onNotification(resolve))
    await given.engine.query("NOTIFY a, 'meanwhile'")
    await arrived
    expect(session.takeNotifications()).toEqual([])
    await session.query("NOTIFY a, 'own'")
    await session.query('COMMIT')
    expect(await taken(session, 2)).toEqual(['a meanwhile', 'a own'])
    const [pid] = (await session.query('SELECT pg_backend_pid()')).rows[0] ?? []
    expect(pid).toBe(session.pid)
  })

  test('a message says which session sent it', async () => {
    const given = await testEngine()
    const sender = given.engine.session({ pid: 4_711 })
    const messages = given.engine.listen('a')
    await messages.ready()
    await sender.query("NOTIFY a, 'x'")
    for await (const message of messages) {
      expect(message).toEqual({ channel: 'a', payload: 'x', pid: 4_711 })
      break
    }
  })

  test('a loop gets the messages of its channel, and ends with its signal', async () => {
    const { engine } = await testEngine()
    const controller = new AbortController()
    const messages = engine.listen('a', { signal: controller.signal })
    await messages.ready()
    await engine.query(
      "SELECT pg_notify(CASE n % 2 WHEN 0 THEN 'a' ELSE 'b' END, n::text) FROM generate_series(1, 600) AS n",
    )
    const found: number[] = []
    for await (const { payload } of messages) {
      found.push(Number(payload))
      if (found.length === 300) controller.abort()
    }
    expect(found).toEqual(Array.from({ length: 300 }, (_, i) => 2 * i + 2))
  })

  test('many who notify at once do not lose races against each other', async () => {
    const given = await testEngine({ retriesMax: 0 })
    const listener = await listening(given, 'a')
    await Promise.all(Array.from({ length: 50 }, (_, i) => given.engine.query(`NOTIFY a, '${i}'`)))
    const told = await taken(listener, 50)
    expect(told.map((line) => Number(line.slice(2))).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 50 }, (_, i) => i),
    )
  })

  test('a session that takes nothing loses messages, and is told so', async () => {
    const given = await testEngine()
    const session = await listening(given, 'a')
    const overflow = new Promise<void>((resolve) => {
      let count = 0
      session.onNotification(() => {
        if (++count > 65_536) resolve()
      })
    })
    for (let i = 0; i < 9; i++)
      await given.engine.query(`SELECT pg_notify('a', '${i} ' || n) FROM generate_series(1, 8000) AS n`)
    await overflow
    const thrown = await failure(
      new Promise((_, reject) => {
        try {
          session.takeNotifications()
        } catch (error) {
          reject(error)
        }
      }),
    )
    expect(thrown.sqlstate).toBe('53200')
    expect((await session.query('SELECT pg_listening_channels()')).rows).toEqual([])
    await session.query('LISTEN a')
    await given.engine.query("NOTIFY a, 'again'")
    expect(await taken(session, 1)).toEqual(['a again'])
  })

  test.each([
    ["SELECT pg_notify('', 'x')", '22023', 'channel name cannot be empty'],
    [`SELECT pg_notify('${'c'.repeat(64)}', 'x')`, '22023', 'channel name too long'],
    [`NOTIFY a, '${'é'.repeat(4_000)}'`, '22023', 'payload string too long'],
  ])('%.40s is refused', async (statement, sqlstate, message) => {
    const { engine } = await testEngine()
    expect(await failure(engine.session().query(statement))).toMatchObject({ sqlstate, message })
    await engine.query(`NOTIFY a, '${'x'.repeat(7_999)}'`)
  })
})
