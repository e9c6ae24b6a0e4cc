import type { IToken } from 'chevrotain'
import { SQLSTATE, sqlError } from '../../errors.ts'
import type {
  ColumnConstraint,
  ColumnDefinition,
  CreateIndex,
  CreateTable,
  CreateTableAs,
  CreateTableExecute,
  Deferral,
  Execute,
  Identifier,
  LikeClause,
  OnCommit,
  References,
  ReferentialAction,
  SequenceOption,
  StorageOption,
  TableConstraint,
} from '../ast.ts'
import type {
  ColumnConstraintCst,
  ColumnDefinitionCst,
  ConstraintAttributeCst,
  ConstraintNameCst,
  CreateIndexCst,
  CreateTableCst,
  ExecuteCst,
  GeneratedClauseCst,
  IndexItemCst,
  InitiallyCst,
  LikeClauseCst,
  NullsTreatmentCst,
  OptionListCst,
  ReferencesClauseCst,
  SequenceOptionCst,
  SettingValueCst,
  SignedNumberCst,
  TableClauseCst,
  TableConstraintCst,
  TableElementsCst,
} from '../cst/table.ts'
import { positionAt } from '../scanner.ts'
import { has, identifier, only, qualifiedName, scanned, spanOf } from './tree.ts'
import { WriteBuilder } from './write-builder.ts'

const MUST_BE_DEFERRABLE = 'constraint declared INITIALLY DEFERRED must be DEFERRABLE'

/** The words of a clause about deferral, as messages have them. */
function deferralWords({ children: { Not, initially } }: ColumnConstraintCst): string {
  const [late] = initially ?? []
  if (late === undefined) return has(Not) ? 'NOT DEFERRABLE' : 'DEFERRABLE'
  return has(late.children.Deferred) ? 'INITIALLY DEFERRED' : 'INITIALLY IMMEDIATE'
}

const IMMEDIATE: Deferral = { deferrable: false, initiallyDeferred: false }

/** Tables, their columns and constraints, and indexes. */
export class TableBuilder extends WriteBuilder {
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

  protected execute(node: ExecuteCst): Execute {
    const { ColumnId, expressionList } = node.children
    const args = expressionList?.[0]
    return {
      kind: 'execute',
      name: identifier(only(ColumnId)),
      args: args === undefined ? [] : this.expressions(args),
      span: spanOf(node),
    }
  }

  protected createTable(
    node: CreateTableCst,
    temporary: boolean,
    span: CreateTable['span'],
  ): CreateTable | CreateTableAs | CreateTableExecute {
    const {
      ifNotExists,
      qualifiedName: name,
      tableElements,
      tableClause = [],
      execute,
      query,
      withData,
    } = node.children
    const table = qualifiedName(only(name))
    const common = { table, ifNotExists: has(ifNotExists), temporary, span }
    const elements = tableElements?.[0]
    const source = query?.[0]
    const prepared = execute?.[0]
    if (source !== undefined || prepared !== undefined) {
      const columns = elements === undefined ? [] : this.#bareColumns(elements)
      const end = withData?.[0]
      const filled = end === undefined || !has(end.children.No)
      const create = { kind: 'createTableAs', ...common, columns, withData: filled } as const
      if (source !== undefined) return { ...create, query: this.query(source) }
      if (prepared !== undefined)
        return { kind: 'createTableExecute', create, execute: this.execute(prepared), span }
    }
    if (elements === undefined) throw this.unexpected(spanOf(only(name)).end)
    const { columnDefinition = [], tableConstraint = [], likeClause = [] } = elements.children
    return {
      kind: 'createTable',
      ...common,
      columns: columnDefinition.map((column) => this.column(column)),
      constraints: tableConstraint.map((constraint) => this.tableConstraint(constraint)),
      likes: likeClause.map((clause) => this.#like(clause, columnDefinition)),
      ...this.#clauses(tableClause),
    }
  }

  #clauses(
    nodes: readonly TableClauseCst[],
  ): Pick<CreateTable, 'options' | 'distribution' | 'parents' | 'onCommit'> {
    let distribution: readonly Identifier[] = []
    let parents: readonly Identifier[] = []
    let onCommit: OnCommit = 'preserve rows'
    const options: StorageOption[] = []
    for (const { children } of nodes) {
      const { optionList, Distributed, Inherits, Drop, Delete, nameList } = children
      if (optionList !== undefined) options.push(...this.options(only(optionList)))
      else if (has(Distributed)) distribution = this.names(nameList?.[0])
      else if (has(Inherits)) parents = this.names(nameList?.[0])
      else onCommit = has(Drop) ? 'drop' : has(Delete) ? 'delete rows' : 'preserve rows'
    }
    return { options, distribution, parents, onCommit }
  }

  #like(node: LikeClauseCst, columns: readonly ColumnDefinitionCst[]): LikeClause {
    const { qualifiedName: name, likeOption = [] } = node.children
    const span = spanOf(node)
    return {
      table: qualifiedName(only(name)),
      position: columns.filter((column) => spanOf(column).start < span.start).length,
      options: likeOption.map(({ children: { Including, Label } }) => ({
        including: has(Including),
        what: identifier(only(Label)),
      })),
      span,
    }
  }

  /** The names in `CREATE TABLE t (a, b) AS …`. */
  #bareColumns(node: TableElementsCst): Identifier[] {
    const { columnDefinition = [], tableConstraint, likeClause } = node.children
    const other = tableConstraint?.[0] ?? likeClause?.[0]
    if (other !== undefined) throw this.unexpected(spanOf(other).start)
    return columnDefinition.map(({ children: { ColumnId, typeName } }) => {
      const type = typeName?.[0]
      if (type !== undefined) throw this.unexpected(spanOf(type).start)
      return identifier(only(ColumnId))
    })
  }

  protected column(node: ColumnDefinitionCst): ColumnDefinition {
    const { ColumnId, typeName, columnConstraint = [] } = node.children
    const type = typeName?.[0]
    const span = spanOf(node)
    if (type === undefined) throw this.unexpected(span.end)
    const collation = columnConstraint.find(({ children }) => has(children.Collate))
    return {
      name: identifier(only(ColumnId)),
      type: this.typeName(type),
      constraints: this.columnConstraints(columnConstraint),
      collation: collation === undefined ? null : qualifiedName(only(collation.children.qualifiedName)),
      span,
    }
  }

  /** Constraints with what stands behind them about when they are checked. */
  protected columnConstraints(nodes: readonly ColumnConstraintCst[]): ColumnConstraint[] {
    const constraints: ColumnConstraint[] = []
    let refused = false
    for (const node of nodes) {
      const { Not, Null, Deferrable, initially, Collate } = node.children
      if (has(Collate)) continue
      if (!has(Deferrable) && !has(initially)) {
        constraints.push(this.#columnConstraint(node))
        refused = false
        continue
      }
      const last = constraints.at(-1)
      if (last === undefined || !('deferrable' in last) || has(Null))
        throw this.#refusedAt(node, `misplaced ${deferralWords(node)} clause`)
      refused ||= has(Not)
      constraints[constraints.length - 1] = {
        ...last,
        ...this.#deferred(last, node, refused, initially?.[0]),
      }
    }
    return constraints
  }

  #deferred(
    before: Deferral,
    node: ColumnConstraintCst | ConstraintAttributeCst,
    /** NOT DEFERRABLE was said. */
    refused: boolean,
    initially: InitiallyCst | undefined,
  ): Deferral {
    if (initially === undefined) {
      if (refused && before.initiallyDeferred) throw this.#refusedAt(node, MUST_BE_DEFERRABLE)
      return { ...before, deferrable: !refused }
    }
    const initiallyDeferred = has(initially.children.Deferred)
    if (initiallyDeferred && refused) throw this.#refusedAt(node, MUST_BE_DEFERRABLE)
    return { deferrable: before.deferrable || initiallyDeferred, initiallyDeferred }
  }

  #refusedAt(node: ColumnConstraintCst | ConstraintAttributeCst, message: string): Error {
    return sqlError(SQLSTATE.syntaxError, message, { position: positionAt(this.source, spanOf(node).start) })
  }

  #constraintName(node: ConstraintNameCst | undefined): Identifier | null {
    return node === undefined ? null : identifier(only(node.children.ColumnId))
  }

  #columnConstraint(node: ColumnConstraintCst): ColumnConstraint {
    const { constraintName, Not, Primary, Unique, expression, checkConstraint } = node.children
    const { referencesClause, generatedClause } = node.children
    const common = { name: this.#constraintName(constraintName?.[0]), span: spanOf(node) }
    const value = expression?.[0]
    const check = checkConstraint?.[0]
    const references = referencesClause?.[0]
    const generated = generatedClause?.[0]
    if (has(Not)) return { kind: 'notNull', ...common }
    if (has(Primary)) return { kind: 'primaryKey', ...IMMEDIATE, ...common }
    if (has(Unique))
      return {
        kind: 'unique',
        nullsNotDistinct: alikeNulls(node.children.nullsTreatment),
        ...IMMEDIATE,
        ...common,
      }
    if (value !== undefined) return { kind: 'default', expression: this.expression(value), ...common }
    if (generated !== undefined) return { ...this.generated(generated), ...common }
    if (check !== undefined)
      return { kind: 'check', expression: this.expression(only(check.children.expression)), ...common }
    if (references !== undefined)
      return { kind: 'references', ...this.#references(references), ...IMMEDIATE, ...common }
    return { kind: 'nullable', ...common }
  }

  protected generated(node: GeneratedClauseCst) {
    const { generatedWhen, Identity, identityOptions, expression } = node.children
    const always = has(only(generatedWhen).children.Always)
    if (!has(Identity))
      return { kind: 'generated' as const, always, expression: this.expression(only(expression)) }
    const options = (identityOptions?.[0]?.children.sequenceOption ?? []).map((option) =>
      this.sequenceOption(option),
    )
    return { kind: 'identity' as const, always, options }
  }

  protected sequenceOption(node: SequenceOptionCst): SequenceOption {
    const { As, typeName, Increment, signedNumber, Minvalue, Maxvalue, No, Cycle } = node.children
    const { Start, Restart, Cache, qualifiedName: owner, nameWord } = node.children
    const span = spanOf(node)
    const number = signedNumber?.[0]
    const value = number === undefined ? null : this.#signed(number)
    if (has(As)) return { kind: 'as', type: this.typeName(only(typeName)), span }
    if (has(Minvalue)) return { kind: 'minvalue', value, span }
    if (has(Maxvalue)) return { kind: 'maxvalue', value, span }
    if (has(Cycle)) return { kind: 'cycle', on: !has(No), span }
    if (has(Restart)) return { kind: 'restart', value, span }
    if (nameWord !== undefined) {
      const word = only(nameWord)
      if (scanned(word).value !== 'name') throw this.unexpected(word.startOffset)
      return { kind: 'sequenceName', name: qualifiedName(only(owner)), span }
    }
    if (owner !== undefined) return { kind: 'ownedBy', owner: qualifiedName(only(owner)), span }
    const kind = has(Increment) ? 'increment' : has(Start) ? 'start' : 'cache'
    if (kind === 'cache') only(Cache)
    return { kind, value: value ?? '', span }
  }

  #signed(node: SignedNumberCst): string {
    const { Minus, NumberLiteral } = node.children
    const token = only(NumberLiteral)
    if (!/^\d+$/.test(token.image)) throw this.unexpected(token.startOffset)
    return `${has(Minus) ? '-' : ''}${token.image}`
  }

  protected tableConstraint(node: TableConstraintCst): TableConstraint {
    const { constraintName, Primary, Unique, nameList, checkConstraint, referencesClause } = node.children
    const { constraintAttribute = [] } = node.children
    const attributes = this.attributes(constraintAttribute)
    this.#checkAttributes(node, attributes)
    const common = {
      name: this.#constraintName(constraintName?.[0]),
      ...attributes,
      span: spanOf(node),
    }
    const check = checkConstraint?.[0]
    if (check !== undefined)
      return { kind: 'check', expression: this.expression(only(check.children.expression)), ...common }
    const columns = this.names(nameList?.[0])
    if (has(Primary)) return { kind: 'primaryKey', columns, ...common }
    if (has(Unique))
      return {
        kind: 'unique',
        columns,
        nullsNotDistinct: alikeNulls(node.children.nullsTreatment),
        ...common,
      }
    return { kind: 'foreignKey', columns, ...this.#references(only(referencesClause)), ...common }
  }

  /** @throws 0A000 for what a constraint of that kind cannot be */
  #checkAttributes(
    { children: { Primary, Unique, checkConstraint, constraintAttribute = [] } }: TableConstraintCst,
    { deferrable, notValid }: Deferral & { readonly notValid: boolean },
  ): void {
    const isCheck = checkConstraint !== undefined
    const wrong = isCheck ? deferrable : notValid && (has(Primary) || has(Unique))
    if (!wrong) return
    const kind = isCheck ? 'CHECK' : has(Primary) ? 'PRIMARY KEY' : 'UNIQUE'
    throw sqlError(
      SQLSTATE.featureNotSupported,
      `${kind} constraints cannot be marked ${isCheck ? 'DEFERRABLE' : 'NOT VALID'}`,
      { position: positionAt(this.source, spanOf(only(constraintAttribute)).start) },
    )
  }

  /** What stands behind a constraint. Columns to INCLUDE are read with the row anyway. */
  protected attributes(nodes: readonly ConstraintAttributeCst[]): Deferral & { readonly notValid: boolean } {
    let deferral = IMMEDIATE
    let notValid = false
    let refused = false
    for (const node of nodes) {
      const { Not, Valid, initially, Include } = node.children
      if (has(Include)) continue
      if (has(Valid)) notValid = true
      else {
        refused ||= has(Not)
        deferral = this.#deferred(deferral, node, refused, initially?.[0])
      }
    }
    return { ...deferral, notValid }
  }

  #references(node: ReferencesClauseCst): References {
    const { qualifiedName: name, nameList, referentialAction = [], Full, Partial } = node.children
    let onDelete: ReferentialAction = 'no action'
    let onUpdate: ReferentialAction = 'no action'
    let onDeleteColumns: readonly Identifier[] = []
    for (const { children } of referentialAction) {
      const words: readonly IToken[] = children.action ?? []
      const action = words.map((word) => scanned(word).value).join(' ') as ReferentialAction
      const columns = children.nameList?.[0]
      if (scanned(only(children.event)).value === 'delete') {
        onDelete = action
        onDeleteColumns = this.names(columns)
      } else {
        if (columns !== undefined) throw this.unexpected(spanOf(columns).start)
        onUpdate = action
      }
    }
    return {
      table: qualifiedName(only(name)),
      referenced: this.names(nameList?.[0]),
      match: has(Full) ? 'full' : has(Partial) ? 'partial' : 'simple',
      onDelete,
      onUpdate,
      onDeleteColumns,
    }
  }

  protected createIndex(node: CreateIndexCst, span: CreateIndex['span']): CreateIndex {
    const { Unique, Concurrently, ifNotExists, indexName, qualifiedName: table } = node.children
    const { method, indexItem, nameList, whereClause } = node.children
    const name = indexName?.[0]
    const access = method?.[0]
    const where = whereClause?.[0]
    if (has(ifNotExists) && name === undefined) throw this.unexpected(only(node.children.On).startOffset)
    return {
      kind: 'createIndex',
      name: name === undefined ? null : identifier(name),
      table: qualifiedName(only(table)),
      unique: has(Unique),
      nullsNotDistinct: alikeNulls(node.children.nullsTreatment),
      concurrently: has(Concurrently),
      ifNotExists: has(ifNotExists),
      method: access === undefined ? null : identifier(access),
      columns: indexItem.map((item) => this.#indexColumn(item)),
      include: this.names(nameList?.[0]),
      where: where === undefined ? null : this.expression(only(where.children.expression)),
      span,
    }
  }

  #indexColumn(node: IndexItemCst): CreateIndex['columns'][number] {
    const { expression, operatorClass, Desc, First, Last } = node.children
    const descending = has(Desc)
    const named = operatorClass?.[0]
    return {
      expression: this.expression(only(expression)),
      operatorClass: named === undefined ? null : identifier(named),
      descending,
      nulls: has(First) ? 'first' : has(Last) ? 'last' : descending ? 'first' : 'last',
      span: spanOf(node),
    }
  }
}

const alikeNulls = (node: readonly NullsTreatmentCst[] | undefined): boolean => has(node?.[0]?.children.Not)
