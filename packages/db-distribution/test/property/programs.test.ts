import {
  type Key,
  type PresentAction,
  type ProgramStep,
  partitionId,
  type Row,
  type RowExpression,
  type RowProgram,
  relationId,
  type Value,
} from '@cluster/core'
import { runModelProgram } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decodeCommand, encodeExecute } from '../../src/machine/commands.ts'
import { decodeOutcome, encodeOutcome } from '../../src/machine/program/codec.ts'
import { runProgram } from '../../src/machine/program/run.ts'

const WIDTH = 5

/** Values around every bound that a program may meet, of the right kind and of the wrong one. */
const value: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom<Value>(
    null,
    true,
    false,
    0,
    1,
    -1,
    32_767,
    -32_768,
    2 ** 31 - 1,
    -(2 ** 31),
    2 ** 31,
    1.5,
    -0,
  ),
  fc.constantFrom<Value>(0n, 1n, 2n ** 63n - 1n, -(2n ** 63n), 3_037_000_500n),
  fc.constantFrom<Value>(
    '0',
    '1.50',
    '-0.005',
    '99999.99',
    'NaN',
    '-123456789012345678901234567890.5',
    '',
    'text',
    '1e5',
  ),
  fc.integer({ min: -40, max: 40 }),
  fc.integer({ min: -4_000, max: 4_000 }).map((n) => (n / 100).toFixed(2)),
  fc.constant(new Uint8Array([1])),
)

const { expression } = fc.letrec<{ expression: RowExpression }>((tie) => {
  const pair = { left: tie('expression'), right: tie('expression') }
  const operands = fc.array(tie('expression'), { minLength: 1, maxLength: 3 })
  return {
    expression: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      value.map((one): RowExpression => ({ op: 'value', value: one })),
      fc.nat(WIDTH).map((position): RowExpression => ({ op: 'column', position })),
      fc.record({
        op: fc.constantFrom('add', 'subtract', 'multiply'),
        type: fc.constantFrom('smallint', 'integer', 'bigint', 'numeric'),
        ...pair,
      }),
      fc.record({
        op: fc.constantFrom('equal', 'less', 'lessOrEqual'),
        type: fc.constantFrom('plain', 'numeric', 'text'),
        ...pair,
      }),
      fc.record({ op: fc.constant('concat' as const), ...pair }),
      fc.record({ op: fc.constantFrom('and', 'or', 'coalesce'), operands }),
      fc.record({ op: fc.constantFrom('not', 'isNull'), operand: tie('expression') }),
      fc.record({
        op: fc.constant('fit' as const),
        precision: fc.integer({ min: 1, max: 8 }),
        scale: fc.nat(3),
        operand: tie('expression'),
      }),
    ) as fc.Arbitrary<RowExpression>,
  }
})

const where = fc.option(expression, { freq: 3 })
const row: fc.Arbitrary<Row> = fc.array(value, { minLength: 1, maxLength: WIDTH })
const action: fc.Arbitrary<PresentAction> = fc.oneof(
  fc.constantFrom<PresentAction>({ do: 'keep' }, { do: 'refuse' }),
  fc.record({ do: fc.constant('delete' as const), where }),
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('update' as const),
      set: fc.uniqueArray(fc.record({ position: fc.nat(WIDTH + 1), value: expression }), {
        minLength: 1,
        maxLength: 3,
        selector: ({ position }) => position,
      }),
      where,
    }),
  },
)

const program: fc.Arbitrary<RowProgram> = fc
  .record({
    steps: fc.uniqueArray(
      fc.record({ key: fc.constantFrom('a', 'b', 'c', '\u0000ÿ'), present: action, absent: fc.option(row) }),
      { minLength: 1, maxLength: 3, selector: ({ key }) => key },
    ) as fc.Arbitrary<ProgramStep[]>,
    checks: fc.array(expression, { maxLength: 2 }),
    returning: fc.boolean(),
  })
  .map((rest) => ({ relation: relationId(16), partition: partitionId(1), ...rest }))

const rows = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', '\u0000ÿ'), row), { maxLength: 4 })

describe('programs', () => {
  test('do what the naive version does', () => {
    fc.assert(
      fc.property(program, rows, (what, stored) => {
        const table = new Map<Key, Row>(stored)
        const rowAt = (key: Key): Row | null => table.get(key) ?? null
        const { outcome, writes } = runProgram(what, rowAt)
        const expected = runModelProgram(what, rowAt)
        expect(outcome).toEqual(expected.outcome)
        const after = new Map<Key, Row | null>(what.steps.map(({ key }) => [key, rowAt(key)]))
        for (const write of writes) after.set(write.key, write.row)
        expect(after).toEqual(expected.after)
        if (outcome.type === 'failed') expect(writes).toEqual([])
        expect(decodeOutcome(encodeOutcome(outcome))).toEqual(outcome)
      }),
      { numRuns: 3_000 },
    )
  })

  test('are the same behind a link', () => {
    fc.assert(
      fc.property(program, (what) => {
        const command = decodeCommand(
          encodeExecute({ database: 7, version: 3, points: [], ranges: [], program: what }),
        )
        if (command.type !== 'execute') throw new Error('it became another command')
        expect(command.parts[0]?.program()).toEqual(what)
        expect(command.parts[0]?.keys).toEqual(what.steps.map(({ key }) => key))
      }),
      { numRuns: 500 },
    )
  })

  test('that are damaged are read by nobody, and by all alike', () => {
    fc.assert(
      fc.property(program, fc.nat(), fc.nat(255), (what, at, byte) => {
        const bytes = encodeExecute({ database: 7, version: 3, points: [], ranges: [], program: what })
        bytes[at % bytes.length] = byte
        const read = (): unknown => {
          try {
            const command = decodeCommand(bytes)
            return command.type === 'execute' ? command.parts.map((part) => part.program()) : command.type
          } catch (error) {
            // Only what callers know how to handle.
            expect(['ClusterError', 'Error', 'UnknownProgramError']).toContain((error as Error).name)
            return (error as Error).message
          }
        }
        expect(read()).toEqual(read())
      }),
      { numRuns: 1_000 },
    )
  })
})
