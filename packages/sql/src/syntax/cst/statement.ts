// Made from the grammar; the test of these types says how to make it again.
import type { IToken } from 'chevrotain'
import type {
  ExpressionCst,
  ExpressionListCst,
  NameListCst,
  QualifiedNameCst,
  SortListCst,
  TypeNameCst,
} from './expression.ts'
import type { Cst } from './node.ts'
import type { QueryCst, WhereClauseCst } from './query.ts'
import type { DataStatementCst } from './write.ts'

export type ScriptCst = Cst<{
  readonly statement?: readonly StatementCst[]
  readonly Semicolon?: readonly IToken[]
}>

export type StatementCst = Cst<{
  readonly dataStatement?: readonly DataStatementCst[]
  readonly prepare?: readonly PrepareCst[]
  readonly execute?: readonly ExecuteCst[]
  readonly deallocate?: readonly DeallocateCst[]
  readonly create?: readonly CreateCst[]
  readonly drop?: readonly DropCst[]
  readonly truncate?: readonly TruncateCst[]
  readonly begin?: readonly BeginCst[]
  readonly commit?: readonly CommitCst[]
  readonly rollback?: readonly RollbackCst[]
  readonly savepoint?: readonly SavepointCst[]
  readonly release?: readonly ReleaseCst[]
  readonly explain?: readonly ExplainCst[]
  readonly setting?: readonly SettingCst[]
  readonly resetting?: readonly ResettingCst[]
  readonly show?: readonly ShowCst[]
}>

export type CreateCst = Cst<{
  readonly Create: readonly IToken[]
  readonly Or?: readonly IToken[]
  readonly Replace?: readonly IToken[]
  readonly Temp?: readonly IToken[]
  readonly Temporary?: readonly IToken[]
  readonly createTable?: readonly CreateTableCst[]
  readonly createIndex?: readonly CreateIndexCst[]
  readonly createView?: readonly CreateViewCst[]
}>

export type IfNotExistsCst = Cst<{
  readonly If: readonly IToken[]
  readonly Not: readonly IToken[]
  readonly Exists: readonly IToken[]
}>

export type CreateTableCst = Cst<{
  readonly Table: readonly IToken[]
  readonly ifNotExists?: readonly IfNotExistsCst[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly tableElements?: readonly TableElementsCst[]
  readonly With?: readonly IToken[]
  readonly optionList?: readonly OptionListCst[]
  readonly As?: readonly IToken[]
  readonly query?: readonly QueryCst[]
  readonly No?: readonly IToken[]
  readonly Data?: readonly IToken[]
}>

export type TableElementsCst = Cst<{
  readonly LParen: readonly IToken[]
  readonly tableConstraint?: readonly TableConstraintCst[]
  readonly columnDefinition?: readonly ColumnDefinitionCst[]
  readonly Comma?: readonly IToken[]
  readonly RParen: readonly IToken[]
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
  readonly Primary?: readonly IToken[]
  readonly Key?: readonly IToken[]
  readonly Unique?: readonly IToken[]
  readonly Default?: readonly IToken[]
  readonly expression?: readonly ExpressionCst[]
  readonly checkConstraint?: readonly CheckConstraintCst[]
  readonly referencesClause?: readonly ReferencesClauseCst[]
}>

export type CheckConstraintCst = Cst<{
  readonly Check: readonly IToken[]
  readonly LParen: readonly IToken[]
  readonly expression: readonly ExpressionCst[]
  readonly RParen: readonly IToken[]
}>

export type ReferencesClauseCst = Cst<{
  readonly References: readonly IToken[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly nameList?: readonly NameListCst[]
  readonly referentialAction?: readonly ReferentialActionCst[]
}>

export type ReferentialActionCst = Cst<{
  readonly On: readonly IToken[]
  readonly event?: readonly IToken[]
  readonly action?: readonly IToken[]
}>

export type TableConstraintCst = Cst<{
  readonly constraintName?: readonly ConstraintNameCst[]
  readonly Primary?: readonly IToken[]
  readonly Key?: readonly IToken[]
  readonly nameList?: readonly NameListCst[]
  readonly Unique?: readonly IToken[]
  readonly checkConstraint?: readonly CheckConstraintCst[]
  readonly Foreign?: readonly IToken[]
  readonly referencesClause?: readonly ReferencesClauseCst[]
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
  readonly sortList: readonly SortListCst[]
  readonly RParen: readonly IToken[]
  readonly whereClause?: readonly WhereClauseCst[]
}>

export type CreateViewCst = Cst<{
  readonly View: readonly IToken[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly nameList?: readonly NameListCst[]
  readonly As: readonly IToken[]
  readonly query: readonly QueryCst[]
}>

export type DropCst = Cst<{
  readonly Drop: readonly IToken[]
  readonly Table?: readonly IToken[]
  readonly Index?: readonly IToken[]
  readonly View?: readonly IToken[]
  readonly If?: readonly IToken[]
  readonly Exists?: readonly IToken[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly Comma?: readonly IToken[]
  readonly Cascade?: readonly IToken[]
  readonly Restrict?: readonly IToken[]
}>

export type TruncateCst = Cst<{
  readonly Truncate: readonly IToken[]
  readonly Table?: readonly IToken[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly Comma?: readonly IToken[]
}>

export type BeginCst = Cst<{
  readonly Begin?: readonly IToken[]
  readonly work?: readonly WorkCst[]
  readonly Start?: readonly IToken[]
  readonly Transaction?: readonly IToken[]
  readonly transactionModes?: readonly TransactionModesCst[]
}>

export type WorkCst = Cst<{ readonly Work?: readonly IToken[]; readonly Transaction?: readonly IToken[] }>

export type TransactionModesCst = Cst<{
  readonly transactionMode: readonly TransactionModeCst[]
  readonly Comma?: readonly IToken[]
}>

export type TransactionModeCst = Cst<{
  readonly Isolation?: readonly IToken[]
  readonly Level?: readonly IToken[]
  readonly isolationLevel?: readonly IsolationLevelCst[]
  readonly Read?: readonly IToken[]
  readonly Only?: readonly IToken[]
  readonly Write?: readonly IToken[]
}>

export type IsolationLevelCst = Cst<{ readonly word?: readonly IToken[] }>

export type CommitCst = Cst<{
  readonly Commit?: readonly IToken[]
  readonly End?: readonly IToken[]
  readonly work?: readonly WorkCst[]
}>

export type RollbackCst = Cst<{
  readonly Rollback?: readonly IToken[]
  readonly Abort?: readonly IToken[]
  readonly work?: readonly WorkCst[]
  readonly To?: readonly IToken[]
  readonly Savepoint?: readonly IToken[]
  readonly ColumnId?: readonly IToken[]
}>

export type SavepointCst = Cst<{
  readonly Savepoint: readonly IToken[]
  readonly ColumnId: readonly IToken[]
}>

export type ReleaseCst = Cst<{
  readonly Release: readonly IToken[]
  readonly Savepoint?: readonly IToken[]
  readonly ColumnId: readonly IToken[]
}>

export type ExplainCst = Cst<{
  readonly Explain: readonly IToken[]
  readonly optionList?: readonly OptionListCst[]
  readonly Analyze?: readonly IToken[]
  readonly Analyse?: readonly IToken[]
  readonly Verbose?: readonly IToken[]
  readonly explained: readonly ExplainedCst[]
}>

export type ExplainedCst = Cst<{
  readonly dataStatement?: readonly DataStatementCst[]
  readonly create?: readonly CreateCst[]
  readonly execute?: readonly ExecuteCst[]
}>

export type PrepareCst = Cst<{
  readonly Prepare: readonly IToken[]
  readonly ColumnId: readonly IToken[]
  readonly LParen?: readonly IToken[]
  readonly typeName?: readonly TypeNameCst[]
  readonly Comma?: readonly IToken[]
  readonly RParen?: readonly IToken[]
  readonly As: readonly IToken[]
  readonly dataStatement: readonly DataStatementCst[]
}>

export type ExecuteCst = Cst<{
  readonly Execute: readonly IToken[]
  readonly ColumnId: readonly IToken[]
  readonly LParen?: readonly IToken[]
  readonly expressionList?: readonly ExpressionListCst[]
  readonly RParen?: readonly IToken[]
}>

export type DeallocateCst = Cst<{
  readonly Deallocate: readonly IToken[]
  readonly Prepare?: readonly IToken[]
  readonly All?: readonly IToken[]
  readonly ColumnId?: readonly IToken[]
}>

export type SettingCst = Cst<{
  readonly Set: readonly IToken[]
  readonly Session?: readonly IToken[]
  readonly Local?: readonly IToken[]
  readonly Time?: readonly IToken[]
  readonly Zone?: readonly IToken[]
  readonly settingValues?: readonly SettingValuesCst[]
  readonly Characteristics?: readonly IToken[]
  readonly As?: readonly IToken[]
  readonly Transaction?: readonly IToken[]
  readonly transactionModes?: readonly TransactionModesCst[]
  readonly settingName?: readonly SettingNameCst[]
  readonly To?: readonly IToken[]
  readonly Equals?: readonly IToken[]
}>

export type SettingNameCst = Cst<{
  readonly ColumnId: readonly IToken[]
  readonly Dot?: readonly IToken[]
  readonly Label?: readonly IToken[]
}>

export type SettingValuesCst = Cst<{
  readonly Default?: readonly IToken[]
  readonly settingValue?: readonly SettingValueCst[]
  readonly Comma?: readonly IToken[]
}>

export type SettingValueCst = Cst<{
  readonly Minus?: readonly IToken[]
  readonly NumberLiteral?: readonly IToken[]
  readonly Literal?: readonly IToken[]
  readonly Label?: readonly IToken[]
}>

export type ResettingCst = Cst<{
  readonly Reset: readonly IToken[]
  readonly settingWord: readonly SettingWordCst[]
}>

export type ShowCst = Cst<{
  readonly Show: readonly IToken[]
  readonly settingWord: readonly SettingWordCst[]
}>

export type SettingWordCst = Cst<{
  readonly All?: readonly IToken[]
  readonly Time?: readonly IToken[]
  readonly Zone?: readonly IToken[]
  readonly Transaction?: readonly IToken[]
  readonly Isolation?: readonly IToken[]
  readonly Level?: readonly IToken[]
  readonly settingName?: readonly SettingNameCst[]
}>
