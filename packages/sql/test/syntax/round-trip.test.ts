import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Expression, Identifier, TypeName } from '../../src/syntax/ast.ts'
import { parseExpression } from '../../src/syntax/parse.ts'
import { printExpression } from '../../src/syntax/print.ts'
import { withoutSpans } from './without-spans.ts'

const span = { start: 0, end: 0 }
const identifier = fc
  .oneof(fc.constantFrom('a', 'b', 'select', 'Mixed', 'left', 'with space', 'q"uote', 'é', 'year'))
  .map((name): Identifier => ({ kind: 'identifier', name, span }))
const typeNames: readonly (readonly [name: string, modifiers: readonly number[]])[] = [
  ['integer', []],
  ['numeric', [10, 2]],
  ['character varying', [3]],
  ['timestamp without time zone', [3]],
  ['timestamp with time zone', []],
  ['double precision', []],
]
const typeName = fc
  .constantFrom(...typeNames)
  .map(([name, modifiers]): TypeName => ({ kind: 'typeName', name, modifiers, array: false, span }))

/** Trees as the parser makes them: no AND in AND, no sign before a number. */
const { expression } = fc.letrec<{ expression: Expression; leaf: Expression }>((tie) => {
  const inner = tie('expression')
  const signless = inner.filter(({ kind }) => kind !== 'number')
  const make = <T extends object>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
    fc.record({ ...shape, span: fc.constant(span) }) as unknown as fc.Arbitrary<Expression>
  const is = <K extends string>(kind: K) => fc.constant(kind)
  const chain = (kind: 'and' | 'or') =>
    make({
      kind: is(kind),
      operands: fc.array(
        inner.filter((operand) => operand.kind !== kind),
        { minLength: 2, maxLength: 4 },
      ),
    })
  const some = fc.array(inner, { minLength: 1, maxLength: 3 })
  const sortItem = fc.record({
    expression: inner,
    descending: fc.boolean(),
    nulls: fc.constantFrom('first', 'last'),
    span: fc.constant(span),
  })
  const frame = fc.record({
    mode: fc.constantFrom('rows', 'range', 'groups'),
    start: fc.oneof(
      fc.constantFrom({ kind: 'unbounded preceding' }, { kind: 'current row' }),
      fc.record({ kind: is('preceding'), offset: inner }),
    ),
    end: fc.oneof(
      fc.constantFrom({ kind: 'unbounded following' }),
      fc.record({ kind: is('following'), offset: inner }),
    ),
    exclude: fc.constantFrom('no others', 'current row', 'group', 'ties'),
    span: fc.constant(span),
  })
  const window = fc.oneof(
    identifier,
    fc.record({
      kind: is('window'),
      base: fc.option(identifier),
      partitionBy: fc.array(inner, { maxLength: 2 }),
      orderBy: fc.array(sortItem, { maxLength: 2 }),
      frame: fc.option(frame),
      span: fc.constant(span),
    }),
  )
  return {
    leaf: fc.oneof(
      make({ kind: is('null') }),
      make({ kind: is('boolean'), value: fc.boolean() }),
      make({ kind: is('number'), text: fc.constantFrom('0', '-1', '1.50', '.5', '1e-5', '-99999999999') }),
      make({ kind: is('string'), value: fc.string() }),
      make({ kind: is('parameter'), index: fc.integer({ min: 1, max: 99 }) }),
      make({ kind: is('column'), parts: fc.array(identifier, { minLength: 1, maxLength: 3 }) }),
    ),
    expression: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      tie('leaf'),
      chain('and'),
      chain('or'),
      make({ kind: is('not'), operand: inner }),
      make({ kind: is('unary'), operator: fc.constantFrom('-', '+', '@', '~', '|/'), operand: signless }),
      make({
        kind: is('binary'),
        operator: fc.constantFrom('=', '<>', '<', '>=', '+', '-', '*', '/', '%', '^', '||', '->'),
        left: inner,
        right: inner,
        operatorSpan: fc.constant(span),
      }),
      make({
        kind: is('is'),
        test: fc.constantFrom('null', 'true', 'false', 'unknown'),
        operand: inner,
        negated: fc.boolean(),
      }),
      make({ kind: is('distinctFrom'), left: inner, right: inner, negated: fc.boolean() }),
      make({
        kind: is('between'),
        operand: inner,
        low: inner,
        high: inner,
        symmetric: fc.boolean(),
        negated: fc.boolean(),
      }),
      make({ kind: is('in'), operand: inner, list: some, negated: fc.boolean() }),
      make({
        kind: is('like'),
        operand: inner,
        pattern: inner,
        escape: fc.option(inner),
        caseInsensitive: fc.boolean(),
        negated: fc.boolean(),
      }),
      make({
        kind: is('case'),
        operand: fc.option(inner),
        branches: fc.array(fc.record({ when: inner, result: inner, span: fc.constant(span) }), {
          minLength: 1,
          maxLength: 2,
        }),
        otherwise: fc.option(inner),
      }),
      make({ kind: is('cast'), operand: inner, type: typeName }),
      make({ kind: fc.constantFrom('coalesce', 'greatest', 'least'), args: some }),
      make({ kind: is('nullif'), left: inner, right: inner }),
      make({ kind: is('row'), items: some }),
      make({
        kind: is('call'),
        name: fc
          .array(identifier, { minLength: 1, maxLength: 2 })
          .map((parts) => ({ kind: 'name', parts, span })),
        args: fc.array(inner, { maxLength: 3 }),
        star: fc.constant(false),
        distinct: fc.constant(false),
        orderBy: fc.constant([]),
        withinGroup: fc.constant([]),
        filter: fc.option(inner),
        over: fc.option(window),
      }),
      make({ kind: is('array'), items: fc.array(inner, { maxLength: 3 }) }),
      make({
        kind: is('subscript'),
        operand: signless,
        slice: fc.constant(true),
        lower: fc.option(inner),
        upper: fc.option(inner),
      }),
      make({
        kind: is('subscript'),
        operand: signless,
        slice: fc.constant(false),
        lower: inner,
        upper: fc.constant(null),
      }),
      make({
        kind: is('quantifiedArray'),
        operator: fc.constantFrom('=', '<', '+'),
        quantifier: fc.constantFrom('any', 'all'),
        left: inner,
        array: inner,
        operatorSpan: fc.constant(span),
      }),
    ),
  }
})

describe('printing and parsing', () => {
  test('an expression parses back to itself', () => {
    fc.assert(
      fc.property(expression, (tree) => {
        const text = printExpression(tree)
        expect(withoutSpans(parseExpression(text))).toEqual(withoutSpans(tree))
      }),
      { numRuns: 1_500 },
    )
  })

  test('what the parser took prints as itself', () => {
    fc.assert(
      fc.property(expression, (tree) => {
        const text = printExpression(parseExpression(printExpression(tree)))
        expect(printExpression(parseExpression(text))).toBe(text)
      }),
      { numRuns: 300 },
    )
  })
})
