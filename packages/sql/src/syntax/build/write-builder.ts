import { SQLSTATE, sqlError } from '../../errors.ts'
import type {
  AssignedPart,
  Assignment,
  ConflictTarget,
  Delete,
  Expression,
  Identifier,
  Insert,
  Merge,
  MergeAction,
  MergeBranch,
  OnConflict,
  QualifiedName,
  Query,
  SelectItem,
  Span,
  TargetColumn,
  Update,
  WithTables,
  WriteStatement,
} from '../ast.ts'
import type { SortItemCst } from '../cst/expression.ts'
import type {
  OneTableCst,
  QueryCst,
  ReturningCst,
  TargetAliasCst,
  ValuesRowCst,
  WhereClauseCst,
} from '../cst/query.ts'
import type {
  AssignedPartCst,
  AssignmentCst,
  DataStatementCst,
  DeletionCst,
  InsertCst,
  MergeBranchCst,
  MergeCst,
  OnConflictCst,
  OverridingCst,
  TargetColumnCst,
  TargetListCst,
  UpdateCst,
} from '../cst/write.ts'
import { plainQuery, plainSelect } from '../plain-query.ts'
import { positionAt } from '../scanner.ts'
import { isBare, QueryBuilder } from './query-builder.ts'
import { has, identifier, only, qualifiedName, scanned, spanOf } from './tree.ts'

/** INSERT, UPDATE, DELETE and MERGE. */
export class WriteBuilder extends QueryBuilder {
  /** Any statement over data. */
  dataStatement(node: DataStatementCst): Query | WriteStatement {
    const { withClause, plainStatement } = node.children
    const { query, insert, update, deletion, merge } = only(plainStatement).children
    const span = spanOf(node)
    const selected = query?.[0]
    const clause = withClause?.[0]
    if (selected !== undefined && clause === undefined) return this.query(selected)
    const tables = this.withTables(clause)
    if (selected !== undefined) {
      const inner = this.query(selected)
      const second = selected.children.withClause?.[0]
      if (second !== undefined) throw this.unexpected(spanOf(second).start)
      // Parentheses may hide a WITH of the query's own: both stay.
      if (inner.with.length === 0) return { ...inner, ...tables, span }
      const outer = { orderBy: [], limit: null, offset: null, withTies: false, locking: [] }
      return { kind: 'query', ...tables, body: inner, ...outer, span }
    }
    const target = { ...tables, span }
    if (insert !== undefined) return { ...this.#insert(only(insert), target), span }
    if (update !== undefined) return { ...this.#update(only(update), target), span }
    if (deletion !== undefined) return { ...this.#delete(only(deletion), target), span }
    return this.#merge(only(merge), target)
  }

  #returning(node: ReturningCst | undefined): SelectItem[] {
    return node === undefined ? [] : this.selectItems(only(node.children.selectItems))
  }

  #where(node: WhereClauseCst | undefined) {
    return node === undefined ? null : this.expression(only(node.children.expression))
  }

  #insert(node: InsertCst, tables: WithTables): Insert {
    const { qualifiedName: name, ColumnId, targetList, query, onConflict, returning } = node.children
    const { overriding } = node.children
    const alias = ColumnId?.[0]
    return {
      kind: 'insert',
      ...tables,
      table: qualifiedName(only(name)),
      alias: alias === undefined ? null : identifier(alias),
      columns: this.#targets(targetList?.[0]),
      overriding: overridingOf(overriding?.[0]),
      source: this.#insertSource(query?.[0]),
      onConflict: onConflict === undefined ? null : this.#onConflict(only(onConflict)),
      returning: this.#returning(returning?.[0]),
      span: spanOf(node),
    }
  }

  #onConflict(node: OnConflictCst): OnConflict {
    const { conflictKey, ColumnId, Update: updates, assignment = [], whereClause } = node.children
    const key = conflictKey?.[0]?.children
    const constraint = ColumnId?.[0]
    const target: ConflictTarget | null =
      key !== undefined
        ? {
            by: 'key',
            parts: only(key.sortList).children.sortItem.map((part) => this.#conflictPart(part)),
            where: this.#where(key.whereClause?.[0]),
          }
        : constraint !== undefined
          ? { by: 'constraint', constraint: identifier(constraint) }
          : null
    const update = !has(updates)
      ? null
      : {
          assignments: assignment.flatMap((item) => this.#assignments(item)),
          where: this.#where(whereClause?.[0]),
        }
    return { target, update, span: spanOf(node) }
  }

  #conflictPart(node: SortItemCst): Expression {
    const { Asc, Desc, Using, Nulls, expression } = node.children
    if (has(Using)) throw this.unexpected(only(Using).startOffset)
    const refused = has(Asc) || has(Desc) ? 'ASC/DESC' : has(Nulls) ? 'NULLS FIRST/LAST' : null
    if (refused === null) return this.expression(only(expression))
    throw sqlError(SQLSTATE.invalidColumnReference, `${refused} is not allowed in ON CONFLICT clause`, {
      position: positionAt(this.source, spanOf(node).start),
    })
  }

  #insertSource(node: QueryCst | undefined): Insert['source'] {
    if (node === undefined) return { kind: 'defaultValues' }
    const { withClause, queryTerm, setTail, sortList, limitClause } = node.children
    const rows = only(queryTerm).children.values?.[0]
    if (rows === undefined || has(withClause) || has(setTail) || has(sortList) || has(limitClause)) {
      const query = this.query(node)
      const { body } = query
      // VALUES in parentheses is VALUES.
      return isBare(query) && body.kind === 'values'
        ? { kind: 'rows', rows: body.rows }
        : { kind: 'query', query }
    }
    return { kind: 'rows', rows: this.rows(rows) }
  }

  #alias(node: TargetAliasCst): Identifier | null {
    const alias = node.children.ColumnId?.[0]
    return alias === undefined ? null : identifier(alias)
  }

  #update(node: UpdateCst, tables: WithTables): Update {
    const { oneTable, targetAlias, assignment, fromList, whereClause, returning } = node.children
    const from = fromList?.[0]
    return {
      kind: 'update',
      ...tables,
      table: tableOf(only(oneTable)),
      alias: this.#alias(only(targetAlias)),
      assignments: assignment.flatMap((item) => this.#assignments(item)),
      from: from === undefined ? [] : this.tables(from),
      where: this.#where(whereClause?.[0]),
      returning: this.#returning(returning?.[0]),
      span: spanOf(node),
    }
  }

  /** Several for `(a, b) = (1, 2)`. */
  #assignments(node: AssignmentCst): Assignment[] {
    const { targetColumn, Default, expression, targetList, valuesRow, subquery, RowConstructor } =
      node.children
    const span = spanOf(node)
    const column = targetColumn?.[0]
    if (column !== undefined) {
      const word = Default?.[0]
      const value =
        word === undefined
          ? this.expression(only(expression))
          : ({ kind: 'default', span: { start: word.startOffset, end: scanned(word).end } } as const)
      return [{ kind: 'assignment', column: this.#target(column), value, span }]
    }
    const columns = this.#targets(targetList?.[0])
    const query = subquery?.[0]
    if (query !== undefined) return [{ kind: 'queryAssignment', columns, query: this.subquery(query), span }]
    const values = this.row(only(valuesRow))
    // A single value in parentheses is that value, not a row.
    if (columns.length > 1 && values.length === 1 && !has(RowConstructor) && values[0]?.kind !== 'fields')
      throw this.#noRow(only(valuesRow))
    // What stands for several values is counted when it is bound.
    const plain = values.filter((value) => value.kind !== 'default')
    if (values.some(({ kind }) => kind === 'fields') && plain.length === values.length) {
      if (!has(RowConstructor)) throw this.#noRow(only(valuesRow))
      return [{ kind: 'queryAssignment', columns, query: rowQuery(plain, span), span }]
    }
    if (columns.length !== values.length)
      throw sqlError(SQLSTATE.syntaxError, 'number of columns does not match number of values', {
        position: positionAt(this.source, spanOf(only(valuesRow)).start),
      })
    return columns.map((name, i) => ({
      kind: 'assignment',
      column: name,
      value: only(values.slice(i)),
      span,
    }))
  }

  #noRow(node: ValuesRowCst): Error {
    return sqlError(
      SQLSTATE.featureNotSupported,
      'source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression',
      { position: positionAt(this.source, spanOf(node).start) },
    )
  }

  #targets(node: TargetListCst | undefined): TargetColumn[] {
    return node === undefined ? [] : node.children.targetColumn.map((one) => this.#target(one))
  }

  #target({ children: { ColumnId, assignedPart = [] } }: TargetColumnCst): TargetColumn {
    return { ...identifier(only(ColumnId)), path: assignedPart.map((part) => this.#assignedPart(part)) }
  }

  #assignedPart({ children }: AssignedPartCst): AssignedPart {
    const label = children.Label?.[0]
    if (label !== undefined) return { kind: 'field', field: identifier(label) }
    const { lower, Colon, upper } = only(children.subscript).children
    const [from, to] = [lower?.[0], upper?.[0]]
    return {
      kind: 'item',
      slice: has(Colon),
      lower: from === undefined ? null : this.expression(from),
      upper: to === undefined ? null : this.expression(to),
    }
  }

  #delete(node: DeletionCst, tables: WithTables): Delete {
    const { oneTable, targetAlias, fromList, whereClause, returning } = node.children
    const using = fromList?.[0]
    return {
      kind: 'delete',
      ...tables,
      table: tableOf(only(oneTable)),
      alias: this.#alias(only(targetAlias)),
      using: using === undefined ? [] : this.tables(using),
      where: this.#where(whereClause?.[0]),
      returning: this.#returning(returning?.[0]),
      span: spanOf(node),
    }
  }

  #merge(node: MergeCst, { span, ...tables }: WithTables & Pick<Merge, 'span'>): Merge {
    const { oneTable, targetAlias, tablePrimary, expression, mergeBranch } = node.children
    const branches = mergeBranch.map((branch) => this.#mergeBranch(branch))
    for (const [i, { matched }] of branches.entries())
      if (branches.slice(0, i).some((before) => before.matched === matched && before.condition === null))
        throw sqlError(
          SQLSTATE.syntaxError,
          'unreachable WHEN clause specified after unconditional WHEN clause',
        )
    return {
      kind: 'merge',
      ...tables,
      table: tableOf(only(oneTable)),
      alias: this.#alias(only(targetAlias)),
      source: this.tablePrimary(only(tablePrimary)),
      on: this.expression(only(expression)),
      branches,
      span,
    }
  }

  #mergeBranch(node: MergeBranchCst): MergeBranch {
    const { Not, And, expression } = node.children
    const condition = has(And) ? this.expression(only(expression)) : null
    return { matched: !has(Not), condition, action: this.#mergeAction(node), span: spanOf(node) }
  }

  /** What stands behind THEN must fit: a row that is there is changed, one that is not is inserted. */
  #mergeAction(node: MergeBranchCst): MergeAction {
    const { Not, Update: updates, assignment = [], Delete: deletes, Insert: inserts } = node.children
    const { targetList, overriding, valuesRow } = node.children
    const wrong = has(Not) ? (updates ?? deletes) : inserts
    if (wrong !== undefined) throw this.unexpected(only(wrong).startOffset)
    if (updates !== undefined)
      return { kind: 'update', assignments: assignment.flatMap((item) => this.#assignments(item)) }
    if (deletes !== undefined) return { kind: 'delete' }
    if (inserts === undefined) return { kind: 'nothing' }
    const row = valuesRow?.[0]
    return {
      kind: 'insert',
      columns: this.#targets(targetList?.[0]),
      overriding: overridingOf(overriding?.[0]),
      values: row === undefined ? null : this.row(row),
    }
  }
}

const overridingOf = (node: OverridingCst | undefined): Insert['overriding'] =>
  node === undefined ? null : has(node.children.System) ? 'system' : 'user'

function tableOf({ children: { onlyTable, qualifiedName: name } }: OneTableCst): QualifiedName {
  return qualifiedName(only(onlyTable === undefined ? name : only(onlyTable).children.qualifiedName))
}

/** `SELECT` of the values. */
function rowQuery(values: readonly Expression[], span: Span): Query {
  const items = values.map((expression) => ({ kind: 'item' as const, expression, alias: null, span }))
  return plainQuery(plainSelect({ items, from: [], span }))
}
