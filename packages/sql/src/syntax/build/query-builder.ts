import { SQLSTATE, sqlError } from '../../errors.ts'
import type {
  CommonTable,
  DefaultValue,
  Expression,
  Identifier,
  InsertValue,
  Join,
  Query,
  QueryBody,
  Select,
  SetOperation,
  TableAlias,
  TableReference,
} from '../ast.ts'
import type {
  FetchCountCst,
  FromListCst,
  JoinTailCst,
  NameListCst,
  QueryCst,
  QueryTermCst,
  SelectCst,
  SetTailCst,
  TableAliasCst,
  TablePrimaryCst,
  TableReferenceCst,
  ValuesCst,
  ValuesRowCst,
  WithClauseCst,
} from '../cst/query.ts'
import { positionAt } from '../scanner.ts'
import { ExpressionBuilder, literalOf } from './expression-builder.ts'
import { has, identifier, join, only, qualifiedName, spanOf, tokenSpan } from './tree.ts'

/** Turns the concrete tree of queries into the abstract one. */
export class QueryBuilder extends ExpressionBuilder {
  query(node: QueryCst): Query {
    const { withClause, queryTerm, setTail = [], sortList, limitClause = [] } = node.children
    const span = spanOf(node)
    const clause = withClause?.[0]
    const common = clause === undefined ? [] : this.#commonTables(clause)
    const body = this.#setOperations(only(queryTerm), setTail)
    const order = sortList?.[0]
    const orderBy = order === undefined ? [] : this.sortItems(order)
    let limit: Expression | null = null
    let offset: Expression | null = null
    let limited = false
    for (const part of limitClause) {
      const { Limit, Offset, Fetch, expression, fetchCount } = part.children
      const isOffset = has(Offset)
      if (isOffset ? offset !== null : limited) throw this.unexpected(spanOf(part).start)
      const value = expression?.[0]
      if (isOffset) offset = this.expression(only(value === undefined ? [] : [value]))
      else if (has(Limit)) limit = value === undefined ? null : this.expression(value)
      else limit = this.#fetchCount(fetchCount?.[0], tokenSpan(only(Fetch)))
      limited ||= !isOffset
    }
    const recursive = clause !== undefined && has(clause.children.Recursive)
    const wrapped = body.kind === 'query' && common.length === 0 && orderBy.length === 0 && offset === null
    // Parentheses that hold the whole query say nothing.
    if (wrapped && !limited) return { ...body, span }
    return { kind: 'query', with: common, recursive, body, orderBy, limit, offset, span }
  }

  protected names(node: NameListCst | undefined): Identifier[] {
    return node === undefined ? [] : node.children.ColumnId.map(identifier)
  }

  #fetchCount(node: FetchCountCst | undefined, span: Query['span']): Expression {
    if (node === undefined) return { kind: 'number', text: '1', span }
    const { NumberLiteral, Parameter, expression } = node.children
    const token = (NumberLiteral ?? Parameter)?.[0]
    return token === undefined ? this.expression(only(expression)) : literalOf(token)
  }

  #commonTables(node: WithClauseCst): CommonTable[] {
    return node.children.commonTable.map((table) => {
      const { ColumnId, nameList, subquery, Not, Materialized } = table.children
      return {
        name: identifier(only(ColumnId)),
        columns: this.names(nameList?.[0]),
        query: this.subquery(only(subquery)),
        materialized: has(Materialized) ? !has(Not) : null,
        span: spanOf(table),
      }
    })
  }

  /** INTERSECT binds more tightly than UNION and EXCEPT; all group from the left. */
  #setOperations(first: QueryTermCst, tails: readonly SetTailCst[]): QueryBody {
    let result: QueryBody | null = null
    let pending: SetTailCst | null = null
    let term = this.#queryTerm(first)
    const close = (): QueryBody =>
      result === null || pending === null ? term : setOperation(result, pending, term)
    for (const tail of tails) {
      const right = this.#queryTerm(only(tail.children.queryTerm))
      if (has(tail.children.Intersect)) term = setOperation(term, tail, right)
      else {
        result = close()
        pending = tail
        term = right
      }
    }
    return close()
  }

  #queryTerm(node: QueryTermCst): QueryBody {
    const { select, values, qualifiedName: name, subquery } = node.children
    const inner = select?.[0]
    if (inner !== undefined) return this.#select(inner)
    const rows = values?.[0]
    if (rows !== undefined) return { kind: 'values', rows: this.#plainRows(rows), span: spanOf(rows) }
    const table = name?.[0]
    const span = spanOf(node)
    if (table !== undefined)
      return {
        kind: 'select',
        distinct: 'all',
        distinctOn: [],
        items: [{ kind: 'star', qualifier: [], span }],
        from: [{ kind: 'table', name: qualifiedName(table), alias: null, span: spanOf(table) }],
        where: null,
        groupBy: [],
        having: null,
        span,
      }
    const query = this.subquery(only(subquery))
    const { with: common, orderBy, limit, offset, body } = query
    const plain = common.length === 0 && orderBy.length === 0 && limit === null && offset === null
    return plain ? body : query
  }

  #select(node: SelectCst): Select {
    const { Distinct, distinctOn, selectItems, fromList, where, groupBy, having } = node.children
    const on = distinctOn?.[0]
    const items = selectItems?.[0]
    const from = fromList?.[0]
    const condition = where?.[0]
    const groups = groupBy?.[0]
    const groupCondition = having?.[0]
    return {
      kind: 'select',
      distinct: on !== undefined ? 'on' : has(Distinct) ? 'distinct' : 'all',
      distinctOn: on === undefined ? [] : this.expressions(on),
      items: items === undefined ? [] : this.selectItems(items),
      from: from === undefined ? [] : this.tables(from),
      where: condition === undefined ? null : this.expression(condition),
      groupBy: groups === undefined ? [] : this.expressions(groups),
      having: groupCondition === undefined ? null : this.expression(groupCondition),
      span: spanOf(node),
    }
  }

  /** Rows in which DEFAULT may stand. @throws 42601 when they differ in length */
  protected rows(node: ValuesCst): InsertValue[][] {
    const rows = node.children.valuesRow.map((row) => this.row(row))
    const width = rows[0]?.length
    const odd = rows.findIndex((row) => row.length !== width)
    if (odd >= 0)
      throw sqlError(SQLSTATE.syntaxError, 'VALUES lists must all be the same length', {
        position: positionAt(this.source, rows[odd]?.[0]?.span.start ?? 0),
      })
    return rows
  }

  protected row(node: ValuesRowCst): InsertValue[] {
    const { Default = [], expression = [] } = node.children
    const values: InsertValue[] = expression.map((item) => this.expression(item))
    if (Default.length === 0) return values
    const starts = expression.map((item) => spanOf(item).start)
    for (const token of Default) {
      const value: DefaultValue = { kind: 'default', span: tokenSpan(token) }
      const at = starts.findIndex((start) => start > token.startOffset)
      const index = at < 0 ? values.length : at
      values.splice(index, 0, value)
      starts.splice(index, 0, token.startOffset)
    }
    return values
  }

  #plainRows(node: ValuesCst): Expression[][] {
    return this.rows(node).map((row) =>
      row.map((value) => {
        if (value.kind !== 'default') return value
        throw sqlError(SQLSTATE.syntaxError, 'DEFAULT is not allowed in this context', {
          position: positionAt(this.source, value.span.start),
          hint: 'DEFAULT stands in the VALUES of INSERT and behind SET of UPDATE.',
        })
      }),
    )
  }

  tables(node: FromListCst): TableReference[] {
    return node.children.tableReference.map((item) => this.#tableReference(item))
  }

  #tableReference(node: TableReferenceCst): TableReference {
    const { tablePrimary, joinTail = [] } = node.children
    let left = this.#tablePrimary(only(tablePrimary))
    for (const tail of joinTail) left = this.#join(left, tail)
    return left
  }

  #join(left: TableReference, node: JoinTailCst): Join {
    const { Natural, Inner, Cross, Left, Right, Full, tablePrimary, expression, nameList } = node.children
    const right = this.#tablePrimary(only(tablePrimary))
    const span = join(left.span, spanOf(node))
    const on = expression?.[0]
    const using = nameList?.[0]
    const conditions = (on === undefined ? 0 : 1) + (using === undefined ? 0 : 1)
    if (has(Cross) || has(Natural)) {
      const wrong = on ?? using
      if (has(Cross) && has(Natural)) throw this.unexpected(only(Cross).startOffset)
      if (conditions > 0 && wrong !== undefined) throw this.unexpected(spanOf(only(tablePrimary)).end)
      if (has(Cross)) return { kind: 'join', type: 'cross', left, right, condition: null, span }
    } else if (conditions === 0) throw this.unexpected(span.end)
    const type = has(Left) ? 'left' : has(Right) ? 'right' : has(Full) ? 'full' : 'inner'
    const condition = has(Natural)
      ? ({ kind: 'natural' } as const)
      : on !== undefined
        ? ({ kind: 'on', expression: this.expression(on) } as const)
        : ({ kind: 'using', columns: this.names(using) } as const)
    return { kind: 'join', type: has(Inner) ? 'inner' : type, left, right, condition, span }
  }

  #tablePrimary(node: TablePrimaryCst): TableReference {
    const {
      Lateral,
      subquery,
      tableReference,
      qualifiedName: name,
      callArguments,
      tableAlias,
    } = node.children
    const span = spanOf(node)
    const lateral = has(Lateral)
    const aliasNode = tableAlias?.[0]
    const alias = aliasNode === undefined ? null : this.#alias(aliasNode)
    const inner = subquery?.[0]
    if (inner !== undefined) {
      const query = this.subquery(inner)
      if (alias !== null) return { kind: 'derived', query, alias, lateral, span }
      const what = query.body.kind === 'values' ? 'VALUES' : 'subquery'
      const example = what === 'VALUES' ? '(VALUES ...)' : '(SELECT ...)'
      throw sqlError(SQLSTATE.syntaxError, `${what} in FROM must have an alias`, {
        position: positionAt(this.source, span.start),
        hint: `For example, FROM ${example} [AS] foo.`,
      })
    }
    const joined = tableReference?.[0]
    if (joined !== undefined) {
      const reference = this.#tableReference(joined)
      if (lateral) throw this.unexpected(spanOf(joined).start - 1)
      if (aliasNode !== undefined)
        throw this.unsupported('an alias for a joined table in parentheses', spanOf(aliasNode))
      if (reference.kind !== 'join') throw this.unexpected(span.end - 1)
      return { ...reference, span }
    }
    const table = qualifiedName(only(name))
    const call = callArguments?.[0]
    if (call !== undefined) {
      const callSpan = { start: table.span.start, end: spanOf(call).end }
      return { kind: 'functionTable', call: this.callOf(table.parts, call, callSpan), alias, lateral, span }
    }
    if (lateral) throw this.unexpected(table.span.start)
    return { kind: 'table', name: table, alias, span }
  }

  #alias(node: TableAliasCst): TableAlias {
    const { ColumnId, nameList } = node.children
    return { name: identifier(only(ColumnId)), columns: this.names(nameList?.[0]), span: spanOf(node) }
  }
}

function setOperation(left: QueryBody, tail: SetTailCst, right: QueryBody): SetOperation {
  const { Union, Intersect, All } = tail.children
  const operator = has(Union) ? 'union' : has(Intersect) ? 'intersect' : 'except'
  const span = join(left.span, spanOf(tail))
  return { kind: 'setOperation', operator, all: has(All), left, right, span }
}
