import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { SimRandom } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { parseVerifier, verifierText } from '../../src/access/password.ts'
import { hmacSha256, pbkdf2Sha256, sha256 } from '../../src/access/sha256.ts'
import { sqlEngine } from '../../src/index.ts'
import { failure, testEngine, textOf } from './support.ts'

describe('roles', () => {
  test('a plan is good for whoever may run it, and no longer than that', async () => {
    const { engine } = await testEngine()
    await engine.execute(
      'CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 1); CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN',
    )
    await engine.query('GRANT SELECT, UPDATE ON t TO alice')
    const [alice, bob] = [engine.session({ user: 'alice' }), engine.session({ user: 'bob' })]
    const read = 'SELECT n FROM t WHERE id = $1'
    const write = 'UPDATE t SET n = n + 1 WHERE id = $1'
    expect((await engine.query(read, [1])).rows).toEqual([[1]])
    expect((await alice.query(read, [1])).rows).toEqual([[1]])
    expect(await failure(bob.query(read, [1]))).toMatchObject({ sqlstate: '42501' })
    expect((await alice.query(write, [1])).rowCount).toBe(1)
    expect(await failure(bob.query(write, [1]))).toMatchObject({
      sqlstate: '42501',
      message: 'permission denied for table t',
    })
    const prepared = await alice.prepare(read)
    await engine.query('REVOKE ALL ON t FROM alice')
    expect(await failure(alice.query(write, [1]))).toMatchObject({ sqlstate: '42501' })
    expect(await failure(prepared.query([1]))).toMatchObject({ sqlstate: '42501' })
    await engine.query('GRANT alice TO bob')
    await engine.query('GRANT SELECT ON t TO alice')
    expect((await bob.query(read, [1])).rows).toEqual([[2]])
    expect((await prepared.query([1])).rows).toEqual([[2]])
  })

  test('a right that is taken meanwhile does not let a transaction commit', async () => {
    const { engine } = await testEngine()
    await engine.execute(
      'CREATE TABLE t (id int PRIMARY KEY); CREATE ROLE alice LOGIN; GRANT ALL ON t TO alice',
    )
    const alice = engine.session({ user: 'alice' })
    await alice.query('BEGIN')
    await alice.query('INSERT INTO t VALUES (1)')
    await engine.query('REVOKE INSERT ON t FROM alice')
    expect(await failure(alice.query('COMMIT'))).toMatchObject({ sqlstate: '40001' })
    expect((await engine.query('SELECT * FROM t')).rows).toEqual([])
  })

  test('GRANT and CREATE ROLE are undone with their transaction', async () => {
    const { engine } = await testEngine()
    await engine.execute('CREATE TABLE t (id int PRIMARY KEY); CREATE ROLE alice LOGIN')
    const session = engine.session()
    await session.query('BEGIN')
    await session.query('CREATE ROLE bob')
    await session.query('GRANT SELECT ON t TO alice, bob')
    await session.query('SET ROLE bob')
    expect((await session.query('SELECT current_user, count(*) FROM t')).rows).toEqual([['bob', 0n]])
    await session.query('ROLLBACK')
    expect((await session.query('SELECT current_user')).rows).toEqual([['cluster']])
    expect(await failure(engine.session({ user: 'alice' }).query('SELECT * FROM t'))).toMatchObject({
      sqlstate: '42501',
    })
    expect(await failure(engine.session({ user: 'bob' }).query('SELECT 1 FROM t'))).toMatchObject({
      sqlstate: '28000',
      message: 'role "bob" does not exist',
    })
  })

  test('a view gives what its owner may read, to whoever may read the view', async () => {
    const { engine } = await testEngine()
    await engine.execute(
      'CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 2); CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN; CREATE SCHEMA s AUTHORIZATION alice; GRANT SELECT ON t TO alice; GRANT USAGE ON SCHEMA s TO bob',
    )
    const alice = engine.session({ user: 'alice' })
    const bob = engine.session({ user: 'bob' })
    await alice.execute(
      'CREATE VIEW s.v AS SELECT id, n FROM t; CREATE VIEW s.w AS SELECT * FROM s.v; GRANT SELECT ON s.w TO bob',
    )
    expect((await bob.query('SELECT n FROM s.w')).rows).toEqual([[2]])
    expect(await failure(bob.query('SELECT n FROM s.v'))).toMatchObject({
      message: 'permission denied for view v',
    })
    expect(await failure(bob.query('SELECT n FROM t'))).toMatchObject({
      message: 'permission denied for table t',
    })
    await engine.query('REVOKE SELECT ON t FROM alice')
    // The owner of the database may read everything, but not with the rights of another.
    for (const session of [bob, engine])
      expect(await failure(session.query('SELECT n FROM s.w'))).toMatchObject({
        message: 'permission denied for table t',
      })
  })

  test('what makes rows of a query reads with the rights of its session, and leaves nothing when it may not', async () => {
    const { engine } = await testEngine()
    await engine.execute(
      'CREATE TABLE t (id int PRIMARY KEY); CREATE ROLE alice LOGIN; CREATE SCHEMA s AUTHORIZATION alice',
    )
    const alice = engine.session({ user: 'alice' })
    for (const statement of [
      'CREATE TABLE s.a AS SELECT * FROM t',
      'CREATE MATERIALIZED VIEW s.m AS SELECT * FROM t',
      'CREATE TABLE s.b (id int REFERENCES t)',
      'INSERT INTO t SELECT 1',
      'WITH gone AS (DELETE FROM t RETURNING id) SELECT * FROM gone',
      'MERGE INTO t USING (VALUES (1)) AS v (id) ON t.id = v.id WHEN NOT MATCHED THEN INSERT VALUES (v.id)',
      'SELECT (SELECT max(id) FROM t)',
      'SELECT EXISTS (SELECT FROM t)',
      'DECLARE c CURSOR WITH HOLD FOR SELECT id FROM t',
    ])
      expect([statement, (await failure(alice.query(statement))).message]).toEqual([
        statement,
        'permission denied for table t',
      ])
    const { rows } = await engine.query("SELECT relname FROM pg_class WHERE relname IN ('a', 'm', 'b')")
    expect(rows).toEqual([])
  })

  test('COPY needs the rights of the columns that it moves, before it takes a byte', async () => {
    const { engine } = await testEngine()
    await engine.execute(
      'CREATE TABLE t (id int PRIMARY KEY, n int, secret int); CREATE ROLE alice LOGIN; GRANT SELECT (id, n), INSERT (id) ON t TO alice',
    )
    const alice = engine.session({ user: 'alice' })
    let asked = 0
    async function* bytes(): AsyncGenerator<Uint8Array> {
      asked++
      yield new TextEncoder().encode('1\n')
    }
    expect(await failure(alice.copyFrom('COPY t (n) FROM STDIN', bytes()))).toMatchObject({
      sqlstate: '42501',
    })
    expect(asked).toBe(0)
    expect((await alice.copyFrom('COPY t (id) FROM STDIN', bytes())).rowCount).toBe(1)
    const copied = async (text: string): Promise<string> => {
      const pieces: Uint8Array[] = []
      for await (const piece of alice.copyTo(text)) pieces.push(piece)
      return Buffer.concat(pieces).toString()
    }
    expect(await copied('COPY t (id, n) TO STDOUT')).toBe('1\t\\N\n')
    expect(await failure(copied('COPY t TO STDOUT'))).toMatchObject({ sqlstate: '42501' })
    expect(await failure(copied('COPY (SELECT secret FROM t) TO STDOUT'))).toMatchObject({
      sqlstate: '42501',
    })
  })

  test('the same owners and lists are there for another engine over the same database', async () => {
    const { engine, database, clock } = await testEngine()
    const other = sqlEngine()({ database, clock, random: new SimRandom(2) })
    await engine.execute('CREATE ROLE alice LOGIN; CREATE TABLE t (id int PRIMARY KEY)')
    const alice = other.session({ user: 'alice' })
    expect((await failure(alice.query('SELECT * FROM t'))).sqlstate).toBe('42501')
    await engine.query('GRANT SELECT (id) ON t TO alice')
    expect(textOf(await alice.query('SELECT current_user, count(id) FROM t'))).toEqual(['alice|0'])
    await engine.query('ALTER TABLE t OWNER TO alice')
    await alice.query('ALTER TABLE t ADD COLUMN n int')
    await engine.query('DROP TABLE t')
    await engine.query('DROP ROLE alice')
    expect(await other.role('alice')).toBeNull()
    expect((await failure(alice.query('SELECT 1 FROM pg_class'))).sqlstate).toBe('28000')
  })

  test('what lets a role in is told without its password', async () => {
    const { engine } = await testEngine()
    expect(await engine.role('cluster')).toMatchObject({ login: true, superuser: true, verifier: null })
    expect(await engine.role('nobody')).toBeNull()
    await engine.query(
      "CREATE USER alice PASSWORD 'sécret' CONNECTION LIMIT 2 VALID UNTIL '2024-01-02 00:00:00Z'",
    )
    const role = await engine.role('alice')
    expect(role).toMatchObject({
      login: true,
      superuser: false,
      mayConnect: true,
      connectionLimit: 2,
      validUntilMicros: 1_704_153_600_000_000n,
    })
    const { verifier } = role ?? {}
    if (verifier == null) throw new Error('no verifier')
    const salted = pbkdf2Sync('sécret'.normalize('NFKC'), verifier.salt, verifier.iterations, 32, 'sha256')
    const clientKey = createHmac('sha256', salted).update('Client Key').digest()
    expect(Buffer.from(verifier.storedKey)).toEqual(createHash('sha256').update(clientKey).digest())
    await engine.query('REVOKE CONNECT ON DATABASE test FROM PUBLIC')
    expect(await engine.role('alice')).toMatchObject({ mayConnect: false })
    await engine.query('ALTER ROLE alice PASSWORD NULL')
    expect(await engine.role('alice')).toMatchObject({ verifier: null })
  })
})

describe('passwords', () => {
  test.each([0, 1, 55, 56, 63, 64, 65, 119, 120, 1_000])(
    'hashes of %i bytes are those of the platform',
    (length) => {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255)
      const key = Uint8Array.from({ length: length % 130 }, (_, i) => i)
      expect(Buffer.from(sha256(bytes))).toEqual(createHash('sha256').update(bytes).digest())
      expect(Buffer.from(hmacSha256(key, bytes))).toEqual(createHmac('sha256', key).update(bytes).digest())
      expect(Buffer.from(pbkdf2Sha256(bytes, key, 3))).toEqual(pbkdf2Sync(bytes, key, 3, 32, 'sha256'))
    },
  )

  test('a verifier is kept as it is, and anything else is a password', () => {
    const salt = Uint8Array.from({ length: 16 }, (_, i) => i * 15)
    const text = verifierText('secret', salt)
    expect(verifierText(text, new Uint8Array(16))).toBe(text)
    expect(parseVerifier(text)?.salt).toEqual(salt)
    expect(parseVerifier('SCRAM-SHA-256$x')).toBeNull()
    expect(verifierText('SCRAM-SHA-256$x', salt)).not.toBe('SCRAM-SHA-256$x')
  })
})
