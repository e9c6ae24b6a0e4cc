import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  ByteWriter,
  decodeChunk,
  encodeChunk,
  type Row,
  RowBlock,
  relationId,
  type Value,
  writeRowBlock,
} from '../src/index.ts'

const anyValue: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(-0, 0, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -(2 ** 60)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -(2n ** 90n), max: 2n ** 90n }),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({
    unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    maxLength: 5,
  }),
  fc.uint8Array({ maxLength: 12 }),
)

/** Columns as tables have them, of one type each, and some that mix everything. */
const column = (length: number): fc.Arbitrary<Value[]> => {
  const list = (value: fc.Arbitrary<Value>) =>
    fc.array(value, { minLength: length, maxLength: length, size: 'max' })
  const small = fc.integer({ min: -3, max: 300 })
  const stamp = fc.bigInt({ min: 1_700_000_000_000_000n, max: 1_700_000_100_000_000n })
  const nullable = (value: fc.Arbitrary<Value>) => list(fc.option(value))
  const texts = fc.constantFrom('', 'a', 'grüß', '🙂', 'plain text', '\ud83d', '\ude42')
  return fc.oneof(
    list(small),
    nullable(small),
    list(fc.double()),
    list(stamp),
    nullable(stamp),
    nullable(texts),
    list(fc.boolean()),
    nullable(fc.uint8Array({ maxLength: 3 })),
    list(anyValue),
    fc.oneof(anyValue, small).map((value) => new Array<Value>(length).fill(value)),
    fc.option(texts).map((value) => Array.from({ length }, (_, i) => (i % 2 === 0 ? null : value))),
  )
}

const someKeys = (length: number) =>
  fc
    .uniqueArray(
      fc.tuple(
        fc.constantFrom('', '\x01', '\x01\xff\x80abc'),
        fc.string({
          unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)),
          maxLength: 6,
        }),
      ),
      { minLength: length, maxLength: length, selector: (parts) => parts.join(''), size: 'max' },
    )
    .map((keys) => keys.map((parts) => parts.join('')).sort())

const someRows = fc.integer({ min: 1, max: 40 }).chain((length) =>
  fc.record({
    keys: someKeys(length),
    columns: fc.array(column(length), { maxLength: 5 }),
    versions: fc.option(fc.array(fc.nat(), { minLength: length, maxLength: length, size: 'max' })),
    // −1 for a row that is gone, else how many fields it lacks.
    cuts: fc.option(
      fc.array(fc.integer({ min: -1, max: 3 }), { minLength: length, maxLength: length, size: 'max' }),
    ),
  }),
)

describe('a block of rows', () => {
  test('gives back exactly what was written, whole and in parts', () => {
    const writer = new ByteWriter(16)
    fc.assert(
      fc.property(someRows, ({ keys, columns, versions, cuts }) => {
        const rows: (Row | null)[] = keys.map((_, i) => {
          const cut = cuts?.[i] ?? 0
          return cut < 0
            ? null
            : columns.slice(0, Math.max(0, columns.length - cut)).map((values) => values[i] as Value)
        })
        writer.reset()
        writer.u8(7)
        writeRowBlock(writer, { keys, rows, ...(versions === null ? {} : { versions }) })
        const block = new RowBlock(writer.finish(), 1)
        expect(block.length).toBe(keys.length)
        expect(block.end).toBe(writer.length)
        expect(block.keys()).toEqual(keys)
        expect(block.rows()).toEqual(rows)
        if (versions !== null) expect(block.versions()).toEqual(versions)
        for (let column = 0; column < columns.length + 1; column++) {
          const expected = rows.map((row) => row?.[column] ?? null)
          expect(block.column(column)).toEqual(expected)
          const part: Value[] = []
          block.columnInto(part, column, 1, keys.length)
          expect(part).toEqual(expected.slice(1))
          expect(block.value(0, column)).toEqual(expected[0])
        }
        for (const [i, key] of keys.entries()) {
          expect(block.key(i)).toBe(key)
          expect(block.row(i)).toEqual(rows[i])
          expect(block.gone(i)).toBe(rows[i] === null)
          expect(block.version(i)).toBe(versions?.[i] ?? 0)
          expect(block.find(key)).toBe(i)
          expect(block.find(`${key}\x00`)).toBe(i + 1)
        }
        for (const probe of ['', '\x01', '\x01\xff', '\xff\xff\xff'])
          expect(block.find(probe)).toBe(keys.filter((key) => key < probe).length)
      }),
      { numRuns: 150 },
    )
  })

  test('takes little room for what tables hold', () => {
    const writer = new ByteWriter()
    const rows: Row[] = Array.from({ length: 100 }, (_, i) => [1_000_000 + i, 'paid', null, i % 2 === 0])
    writeRowBlock(writer, { keys: rows.map((row) => `\x01key${row[0]}`), rows })
    // A key's three last digits with their ends, one byte of number, a constant, nothing for NULL, a byte of boolean.
    expect(writer.length).toBeLessThan(100 * 9)
  })
})

describe('a chunk of rows', () => {
  test('comes back, and every flipped bit is noticed', () => {
    const chunk = { relation: relationId(300), keys: ['a', 'b'], rows: [[1, 'x'], null] }
    const bytes = encodeChunk(chunk)
    expect(decodeChunk(bytes, 'a copy', 0)).toEqual(chunk)
    expect(decodeChunk(encodeChunk({ rowCount: 2 ** 40 }), 'a copy', 0)).toEqual({ rowCount: 2 ** 40 })
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice()
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(() => decodeChunk(flipped, 'a copy', 7)).toThrow(
        expect.objectContaining({ code: 'DISK_DAMAGED', detail: expect.objectContaining({ offset: 7 }) }),
      )
    }
    for (let size = 0; size < bytes.length; size++)
      expect(() => decodeChunk(bytes.subarray(0, size), 'a copy', 0)).toThrow('damaged')
  })
})
