// Made from the grammar; the test of these types says how to make it again.
import type { IToken } from 'chevrotain'
import type {
  ExpressionCst,
  ExpressionListCst,
  NameListCst,
  QualifiedNameCst,
  TypeNameCst,
} from './expression.ts'
import type { Cst } from './node.ts'
import type { QueryCst, WhereClauseCst } from './query.ts'

export type IfNotExistsCst = Cst<{
  readonly If: readonly IToken[]
  readonly Not: readonly IToken[]
  readonly Exists: readonly IToken[]
}>

export type IfExistsCst = Cst<{ readonly If: readonly IToken[]; readonly Exists: readonly IToken[] }>

export type CreateTableCst = Cst<{
  readonly Unlogged?: readonly IToken[]
  readonly Table: readonly IToken[]
  readonly ifNotExists?: readonly IfNotExistsCst[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly tableElements?: readonly TableElementsCst[]
  readonly tableClause?: readonly TableClauseCst[]
  readonly As?: readonly IToken[]
  readonly execute?: readonly ExecuteCst[]
  readonly query?: readonly QueryCst[]
  readonly withData?: readonly WithDataCst[]
}>

export type ExecuteCst = Cst<{
  readonly Execute: readonly IToken[]
  readonly ColumnId: readonly IToken[]
  readonly LParen?: readonly IToken[]
  readonly expressionList?: readonly ExpressionListCst[]
  readonly RParen?: readonly IToken[]
}>

export type WithDataCst = Cst<{
  readonly With: readonly IToken[]
  readonly No?: readonly IToken[]
  readonly Data: readonly IToken[]
}>

export type TableClauseCst = Cst<{
  readonly With?: readonly IToken[]
  readonly optionList?: readonly OptionListCst[]
  readonly Distributed?: readonly IToken[]
  readonly By?: readonly IToken[]
  readonly nameList?: readonly NameListCst[]
  readonly Inherits?: readonly IToken[]
  readonly On?: readonly IToken[]
  readonly Commit?: readonly IToken[]
  readonly Drop?: readonly IToken[]
  readonly Delete?: readonly IToken[]
  readonly Preserve?: readonly IToken[]
  readonly Rows?: readonly IToken[]
}>

export type TableElementsCst = Cst<{
  readonly LParen: readonly IToken[]
  readonly tableConstraint?: readonly TableConstraintCst[]
  readonly likeClause?: readonly LikeClauseCst[]
  readonly columnDefinition?: readonly ColumnDefinitionCst[]
  readonly Comma?: readonly IToken[]
  readonly RParen: readonly IToken[]
}>

export type LikeClauseCst = Cst<{
  readonly Like: readonly IToken[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly likeOption?: readonly LikeOptionCst[]
}>

export type LikeOptionCst = Cst<{
  readonly Including?: readonly IToken[]
  readonly Excluding?: readonly IToken[]
  readonly Label: readonly IToken[]
}>

export type ColumnDefinitionCst = Cst<{
  readonly ColumnId: readonly IToken[]
  readonly typeName?: readonly TypeNameCst[]
  readonly columnConstraint?: readonly ColumnConstraintCst[]
}>

export type ConstraintNameCst = Cst<{
  readonly Constraint: readonly IToken[]
  readonly ColumnId: readonly IToken[]
}>

export type ColumnConstraintCst = Cst<{
  readonly constraintName?: readonly ConstraintNameCst[]
  readonly Not?: readonly IToken[]
  readonly Null?: readonly IToken[]
  readonly Deferrable?: readonly IToken[]
  readonly Primary?: readonly IToken[]
  readonly Key?: readonly IToken[]
  readonly Unique?: readonly IToken[]
  readonly nullsTreatment?: readonly NullsTreatmentCst[]
  readonly Default?: readonly IToken[]
  readonly expression?: readonly ExpressionCst[]
  readonly generatedClause?: readonly GeneratedClauseCst[]
  readonly checkConstraint?: readonly CheckConstraintCst[]
  readonly referencesClause?: readonly ReferencesClauseCst[]
  readonly initially?: readonly InitiallyCst[]
  readonly Collate?: readonly IToken[]
  readonly qualifiedName?: readonly QualifiedNameCst[]
}>

export type InitiallyCst = Cst<{
  readonly Initially: readonly IToken[]
  readonly Deferred?: readonly IToken[]
  readonly Immediate?: readonly IToken[]
}>

export type GeneratedClauseCst = Cst<{
  readonly Generated: readonly IToken[]
  readonly generatedWhen: readonly GeneratedWhenCst[]
  readonly As: readonly IToken[]
  readonly Identity?: readonly IToken[]
  readonly identityOptions?: readonly IdentityOptionsCst[]
  readonly LParen?: readonly IToken[]
  readonly expression?: readonly ExpressionCst[]
  readonly RParen?: readonly IToken[]
  readonly Stored?: readonly IToken[]
}>

export type GeneratedWhenCst = Cst<{
  readonly Always?: readonly IToken[]
  readonly By?: readonly IToken[]
  readonly Default?: readonly IToken[]
}>

export type IdentityOptionsCst = Cst<{
  readonly LParen: readonly IToken[]
  readonly sequenceOption: readonly SequenceOptionCst[]
  readonly RParen: readonly IToken[]
}>

export type SequenceOptionCst = Cst<{
  readonly As?: readonly IToken[]
  readonly typeName?: readonly TypeNameCst[]
  readonly Increment?: readonly IToken[]
  readonly By?: readonly IToken[]
  readonly signedNumber?: readonly SignedNumberCst[]
  readonly Minvalue?: readonly IToken[]
  readonly Maxvalue?: readonly IToken[]
  readonly No?: readonly IToken[]
  readonly Cycle?: readonly IToken[]
  readonly Start?: readonly IToken[]
  readonly With?: readonly IToken[]
  readonly Restart?: readonly IToken[]
  readonly Cache?: readonly IToken[]
  readonly Owned?: readonly IToken[]
  readonly qualifiedName?: readonly QualifiedNameCst[]
  readonly Sequence?: readonly IToken[]
  readonly nameWord?: readonly IToken[]
}>

export type SignedNumberCst = Cst<{
  readonly Plus?: readonly IToken[]
  readonly Minus?: readonly IToken[]
  readonly NumberLiteral: readonly IToken[]
}>

export type CheckConstraintCst = Cst<{
  readonly Check: readonly IToken[]
  readonly LParen: readonly IToken[]
  readonly expression: readonly ExpressionCst[]
  readonly RParen: readonly IToken[]
  readonly No?: readonly IToken[]
  readonly Inherit?: readonly IToken[]
}>

export type ReferencesClauseCst = Cst<{
  readonly References: readonly IToken[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly nameList?: readonly NameListCst[]
  readonly Match?: readonly IToken[]
  readonly Full?: readonly IToken[]
  readonly Simple?: readonly IToken[]
  readonly Partial?: readonly IToken[]
  readonly referentialAction?: readonly ReferentialActionCst[]
}>

export type ReferentialActionCst = Cst<{
  readonly On: readonly IToken[]
  readonly event?: readonly IToken[]
  readonly action?: readonly IToken[]
  readonly nameList?: readonly NameListCst[]
}>

export type TableConstraintCst = Cst<{
  readonly constraintName?: readonly ConstraintNameCst[]
  readonly Primary?: readonly IToken[]
  readonly Key?: readonly IToken[]
  readonly nameList?: readonly NameListCst[]
  readonly Unique?: readonly IToken[]
  readonly nullsTreatment?: readonly NullsTreatmentCst[]
  readonly checkConstraint?: readonly CheckConstraintCst[]
  readonly Foreign?: readonly IToken[]
  readonly referencesClause?: readonly ReferencesClauseCst[]
  readonly constraintAttribute?: readonly ConstraintAttributeCst[]
}>

export type ConstraintAttributeCst = Cst<{
  readonly Not?: readonly IToken[]
  readonly Deferrable?: readonly IToken[]
  readonly Valid?: readonly IToken[]
  readonly initially?: readonly InitiallyCst[]
  readonly Include?: readonly IToken[]
  readonly nameList?: readonly NameListCst[]
}>

export type OptionListCst = Cst<{
  readonly LParen: readonly IToken[]
  readonly storageOption: readonly StorageOptionCst[]
  readonly Comma?: readonly IToken[]
  readonly RParen: readonly IToken[]
}>

export type StorageOptionCst = Cst<{
  readonly Label: readonly IToken[]
  readonly Equals?: readonly IToken[]
  readonly settingValue?: readonly SettingValueCst[]
}>

export type SettingValueCst = Cst<{
  readonly Minus?: readonly IToken[]
  readonly NumberLiteral?: readonly IToken[]
  readonly Literal?: readonly IToken[]
  readonly Label?: readonly IToken[]
}>

export type CreateIndexCst = Cst<{
  readonly Unique?: readonly IToken[]
  readonly Index: readonly IToken[]
  readonly Concurrently?: readonly IToken[]
  readonly ifNotExists?: readonly IfNotExistsCst[]
  readonly indexName?: readonly IToken[]
  readonly On: readonly IToken[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly Using?: readonly IToken[]
  readonly method?: readonly IToken[]
  readonly LParen: readonly IToken[]
  readonly indexItem: readonly IndexItemCst[]
  readonly Comma?: readonly IToken[]
  readonly RParen: readonly IToken[]
  readonly Include?: readonly IToken[]
  readonly nameList?: readonly NameListCst[]
  readonly nullsTreatment?: readonly NullsTreatmentCst[]
  readonly With?: readonly IToken[]
  readonly optionList?: readonly OptionListCst[]
  readonly whereClause?: readonly WhereClauseCst[]
}>

export type NullsTreatmentCst = Cst<{
  readonly Nulls: readonly IToken[]
  readonly Not?: readonly IToken[]
  readonly Distinct: readonly IToken[]
}>

export type IndexItemCst = Cst<{
  readonly expression: readonly ExpressionCst[]
  readonly operatorClass?: readonly IToken[]
  readonly Asc?: readonly IToken[]
  readonly Desc?: readonly IToken[]
  readonly Nulls?: readonly IToken[]
  readonly First?: readonly IToken[]
  readonly Last?: readonly IToken[]
}>

export type AlterTableCst = Cst<{
  readonly Table: readonly IToken[]
  readonly ifExists?: readonly IfExistsCst[]
  readonly Only?: readonly IToken[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly tableChange: readonly TableChangeCst[]
  readonly Comma?: readonly IToken[]
}>

export type TableChangeCst = Cst<{
  readonly addition?: readonly AdditionCst[]
  readonly removal?: readonly RemovalCst[]
  readonly columnChange?: readonly ColumnChangeCst[]
  readonly renaming?: readonly RenamingCst[]
  readonly changeOfOwner?: readonly ChangeOfOwnerCst[]
  readonly Validate?: readonly IToken[]
  readonly Constraint?: readonly IToken[]
  readonly ColumnId?: readonly IToken[]
  readonly Set?: readonly IToken[]
  readonly optionList?: readonly OptionListCst[]
  readonly Schema?: readonly IToken[]
  readonly schemaName?: readonly IToken[]
}>

export type AdditionCst = Cst<{
  readonly Add: readonly IToken[]
  readonly tableConstraint?: readonly TableConstraintCst[]
  readonly Column?: readonly IToken[]
  readonly ifNotExists?: readonly IfNotExistsCst[]
  readonly columnDefinition?: readonly ColumnDefinitionCst[]
}>

export type RemovalCst = Cst<{
  readonly Drop: readonly IToken[]
  readonly Constraint?: readonly IToken[]
  readonly Column?: readonly IToken[]
  readonly ifExists?: readonly IfExistsCst[]
  readonly ColumnId: readonly IToken[]
  readonly behaviour?: readonly BehaviourCst[]
}>

export type BehaviourCst = Cst<{
  readonly Cascade?: readonly IToken[]
  readonly Restrict?: readonly IToken[]
}>

export type RenamingCst = Cst<{
  readonly Rename: readonly IToken[]
  readonly Constraint?: readonly IToken[]
  readonly Column?: readonly IToken[]
  readonly from?: readonly IToken[]
  readonly To: readonly IToken[]
  readonly to: readonly IToken[]
}>

export type ChangeOfOwnerCst = Cst<{
  readonly Owner: readonly IToken[]
  readonly To: readonly IToken[]
  readonly ColumnId?: readonly IToken[]
  readonly CurrentUser?: readonly IToken[]
  readonly SessionUser?: readonly IToken[]
  readonly CurrentRole?: readonly IToken[]
}>

export type ColumnChangeCst = Cst<{
  readonly Alter: readonly IToken[]
  readonly Constraint?: readonly IToken[]
  readonly ColumnId?: readonly IToken[]
  readonly constraintAttribute?: readonly ConstraintAttributeCst[]
  readonly Column?: readonly IToken[]
  readonly columnAction?: readonly ColumnActionCst[]
}>

export type ColumnActionCst = Cst<{
  readonly Drop?: readonly IToken[]
  readonly Default?: readonly IToken[]
  readonly Not?: readonly IToken[]
  readonly Null?: readonly IToken[]
  readonly Identity?: readonly IToken[]
  readonly ifExists?: readonly IfExistsCst[]
  readonly Expression?: readonly IToken[]
  readonly Add?: readonly IToken[]
  readonly generatedClause?: readonly GeneratedClauseCst[]
  readonly retyping?: readonly RetypingCst[]
  readonly columnSetting?: readonly ColumnSettingCst[]
}>

export type RetypingCst = Cst<{
  readonly Type: readonly IToken[]
  readonly typeName: readonly TypeNameCst[]
  readonly Collate?: readonly IToken[]
  readonly qualifiedName?: readonly QualifiedNameCst[]
  readonly Using?: readonly IToken[]
  readonly expression?: readonly ExpressionCst[]
}>

export type ColumnSettingCst = Cst<{
  readonly Restart?: readonly IToken[]
  readonly With?: readonly IToken[]
  readonly signedNumber?: readonly SignedNumberCst[]
  readonly Set?: readonly IToken[]
  readonly Default?: readonly IToken[]
  readonly expression?: readonly ExpressionCst[]
  readonly Not?: readonly IToken[]
  readonly Null?: readonly IToken[]
  readonly Data?: readonly IToken[]
  readonly retyping?: readonly RetypingCst[]
  readonly Generated?: readonly IToken[]
  readonly generatedWhen?: readonly GeneratedWhenCst[]
  readonly Statistics?: readonly IToken[]
  readonly Storage?: readonly IToken[]
  readonly settingValue?: readonly SettingValueCst[]
  readonly sequenceOption?: readonly SequenceOptionCst[]
}>
