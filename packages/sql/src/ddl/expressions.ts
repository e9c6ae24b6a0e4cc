import type { Scope } from '../binder/context.ts'
import { errorAt, newColumn } from '../binder/context.ts'
import { bindCondition, bindExpression } from '../binder/expression/bind-expression.ts'
import { tryCoerce } from '../binder/expression/coerce.ts'
import type { ColumnSchema } from '../catalog/schema.ts'
import { isSqlError, SQLSTATE } from '../errors.ts'
import { deparse } from '../plan/deparse.ts'
import type { Column, Expr } from '../plan/expression.ts'
import { sameExpr } from '../plan/same-expr.ts'
import { columnsIn, hasSubquery, someExpr } from '../plan/traverse.ts'
import type { CallExpression, Expression, Node } from '../syntax/ast.ts'
import { parseExpression } from '../syntax/parse.ts'
import { printExpression } from '../syntax/print.ts'
import { type SqlType, sameType, typeName, unmodified } from '../types/type.ts'
import type { DdlContext } from './context.ts'

/**
 * An expression for the catalog: as it was written, unless its outermost parentheses are cut off there, which no node
 * has in its span; then as it is printed.
 */
export function textOf({ source }: DdlContext, expression: Expression): string {
  const { start, end } = expression.span
  const written = source.slice(start, end)
  const printed = printExpression(expression)
  try {
    return printExpression(parseExpression(written)) === printed ? written : printed
  } catch (error) {
    if (!isSqlError(error) || error.detail.sqlstate !== SQLSTATE.syntaxError) throw error
    return printed
  }
}

/** Columns of a table under its name, for expressions of its definition. */
export interface TableScope {
  readonly scope: Scope
  readonly row: readonly Column[]
}

export function tableScope(
  { bind }: DdlContext,
  name: string,
  columns: readonly Pick<ColumnSchema, 'name' | 'type'>[],
): TableScope {
  const row = columns.map(({ name: own, type }) => newColumn(bind, own, type))
  const named = row.map((column) => ({ name: column.name, column }))
  return {
    row,
    scope: { tables: [{ alias: name, schema: 'public', columns: named }], columns: named, outer: null },
  }
}

/** Binds a condition of a definition. @throws 0A000 for a subquery, 42804 when it is no boolean */
export function definedCondition(
  context: DdlContext,
  { scope }: TableScope,
  node: Expression,
  where: { readonly place: string; readonly word: string; readonly what: string },
): Expr {
  const place = { context: context.bind, scope, aggregates: null, name: where.place }
  refuseSubquery(context, node, where.what)
  return bindCondition(place, node, where.word)
}

/** Binds a value of a definition. @throws 0A000 for a subquery */
export function definedValue(
  context: DdlContext,
  scope: Scope | null,
  node: Expression,
  place: string,
  what: string,
): Expr {
  refuseSubquery(context, node, what)
  const bound = bindExpression({ context: context.bind, scope, aggregates: null, name: place }, node)
  if (hasSubquery(bound)) throw noSubquery(context, node, what)
  return bound
}

const noSubquery = ({ bind }: DdlContext, node: Node, what: string) =>
  errorAt(bind, node, SQLSTATE.featureNotSupported, `cannot use subquery in ${what}`)

/** Before it is bound, because what the subquery names has not been read. */
function refuseSubquery(context: DdlContext, node: Expression, what: string): void {
  if (someNode(node, (kind) => kind === 'query' || kind === 'exists' || kind === 'inQuery'))
    throw noSubquery(context, node, what)
}

/** True when a part of the tree is of such a kind. */
export function someNode(value: unknown, test: (kind: unknown, node: object) => boolean): boolean {
  if (Array.isArray(value)) return value.some((item) => someNode(item, test))
  if (typeof value !== 'object' || value === null) return false
  if (test((value as { kind?: unknown }).kind, value)) return true
  return Object.entries(value).some(([key, item]) => key !== 'span' && someNode(item, test))
}

/**
 * The text of a default, as PostgreSQL shows it and clients read it: `'x'::text`, `nextval('s'::regclass)`.
 * @returns null for NULL, which is no default unless it takes that of a domain away
 * @throws 0A000, 42804
 */
export function checkedDefault(
  context: DdlContext,
  node: Expression,
  name: string,
  { type, domain }: Pick<ColumnSchema, 'type' | 'domain'>,
): string | null {
  if (someNode(node, (kind) => kind === 'column'))
    throw errorAt(
      context.bind,
      node,
      SQLSTATE.featureNotSupported,
      'cannot use column reference in DEFAULT expression',
    )
  const bound = definedValue(context, null, node, 'DEFAULT expressions', 'DEFAULT expression')
  const fitted = assigned(context, node, bound, name, type)
  if (domain === null && fitted.kind === 'constant' && fitted.value === null) return null
  return defaultText(context, literalOf(node, bound, type), bound, type)
}

function defaultText(context: DdlContext, node: Expression, bound: Expr, type: SqlType): string {
  // A sequence is named by a literal, which is told to be a name.
  if (node.kind === 'call' && SEQUENCE_CALL.test(printExpression(node)))
    return printExpression(withNamedSequence(node))
  // What is known to be of a type is fitted to the column when a row is written; a mere literal is of the column's type.
  const typed =
    bound.type.id === 'unknown' ? tryCoerce(context.bind, node, bound, unmodified(type), 'assignment') : bound
  return keptText(context, null, node, typed ?? bound)
}

/** The literal of a cast to the column's own type, which needs no name then: the type may get another one. */
const literalOf = (node: Expression, bound: Expr, type: SqlType): Expression =>
  node.kind === 'cast' &&
  node.operand.kind === 'string' &&
  sameType(bound.type, type) &&
  deparse(bound) === null
    ? node.operand
    : node

const SEQUENCE_CALL = /^(?:nextval|currval)\('/

/**
 * A bound expression for the catalog, as PostgreSQL shows it; as it was written where that would be read as another one.
 */
export function keptText(context: DdlContext, scope: Scope | null, node: Expression, expr: Expr): string {
  const text = deparse(expr)
  return text !== null && sameMeaning(context, scope, text, expr) ? text : textOf(context, node)
}

/** True when the text is read as the expression that it was made of. */
function sameMeaning(context: DdlContext, scope: Scope | null, text: string, expr: Expr): boolean {
  const bind = { ...context.bind, source: null }
  try {
    const again = bindExpression(
      { context: bind, scope, aggregates: null, name: 'definitions' },
      parseExpression(text),
    )
    return sameExpr(again, expr)
  } catch (error) {
    // A part of the language that is told apart from functions of its name.
    if (isSqlError(error)) return false
    throw error
  }
}

/** The tree with `nextval('s')` as `nextval('s'::regclass)`. */
function withNamedSequence(node: CallExpression): Expression {
  const [first, ...rest] = node.args
  if (first?.kind !== 'string') return node
  const type = {
    kind: 'typeName',
    name: 'regclass',
    modifiers: [],
    array: false,
    span: first.span,
  } as const
  return { ...node, args: [{ kind: 'cast', operand: first, type, span: first.span }, ...rest] }
}

/** @returns its text for the catalog @throws 42P17, 42804 */
export function checkedGenerated(
  context: DdlContext,
  table: string,
  columns: readonly ColumnSchema[],
  { name, type }: ColumnSchema,
  node: Expression,
): string {
  const scope = tableScope(context, table, columns)
  const what = 'column generation expression'
  const bound = definedValue(context, scope.scope, node, `${what}s`, what)
  const used = namesIn(bound)
  const computed = columns.find(
    (column) => used.has(column.name) && (column.generated !== null || column.name === name),
  )
  if (computed !== undefined)
    throw errorAt(
      context.bind,
      node,
      '42P17',
      `cannot use generated column "${computed.name}" in column generation expression`,
      {
        detail:
          computed.name === name && computed.generated === null
            ? 'This would cause the generated column to depend on its own value.'
            : 'A generated column cannot reference another generated column.',
      },
    )
  if (!isImmutable(bound))
    throw errorAt(context.bind, node, '42P17', 'generation expression is not immutable')
  assigned(context, node, bound, name, type)
  return keptText(context, scope.scope, node, bound)
}

/** PostgreSQL calls it a default expression, that of a generated column, too. @throws 42804 */
function assigned(context: DdlContext, node: Expression, bound: Expr, column: string, type: SqlType): Expr {
  const fitted = tryCoerce(context.bind, node, bound, type, 'assignment')
  if (fitted !== null) return fitted
  throw errorAt(
    context.bind,
    node,
    SQLSTATE.datatypeMismatch,
    `column "${column}" is of type ${typeName(type)} but default expression is of type ${typeName(bound.type)}`,
    { hint: 'You will need to rewrite or cast the expression.' },
  )
}

/** True when the same row gives the same value for ever. */
export const isImmutable = (expr: Expr): boolean =>
  !someExpr(
    expr,
    (part) => part.kind === 'parameter' || (part.kind === 'call' && part.fn.volatility !== 'immutable'),
  )

/** The names of the columns that an expression reads. */
export const namesIn = (expr: Expr): ReadonlySet<string> =>
  new Set([...columnsIn(expr).values()].map(({ name }) => name))
