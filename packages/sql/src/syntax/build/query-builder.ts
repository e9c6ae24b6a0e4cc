import { SQLSTATE, sqlError } from '../../errors.ts'
import type {
  CallExpression,
  CommonTable,
  CycleClause,
  DefaultValue,
  Expression,
  FieldDefinition,
  GroupingElement,
  Identifier,
  InsertValue,
  Join,
  JoinCondition,
  LockingClause,
  Query,
  QueryBody,
  SearchClause,
  Select,
  SetOperation,
  SortItem,
  TableAlias,
  TableReference,
  WithTables,
  WriteStatement,
} from '../ast.ts'
import type { ExpressionCst, FieldDefinitionsCst, NameListCst } from '../cst/expression.ts'
import type {
  CommonTableCst,
  CycleClauseCst,
  FetchCountCst,
  FromListCst,
  GroupingElementCst,
  GroupingListCst,
  JoinTailCst,
  LimitClauseCst,
  LockingClauseCst,
  QueryCst,
  QueryTermCst,
  RowsCallCst,
  SearchClauseCst,
  SelectCst,
  SetTailCst,
  TableAliasCst,
  TablePrimaryCst,
  TableReferenceCst,
  ValuesCst,
  ValuesRowCst,
  WithClauseCst,
} from '../cst/query.ts'
import type { DataStatementCst } from '../cst/write.ts'
import { plainSelect } from '../plain-query.ts'
import { positionAt } from '../scanner.ts'
import { ExpressionBuilder, literalOf } from './expression-builder.ts'
import { has, identifier, join, only, qualifiedName, spanOf, tokenSpan } from './tree.ts'
import { windowOf } from './window.ts'

/** What the clauses behind ORDER BY say. */
type Ending = Pick<Query, 'limit' | 'offset' | 'withTies' | 'locking'>

/** Turns the concrete tree of queries into the abstract one. */
export abstract class QueryBuilder extends ExpressionBuilder {
  /** The one SELECT that may have INTO: the statement's own. */
  protected intoSelect: SelectCst | null = null

  abstract dataStatement(node: DataStatementCst): Query | WriteStatement

  query(node: QueryCst): Query {
    const { withClause, queryTerm, setTail = [], sortList } = node.children
    const span = spanOf(node)
    const tables = this.withTables(withClause?.[0])
    const body = this.#setOperations(only(queryTerm), setTail)
    const order = sortList?.[0]
    const orderBy = order === undefined ? [] : this.sortItems(order)
    const ending = this.#ending(node, orderBy)
    const whole: Query = { kind: 'query', ...tables, body, orderBy, ...ending, span }
    // Parentheses that hold the whole query say nothing.
    const bare = isBare(whole) && !has(node.children.limitClause)
    return bare && body.kind === 'query' ? { ...body, span } : whole
  }

  #ending(node: QueryCst, orderBy: readonly SortItem[]): Ending {
    const { limitClause = [], lockingClause = [] } = node.children
    let limit: Expression | null = null
    let offset: Expression | null = null
    let limited = false
    let withTies = false
    for (const part of limitClause) {
      const { Limit, Offset, Fetch, expression, fetchCount, Ties } = part.children
      const isOffset = has(Offset)
      if (isOffset ? offset !== null : limited) throw this.#twice(part, isOffset)
      const value = expression?.[0]
      if (isOffset) offset = this.expression(only(value === undefined ? [] : [value]))
      else if (has(Limit)) limit = value === undefined ? null : this.expression(value)
      else limit = this.#fetchCount(fetchCount?.[0], tokenSpan(only(Fetch)))
      limited ||= !isOffset
      withTies ||= has(Ties)
      if (has(Ties) && orderBy.length === 0)
        throw sqlError(SQLSTATE.syntaxError, 'WITH TIES cannot be specified without ORDER BY clause')
    }
    const locking = lockingClause.map(lockingOf)
    const skipping = locking.find(({ wait }) => wait === 'skip locked')
    if (withTies && skipping !== undefined)
      throw sqlError(SQLSTATE.syntaxError, 'SKIP LOCKED and WITH TIES options cannot be used together')
    return { limit, offset, withTies, locking }
  }

  #twice(part: LimitClauseCst, isOffset: boolean): Error {
    return sqlError(
      SQLSTATE.syntaxError,
      isOffset ? 'multiple OFFSET clauses not allowed' : 'multiple LIMIT clauses not allowed',
      { position: positionAt(this.source, spanOf(part).start) },
    )
  }

  protected names(node: NameListCst | undefined): Identifier[] {
    return node === undefined ? [] : node.children.ColumnId.map(identifier)
  }

  #fetchCount(node: FetchCountCst | undefined, span: Query['span']): Expression {
    if (node === undefined) return { kind: 'number', text: '1', span }
    const { NumberLiteral, Parameter, expression, subquery } = node.children
    const query = subquery?.[0]
    if (query !== undefined) return { kind: 'subquery', query: this.subquery(query), span: spanOf(query) }
    const token = (NumberLiteral ?? Parameter)?.[0]
    return token === undefined ? this.expression(only(expression)) : literalOf(token)
  }

  protected withTables(node: WithClauseCst | undefined): WithTables {
    if (node === undefined) return { with: [], recursive: false }
    return { with: this.#commonTables(node), recursive: has(node.children.Recursive) }
  }

  #commonTables(node: WithClauseCst): CommonTable[] {
    return node.children.commonTable.map((table) => {
      this.#refuseMerge(table)
      const { ColumnId, nameList, dataStatement, Not, Materialized, searchClause, cycleClause } =
        table.children
      return {
        name: identifier(only(ColumnId)),
        columns: this.names(nameList?.[0]),
        query: this.#commonStatement(only(dataStatement) as unknown as DataStatementCst),
        materialized: has(Materialized) ? !has(Not) : null,
        search: searchClause === undefined ? null : searchOf(only(searchClause)),
        cycle: cycleClause === undefined ? null : this.#cycle(only(cycleClause)),
        span: spanOf(table),
      }
    })
  }

  #refuseMerge({ children: { ColumnId, dataStatement } }: CommonTableCst): void {
    const { children } = only(dataStatement) as unknown as DataStatementCst
    if (only(children.plainStatement).children.merge === undefined) return
    throw sqlError(SQLSTATE.featureNotSupported, 'MERGE not supported in WITH query', {
      position: positionAt(this.source, only(ColumnId).startOffset),
    })
  }

  #cycle(node: CycleClauseCst): CycleClause {
    const { ColumnId, mark, value, otherwise, path } = node.children
    const span = spanOf(node)
    const [marked, plain] = [value?.[0], otherwise?.[0]]
    return {
      columns: ColumnId.map(identifier),
      mark: identifier(only(mark)),
      value: marked === undefined ? { kind: 'boolean', value: true, span } : this.expression(marked),
      otherwise: plain === undefined ? { kind: 'boolean', value: false, span } : this.expression(plain),
      path: identifier(only(path)),
      span,
    }
  }

  #commonStatement(node: DataStatementCst): CommonTable['query'] {
    const before = this.height
    this.height = 0
    const statement = this.dataStatement(node)
    this.grow(statement.span)
    this.height = Math.max(before, this.height)
    return statement
  }

  /** INTERSECT binds more tightly than UNION and EXCEPT; all group from the left. */
  #setOperations(first: QueryTermCst, tails: readonly SetTailCst[]): QueryBody {
    let result: QueryBody | null = null
    let pending: SetTailCst | null = null
    let term = this.#queryTerm(first)
    const close = (): QueryBody =>
      result === null || pending === null ? term : setOperation(result, pending, term)
    for (const tail of tails) {
      this.#refuseInto(tail)
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

  #refuseInto(tail: SetTailCst): void {
    const into = only(tail.children.queryTerm).children.select?.[0]?.children.intoClause?.[0]
    if (into !== undefined)
      throw sqlError(SQLSTATE.syntaxError, 'INTO is only allowed on first SELECT of UNION/INTERSECT/EXCEPT', {
        position: positionAt(this.source, spanOf(only(into.children.qualifiedName)).start),
      })
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
      return plainSelect({
        items: [{ kind: 'star', qualifier: [], span }],
        from: [{ kind: 'table', name: qualifiedName(table), alias: null, span: spanOf(table) }],
        span,
      })
    const query = this.subquery(only(subquery))
    return isBare(query) ? query.body : query
  }

  #select(node: SelectCst): Select {
    const { Distinct, distinctOn, selectItems, fromList, where, groupBy, distinctGroups, having } =
      node.children
    const { windowDefinition = [], intoClause } = node.children
    const into = intoClause?.[0]
    if (into !== undefined && node !== this.intoSelect)
      throw sqlError(SQLSTATE.syntaxError, 'SELECT ... INTO is not allowed here', {
        position: positionAt(this.source, spanOf(only(into.children.qualifiedName)).start),
      })
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
      groupBy: groups === undefined ? [] : this.#groupingElements(groups),
      distinctGroups: has(distinctGroups),
      having: groupCondition === undefined ? null : this.expression(groupCondition),
      windows: windowDefinition.map((window) => ({
        name: identifier(only(window.children.ColumnId)),
        window: windowOf(only(window.children.windowSpec), this),
        span: spanOf(window),
      })),
      span: spanOf(node),
    }
  }

  #groupingElements(node: GroupingListCst): GroupingElement[] {
    return node.children.groupingElement.map((element) => this.#groupingElement(element))
  }

  #groupingElement(node: GroupingElementCst): GroupingElement {
    const { groupingList, expression } = node.children
    const span = spanOf(node)
    const inner = groupingList?.[0]
    if (inner !== undefined) return { kind: 'sets', elements: this.#groupingElements(inner), span }
    const written = only(expression)
    if (isEmptyList(written)) return { kind: 'plain', items: [], span }
    const item = this.expression(written)
    if (item.kind === 'row') return { kind: 'plain', items: item.items, span }
    // In quotes they are the names of functions.
    const word = item.kind === 'call' ? this.source.slice(item.span.start).match(/^\w+/)?.[0] : undefined
    const name = word?.toLowerCase()
    if (item.kind === 'call' && (name === 'rollup' || name === 'cube') && item.name.parts.length === 1)
      return {
        kind: name,
        lists: item.args.map((arg) => (arg.kind === 'row' ? arg.items : [arg])),
        span,
      }
    return { kind: 'plain', items: [item], span }
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
    return node.children.tableReference.map((item) => this.tableReference(item))
  }

  protected tableReference(node: TableReferenceCst): TableReference {
    const { tablePrimary, joinTail = [] } = node.children
    let left = this.tablePrimary(only(tablePrimary))
    for (const tail of joinTail) left = this.#join(left, tail)
    return left
  }

  #join(left: TableReference, node: JoinTailCst): Join {
    const {
      Natural,
      Cross,
      joinType,
      tablePrimary,
      joinTail = [],
      expression,
      nameList,
      ColumnId,
    } = node.children
    let right = this.tablePrimary(only(tablePrimary))
    for (const tail of joinTail) right = this.#join(right, tail)
    const span = join(left.span, spanOf(node))
    if (has(Cross)) return { kind: 'join', type: 'cross', left, right, condition: null, alias: null, span }
    const { Left, Right, Full } = joinType?.[0]?.children ?? {}
    const type = has(Left) ? 'left' : has(Right) ? 'right' : has(Full) ? 'full' : 'inner'
    const on = expression?.[0]
    const alias = ColumnId?.[0]
    const condition: JoinCondition = has(Natural)
      ? { kind: 'natural' }
      : on !== undefined
        ? { kind: 'on', expression: this.expression(on) }
        : {
            kind: 'using',
            columns: this.names(nameList?.[0]),
            alias: alias === undefined ? null : identifier(alias),
          }
    return { kind: 'join', type, left, right, condition, alias: null, span }
  }

  protected tablePrimary(node: TablePrimaryCst): TableReference {
    const {
      Lateral,
      subquery,
      tableReference,
      qualifiedName: name,
      onlyTable,
      callArguments,
      Ordinality,
      rowsCall,
      tableAlias,
    } = node.children
    const span = spanOf(node)
    const lateral = has(Lateral)
    const aliasNode = tableAlias?.[0]
    const { alias, definition } = aliasNode === undefined ? NO_ALIAS : this.#alias(aliasNode)
    if (definition !== null && callArguments === undefined && rowsCall === undefined)
      throw this.unexpected(definition[0]?.type.span.start ?? span.end)
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
      const reference = this.tableReference(joined)
      if (lateral) throw this.unexpected(spanOf(joined).start - 1)
      if (reference.kind !== 'join') throw this.unexpected(span.end - 1)
      if (alias !== null && reference.alias !== null) throw this.unexpected(alias.span.start)
      return { ...reference, alias: alias ?? reference.alias, span }
    }
    if (rowsCall !== undefined) {
      const [first, ...more] = rowsCall.map((one) => this.#rowsCall(one))
      if (first === undefined || definition !== null) throw this.unexpected(span.end - 1)
      const ordinality = has(Ordinality)
      return { kind: 'functionTable', call: first, more, ordinality, definition, alias, lateral, span }
    }
    const alone = onlyTable?.[0]
    const table = qualifiedName(only(alone === undefined ? name : alone.children.qualifiedName))
    const call = callArguments?.[0]
    if (call !== undefined) {
      const callSpan = { start: table.span.start, end: spanOf(call).end }
      const ordinality = has(Ordinality)
      const called = this.callOf(table.parts, call, callSpan)
      return {
        kind: 'functionTable',
        call: called,
        more: [],
        ordinality,
        definition,
        alias,
        lateral,
        span,
      }
    }
    if (lateral) throw this.unexpected(table.span.start)
    return { kind: 'table', name: table, alias, span }
  }

  #rowsCall(node: RowsCallCst): CallExpression {
    const { qualifiedName: name, callArguments, fieldDefinitions } = node.children
    const own = fieldDefinitions?.[0]
    if (own !== undefined) throw this.unsupported('a column definition list inside ROWS FROM', spanOf(own))
    return this.callOf(qualifiedName(only(name)).parts, only(callArguments), spanOf(node))
  }

  #alias(node: TableAliasCst): {
    readonly alias: TableAlias | null
    readonly definition: readonly FieldDefinition[] | null
  } {
    const { ColumnId, aliasColumns, fieldDefinitions, As } = node.children
    const bare = fieldDefinitions?.[0]
    if (bare !== undefined) {
      if (!has(As)) throw this.unexpected(spanOf(bare).start)
      return { alias: null, definition: this.fieldDefinitions(bare) }
    }
    const name = identifier(only(ColumnId))
    const columns = aliasColumns?.[0]?.children.aliasColumn ?? []
    const names = columns.map((one) => identifier(only(one.children.ColumnId)))
    const types = columns.flatMap((one) => one.children.typeName ?? [])
    const alias = { name, columns: types.length === 0 ? names : [], span: spanOf(node) }
    if (types.length === 0) return { alias, definition: null }
    if (types.length !== columns.length) throw this.unexpected(spanOf(only(types)).start)
    const definition = types.map((type, i) => ({ name: names[i] as Identifier, type: this.typeName(type) }))
    return { alias, definition }
  }

  fieldDefinitions(node: FieldDefinitionsCst): FieldDefinition[] {
    return (node.children.fieldDefinition ?? []).map(({ children }) => ({
      name: identifier(only(children.ColumnId)),
      type: this.typeName(only(children.typeName)),
    }))
  }
}

function searchOf(node: SearchClauseCst): SearchClause {
  const { Depth, ColumnId, sequence } = node.children
  return {
    first: has(Depth) ? 'depth' : 'breadth',
    columns: ColumnId.map(identifier),
    sequence: identifier(only(sequence)),
    span: spanOf(node),
  }
}

const NO_ALIAS = { alias: null, definition: null }

function setOperation(left: QueryBody, tail: SetTailCst, right: QueryBody): SetOperation {
  const { Union, Intersect, All } = tail.children
  const operator = has(Union) ? 'union' : has(Intersect) ? 'intersect' : 'except'
  const span = join(left.span, spanOf(tail))
  return { kind: 'setOperation', operator, all: has(All), left, right, span }
}

/** True when a query has nothing but its body. */
export function isBare(query: Query): boolean {
  const { with: tables, orderBy, limit, offset, locking } = query
  const sized = limit !== null || offset !== null
  return tables.length === 0 && orderBy.length === 0 && !sized && locking.length === 0
}

function lockingOf(node: LockingClauseCst): LockingClause {
  const { Update, No, Key, qualifiedName: names = [], Nowait, Skip } = node.children
  const strength = has(No) ? 'no key update' : has(Key) ? 'key share' : has(Update) ? 'update' : 'share'
  const wait = has(Nowait) ? 'nowait' : has(Skip) ? 'skip locked' : 'wait'
  return { strength, of: names.map(qualifiedName), wait, span: spanOf(node) }
}

/** `()`, which is an expression nowhere but in GROUP BY. */
function isEmptyList(node: ExpressionCst): boolean {
  const { operand, tail } = node.children
  const list = only(operand).children.parenthesised?.[0]?.children
  return !has(tail) && list !== undefined && !has(list.expressionList) && !has(list.RowConstructor)
}
