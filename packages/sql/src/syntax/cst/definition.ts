// Made from the grammar; the test of these types says how to make it again.
import type { IToken } from 'chevrotain'
import type {
  ExpressionCst,
  FieldDefinitionCst,
  FieldDefinitionsCst,
  NameListCst,
  QualifiedNameCst,
  TypeNameCst,
} from './expression.ts'
import type { Cst } from './node.ts'
import type { QueryCst } from './query.ts'
import type {
  AlterTableCst,
  BehaviourCst,
  ChangeOfOwnerCst,
  ColumnConstraintCst,
  CreateIndexCst,
  CreateTableCst,
  IfExistsCst,
  IfNotExistsCst,
  OptionListCst,
  RenamingCst,
  SequenceOptionCst,
  TableConstraintCst,
  WithDataCst,
} from './table.ts'

export type CreateCst = Cst<{
  readonly Create: readonly IToken[]
  readonly Or?: readonly IToken[]
  readonly Replace?: readonly IToken[]
  readonly Temp?: readonly IToken[]
  readonly Temporary?: readonly IToken[]
  readonly createTable?: readonly CreateTableCst[]
  readonly createIndex?: readonly CreateIndexCst[]
  readonly createView?: readonly CreateViewCst[]
  readonly createMaterializedView?: readonly CreateMaterializedViewCst[]
  readonly createSequence?: readonly CreateSequenceCst[]
  readonly createSchema?: readonly CreateSchemaCst[]
  readonly createType?: readonly CreateTypeCst[]
  readonly createDomain?: readonly CreateDomainCst[]
}>

export type CreateViewCst = Cst<{
  readonly Recursive?: readonly IToken[]
  readonly View: readonly IToken[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly nameList?: readonly NameListCst[]
  readonly With?: readonly IToken[]
  readonly optionList?: readonly OptionListCst[]
  readonly As: readonly IToken[]
  readonly query: readonly QueryCst[]
  readonly Local?: readonly IToken[]
  readonly Cascaded?: readonly IToken[]
  readonly Check?: readonly IToken[]
  readonly Option?: readonly IToken[]
}>

export type CreateMaterializedViewCst = Cst<{
  readonly Materialized: readonly IToken[]
  readonly View: readonly IToken[]
  readonly ifNotExists?: readonly IfNotExistsCst[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly nameList?: readonly NameListCst[]
  readonly As: readonly IToken[]
  readonly query: readonly QueryCst[]
  readonly withData?: readonly WithDataCst[]
}>

export type CreateSequenceCst = Cst<{
  readonly Sequence: readonly IToken[]
  readonly ifNotExists?: readonly IfNotExistsCst[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly sequenceOption?: readonly SequenceOptionCst[]
}>

export type CreateSchemaCst = Cst<{
  readonly Schema: readonly IToken[]
  readonly ifNotExists?: readonly IfNotExistsCst[]
  readonly ColumnId?: readonly IToken[]
  readonly Authorization?: readonly IToken[]
  readonly owner?: readonly IToken[]
  readonly CurrentUser?: readonly IToken[]
  readonly create?: readonly CreateCst[]
}>

export type CreateTypeCst = Cst<{
  readonly Type: readonly IToken[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly As: readonly IToken[]
  readonly Enum?: readonly IToken[]
  readonly LParen?: readonly IToken[]
  readonly StringLiteral?: readonly IToken[]
  readonly Comma?: readonly IToken[]
  readonly RParen?: readonly IToken[]
  readonly fieldDefinitions?: readonly FieldDefinitionsCst[]
}>

export type CreateDomainCst = Cst<{
  readonly Domain: readonly IToken[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly As?: readonly IToken[]
  readonly typeName: readonly TypeNameCst[]
  readonly columnConstraint?: readonly ColumnConstraintCst[]
}>

export type AlterCst = Cst<{
  readonly Alter: readonly IToken[]
  readonly alterTable?: readonly AlterTableCst[]
  readonly alterSequence?: readonly AlterSequenceCst[]
  readonly alterType?: readonly AlterTypeCst[]
  readonly alterDomain?: readonly AlterDomainCst[]
  readonly alterObject?: readonly AlterObjectCst[]
}>

export type AlterSequenceCst = Cst<{
  readonly Sequence: readonly IToken[]
  readonly ifExists?: readonly IfExistsCst[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly objectChange?: readonly ObjectChangeCst[]
  readonly sequenceOption?: readonly SequenceOptionCst[]
}>

export type AlterTypeCst = Cst<{
  readonly Type: readonly IToken[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly attributeChange?: readonly AttributeChangeCst[]
  readonly Comma?: readonly IToken[]
  readonly Add?: readonly IToken[]
  readonly Value?: readonly IToken[]
  readonly ifNotExists?: readonly IfNotExistsCst[]
  readonly added?: readonly IToken[]
  readonly Before?: readonly IToken[]
  readonly After?: readonly IToken[]
  readonly neighbour?: readonly IToken[]
  readonly Rename?: readonly IToken[]
  readonly from?: readonly IToken[]
  readonly To?: readonly IToken[]
  readonly to?: readonly IToken[]
  readonly objectChange?: readonly ObjectChangeCst[]
}>

export type AttributeChangeCst = Cst<{
  readonly Add?: readonly IToken[]
  readonly Attribute?: readonly IToken[]
  readonly fieldDefinition?: readonly FieldDefinitionCst[]
  readonly Drop?: readonly IToken[]
  readonly ifExists?: readonly IfExistsCst[]
  readonly ColumnId?: readonly IToken[]
  readonly Alter?: readonly IToken[]
  readonly Set?: readonly IToken[]
  readonly Data?: readonly IToken[]
  readonly Type?: readonly IToken[]
  readonly typeName?: readonly TypeNameCst[]
  readonly Rename?: readonly IToken[]
  readonly To?: readonly IToken[]
  readonly behaviour?: readonly BehaviourCst[]
}>

export type AlterDomainCst = Cst<{
  readonly Domain: readonly IToken[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly Set?: readonly IToken[]
  readonly Default?: readonly IToken[]
  readonly expression?: readonly ExpressionCst[]
  readonly Not?: readonly IToken[]
  readonly Null?: readonly IToken[]
  readonly Drop?: readonly IToken[]
  readonly Constraint?: readonly IToken[]
  readonly ifExists?: readonly IfExistsCst[]
  readonly ColumnId?: readonly IToken[]
  readonly behaviour?: readonly BehaviourCst[]
  readonly Add?: readonly IToken[]
  readonly tableConstraint?: readonly TableConstraintCst[]
  readonly objectChange?: readonly ObjectChangeCst[]
}>

export type AlterObjectCst = Cst<{
  readonly Index?: readonly IToken[]
  readonly View?: readonly IToken[]
  readonly Materialized?: readonly IToken[]
  readonly Schema?: readonly IToken[]
  readonly ifExists?: readonly IfExistsCst[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly objectChange: readonly ObjectChangeCst[]
}>

export type ObjectChangeCst = Cst<{
  readonly renaming?: readonly RenamingCst[]
  readonly changeOfOwner?: readonly ChangeOfOwnerCst[]
  readonly Set?: readonly IToken[]
  readonly Schema?: readonly IToken[]
  readonly ColumnId?: readonly IToken[]
}>

export type DropCst = Cst<{
  readonly Drop: readonly IToken[]
  readonly Table?: readonly IToken[]
  readonly Index?: readonly IToken[]
  readonly Concurrently?: readonly IToken[]
  readonly View?: readonly IToken[]
  readonly Materialized?: readonly IToken[]
  readonly Sequence?: readonly IToken[]
  readonly Type?: readonly IToken[]
  readonly Domain?: readonly IToken[]
  readonly Schema?: readonly IToken[]
  readonly ifExists?: readonly IfExistsCst[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly Comma?: readonly IToken[]
  readonly behaviour?: readonly BehaviourCst[]
}>

export type TruncateCst = Cst<{
  readonly Truncate: readonly IToken[]
  readonly Table?: readonly IToken[]
  readonly Only?: readonly IToken[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly Comma?: readonly IToken[]
  readonly Restart?: readonly IToken[]
  readonly Continue?: readonly IToken[]
  readonly Identity?: readonly IToken[]
  readonly behaviour?: readonly BehaviourCst[]
}>

export type RefreshCst = Cst<{
  readonly Refresh: readonly IToken[]
  readonly Materialized: readonly IToken[]
  readonly View: readonly IToken[]
  readonly Concurrently?: readonly IToken[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly withData?: readonly WithDataCst[]
}>

export type CommentCst = Cst<{
  readonly Comment: readonly IToken[]
  readonly On: readonly IToken[]
  readonly Table?: readonly IToken[]
  readonly Column?: readonly IToken[]
  readonly Index?: readonly IToken[]
  readonly View?: readonly IToken[]
  readonly Materialized?: readonly IToken[]
  readonly Sequence?: readonly IToken[]
  readonly Schema?: readonly IToken[]
  readonly Type?: readonly IToken[]
  readonly Domain?: readonly IToken[]
  readonly Database?: readonly IToken[]
  readonly Constraint?: readonly IToken[]
  readonly ColumnId?: readonly IToken[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly Is: readonly IToken[]
  readonly StringLiteral?: readonly IToken[]
  readonly Null?: readonly IToken[]
}>
