import type {
  ColumnConstraint,
  ColumnDefinition,
  CreateIndex,
  CreateTable,
  CreateTableAs,
  CreateView,
  Identifier,
  ReferentialAction,
  Statement,
  StorageOption,
  TableConstraint,
} from '../ast.ts'
import type {
  ColumnConstraintCst,
  ColumnDefinitionCst,
  ConstraintNameCst,
  CreateCst,
  CreateIndexCst,
  CreateTableCst,
  CreateViewCst,
  OptionListCst,
  ReferencesClauseCst,
  SettingValueCst,
  TableConstraintCst,
  TableElementsCst,
} from '../cst/statement.ts'
import { has, identifier, only, qualifiedName, scanned, spanOf } from './tree.ts'
import { WriteBuilder } from './write-builder.ts'

/** The statements that make tables, indexes and views. */
export class TableBuilder extends WriteBuilder {
  create(node: CreateCst): Statement {
    const { Or, Temp, Temporary, createTable, createIndex, createView } = node.children
    const temporary = has(Temp) || has(Temporary)
    const span = spanOf(node)
    const table = createTable?.[0]
    const index = createIndex?.[0]
    if (has(Or) && createView === undefined) throw this.unexpected(only(Or).startOffset)
    if (table !== undefined) return this.#createTable(table, temporary, span)
    if (index === undefined) return this.#createView(only(createView), temporary, has(Or), span)
    if (temporary) throw this.unexpected(spanOf(index).start)
    return this.#createIndex(index, span)
  }

  protected options(node: OptionListCst): StorageOption[] {
    return node.children.storageOption.map((option) => {
      const { Label, settingValue } = option.children
      const value = settingValue?.[0]
      return {
        name: identifier(only(Label)),
        value: value === undefined ? null : this.settingText(value),
        span: spanOf(option),
      }
    })
  }

  protected settingText(node: SettingValueCst): string {
    const { Minus, NumberLiteral, Literal, Label } = node.children
    const token = scanned(only(NumberLiteral ?? Literal ?? Label))
    return has(Minus) ? `-${token.value}` : token.value
  }

  #createTable(
    node: CreateTableCst,
    temporary: boolean,
    span: CreateTable['span'],
  ): CreateTable | CreateTableAs {
    const { ifNotExists, qualifiedName: name, tableElements, optionList, query, No } = node.children
    const table = qualifiedName(only(name))
    const common = { table, ifNotExists: has(ifNotExists), temporary, span }
    const elements = tableElements?.[0]
    const source = query?.[0]
    const options = optionList?.[0]
    if (source !== undefined) {
      const columns = elements === undefined ? [] : this.#bareColumns(elements)
      return { kind: 'createTableAs', ...common, columns, query: this.query(source), withData: !has(No) }
    }
    if (elements === undefined) throw this.unexpected(spanOf(only(name)).end)
    const { columnDefinition = [], tableConstraint = [] } = elements.children
    return {
      kind: 'createTable',
      ...common,
      columns: columnDefinition.map((column) => this.#column(column)),
      constraints: tableConstraint.map((constraint) => this.#tableConstraint(constraint)),
      options: options === undefined ? [] : this.options(options),
    }
  }

  /** The names in `CREATE TABLE t (a, b) AS …`. */
  #bareColumns(node: TableElementsCst): Identifier[] {
    const { columnDefinition = [], tableConstraint } = node.children
    const constraint = tableConstraint?.[0]
    if (constraint !== undefined) throw this.unexpected(spanOf(constraint).start)
    return columnDefinition.map(({ children: { ColumnId, typeName } }) => {
      const type = typeName?.[0]
      if (type !== undefined) throw this.unexpected(spanOf(type).start)
      return identifier(only(ColumnId))
    })
  }

  #column(node: ColumnDefinitionCst): ColumnDefinition {
    const { ColumnId, typeName, columnConstraint = [] } = node.children
    const type = typeName?.[0]
    const span = spanOf(node)
    if (type === undefined) throw this.unexpected(span.end)
    return {
      name: identifier(only(ColumnId)),
      type: this.typeName(type),
      constraints: columnConstraint.map((constraint) => this.#columnConstraint(constraint)),
      span,
    }
  }

  #constraintName(node: ConstraintNameCst | undefined): Identifier | null {
    return node === undefined ? null : identifier(only(node.children.ColumnId))
  }

  #columnConstraint(node: ColumnConstraintCst): ColumnConstraint {
    const { constraintName, Not, Primary, Unique, expression, checkConstraint, referencesClause } =
      node.children
    const common = { name: this.#constraintName(constraintName?.[0]), span: spanOf(node) }
    const value = expression?.[0]
    const check = checkConstraint?.[0]
    const references = referencesClause?.[0]
    if (has(Not)) return { kind: 'notNull', ...common }
    if (has(Primary)) return { kind: 'primaryKey', ...common }
    if (has(Unique)) return { kind: 'unique', ...common }
    if (value !== undefined) return { kind: 'default', expression: this.expression(value), ...common }
    if (check !== undefined)
      return { kind: 'check', expression: this.expression(only(check.children.expression)), ...common }
    if (references !== undefined) {
      const { table, referenced: columns, onDelete, onUpdate } = this.#references(references)
      return { kind: 'references', table, columns, onDelete, onUpdate, ...common }
    }
    return { kind: 'nullable', ...common }
  }

  #tableConstraint(node: TableConstraintCst): TableConstraint {
    const { constraintName, Primary, Unique, nameList, checkConstraint, referencesClause } = node.children
    const common = { name: this.#constraintName(constraintName?.[0]), span: spanOf(node) }
    const check = checkConstraint?.[0]
    if (check !== undefined)
      return { kind: 'check', expression: this.expression(only(check.children.expression)), ...common }
    const columns = this.names(nameList?.[0])
    if (has(Primary)) return { kind: 'primaryKey', columns, ...common }
    if (has(Unique)) return { kind: 'unique', columns, ...common }
    return { kind: 'foreignKey', columns, ...this.#references(only(referencesClause)), ...common }
  }

  #references(node: ReferencesClauseCst) {
    const { qualifiedName: name, nameList, referentialAction = [] } = node.children
    let onDelete: ReferentialAction = 'no action'
    let onUpdate: ReferentialAction = 'no action'
    for (const { children } of referentialAction) {
      const action = (children.action ?? []).map((word) => scanned(word).value).join(' ') as ReferentialAction
      if (scanned(only(children.event)).value === 'delete') onDelete = action
      else onUpdate = action
    }
    return { table: qualifiedName(only(name)), referenced: this.names(nameList?.[0]), onDelete, onUpdate }
  }

  #createIndex(node: CreateIndexCst, span: CreateIndex['span']): CreateIndex {
    const { Unique, ifNotExists, indexName, qualifiedName: table, sortList, whereClause } = node.children
    const name = indexName?.[0]
    const where = whereClause?.[0]
    if (has(ifNotExists) && name === undefined) throw this.unexpected(only(node.children.On).startOffset)
    return {
      kind: 'createIndex',
      name: name === undefined ? null : identifier(name),
      table: qualifiedName(only(table)),
      unique: has(Unique),
      ifNotExists: has(ifNotExists),
      columns: this.sortItems(only(sortList)),
      where: where === undefined ? null : this.expression(only(where.children.expression)),
      span,
    }
  }

  #createView(
    node: CreateViewCst,
    temporary: boolean,
    orReplace: boolean,
    span: CreateView['span'],
  ): CreateView {
    const { qualifiedName: name, nameList, query: body } = node.children
    const query = this.query(only(body))
    return {
      kind: 'createView',
      name: qualifiedName(only(name)),
      orReplace,
      temporary,
      columns: this.names(nameList?.[0]),
      query,
      text: this.source.slice(query.span.start, query.span.end),
      span,
    }
  }
}
