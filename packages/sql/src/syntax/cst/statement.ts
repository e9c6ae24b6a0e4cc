// Made from the grammar; the test of these types says how to make it again.
import type { IToken } from 'chevrotain'
import type {
  CloseCursorCst,
  CopyCst,
  DeclareCursorCst,
  DoBlockCst,
  FetchRowsCst,
  LockTableCst,
  MaintainCst,
} from './copy.ts'
import type { AlterCst, CommentCst, CreateCst, DropCst, RefreshCst, TruncateCst } from './definition.ts'
import type { QualifiedNameCst, TypeNameCst } from './expression.ts'
import type { Cst } from './node.ts'
import type { ExecuteCst, OptionListCst, SettingValueCst } from './table.ts'
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
  readonly copy?: readonly CopyCst[]
  readonly declareCursor?: readonly DeclareCursorCst[]
  readonly fetchRows?: readonly FetchRowsCst[]
  readonly closeCursor?: readonly CloseCursorCst[]
  readonly create?: readonly CreateCst[]
  readonly drop?: readonly DropCst[]
  readonly truncate?: readonly TruncateCst[]
  readonly alter?: readonly AlterCst[]
  readonly refresh?: readonly RefreshCst[]
  readonly comment?: readonly CommentCst[]
  readonly begin?: readonly BeginCst[]
  readonly commit?: readonly CommitCst[]
  readonly rollback?: readonly RollbackCst[]
  readonly savepoint?: readonly SavepointCst[]
  readonly release?: readonly ReleaseCst[]
  readonly explain?: readonly ExplainCst[]
  readonly setting?: readonly SettingCst[]
  readonly resetting?: readonly ResettingCst[]
  readonly show?: readonly ShowCst[]
  readonly lockTable?: readonly LockTableCst[]
  readonly maintain?: readonly MaintainCst[]
  readonly doBlock?: readonly DoBlockCst[]
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
  readonly Not?: readonly IToken[]
  readonly Deferrable?: readonly IToken[]
}>

export type IsolationLevelCst = Cst<{ readonly word?: readonly IToken[] }>

export type CommitCst = Cst<{
  readonly Commit?: readonly IToken[]
  readonly End?: readonly IToken[]
  readonly work?: readonly WorkCst[]
  readonly chaining?: readonly ChainingCst[]
}>

export type ChainingCst = Cst<{
  readonly And: readonly IToken[]
  readonly No?: readonly IToken[]
  readonly Chain: readonly IToken[]
}>

export type RollbackCst = Cst<{
  readonly Rollback?: readonly IToken[]
  readonly Abort?: readonly IToken[]
  readonly work?: readonly WorkCst[]
  readonly chaining?: readonly ChainingCst[]
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
  readonly zoneInterval?: readonly ZoneIntervalCst[]
  readonly settingValues?: readonly SettingValuesCst[]
  readonly Characteristics?: readonly IToken[]
  readonly As?: readonly IToken[]
  readonly Transaction?: readonly IToken[]
  readonly transactionModes?: readonly TransactionModesCst[]
  readonly Constraints?: readonly IToken[]
  readonly All?: readonly IToken[]
  readonly qualifiedName?: readonly QualifiedNameCst[]
  readonly Comma?: readonly IToken[]
  readonly Deferred?: readonly IToken[]
  readonly Immediate?: readonly IToken[]
  readonly settingName?: readonly SettingNameCst[]
  readonly To?: readonly IToken[]
  readonly Equals?: readonly IToken[]
}>

export type ZoneIntervalCst = Cst<{
  readonly Interval: readonly IToken[]
  readonly StringLiteral: readonly IToken[]
  readonly IntervalField?: readonly IToken[]
  readonly To?: readonly IToken[]
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
