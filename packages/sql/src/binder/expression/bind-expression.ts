import { unreachable } from '@cluster/core'
import { SQLSTATE } from '../../errors.ts'
import { commonType } from '../../functions/cast.ts'
import { needsOrder } from '../../functions/ordered-set.ts'
import { isSetFunction } from '../../functions/set-returning.ts'
import { isWindowFunction } from '../../functions/window.ts'
import { columnExpr, conjunction, constant } from '../../plan/build.ts'
import type { CallExpr, Column, Expr, QuantifiedExpr } from '../../plan/expression.ts'
import { childrenOf } from '../../plan/traverse.ts'
import type {
  BinaryExpression,
  CallExpression,
  CaseExpression,
  Expression,
  InListExpression,
  Node,
  Query,
  RowExpression,
} from '../../syntax/ast.ts'
import { numberLiteral } from '../../types/literal.ts'
import { BOOLEAN, fieldsOf, type SqlType, typeCategory, typeName, UNKNOWN } from '../../types/type.ts'
import { type BindContext, type BoundQuery, errorAt, newColumn, unsupported } from '../context.ts'
import type { Place } from '../place.ts'
import { bindAggregate, IN_AGGREGATE } from '../query/aggregates.ts'
import { bindWindowCall } from '../query/bind-window.ts'
import { extremeCall } from '../query/extreme-call.ts'
import { groupingCall } from '../query/grouping.ts'
import { alwaysOne, bindSetCall } from '../query/set-call.ts'
import { EMPTY_SCOPE, findColumn, resolveColumn } from '../scope.ts'
import { bindPartitionOf } from '../write/partition-of.ts'
import { bindArray, bindArrayQuery, bindQuantifiedArray, bindSubscript } from './bind-array.ts'
import {
  bindField,
  bindNullTest,
  bindRow,
  fieldAt,
  isFieldCall,
  rowOfTable,
  spreadItems,
  spreadSyntax,
} from './bind-row.ts'
import { coerce, coerceToBoolean, explicitCast, tryCoerce, unify } from './coerce.ts'
import { declaredType } from './declared-type.ts'
import { asDomain } from './domains.ts'
import { positional } from './named-arguments.ts'
import { functionCall, isAggregate, operatorCall, variadicCall } from './overloads.ts'
import { bindSequenceCall, isSequenceCall } from './sequence-calls.ts'
import { systemColumn } from './system-column.ts'

/** Parts that a statement may have in operands that are written once and used several times. */
const REPEATED_MAX = 200_000

const repeated = new WeakMap<BindContext['parameters'], number>()
const sizes = new WeakMap<Expr, number>()

/**
 * Notes that an operand is used once more than it is written: where BETWEEN or CASE with an operand nest, each
 * level would double what is compiled.
 * @throws 54001
 */
function repeat(context: BindContext, node: Node, operand: Expr): void {
  const size = sizeOf(operand)
  sizes.set(operand, size)
  const parts = (repeated.get(context.parameters) ?? 0) + size
  repeated.set(context.parameters, parts)
  if (parts <= REPEATED_MAX) return
  throw errorAt(
    context,
    node,
    SQLSTATE.statementTooComplex,
    'the expression is too complex: BETWEEN or CASE with an operand repeats it for each comparison',
    { hint: 'Compute the operand in a subquery in FROM.' },
  )
}

/** Parts, each counted wherever it is used. Operands that are repeated are remembered: that keeps it linear. */
const sizeOf = (expr: Expr): number =>
  sizes.get(expr) ?? childrenOf(expr).reduce((sum, child) => sum + sizeOf(child), 1)

/** Resolves names, chooses overloads and types every part. @throws SqlError with a position */
export function bindExpression(place: Place, expression: Expression): Expr {
  const { context } = place
  const bind = (part: Expression): Expr => bindExpression(place, part)
  switch (expression.kind) {
    case 'null':
      return constant(UNKNOWN, null)
    case 'boolean':
      return constant(BOOLEAN, expression.value)
    case 'number': {
      const { type, value } = numberLiteral(expression.text)
      return constant(type, value)
    }
    case 'string':
      return constant(UNKNOWN, expression.value)
    case 'parameter': {
      const known = context.parameters.use(expression.index)
      return { kind: 'parameter', type: known ?? UNKNOWN, index: expression.index }
    }
    case 'column':
      return bindReference(place, expression)
    case 'unary':
      return operatorCall(context, expression, expression.operator, [bind(expression.operand)])
    case 'binary':
      return bindBinary(place, expression)
    case 'not':
      return { kind: 'not', type: BOOLEAN, operand: bindCondition(place, expression.operand, 'NOT') }
    case 'and':
    case 'or': {
      const word = expression.kind.toUpperCase()
      const operands = expression.operands.map((operand) => bindCondition(place, operand, word))
      return { kind: expression.kind, type: BOOLEAN, operands }
    }
    case 'is':
      return bindIs(place, expression)
    case 'distinctFrom': {
      if (expression.left.kind === 'row' && expression.right.kind === 'row')
        return bindRowsDistinct(place, expression, expression.left, expression.right)
      const equal = compare(place, expression, '=', bind(expression.left), bind(expression.right))
      const [left, right] = equal.args as [Expr, Expr]
      return { kind: 'distinctFrom', type: BOOLEAN, left, right, equal, negated: expression.negated }
    }
    case 'between': {
      const operand = bind(expression.operand)
      const low = bind(expression.low)
      const high = bind(expression.high)
      for (const part of expression.symmetric ? [operand, operand, operand, low, high] : [operand])
        repeat(context, expression, part)
      const within = (from: Expr, to: Expr): Expr =>
        conjunction([
          compare(place, expression, '>=', operand, from),
          compare(place, expression, '<=', operand, to),
        ])
      const test: Expr = expression.symmetric
        ? { kind: 'or', type: BOOLEAN, operands: [within(low, high), within(high, low)] }
        : within(low, high)
      return expression.negated ? { kind: 'not', type: BOOLEAN, operand: test } : test
    }
    case 'in':
      return bindInList(place, expression)
    case 'inQuery': {
      const { operand: left, query, negated } = expression
      return bindQuantified(place, expression, { left, operator: '=', query, quantifier: 'any', negated })
    }
    case 'quantified':
      return bindQuantified(place, expression, expression)
    case 'like': {
      const operator = `${expression.negated ? '!' : ''}~~${expression.caseInsensitive ? '*' : ''}`
      const pattern = bind(expression.pattern)
      const escaped =
        expression.escape === null
          ? pattern
          : functionCall(context, expression, 'like_escape', [pattern, bind(expression.escape)])
      return operatorCall(context, expression, operator, [bind(expression.operand), escaped])
    }
    case 'exists': {
      const { plan } = subquery(place, expression.query)
      return { kind: 'exists', type: BOOLEAN, plan, negated: false }
    }
    case 'subquery': {
      const { plan, columns } = subquery(place, expression.query)
      const [only] = columns
      if (columns.length !== 1 || only === undefined)
        throw errorAt(context, expression, SQLSTATE.syntaxError, 'subquery must return only one column')
      return { kind: 'scalarQuery', type: only.column.type, plan, column: only.column }
    }
    case 'case':
      return bindCase(place, expression)
    case 'cast': {
      const { type, domain } = declaredType(context, expression.type)
      const { operand } = expression
      const bound =
        operand.kind === 'array' && type.element !== undefined
          ? bindArray(context, operand, bind, type)
          : bind(operand)
      // What is wrong with a literal is told where it stands.
      const node = bound.type.id === 'unknown' ? operand : expression
      const cast = explicitCast(context, node, bound, type)
      const entry = domain === null ? null : context.names.byKey(domain)
      return entry?.kind === 'domain' ? asDomain(context, entry, cast, bindCondition) : cast
    }
    case 'call':
      return bindCall(place, expression)
    case 'coalesce': {
      const inside = alwaysOne(place, 'COALESCE')
      const given = expression.args.map((arg) => bindExpression(inside, arg))
      const args = unify(context, expression.args, given, 'COALESCE')
      return { kind: 'coalesce', type: (args[0] as Expr).type, args }
    }
    case 'nullif': {
      const left = bind(expression.left)
      repeat(context, expression, left)
      const equal = compare(place, expression, '=', left, bind(expression.right))
      // The value is what the operator compares: NULLIF(1, 2.5) is numeric.
      const taken = ['unknown', 'number', 'string'].includes(typeCategory(left.type.id))
      const original = taken ? (equal.args[0] as Expr) : left
      return {
        kind: 'case',
        type: original.type,
        branches: [{ when: equal, result: constant(original.type, null) }],
        otherwise: original,
      }
    }
    case 'greatest':
    case 'least':
      return extremeCall(context, expression.kind, expression.args, expression.args.map(bind))
    case 'row':
      return bindRow(context, expression, spreadItems(place, expression.items, bind))
    case 'field':
      return bindField(context, expression, bind(expression.operand))
    case 'fields':
      // Where there is no list, the row is one value.
      return bind(expression.operand)
    case 'array':
      return bindArray(context, expression, bind)
    case 'arrayQuery':
      return bindArrayQuery(context, expression, subquery(place, expression.query))
    case 'subscript':
      return bindSubscript(context, expression, bind)
    case 'quantifiedArray':
      return bindQuantifiedArray(context, expression, bind)
    default:
      return unreachable(expression)
  }
}

/** A column, or else the row of a table of that name. */
function bindReference({ context, scope }: Place, reference: Expression & { kind: 'column' }): Expr {
  const column = findColumn(context, scope, reference)
  if (column !== null) return columnExpr(column)
  const system = systemColumn(context, scope, reference)
  if (system !== null) return system
  return rowOfTable(context, scope, reference.parts) ?? columnExpr(resolveColumn(context, scope, reference))
}

/** An expression that must be boolean. @throws 42804 */
export function bindCondition(place: Place, expression: Expression, word: string): Expr {
  return coerceToBoolean(place.context, expression, bindExpression(place, expression), word)
}

function compare(place: Place, node: Node, operator: string, left: Expr, right: Expr): CallExpr {
  const call = operatorCall(place.context, node, operator, [left, right])
  if (call.kind === 'call' && call.type.id === 'boolean') return call
  throw errorAt(place.context, node, SQLSTATE.datatypeMismatch, `operator ${operator} must give a boolean`)
}

function bindIs(place: Place, expression: Expression & { kind: 'is' }): Expr {
  const { test, negated } = expression
  if (test === 'null') {
    if (expression.operand.kind === 'row') {
      // A row IS NULL when all of its fields are, and IS NOT NULL when none is.
      const items = spreadSyntax(place, expression.operand.items, (part) => bindExpression(place, part))
      const tests = items.map(
        (item): Expr => ({
          kind: 'is',
          type: BOOLEAN,
          test,
          operand: bindExpression(place, item),
          negated,
        }),
      )
      return conjunction(tests)
    }
    const bound = bindExpression(place, expression.operand)
    if (bound.type.record !== undefined) return bindNullTest(bound, negated)
    return { kind: 'is', type: BOOLEAN, test, operand: bound, negated }
  }
  const operand = bindCondition(place, expression.operand, `IS ${test.toUpperCase()}`)
  return { kind: 'is', type: BOOLEAN, test: test === 'unknown' ? 'null' : test, operand, negated }
}

function bindBinary(place: Place, expression: BinaryExpression): Expr {
  const { left, right, operator } = expression
  if (left.kind === 'row' && right.kind === 'row')
    return operator === 'overlaps'
      ? functionCall(
          place.context,
          expression,
          'overlaps',
          [...left.items, ...right.items].map((item) => bindExpression(place, item)),
        )
      : bindRows(place, expression, left, right)
  if (left.kind === 'row' && right.kind === 'subquery')
    return bindQuantified(place, expression, { left, operator, query: right.query, quantifier: 'row' })
  const node = { span: expression.operatorSpan }
  return operatorCall(place.context, node, operator, [
    bindExpression(place, left),
    bindExpression(place, right),
  ])
}

/** `(a, b) = (c, d)` and its like, field by field. */
function bindRows(
  place: Place,
  node: Node & { operator: string },
  left: RowExpression,
  right: RowExpression,
): Expr {
  const { context } = place
  const [lefts, rights] = [left, right].map(({ items }) =>
    spreadItems(place, items, (item) => bindExpression(place, item)),
  ) as [Expr[], Expr[]]
  if (lefts.length !== rights.length)
    throw errorAt(context, node, SQLSTATE.syntaxError, 'unequal number of entries in row expressions')
  if (lefts.length === 0)
    throw errorAt(context, node, SQLSTATE.featureNotSupported, 'cannot compare rows of zero length')
  for (const part of [...lefts, ...rights]) repeat(context, node, part)
  return compareRows(place, node, node.operator, lefts, rights)
}

/** Rows are distinct when any of their fields are. */
function bindRowsDistinct(
  place: Place,
  node: Node & { readonly negated: boolean },
  left: RowExpression,
  right: RowExpression,
): Expr {
  if (left.items.length !== right.items.length)
    throw errorAt(place.context, node, SQLSTATE.syntaxError, 'unequal number of entries in row expressions')
  const operands = left.items.map((item, i) =>
    bindExpression(place, {
      kind: 'distinctFrom',
      left: item,
      right: right.items[i] as Expression,
      negated: node.negated,
      span: node.span,
    }),
  )
  if (node.negated || operands.length === 1) return conjunction(operands)
  return { kind: 'or', type: BOOLEAN, operands }
}

function compareRows(
  place: Place,
  node: Node,
  operator: string,
  lefts: readonly Expr[],
  rights: readonly Expr[],
): Expr {
  const each = (sign: string, i: number): Expr =>
    compare(place, node, sign, lefts[i] as Expr, rights[i] as Expr)
  if (operator === '=') return conjunction(lefts.map((_, i) => each('=', i)))
  if (operator === '<>') {
    const operands = lefts.map((_, i) => each('<>', i))
    return operands.length === 1 ? (operands[0] as Expr) : { kind: 'or', type: BOOLEAN, operands }
  }
  const strict = operator.slice(0, 1)
  if (!['<', '>'].includes(strict)) throw unsupported(place.context, node, `operator ${operator} on rows`)
  // The first field that differs decides: a < c OR (a = c AND b < d).
  const from = (i: number): Expr => {
    if (i === lefts.length - 1) return each(operator, i)
    const tie = conjunction([each('=', i), from(i + 1)])
    return { kind: 'or', type: BOOLEAN, operands: [each(strict, i), tie] }
  }
  return from(0)
}

function bindInList(place: Place, expression: InListExpression): Expr {
  const { context } = place
  if (expression.operand.kind === 'row') {
    const row = expression.operand
    const operands = expression.list.map((item) => {
      if (item.kind !== 'row')
        return compare(place, item, '=', bindExpression(place, row), bindExpression(place, item))
      return bindRows(place, { ...item, operator: '=' }, row, item)
    })
    const either: Expr =
      operands.length === 1 ? (operands[0] as Expr) : { kind: 'or', type: BOOLEAN, operands }
    return expression.negated ? { kind: 'not', type: BOOLEAN, operand: either } : either
  }
  const bound = [expression.operand, ...expression.list].map((part) => bindExpression(place, part))
  const nodes = [expression.operand, ...expression.list]
  if ('clash' in commonType(bound.map((expr) => expr.type))) {
    // Without a type that all can take, each is compared by itself.
    const [tested, ...items] = bound as [Expr, ...Expr[]]
    repeat(context, expression, tested)
    const operands = items.map((item, i) => compare(place, nodes[i + 1] ?? expression, '=', tested, item))
    const either: Expr =
      operands.length === 1 ? (operands[0] as Expr) : { kind: 'or', type: BOOLEAN, operands }
    return expression.negated ? { kind: 'not', type: BOOLEAN, operand: either } : either
  }
  const [operand, ...list] = unify(context, nodes, bound, 'IN') as [Expr, ...Expr[]]
  const equal = compare(place, expression, '=', operand, list[0] as Expr)
  // The operator may ask for a cast of both, as for varchar: everything then goes through it.
  const type = (equal.args[0] as Expr).type
  const cast = (expr: Expr, node: Node): Expr => coerce(context, node, expr, type, 'implicit')
  return {
    kind: 'inList',
    type: BOOLEAN,
    operand: cast(operand, expression.operand),
    list: list.map((item, i) => cast(item, expression.list[i] as Expression)),
    equal,
    negated: expression.negated,
  }
}

interface Quantified {
  readonly left: Expression
  readonly operator: string
  readonly query: Query
  readonly quantifier: QuantifiedExpr['quantifier']
  readonly negated?: boolean
}

function bindQuantified(place: Place, expression: Node, parts: Quantified): Expr {
  const { context } = place
  const { left: operand, operator, query, quantifier, negated = false } = parts
  const { plan, columns } = subquery(place, query)
  const items =
    operand.kind === 'row' && !(columns.length === 1 && columns[0]?.column.type.record !== undefined)
      ? spreadSyntax(place, operand.items, (part) => bindExpression(place, part))
      : [operand]
  if (columns.length !== items.length)
    throw errorAt(
      context,
      expression,
      SQLSTATE.syntaxError,
      columns.length < items.length ? 'subquery has too few columns' : 'subquery has too many columns',
    )
  const lefts = items.map((item, i) => {
    const bound = bindExpression(place, item)
    // A literal of no type takes the column's.
    return bound.type.id === 'unknown'
      ? coerce(context, item, bound, (columns[i] as { column: Column }).column.type, 'implicit')
      : bound
  })
  const leftColumns = lefts.map(({ type }) => newColumn(context, 'left', type))
  const compareExpr = compareRows(
    place,
    expression,
    operator,
    leftColumns.map(columnExpr),
    columns.map(({ column }) => columnExpr(column)),
  )
  return {
    kind: 'quantified',
    type: BOOLEAN,
    quantifier,
    left: lefts,
    leftColumns,
    plan,
    columns: columns.map(({ column }) => column),
    compare: compareExpr,
    negated,
  }
}

function subquery({ context, scope, aggregates }: Place, query: Query): BoundQuery {
  const bound = context.bindQuery(query, context, scope ?? EMPTY_SCOPE)
  aggregates?.noteSubquery()
  return bound
}

function bindCase(around: Place, expression: CaseExpression): Expr {
  const { context } = around
  const place = alwaysOne(around, 'CASE')
  const operand = expression.operand === null ? null : bindExpression(place, expression.operand)
  const whens = expression.branches.map((branch) => {
    if (operand === null) return bindCondition(place, branch.when, 'CASE/WHEN')
    repeat(context, expression, operand)
    return compare(place, branch, '=', operand, bindExpression(place, branch.when))
  })
  const thens = expression.branches.map((branch) => bindExpression(place, branch.result))
  const otherwise =
    expression.otherwise === null ? constant(UNKNOWN, null) : bindExpression(place, expression.otherwise)
  // What stands behind ELSE comes first where types are in doubt, as in PostgreSQL.
  const nodes = [expression.otherwise ?? expression, ...expression.branches.map(({ result }) => result)]
  const [last, ...results] = unify(context, nodes, [otherwise, ...thens], 'CASE')
  return {
    kind: 'case',
    type: (results[0] as Expr).type,
    branches: whens.map((when, i) => ({ when, result: results[i] as Expr })),
    otherwise: last as Expr,
  }
}

function bindCall(place: Place, expression: CallExpression): Expr {
  const { context } = place
  const name = expression.name.parts.at(-1)?.name ?? ''
  if (expression.over !== null) {
    if (place.windows != null) return bindWindowCall(place, place.windows, expression, name, bindExpression)
    throw place.name === IN_AGGREGATE
      ? errorAt(
          context,
          expression,
          SQLSTATE.groupingError,
          'aggregate function calls cannot contain window function calls',
        )
      : errorAt(
          context,
          expression,
          SQLSTATE.windowingError,
          `window functions are not allowed in ${place.name}`,
        )
  }
  if (isWindowFunction(name) && expression.withinGroup.length === 0)
    throw errorAt(
      context,
      expression,
      SQLSTATE.wrongObjectType,
      `window function ${name} requires an OVER clause`,
    )
  if (name === 'grouping' && expression.name.parts.length === 1) {
    if (place.aggregates === null)
      throw errorAt(
        context,
        expression,
        SQLSTATE.groupingError,
        `grouping operations are not allowed in ${place.name}`,
      )
    if (place.name === IN_AGGREGATE)
      throw errorAt(context, expression, SQLSTATE.groupingError, 'aggregate function calls cannot be nested')
    place.aggregates.noteGrouping()
    return groupingCall(expression.args.map((arg) => bindExpression(place, arg)))
  }
  if (isAggregate(name) || expression.withinGroup.length > 0 || needsOrder(name))
    return bindAggregate(place, expression, name, bindExpression)
  const { star, distinct, filter, orderBy } = expression
  if (star || distinct || filter !== null || orderBy.length > 0) {
    const given = star ? `${name}(*)` : distinct ? 'DISTINCT' : orderBy.length > 0 ? 'ORDER BY' : 'FILTER'
    throw errorAt(
      context,
      expression,
      SQLSTATE.wrongObjectType,
      `${given} specified, but ${name} is not an aggregate function`,
    )
  }
  if (isSequenceCall(name, expression))
    return bindSequenceCall(context, expression, (arg) => bindExpression(place, arg))
  if (isSetFunction(name)) return bindSetCall(place, expression, name, bindExpression)
  const given = positional(context, expression, name, expression.args)
  const args = given.map((arg) => bindExpression(place, wordOf(name, arg)))
  if (name === 'cluster_partition_of') return bindPartitionOf(context, expression, args)
  if (isFieldCall(name, args)) {
    const [row] = args as [Expr]
    return fieldAt(
      row,
      fieldsOf(row.type).findIndex((field) => field.name === name),
    )
  }
  return expression.variadic === true
    ? variadicCall(context, expression, name, args)
    : functionCall(context, expression, name, args)
}

/** The form of `normalize(text, NFC)` is a word, not a column. */
const wordOf = (name: string, arg: Expression): Expression =>
  name === 'normalize' && arg.kind === 'column' && /^nfk?[cd]$/.test(arg.parts[0]?.name ?? '')
    ? { kind: 'string', value: arg.parts[0]?.name ?? '', span: arg.span }
    : arg

/** A value without rows around it, such as LIMIT's. */
export function bindScalar(
  context: BindContext,
  expression: Expression,
  type: SqlType,
  clause: string,
): Expr {
  const place: Place = { context, scope: null, aggregates: null, name: clause }
  if (expression.kind === 'column')
    throw errorAt(
      context,
      expression,
      SQLSTATE.invalidColumnReference,
      `argument of ${clause} must not contain variables`,
    )
  const bound = bindExpression(place, expression)
  const value = tryCoerce(context, expression, bound, type, 'assignment')
  if (value !== null) return value
  throw errorAt(
    context,
    expression,
    SQLSTATE.datatypeMismatch,
    `argument of ${clause} must be type ${typeName(type)}, not type ${typeName(bound.type)}`,
  )
}
