import type { ColumnBatch, Value } from '@cluster/core'
import { StillClock } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { sqlError } from '../../src/errors.ts'
import { ExecutionContext, type Source } from '../../src/executor/context.ts'
import { gatherSource } from '../../src/executor/gather.ts'
import { MemoryBudget } from '../../src/executor/memory.ts'
import { FormUnknownError, UnsendableError } from '../../src/fragment/form.ts'
import { partialAggregate, partialCall } from '../../src/fragment/partial-aggregates.ts'
import { decodeProgram, encodeProgram } from '../../src/fragment/program.ts'
import { readExpression } from '../../src/fragment/read-expression.ts'
import { readType, readValue, writeType, writeValue } from '../../src/fragment/values.ts'
import { writeExpression } from '../../src/fragment/write-expression.ts'
import type { AggregateFunction } from '../../src/functions/function.ts'
import { builtIns, resolveAggregate, resolveOperator } from '../../src/functions/resolve.ts'
import { sqlFragments } from '../../src/index.ts'
import { columnExpr } from '../../src/plan/build.ts'
import type { Column, Expr } from '../../src/plan/expression.ts'
import { arrayOf, BIGINT, INTEGER, NUMERIC, type SqlType, TEXT, TYPES } from '../../src/types/type.ts'

const own = { isOwn: () => true, given: () => 0 }
const travelled = <T>(form: T): T => JSON.parse(JSON.stringify(form)) as T
const column = (id: number, type: SqlType): Column => ({ id, name: `c${id}`, type })

describe('expressions as data', () => {
  test('name the very function, or are not sent', () => {
    const plain = builtIns().functions.filter(
      ({ args, contextual, volatility }) =>
        args.length > 0 && contextual === null && volatility === 'immutable',
    )
    const kept: string[] = []
    for (const fn of plain) {
      const args = fn.args.map((type, i) => columnExpr(column(i, type)))
      const expr: Expr = { kind: 'call', type: fn.returns, fn, form: 'function', args }
      try {
        const read = readExpression(travelled(writeExpression(expr, own)))
        expect(read.kind === 'call' && read.fn === fn).toBe(true)
      } catch (error) {
        if (!(error instanceof UnsendableError)) throw error
        kept.push(fn.name)
      }
    }
    expect(kept).toEqual([])
    expect(plain.length).toBeGreaterThan(300)
  })

  test('name operators of ranges, which are made for the types of their operands', () => {
    for (const [sign, left, right] of [
      ['@>', TYPES.int4range, INTEGER],
      ['<@', TYPES.daterange, TYPES.datemultirange],
      ['*', TYPES.nummultirange, TYPES.nummultirange],
      ['=', TYPES.tstzrange, TYPES.tstzrange],
    ] as const) {
      const fn = resolveOperator(sign, left, right)
      const args = fn.args.map((type, i) => columnExpr(column(i, type)))
      const expr: Expr = { kind: 'call', type: fn.returns, fn, form: 'infix', args }
      const read = readExpression(travelled(writeExpression(expr, own)))
      expect(read.kind === 'call' && read.fn === fn).toBe(true)
    }
  })

  test('keep values and types', () => {
    for (const value of [
      null,
      true,
      1.5,
      -0,
      Number.NaN,
      Number.NEGATIVE_INFINITY,
      12n,
      -(2n ** 70n),
      'x',
      '',
    ])
      expect(readValue(travelled(writeValue(value)))).toBe(value)
    for (const type of [
      INTEGER,
      { ...NUMERIC, precision: 10, scale: 2 },
      arrayOf(TEXT),
      { ...TYPES.varchar, length: 5 },
    ])
      expect(readType(travelled(writeType(type)))).toEqual(type)
  })

  test('have what depends on no row computed by whoever asks', () => {
    const given: Expr[] = []
    const parameter: Expr = { kind: 'parameter', type: INTEGER, index: 3 }
    const form = writeExpression(parameter, { isOwn: () => false, given: (expr) => given.push(expr) - 1 })
    expect(form).toEqual({ k: 'given', t: 'integer', n: 0 })
    expect(given).toEqual([parameter])
    expect(readExpression(form)).toEqual({ kind: 'parameter', type: INTEGER, index: 1 })
  })

  test('are refused when they are none', () => {
    const bad: unknown[] = [
      { k: 'eval', t: 'integer' },
      { k: 'column', t: 'integer', n: '1] + alert(' },
      { k: 'column', t: 'no type', n: 1 },
      { k: 'constant', t: 'integer', v: { n: 'x' } },
      { k: 'call', t: 'integer', f: ['cast', 'integer', 'text', 'somehow'], as: 'cast', a: [] },
      { k: 'call', t: 'integer', f: ['operator', '+', []], as: 'infix', a: [] },
      { k: 'and', t: 'boolean', a: 'x' },
    ]
    for (const form of bad) expect(() => readExpression(form as never)).toThrow(FormUnknownError)
    let deep: unknown = { k: 'column', t: 'boolean', n: 1 }
    for (let i = 0; i < 1_000; i++) deep = { k: 'not', t: 'boolean', a: deep }
    expect(() => readExpression(deep as never)).toThrow(FormUnknownError)
  })
})

describe('programs', () => {
  const program = {
    plan: '{"k":"rows","i":0,"c":[]}',
    given: [1, null, 'x', 5n, new Uint8Array([1, 2])],
    sent: [
      [
        {
          length: 2,
          columns: [
            [1, 2],
            ['a', null],
          ],
        },
      ],
      [],
    ],
  }

  test('arrive as they were sent', () => {
    expect(decodeProgram(encodeProgram(program))).toEqual(program)
  })

  test('are refused when they are damaged, or of another release', async () => {
    const bytes = encodeProgram(program)
    for (let end = 0; end < bytes.length; end++)
      expect(() => decodeProgram(bytes.subarray(0, end))).toThrow(FormUnknownError)
    const other = bytes.slice()
    other[2] = (other[2] ?? 0) ^ 1
    expect(() => decodeProgram(other)).toThrow(FormUnknownError)
    const evaluator = sqlFragments()({ clock: new StillClock() })
    const results = evaluator.evaluate(other, [], new AbortController().signal)
    await expect(results[Symbol.asyncIterator]().next()).rejects.toThrow(FormUnknownError)
  })
})

describe('aggregates in parts', () => {
  const whole = fc.option(fc.integer({ min: -1_000, max: 1_000 }), { freq: 4 })
  const values: readonly (readonly [SqlType, fc.Arbitrary<Value>])[] = [
    [INTEGER, whole],
    [BIGINT, whole.map((one) => (one === null ? null : BigInt(one) * 9_007_199_254_740_993n))],
    [NUMERIC, whole.map((one) => (one === null ? null : `${one}.25`))],
    [TEXT, fc.option(fc.constantFrom('a', 'b', 'B', 'ä', ''), { freq: 4 })],
    [TYPES.boolean, fc.option(fc.boolean(), { freq: 4 })],
  ]
  const names = [
    'count',
    'sum',
    'avg',
    'min',
    'max',
    'bool_and',
    'bool_or',
    'bit_and',
    'variance',
    'stddev_pop',
  ]

  const run = (fn: AggregateFunction, rows: readonly (readonly Value[])[]): Value => {
    let state = fn.init()
    for (const row of rows) if (!fn.strict || !row.includes(null)) state = fn.step(state, ...row)
    return fn.finish(state)
  }

  test('come to what the whole comes to', () => {
    let checked = 0
    for (const [type, value] of values)
      for (const name of names) {
        const known = builtIns().aggregates.some((one) => one.name === name && one.args[0]?.id === type.id)
        if (!known && name !== 'count') continue
        const fn = resolveAggregate(name, [type])
        const call = {
          fn,
          args: [],
          distinct: false,
          filter: null,
          orderBy: [],
          column: column(1, fn.returns),
        }
        const partial = partialAggregate(call)
        if (partial === null) throw new Error(`${name} of ${type.id} has no parts`)
        const finish = partial.finish(
          call,
          partial.parts.map((part, i) => column(i, part.type)),
        )
        checked++
        fc.assert(
          fc.property(fc.array(fc.array(value, { maxLength: 6 }), { maxLength: 4 }), (parts) => {
            const rows = parts.map((part) =>
              partial.parts.map(({ fn: own, state }) =>
                run(
                  partialCall(own.name, own.args, state),
                  part.map((one) => [one]),
                ),
              ),
            )
            expect(run(finish.fn, rows)).toEqual(
              run(
                fn,
                parts.flat().map((one) => [one]),
              ),
            )
          }),
          { numRuns: 50, seed: 5 },
        )
      }
    expect(checked).toBeGreaterThan(25)
  })

  test('are not made of sums that depend on their order', () => {
    const double = TYPES.double
    const call = { args: [], distinct: false, filter: null, orderBy: [], column: column(1, double) }
    expect(partialAggregate({ ...call, fn: resolveAggregate('sum', [double]) })).toBeNull()
    expect(partialAggregate({ ...call, fn: resolveAggregate('string_agg', [TEXT, TEXT]) })).toBeNull()
    const distinct = { ...call, distinct: true, fn: resolveAggregate('count', [INTEGER]) }
    expect(partialAggregate(distinct)).toBeNull()
    expect(() => partialCall('sum', [double], false)).toThrow(FormUnknownError)
  })
})

test('what has too little room as a fragment is done as a whole', async () => {
  const batch: ColumnBatch = { length: 1, columns: [[7]] }
  const source = (...batches: readonly ColumnBatch[]): Source => ({
    async *open() {
      yield* batches
    },
  })
  const failing = (): AsyncIterable<ColumnBatch> => ({
    [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(sqlError('53200', 'too little room')) }),
  })
  const reads = {
    fragments: { received: { rows: 0, bytes: 0 }, isSpread: () => true, places: () => [], compute: failing },
  }
  const context = new ExecutionContext({
    transaction: reads as never,
    clock: new StillClock(),
    frame: { parameters: [], outer: [], functions: {} as never },
    memory: new MemoryBudget({ bytesMax: 1_000_000 }),
    signal: null,
  })
  const gathering = gatherSource({
    probe: { relation: 16 as never, range: {}, columns: [], keys: false, from: 'spread' },
    here: source(batch),
    plan: () => ({
      plan: '{}',
      together: true,
      inputs: [],
      onRead: () => {},
      given: () => [],
      sent: [],
      rest: null,
      gathered: -1,
    }),
  })
  const found: ColumnBatch[] = []
  for await (const one of gathering.open(context)) found.push(one)
  expect(found).toEqual([batch])
})
