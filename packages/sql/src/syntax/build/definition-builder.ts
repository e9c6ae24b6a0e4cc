import { SQLSTATE, sqlError } from '../../errors.ts'
import type {
  AlterDomain,
  AlterEnum,
  AlterObject,
  AlterSequence,
  AlterTable,
  AttributeChange,
  ColumnAction,
  Comment,
  CreateComposite,
  CreateEnum,
  CreateMaterializedView,
  CreateSchema,
  CreateTableExecute,
  CreateView,
  Definition,
  Drop,
  ObjectChange,
  ObjectKind,
  SchemaElement,
  SequenceOption,
  Span,
  TableChange,
} from '../ast.ts'
import type {
  AlterCst,
  AlterDomainCst,
  AlterObjectCst,
  AlterSequenceCst,
  AlterTypeCst,
  AttributeChangeCst,
  CommentCst,
  CreateCst,
  CreateMaterializedViewCst,
  CreateSchemaCst,
  CreateTypeCst,
  CreateViewCst,
  DropCst,
  ObjectChangeCst,
  TruncateCst,
} from '../cst/definition.ts'
import type {
  AdditionCst,
  AlterTableCst,
  ColumnActionCst,
  ColumnChangeCst,
  RemovalCst,
  RenamingCst,
  TableChangeCst,
} from '../cst/table.ts'
import { viewOptions } from '../view-options.ts'
import { TableBuilder } from './table-builder.ts'
import { has, identifier, only, qualifiedName, scanned, spanOf } from './tree.ts'

const textOf = (token: Parameters<typeof scanned>[0]): string => scanned(token).value

/** In this order, whatever order they are written in, as in PostgreSQL. */
const ELEMENTS: readonly string[] = ['createSequence', 'createTable', 'createView', 'createIndex']

const isElement = (made: { readonly kind: string }): made is SchemaElement => ELEMENTS.includes(made.kind)

const inOrder = (elements: readonly SchemaElement[]): readonly SchemaElement[] =>
  ELEMENTS.flatMap((kind) => elements.filter((element) => element.kind === kind))

/** The statements that make, change and remove objects of the catalog. */
export class DefinitionBuilder extends TableBuilder {
  protected create(node: CreateCst): Definition | CreateTableExecute {
    const { Or, Temp, Temporary, createTable, createIndex, createView } = node.children
    const { createMaterializedView, createSequence, createSchema, createType, createDomain } = node.children
    const temporary = has(Temp) || has(Temporary)
    const span = spanOf(node)
    if (has(Or) && createView === undefined) throw this.unexpected(only(Or).startOffset)
    if (createTable !== undefined) return this.createTable(only(createTable), temporary, span)
    if (createView !== undefined) return this.#view(only(createView), temporary, has(Or), span)
    if (createSequence !== undefined) {
      const { ifNotExists, qualifiedName: name, sequenceOption = [] } = only(createSequence).children
      return {
        kind: 'createSequence',
        name: qualifiedName(only(name)),
        ifNotExists: has(ifNotExists),
        temporary,
        options: sequenceOption.map((option) => this.sequenceOption(option)),
        span,
      }
    }
    const mark = Temp ?? Temporary
    if (mark !== undefined) throw this.unexpected(only(mark).startOffset)
    if (createIndex !== undefined) return this.createIndex(only(createIndex), span)
    if (createMaterializedView !== undefined)
      return this.#materializedView(only(createMaterializedView), span)
    if (createSchema !== undefined) return this.#schema(only(createSchema), span)
    if (createType !== undefined) return this.#type(only(createType), span)
    const { qualifiedName: name, typeName, columnConstraint = [] } = only(createDomain).children
    return {
      kind: 'createDomain',
      name: qualifiedName(only(name)),
      type: this.typeName(only(typeName)),
      constraints: this.columnConstraints(columnConstraint),
      span,
    }
  }

  #view(node: CreateViewCst, temporary: boolean, orReplace: boolean, span: Span): CreateView {
    const { qualifiedName: name, nameList, query: body, Recursive, Local, Check, optionList } = node.children
    const query = this.query(only(body))
    const given = optionList?.[0]
    const { checkOption } = viewOptions(given === undefined ? [] : this.options(given))
    return {
      kind: 'createView',
      name: qualifiedName(only(name)),
      orReplace,
      temporary,
      recursive: has(Recursive),
      columns: this.names(nameList?.[0]),
      query,
      text: this.source.slice(query.span.start, query.span.end),
      checkOption: has(Check) ? (has(Local) ? 'local' : 'cascaded') : checkOption,
      span,
    }
  }

  #materializedView(node: CreateMaterializedViewCst, span: Span): CreateMaterializedView {
    const { ifNotExists, qualifiedName: name, nameList, query: body, withData } = node.children
    const query = this.query(only(body))
    const end = withData?.[0]
    return {
      kind: 'createMaterializedView',
      name: qualifiedName(only(name)),
      ifNotExists: has(ifNotExists),
      columns: this.names(nameList?.[0]),
      query,
      text: this.source.slice(query.span.start, query.span.end),
      withData: end === undefined || !has(end.children.No),
      span,
    }
  }

  #schema(node: CreateSchemaCst, span: Span): CreateSchema {
    const { ifNotExists, ColumnId, owner, create = [] } = node.children
    const name = ColumnId?.[0] ?? owner?.[0]
    if (name === undefined) throw this.unexpected(span.end)
    const role = owner?.[0]
    return {
      kind: 'createSchema',
      name: identifier(name),
      owner: role === undefined ? null : identifier(role),
      ifNotExists: has(ifNotExists),
      elements: inOrder(create.map((element) => this.#element(element))),
      span,
    }
  }

  #element(node: CreateCst): SchemaElement {
    const made = this.create(node)
    if (isElement(made)) return made
    throw sqlError(
      SQLSTATE.featureNotSupported,
      'CREATE SCHEMA makes tables, views, indexes and sequences alone',
    )
  }

  #type(node: CreateTypeCst, span: Span): CreateEnum | CreateComposite {
    const { qualifiedName: name, StringLiteral = [], fieldDefinitions } = node.children
    const given = fieldDefinitions?.[0]
    if (given !== undefined)
      return {
        kind: 'createComposite',
        name: qualifiedName(only(name)),
        fields: this.fieldDefinitions(given),
        span,
      }
    return { kind: 'createEnum', name: qualifiedName(only(name)), labels: StringLiteral.map(textOf), span }
  }

  protected alter(node: AlterCst): Definition {
    const { alterTable, alterSequence, alterType, alterDomain, alterObject } = node.children
    const span = spanOf(node)
    if (alterTable !== undefined) return this.#alterTable(only(alterTable), span)
    if (alterSequence !== undefined) return this.#alterSequence(only(alterSequence), span)
    if (alterType !== undefined) {
      const { qualifiedName: name, attributeChange } = only(alterType).children
      if (attributeChange === undefined) return this.#alterEnum(only(alterType), span)
      const changes = attributeChange.map((one) => this.#attributeChange(one))
      return { kind: 'alterComposite', name: qualifiedName(only(name)), changes, span }
    }
    if (alterDomain !== undefined) return this.#alterDomain(only(alterDomain), span)
    return this.#alterObject(only(alterObject), span)
  }

  #alterTable(node: AlterTableCst, span: Span): AlterTable {
    const { ifExists, qualifiedName: table, tableChange } = node.children
    return {
      kind: 'alterTable',
      table: qualifiedName(only(table)),
      ifExists: has(ifExists),
      changes: tableChange.map((change) => this.#tableChange(change)),
      span,
    }
  }

  #tableChange(node: TableChangeCst): TableChange {
    const { addition, removal, columnChange, renaming, Validate, ColumnId, schemaName } = node.children
    const { optionList } = node.children
    const span = spanOf(node)
    if (addition !== undefined) return this.#addition(only(addition))
    if (removal !== undefined) return this.#removal(only(removal))
    if (columnChange !== undefined) return this.#columnChange(only(columnChange))
    if (renaming !== undefined) return { ...this.#renaming(only(renaming)), span }
    if (has(Validate)) return { kind: 'validateConstraint', name: identifier(only(ColumnId)), span }
    if (schemaName !== undefined) return { kind: 'setSchema', schema: identifier(only(schemaName)), span }
    if (optionList !== undefined) return { kind: 'setOptions', options: this.options(only(optionList)), span }
    return { kind: 'owner', span }
  }

  #addition(node: AdditionCst): TableChange {
    const { tableConstraint, ifNotExists, columnDefinition } = node.children
    const span = spanOf(node)
    const constraint = tableConstraint?.[0]
    if (constraint !== undefined)
      return { kind: 'addConstraint', constraint: this.tableConstraint(constraint), span }
    const column = this.column(only(columnDefinition))
    return { kind: 'addColumn', column, ifNotExists: has(ifNotExists), span }
  }

  #removal(node: RemovalCst): TableChange {
    const { Constraint, ifExists, ColumnId, behaviour } = node.children
    return {
      kind: has(Constraint) ? 'dropConstraint' : 'dropColumn',
      name: identifier(only(ColumnId)),
      ifExists: has(ifExists),
      cascade: has(behaviour?.[0]?.children.Cascade),
      span: spanOf(node),
    }
  }

  #renaming(node: RenamingCst):
    | { readonly kind: 'rename'; readonly to: ReturnType<typeof identifier> }
    | {
        readonly kind: 'renameColumn' | 'renameConstraint'
        readonly from: ReturnType<typeof identifier>
        readonly to: ReturnType<typeof identifier>
      } {
    const { Constraint, from, to } = node.children
    const before = from?.[0]
    const after = identifier(only(to))
    if (before === undefined) return { kind: 'rename', to: after }
    return {
      kind: has(Constraint) ? 'renameConstraint' : 'renameColumn',
      from: identifier(before),
      to: after,
    }
  }

  #columnChange(node: ColumnChangeCst): TableChange {
    const { Constraint, ColumnId, constraintAttribute = [], columnAction } = node.children
    const span = spanOf(node)
    const name = identifier(only(ColumnId))
    if (has(Constraint))
      return { kind: 'alterConstraint', name, deferral: this.attributes(constraintAttribute), span }
    return { kind: 'alterColumn', column: name, action: this.#columnAction(only(columnAction)), span }
  }

  #columnAction(node: ColumnActionCst): ColumnAction {
    const { Drop, Default, Not, Identity, ifExists, generatedClause, retyping } = node.children
    if (has(Drop)) {
      if (has(Default)) return { kind: 'dropDefault' }
      if (has(Not)) return { kind: 'dropNotNull' }
      return { kind: has(Identity) ? 'dropIdentity' : 'dropExpression', ifExists: has(ifExists) }
    }
    if (generatedClause !== undefined) {
      const made = this.generated(only(generatedClause))
      if (made.kind === 'generated') throw this.unexpected(spanOf(only(generatedClause)).start)
      return { kind: 'addIdentity', always: made.always, options: made.options }
    }
    if (retyping !== undefined) return this.#retyping(only(retyping))
    return this.#columnSettings(node)
  }

  #retyping({ children }: NonNullable<ColumnActionCst['children']['retyping']>[number]): ColumnAction {
    const { typeName, expression } = children
    const using = expression?.[0]
    return {
      kind: 'type',
      type: this.typeName(only(typeName)),
      using: using === undefined ? null : this.expression(using),
    }
  }

  /** SET …, several of them only for an identity column. */
  #columnSettings({ children: { columnSetting = [] } }: ColumnActionCst): ColumnAction {
    let always: boolean | null = null
    const options: SequenceOption[] = []
    for (const setting of columnSetting) {
      const { Restart, signedNumber, Default, expression, Not, retyping } = setting.children
      const { generatedWhen, Statistics, Storage, sequenceOption } = setting.children
      const single: ColumnAction | null = has(Default)
        ? { kind: 'setDefault', expression: this.expression(only(expression)) }
        : has(Not)
          ? { kind: 'setNotNull' }
          : retyping !== undefined
            ? this.#retyping(only(retyping))
            : has(Statistics) || has(Storage)
              ? { kind: 'hint' }
              : null
      if (single !== null) {
        if (columnSetting.length > 1) throw this.unexpected(spanOf(only(columnSetting.slice(1))).start)
        return single
      }
      if (generatedWhen !== undefined) always = has(only(generatedWhen).children.Always)
      else if (has(Restart)) {
        const number = signedNumber?.[0]
        const value =
          number === undefined ? null : this.source.slice(spanOf(number).start, spanOf(number).end)
        options.push({ kind: 'restart', value, span: spanOf(setting) })
      } else options.push(this.sequenceOption(only(sequenceOption)))
    }
    return { kind: 'setIdentity', always, options }
  }

  #objectChange(node: ObjectChangeCst): ObjectChange {
    const { renaming, ColumnId } = node.children
    const schema = ColumnId?.[0]
    if (renaming !== undefined) {
      const renamed = this.#renaming(only(renaming))
      if (renamed.kind !== 'rename') throw this.unexpected(spanOf(only(renaming)).start)
      return renamed
    }
    return schema === undefined ? { kind: 'owner' } : { kind: 'setSchema', schema: identifier(schema) }
  }

  #alterSequence(node: AlterSequenceCst, span: Span): AlterSequence {
    const { ifExists, qualifiedName: name, objectChange, sequenceOption = [] } = node.children
    const change = objectChange?.[0]
    return {
      kind: 'alterSequence',
      name: qualifiedName(only(name)),
      ifExists: has(ifExists),
      change:
        change === undefined
          ? { kind: 'options', options: sequenceOption.map((option) => this.sequenceOption(option)) }
          : this.#objectChange(change),
      span,
    }
  }

  #attributeChange({ children }: AttributeChangeCst): AttributeChange {
    const { fieldDefinition, Drop, ifExists, ColumnId = [], typeName } = children
    const field = fieldDefinition?.[0]?.children
    if (field !== undefined)
      return {
        kind: 'add',
        field: { name: identifier(only(field.ColumnId)), type: this.typeName(only(field.typeName)) },
      }
    const [name, to] = ColumnId.map(identifier)
    if (name === undefined) throw new TypeError('a change of an attribute without its name')
    if (has(Drop)) return { kind: 'drop', name, ifExists: has(ifExists) }
    if (to !== undefined) return { kind: 'rename', name, to }
    return { kind: 'type', name, type: this.typeName(only(typeName)) }
  }

  #alterEnum(node: AlterTypeCst, span: Span): AlterEnum {
    const { qualifiedName: named, Add, ifNotExists, added, Before, neighbour, from, to } = node.children
    const { objectChange } = node.children
    const name = qualifiedName(only(named))
    if (has(Add)) {
      const other = neighbour?.[0]
      const side = has(Before) ? 'before' : 'after'
      const place = other === undefined ? null : ({ side, neighbour: textOf(other) } as const)
      const value = textOf(only(added))
      const change = { kind: 'addValue', value, ifNotExists: has(ifNotExists), place } as const
      return { kind: 'alterEnum', name, change, span }
    }
    if (from !== undefined) {
      const change = { kind: 'renameValue', from: textOf(only(from)), to: textOf(only(to)) } as const
      return { kind: 'alterEnum', name, change, span }
    }
    return { kind: 'alterEnum', name, change: this.#objectChange(only(objectChange)), span }
  }

  #alterDomain(node: AlterDomainCst, span: Span): AlterDomain {
    return {
      kind: 'alterDomain',
      name: qualifiedName(only(node.children.qualifiedName)),
      change: this.#domainChange(node),
      span,
    }
  }

  #domainChange({ children }: AlterDomainCst): AlterDomain['change'] {
    const { Set: set, Drop: drop, Default, Not, expression, Constraint, ifExists, ColumnId } = children
    const { tableConstraint, objectChange } = children
    if (objectChange !== undefined) return this.#objectChange(only(objectChange))
    if (tableConstraint !== undefined)
      return { kind: 'addConstraint', constraint: this.tableConstraint(only(tableConstraint)) }
    if (has(set))
      return has(Not)
        ? { kind: 'setNotNull' }
        : { kind: 'setDefault', expression: this.expression(only(expression)) }
    if (has(drop) && has(Constraint))
      return { kind: 'dropConstraint', name: identifier(only(ColumnId)), ifExists: has(ifExists) }
    return { kind: has(Default) ? 'dropDefault' : 'dropNotNull' }
  }

  #alterObject(node: AlterObjectCst, span: Span): AlterObject {
    const { Index, Materialized, Schema, ifExists, qualifiedName: name, objectChange } = node.children
    const object = has(Index)
      ? 'index'
      : has(Schema)
        ? 'schema'
        : has(Materialized)
          ? 'materialized view'
          : 'view'
    return {
      kind: 'alterObject',
      object,
      name: qualifiedName(only(name)),
      ifExists: has(ifExists),
      change: this.#objectChange(only(objectChange)),
      span,
    }
  }

  protected drop(node: DropCst): Drop {
    const { ifExists, qualifiedName: names, behaviour } = node.children
    return {
      kind: 'drop',
      object: objectOf(node.children),
      names: names.map(qualifiedName),
      ifExists: has(ifExists),
      cascade: has(behaviour?.[0]?.children.Cascade),
      span: spanOf(node),
    }
  }

  protected truncate(node: TruncateCst): Definition {
    const { qualifiedName: tables, Restart, behaviour } = node.children
    return {
      kind: 'truncate',
      tables: tables.map(qualifiedName),
      restartIdentity: has(Restart),
      cascade: has(behaviour?.[0]?.children.Cascade),
      span: spanOf(node),
    }
  }

  protected comment(node: CommentCst): Comment {
    const { Column, Database, Constraint, ColumnId, qualifiedName: name, StringLiteral } = node.children
    const text = StringLiteral?.[0]
    const constraint = ColumnId?.[0]
    return {
      kind: 'comment',
      object: has(Column)
        ? 'column'
        : has(Database)
          ? 'database'
          : has(Constraint)
            ? 'constraint'
            : objectOf(node.children),
      name: qualifiedName(only(name)),
      constraint: constraint === undefined ? null : identifier(constraint),
      text: text === undefined ? null : textOf(text),
      span: spanOf(node),
    }
  }
}

type Words = Partial<
  Record<
    'Table' | 'Index' | 'View' | 'Materialized' | 'Sequence' | 'Type' | 'Domain' | 'Schema',
    readonly unknown[]
  >
>

function objectOf(words: Words): ObjectKind {
  if (has(words.Table)) return 'table'
  if (has(words.Index)) return 'index'
  if (has(words.Materialized)) return 'materialized view'
  if (has(words.View)) return 'view'
  if (has(words.Sequence)) return 'sequence'
  if (has(words.Type)) return 'type'
  return has(words.Domain) ? 'domain' : 'schema'
}
