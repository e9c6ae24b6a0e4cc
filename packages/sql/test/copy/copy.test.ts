import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { BinaryValues } from '../../src/index.ts'
import { failure, testEngine } from '../engine/support.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Values in binary as their text, which is not PostgreSQL's form but one that comes back. */
const binary: BinaryValues = {
  encode: (_, value, text) => (value instanceof Uint8Array ? value : encoder.encode(text())),
  decode: (oid, bytes) => (oid === 17 ? bytes : decoder.decode(bytes)),
}

async function read(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return new Uint8Array(Buffer.concat(all))
}

const inPieces = (bytes: Uint8Array, size: number): Uint8Array[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size))

describe('COPY', () => {
  const options = [
    '',
    'WITH (FORMAT csv)',
    `WITH (FORMAT csv, QUOTE '''', ESCAPE '\\', DELIMITER ';', NULL 'nil', FORCE_QUOTE *, HEADER)`,
    `WITH (DELIMITER '|', NULL '', HEADER)`,
    'WITH (FORMAT binary)',
  ]
  const back = (option: string): string =>
    option.replace(', FORCE_QUOTE *', '').replace('HEADER', 'HEADER match')

  test.each(options)('what is written is read again, however it is cut: %s', async (option) => {
    const { engine } = await testEngine({ binary })
    await engine.execute(
      'CREATE TABLE a (id integer PRIMARY KEY, "b c" text, d bytea, e numeric); CREATE TABLE b (LIKE a)',
    )
    const text = fc.oneof(
      fc.string({
        unit: fc.constantFrom('a', '\\', '"', "'", ',', ';', '|', '\n', '\r', '\t', 'N', '.', 'é', '😀'),
      }),
      fc.constantFrom('\\.', '\\N', 'nil', '', '""'),
    )
    const row = fc.tuple(fc.option(text), fc.option(fc.uint8Array({ maxLength: 3 })), fc.option(fc.integer()))
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { maxLength: 8 }),
        fc.integer({ min: 1, max: 40 }),
        async (rows, size) => {
          await engine.execute('TRUNCATE a; TRUNCATE b')
          // A single NULL that is written as nothing cannot be told from an empty text.
          for (const [i, [b, d, e]] of rows.entries())
            await engine.query('INSERT INTO a VALUES ($1, $2, $3, $4)', [
              i,
              option.includes("NULL ''") ? b || null : b,
              d,
              e,
            ])
          const bytes = await read(engine.copyTo(`COPY (SELECT * FROM a ORDER BY id) TO STDOUT ${option}`))
          const result = await engine.copyFrom(`COPY b FROM STDIN ${back(option)}`, inPieces(bytes, size))
          expect(result.rowCount).toBe(rows.length)
          const [before, after] = await engine.execute('TABLE a ORDER BY id; TABLE b ORDER BY id')
          expect(after?.rows).toEqual(before?.rows)
        },
      ),
      { numRuns: 60, seed: 5 },
    )
  })

  test('is one transaction: an error leaves nothing, and the source is told to stop', async () => {
    const { engine } = await testEngine()
    await engine.query('CREATE TABLE t (a integer PRIMARY KEY, b text)')
    let stopped = false
    async function* lines(): AsyncGenerator<string> {
      try {
        for (let i = 0; ; i++) yield i === 5000 ? 'x\ty\n' : `${i}\ty\n`
      } finally {
        stopped = true
      }
    }
    expect(await failure(engine.copyFrom('COPY t FROM STDIN', lines()))).toMatchObject({
      sqlstate: '22P02',
      context: 'COPY t, line 5001, column a: "x"',
    })
    expect(stopped).toBe(true)
    expect((await engine.query('SELECT count(*) FROM t')).rows).toEqual([[0n]])
  })

  test('the source is opened when the statement is known to be right, and told what it will be', async () => {
    const { engine } = await testEngine()
    await engine.query('CREATE TABLE t (a integer, b text)')
    const opened: unknown[] = []
    const open = (shape: unknown): string[] => {
      opened.push(shape)
      return ['1\tx\n']
    }
    await failure(engine.copyFrom('COPY nowhere FROM STDIN', open))
    expect(opened).toEqual([])
    await engine.copyFrom('COPY t FROM STDIN', open)
    expect(opened).toEqual([{ binary: false, columns: 2 }])
    expect(await failure(engine.copyFrom('SELECT 1', open))).toMatchObject({ sqlstate: '42809' })
  })

  test('an error of the source is the error of the COPY', async () => {
    const { engine } = await testEngine()
    await engine.query('CREATE TABLE t (a integer)')
    async function* broken(): AsyncGenerator<string> {
      yield '1\n2\n'
      throw new RangeError('the paper is torn')
    }
    await expect(engine.copyFrom('COPY t FROM STDIN', broken())).rejects.toThrow('the paper is torn')
    expect((await engine.query('SELECT count(*) FROM t')).rows).toEqual([[0n]])
  })

  test('with rowsPerTransaction it commits on the way, and says how far it came', async () => {
    const { engine } = await testEngine()
    await engine.query('CREATE TABLE t (a integer PRIMARY KEY)')
    const rows = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}\n`)
    const done = await engine.copyFrom('COPY t FROM STDIN', rows(2500), { rowsPerTransaction: 1000 })
    expect(done.rowCount).toBe(2500)
    await engine.query('DELETE FROM t')
    const wrong = [...rows(2500), 'x\n']
    expect(
      await failure(engine.copyFrom('COPY t FROM STDIN', wrong, { rowsPerTransaction: 1000 })),
    ).toMatchObject({
      hint: 'The 2000 rows of the transactions before this one were committed.',
      context: 'COPY t, line 2501, column a: "x"',
    })
    expect((await engine.query('SELECT count(*) FROM t')).rows).toEqual([[2000n]])
    const session = engine.session()
    await session.query('BEGIN')
    expect(await failure(session.copyFrom('COPY t FROM STDIN', [], { rowsPerTransaction: 1 }))).toMatchObject(
      {
        sqlstate: '25001',
      },
    )
  })

  test('a setting does the same for clients that know no options', async () => {
    const { engine } = await testEngine()
    await engine.query('CREATE TABLE t (a integer PRIMARY KEY)')
    const session = engine.session()
    await session.query('SET cluster.copy_rows_per_transaction = 2')
    const wrong = ['1\n2\n3\nx\n']
    expect((await failure(session.copyFrom('COPY t FROM STDIN', wrong))).hint).toMatch(/^The 2 rows/)
    // Within a transaction there is nothing to commit on the way.
    await session.query('BEGIN')
    await session.copyFrom('COPY t FROM STDIN', ['3\n4\n5\n'])
    await session.query('ROLLBACK')
    expect((await engine.query('SELECT count(*) FROM t')).rows).toEqual([[2n]])
    const refused = failure(session.query('SET cluster.copy_rows_per_transaction = some'))
    expect(await refused).toMatchObject({ sqlstate: '22023' })
  })

  test('within a transaction it is a part of it', async () => {
    const { engine } = await testEngine()
    await engine.query('CREATE TABLE t (a integer PRIMARY KEY)')
    const session = engine.session()
    await session.query('BEGIN')
    await session.copyFrom('COPY t FROM STDIN', ['1\n2\n'])
    await session.query('SAVEPOINT s')
    expect(await failure(session.copyFrom('COPY t FROM STDIN', ['3\n2\n']))).toMatchObject({
      sqlstate: '23505',
    })
    expect(session.transactionState).toBe('failed')
    await session.query('ROLLBACK TO s')
    expect(decoder.decode(await read(session.copyTo('COPY (TABLE t ORDER BY a) TO STDOUT')))).toBe('1\n2\n')
    await session.query('COMMIT')
    await engine.transaction((work) => work.copyFrom('COPY t FROM STDIN', ['3\n']))
    expect((await engine.query('SELECT count(*) FROM t')).rows).toEqual([[3n]])
  })

  test('bytes that are no text are found in their line', async () => {
    const { engine } = await testEngine()
    await engine.query('CREATE TABLE t (a text)')
    const bytes = Uint8Array.of(...encoder.encode('é\n'), 0xe9, 10, 97, 10)
    for (const size of [1, 2, 3, 100])
      expect(await failure(engine.copyFrom('COPY t FROM STDIN', inPieces(bytes, size)))).toMatchObject({
        sqlstate: '22021',
        context: 'COPY t, line 2',
      })
  })

  test('without a binary form of values that format is refused', async () => {
    const { engine } = await testEngine()
    await engine.query('CREATE TABLE t (a text)')
    expect(await failure(engine.copyFrom('COPY t FROM STDIN BINARY', []))).toMatchObject({
      sqlstate: '0A000',
    })
    expect(await failure(read(engine.copyTo('COPY t TO STDOUT BINARY')))).toMatchObject({ sqlstate: '0A000' })
  })

  test.each([
    ['PGCOPX', 'COPY file signature not recognized'],
    ['PGCOPY\n\xff\r\n\0\0\x01\0\0\0\0\0\0', 'invalid COPY file header (WITH OIDS)'],
    ['PGCOPY\n\xff\r\n\0\0\x02\0\0\0\0\0\0', 'unrecognized critical flags in COPY file header'],
    ['PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\x05abc', 'invalid COPY file header (wrong length)'],
    ['PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x02', 'row field count is 2, expected 1'],
    ['PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\x05ab', 'unexpected EOF in COPY data'],
    ['PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x01\xff\xff\xff\xfe', 'invalid field size'],
    ['PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\xff\xffmore', 'received copy data after EOF marker'],
  ])('a binary file that is none: %j', async (text, message) => {
    const { engine } = await testEngine({ binary })
    await engine.query('CREATE TABLE t (a text)')
    const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0))
    for (const size of [1, 7, 100])
      expect(await failure(engine.copyFrom('COPY t FROM STDIN BINARY', inPieces(bytes, size)))).toMatchObject(
        {
          sqlstate: '22P04',
          message,
        },
      )
  })
})
