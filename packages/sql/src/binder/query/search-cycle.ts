import { SQLSTATE } from '../../errors.ts'
import type {
  CommonTable,
  Expression,
  Identifier,
  Node,
  QueryBody,
  Select,
  SelectItem,
  TableReference,
} from '../../syntax/ast.ts'
import { plainQuery, plainSelect } from '../../syntax/plain-query.ts'
import { type BindContext, errorAt } from '../context.ts'

// SEARCH and CYCLE are rewritten, as the standard defines them: both terms of the recursive table become derived
// tables, beside whose columns the new ones are computed. The recursive term hands them on from the row before.

/** What SEARCH and CYCLE add to a table, in this order. */
export interface Extension {
  readonly names: readonly Identifier[]
  readonly base: Select
  readonly step: Select
}

/** Checks the clauses against the columns of the table. @throws 42601, 42701 */
export function checkClauses(context: BindContext, table: CommonTable, columns: readonly string[]): void {
  const { search, cycle } = table
  const refuse = (node: Node, sqlstate: string, message: string): never => {
    throw errorAt(context, node, sqlstate, message)
  }
  for (const [word, clause] of [
    ['search', search],
    ['cycle', cycle],
  ] as const)
    clause?.columns.forEach(({ name }, i) => {
      if (!columns.includes(name))
        refuse(clause, SQLSTATE.syntaxError, `${word} column "${name}" not in WITH query column list`)
      if (clause.columns.findIndex((other) => other.name === name) !== i)
        refuse(clause, SQLSTATE.duplicateColumn, `${word} column "${name}" specified more than once`)
    })
  const made: string[] = [...columns]
  const take = (node: Node, what: string, { name }: Identifier): void => {
    if (made.includes(name))
      refuse(
        node,
        SQLSTATE.syntaxError,
        `${what} column name "${name}" already used in WITH query column list`,
      )
    made.push(name)
  }
  if (search !== null) take(search, 'search sequence', search.sequence)
  if (cycle !== null) {
    take(cycle, 'cycle mark', cycle.mark)
    take(cycle, 'cycle path', cycle.path)
  }
}

/**
 * The terms of a recursive table with what SEARCH and CYCLE add.
 * @param columns names of the table's own columns
 * @throws 0A000 when a term is no plain SELECT
 */
export function extended(
  context: BindContext,
  table: CommonTable,
  columns: readonly string[],
  terms: { readonly base: QueryBody; readonly step: QueryBody },
): Extension {
  const { search, cycle, span } = table
  const unable = (side: string) =>
    errorAt(
      context,
      table,
      SQLSTATE.featureNotSupported,
      `with a SEARCH or CYCLE clause, the ${side} side of the UNION must be a SELECT`,
    )
  if (terms.base.kind === 'setOperation') throw unable('left')
  if (terms.step.kind !== 'select') throw unable('right')
  const alias = aliasOf(terms.step.from, table.name.name)
  if (alias === null) throw unable('right')

  const id = (name: string): Identifier => ({ kind: 'identifier', name, span })
  const column = (...parts: readonly string[]): Expression => ({ kind: 'column', parts: parts.map(id), span })
  const row = (items: readonly Expression[]): Expression => ({ kind: 'row', items, span })
  const list = (item: Expression): Expression => ({ kind: 'array', items: [item], span })
  const binary = (operator: string, left: Expression, right: Expression): Expression => ({
    kind: 'binary',
    operator,
    left,
    right,
    operatorSpan: span,
    span,
  })
  const itemOf = (expression: Expression, name: string): SelectItem => ({
    kind: 'item',
    expression,
    alias: id(name),
    span,
  })
  const of = (names: readonly Identifier[]): Expression[] => names.map(({ name }) => column(name))
  const number = (text: string): Expression => ({
    kind: 'cast',
    operand: { kind: 'number', text, span },
    type: { kind: 'typeName', name: 'bigint', modifiers: [], array: false, span },
    span,
  })
  const names = [
    ...(search === null ? [] : [search.sequence]),
    ...(cycle === null ? [] : [cycle.mark, cycle.path]),
  ]
  const own = columns.map((name) => itemOf(column(name), name))

  const first: SelectItem[] = []
  const further: SelectItem[] = []
  if (search !== null) {
    const { sequence } = search
    const keys = of(search.columns)
    const before = column(sequence.name)
    const depth: Expression = { kind: 'field', operand: before, field: id('f1'), span }
    if (search.first === 'depth') {
      first.push(itemOf(list(row(keys)), sequence.name))
      further.push(itemOf(binary('||', before, list(row(keys))), sequence.name))
    } else {
      first.push(itemOf(row([number('0'), ...keys]), sequence.name))
      further.push(itemOf(row([binary('+', depth, number('1')), ...keys]), sequence.name))
    }
  }
  if (cycle !== null) {
    const { value, otherwise, mark, path } = cycle
    const keys = row(of(cycle.columns))
    const marked = (when: Expression): Expression => ({
      kind: 'case',
      operand: null,
      branches: [{ when, result: value, span }],
      otherwise,
      span,
    })
    const seen: Expression = {
      kind: 'quantifiedArray',
      left: keys,
      operator: '=',
      quantifier: 'any',
      array: column(path.name),
      operatorSpan: span,
      span,
    }
    first.push(itemOf(marked({ kind: 'boolean', value: false, span }), mark.name))
    first.push(itemOf(list(keys), path.name))
    further.push(itemOf(marked(seen), mark.name))
    further.push(itemOf(binary('||', column(path.name), list(keys)), path.name))
  }

  const around = (body: QueryBody, inner: readonly Identifier[], items: readonly SelectItem[]): Select =>
    plainSelect({
      items: [...own, ...items],
      from: [
        {
          kind: 'derived',
          query: plainQuery(body, { span }),
          alias: { name: id('*TROCRN*'), columns: inner, span },
          lateral: false,
          span,
        },
      ],
      span,
    })
  const handed = names.map(({ name }) => itemOf(column(alias, name), name))
  const step = { ...terms.step, items: [...terms.step.items, ...handed] }
  const stop: Expression | null = cycle === null ? null : binary('<>', column(cycle.mark.name), cycle.value)
  return {
    names,
    base: around(terms.base, columns.map(id), first),
    step: { ...around(step, [...columns.map(id), ...names], further), where: stop },
  }
}

/** The name that the table goes by in FROM; null when it is not there. */
function aliasOf(from: readonly TableReference[], name: string): string | null {
  for (const reference of from) {
    if (
      reference.kind === 'table' &&
      reference.name.parts.length === 1 &&
      reference.name.parts[0]?.name === name
    )
      return reference.alias?.name.name ?? name
    if (reference.kind === 'join') {
      const found = aliasOf([reference.left, reference.right], name)
      if (found !== null) return found
    }
  }
  return null
}
