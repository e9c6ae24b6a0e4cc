import { wire } from '@cluster/testkit'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { dimensionsOf, parseArray, quoteItem } from '../../src/machine/array-format.ts'
import { decodeBinary, encodeBinary, OID } from '../../src/machine/binary-format.ts'
import { ProtocolError } from '../../src/machine/frontend-messages.ts'
import { MessageReader } from '../../src/machine/message-reader.ts'

const { bind, execute, parse, query, sync } = wire

const plain = { text: (value: unknown) => String(value) }
const there = (oid: number, text: string): string | Uint8Array =>
  decodeBinary(oid, encodeBinary(oid, text, plain))

const digits = (max: number) => fc.stringMatching(new RegExp(`^[0-9]{0,${max}}$`))
const numeric = fc.tuple(fc.boolean(), digits(25), digits(25)).map(([minus, whole, fraction]) => {
  const value = `${whole.replace(/^0+/, '') || '0'}${fraction === '' ? '' : `.${fraction}`}`
  return minus && /[1-9]/.test(value) ? `-${value}` : value
})

test('a numeric keeps every digit', () => {
  fc.assert(
    fc.property(numeric, (text) => expect(there(OID.numeric, text)).toBe(text)),
    { numRuns: 500 },
  )
  for (const text of [
    'NaN',
    'Infinity',
    '-Infinity',
    '0',
    '0.000',
    '10000',
    '0.0001',
    '12345678901234567890.5',
  ])
    expect(there(OID.numeric, text)).toBe(text)
})

test('whole numbers, texts and uuids come back as they went', () => {
  fc.assert(
    fc.property(
      fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
      fc.maxSafeInteger(),
      fc.string(),
      fc.uuid(),
      (big, n, text, id) => {
        expect(there(OID.int8, String(big))).toBe(String(big))
        expect(there(OID.int4, String(n | 0))).toBe(String(n | 0))
        expect(there(OID.text, text)).toBe(text)
        expect(there(OID.jsonb, text)).toBe(text)
        expect(there(OID.uuid, id)).toBe(id)
      },
    ),
  )
})

test('times come back as they went', () => {
  const day = 86_400_000_000n
  fc.assert(
    fc.property(fc.bigInt(-60_000_000_000_000_000n, 200_000_000_000_000_000n), (micros) => {
      const bytes = encodeBinary(OID.timestamp, micros, plain)
      const text = String(decodeBinary(OID.timestamp, bytes))
      const [date = '', clock = '', era] = text.split(' ')
      const [year = '', month = '', dayOfMonth = ''] = date.split('-')
      const shown = new Date(0)
      shown.setUTCFullYear(
        era === 'BC' ? 1 - Number(year) : Number(year),
        Number(month) - 1,
        Number(dayOfMonth),
      )
      const [seconds = '', fraction = ''] = clock.split('.')
      const [h = '', m = '', s = ''] = seconds.split(':')
      const within =
        BigInt((Number(h) * 60 + Number(m)) * 60 + Number(s)) * 1_000_000n + BigInt(fraction.padEnd(6, '0'))
      expect((BigInt(shown.getTime()) / 86_400_000n) * day + within).toBe(micros)
    }),
  )
  expect(decodeBinary(OID.date, encodeBinary(OID.date, 0, plain))).toBe('1970-01-01')
  expect(decodeBinary(OID.date, encodeBinary(OID.date, Number.POSITIVE_INFINITY, plain))).toBe('infinity')
  expect(there(OID.interval, '1 year 2 mons -3 days 04:05:06.5')).toBe('14 mons -3 days 04:05:06.5')
  expect(there(OID.timetz, '04:05:06.789-02:30')).toBe('04:05:06.789-02:30:00')
})

const item = fc.option(fc.oneof(fc.string(), fc.constantFrom('NULL', 'null', '{', '"', '\\', ',', '', ' ')))
const print = (items: readonly (string | null)[]): string => `{${items.map(quoteItem).join(',')}}`

test('arrays are read as they are printed, in text and in binary', () => {
  fc.assert(
    fc.property(fc.array(item), (items) => {
      expect(parseArray(print(items))).toEqual(items)
      expect(there(1009, print(items))).toBe(print(items))
    }),
  )
  expect(dimensionsOf(parseArray('{{1,2},{3,4}}') ?? [])).toEqual([2, 2])
  expect(dimensionsOf(parseArray('{{1,2},{3}}') ?? [])).toBeNull()
  expect(there(1007, '{{1,NULL},{3,4}}')).toBe('{{1,NULL},{3,4}}')
  for (const broken of ['', '{', '{1', '{1,', '{"a', '1', '{1}2']) expect(parseArray(broken)).toBeNull()
})

const bound = (value: number | null): string => (value === null ? '' : String(value))
const range = fc
  .tuple(
    fc.option(fc.integer()),
    fc.option(fc.integer()),
    fc.constantFrom('[', '('),
    fc.constantFrom(']', ')'),
  )
  .map(([lower, upper, open, close]) => `${open}${bound(lower)},${bound(upper)}${close}`)

test('ranges come back as they went', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(range, fc.constant('empty'))), (ranges) => {
      const list = ranges.filter((one) => one !== 'empty')
      for (const one of ranges) expect(there(3904, one)).toBe(one)
      expect(there(4451, `{${list.join(',')}}`)).toBe(`{${list.join(',')}}`)
      expect(there(3905, print(ranges))).toBe(print(ranges))
    }),
  )
  expect(there(3906, '[1.50,NaN)')).toBe('[1.50,NaN)')
  expect(there(3912, '["0044-03-15 BC",2024-02-29)')).toBe('["0044-03-15 BC",2024-02-29)')
  const moments = '["2020-01-01 10:00:00.5+00",infinity)'
  expect(there(3910, moments)).toBe(moments)
  expect(there(4534, `{(,"1969-12-31 23:59:59+00"],${moments}}`)).toBe(
    `{(,"1969-12-31 23:59:59+00"],${moments}}`,
  )
  expect(there(1182, '{2020-01-01,-infinity}')).toBe('{2020-01-01,-infinity}')
  expect(there(1115, '{"1960-02-29 01:02:03.000004"}')).toBe('{"1960-02-29 01:02:03.000004"}')
})

test('a range has the bytes that PostgreSQL sends', () => {
  const bytesOf = (oid: number, text: string): string =>
    Buffer.from(encodeBinary(oid, text, plain)).toString('hex')
  expect(bytesOf(3904, 'empty')).toBe('01')
  expect(bytesOf(3904, '[1,5)')).toBe('0200000004000000010000000400000005')
  expect(bytesOf(3904, '(,5)')).toBe('080000000400000005')
  expect(bytesOf(4451, '{[1,2)}')).toBe('00000001000000110200000004000000010000000400000002')
  expect(bytesOf(3912, '[2020-01-01,infinity]')).toBe('060000000400001c89000000047fffffff')
  expect(bytesOf(3906, '(1.5,2.50]')).toBe(
    '040000000c0002000000000001000113880000000c000200000000000200021388',
  )
  expect(bytesOf(3910, '["2020-01-01 10:00:00.5+00",)')).toBe('120000000800023e0fe88e6920')
})

test('bytes that are no value are a ProtocolError, whatever they are', () => {
  const oids = [...Object.values(OID), 1007, 1009, 1231, 3904, 3910, 4451, 4532, 3905, 6155, 99]
  fc.assert(
    fc.property(fc.constantFrom(...oids), fc.uint8Array({ maxLength: 64 }), (oid, bytes) => {
      try {
        decodeBinary(oid, bytes)
      } catch (error) {
        expect(['ProtocolError', 'NoBinaryFormat']).toContain((error as Error).name)
      }
    }),
    { numRuns: 2_000 },
  )
})

test('messages come out the same however the bytes are cut', () => {
  const all = new Uint8Array(
    Buffer.concat([
      parse('s', 'select $1', [23]),
      bind('p', 's', ['1', null, Uint8Array.of(1, 2)], { formats: [0], results: [1] }),
      execute('p', 5),
      sync(),
      query('rows 1'),
    ]),
  )
  const whole = new MessageReader(1_000)
  whole.push(all)
  const expected = Array.from({ length: 5 }, () => whole.next())
  expect(whole.next()).toBeNull()
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (sizes) => {
      const reader = new MessageReader(1_000)
      const read: unknown[] = []
      for (let at = 0, turn = 0; at < all.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1
        reader.push(all.subarray(at, at + size))
        at += size
        for (let message = reader.next(); message !== null; message = reader.next()) read.push(message)
      }
      expect(JSON.stringify(read)).toBe(JSON.stringify(expected))
    }),
  )
})

test('garbage makes nothing but a ProtocolError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const first of [true, false]) {
        const reader = new MessageReader(1_000)
        reader.push(bytes)
        try {
          if (first) reader.startup()
          else while (reader.next() !== null);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError)
        }
      }
    }),
    { numRuns: 2_000 },
  )
})
