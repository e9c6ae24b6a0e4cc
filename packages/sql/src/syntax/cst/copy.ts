// Made from the grammar; the test of these types says how to make it again.
import type { IToken } from 'chevrotain'
import type { NameListCst, QualifiedNameCst } from './expression.ts'
import type { Cst } from './node.ts'
import type { QueryCst, WhereClauseCst } from './query.ts'
import type { SettingValueCst, StorageOptionCst } from './table.ts'
import type { DataStatementCst } from './write.ts'

export type CopyCst = Cst<{
  readonly Copy: readonly IToken[]
  readonly copyQuery?: readonly CopyQueryCst[]
  readonly Binary?: readonly IToken[]
  readonly qualifiedName?: readonly QualifiedNameCst[]
  readonly nameList?: readonly NameListCst[]
  readonly From?: readonly IToken[]
  readonly To?: readonly IToken[]
  readonly Program?: readonly IToken[]
  readonly file?: readonly IToken[]
  readonly Stdin?: readonly IToken[]
  readonly Stdout?: readonly IToken[]
  readonly Using?: readonly IToken[]
  readonly Delimiters?: readonly IToken[]
  readonly delimiters?: readonly IToken[]
  readonly With?: readonly IToken[]
  readonly LParen?: readonly IToken[]
  readonly copyOption?: readonly CopyOptionCst[]
  readonly Comma?: readonly IToken[]
  readonly RParen?: readonly IToken[]
  readonly copyWord?: readonly CopyWordCst[]
  readonly whereClause?: readonly WhereClauseCst[]
}>

export type CopyQueryCst = Cst<{
  readonly QueryParen?: readonly IToken[]
  readonly LParen?: readonly IToken[]
  readonly dataStatement: readonly DataStatementCst[]
  readonly RParen: readonly IToken[]
}>

export type CopyOptionCst = Cst<{
  readonly Label: readonly IToken[]
  readonly settingValue?: readonly SettingValueCst[]
  readonly Star?: readonly IToken[]
  readonly nameList?: readonly NameListCst[]
}>

export type CopyWordCst = Cst<{
  readonly flag?: readonly IToken[]
  readonly word?: readonly IToken[]
  readonly As?: readonly IToken[]
  readonly StringLiteral?: readonly IToken[]
  readonly Force?: readonly IToken[]
  readonly forced?: readonly IToken[]
  readonly Not?: readonly IToken[]
  readonly notNull?: readonly IToken[]
  readonly Star?: readonly IToken[]
  readonly ColumnId?: readonly IToken[]
  readonly Comma?: readonly IToken[]
}>

export type DeclareCursorCst = Cst<{
  readonly Declare: readonly IToken[]
  readonly ColumnId: readonly IToken[]
  readonly Binary?: readonly IToken[]
  readonly Insensitive?: readonly IToken[]
  readonly Asensitive?: readonly IToken[]
  readonly Scroll?: readonly IToken[]
  readonly No?: readonly IToken[]
  readonly noScroll?: readonly IToken[]
  readonly Cursor: readonly IToken[]
  readonly With?: readonly IToken[]
  readonly Without?: readonly IToken[]
  readonly Hold?: readonly IToken[]
  readonly For: readonly IToken[]
  readonly query: readonly QueryCst[]
}>

export type FetchRowsCst = Cst<{
  readonly Fetch?: readonly IToken[]
  readonly Move?: readonly IToken[]
  readonly fetchDirection?: readonly FetchDirectionCst[]
  readonly From?: readonly IToken[]
  readonly In?: readonly IToken[]
  readonly ColumnId: readonly IToken[]
}>

export type FetchDirectionCst = Cst<{
  readonly word?: readonly IToken[]
  readonly All?: readonly IToken[]
  readonly signedCount?: readonly SignedCountCst[]
}>

export type SignedCountCst = Cst<{
  readonly Minus?: readonly IToken[]
  readonly Plus?: readonly IToken[]
  readonly NumberLiteral: readonly IToken[]
}>

export type CloseCursorCst = Cst<{
  readonly Close: readonly IToken[]
  readonly All?: readonly IToken[]
  readonly ColumnId?: readonly IToken[]
}>

export type LockTableCst = Cst<{
  readonly Lock: readonly IToken[]
  readonly Table?: readonly IToken[]
  readonly Only?: readonly IToken[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly Comma?: readonly IToken[]
  readonly In?: readonly IToken[]
  readonly Label?: readonly IToken[]
  readonly Mode?: readonly IToken[]
  readonly Nowait?: readonly IToken[]
}>

export type MaintainCst = Cst<{
  readonly Vacuum?: readonly IToken[]
  readonly Analyze?: readonly IToken[]
  readonly Analyse?: readonly IToken[]
  readonly LParen?: readonly IToken[]
  readonly storageOption?: readonly StorageOptionCst[]
  readonly Comma?: readonly IToken[]
  readonly RParen?: readonly IToken[]
  readonly Full?: readonly IToken[]
  readonly Freeze?: readonly IToken[]
  readonly Verbose?: readonly IToken[]
  readonly maintained?: readonly MaintainedCst[]
}>

export type MaintainedCst = Cst<{
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly nameList?: readonly NameListCst[]
}>

export type DoBlockCst = Cst<{
  readonly Do: readonly IToken[]
  readonly language?: readonly LanguageCst[]
  readonly StringLiteral: readonly IToken[]
}>

export type LanguageCst = Cst<{
  readonly Language: readonly IToken[]
  readonly Label?: readonly IToken[]
  readonly StringLiteral?: readonly IToken[]
}>
