import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ByteWriter, readColumnBatch, type Value, writeColumnBatch } from '../src/index.ts'

const value: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.double(),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  fc.string({ unit: 'binary' }),
  fc.uint8Array({ maxLength: 5 }),
)

test('a batch of columns is read as it was written, and nothing else is taken for one', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 20 }).chain((length) =>
        fc
          .array(fc.array(value, { minLength: length, maxLength: length + 1 }), { maxLength: 4 })
          .map((columns) => ({
            length,
            columns,
          })),
      ),
      ({ length, columns }) => {
        const out = new ByteWriter()
        writeColumnBatch(out, { length, columns })
        const bytes = out.finish()
        const read = readColumnBatch(bytes)
        expect(read).toEqual({ length, columns: columns.map((column) => column.slice(0, length)) })
        expect(() => readColumnBatch(new Uint8Array([...bytes, 0]))).toThrow(RangeError)
        expect(() => readColumnBatch(bytes.subarray(0, bytes.length - 1))).toThrow(RangeError)
      },
    ),
    { seed: 3 },
  )
  const out = new ByteWriter()
  out.varint(2 ** 40)
  out.varint(0)
  expect(() => readColumnBatch(out.finish())).toThrow(RangeError)
})
