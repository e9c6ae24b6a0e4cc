// Made from the grammar; the test of these types says how to make it again.
import type { IToken } from 'chevrotain'
import type { ExpressionCst, QualifiedNameCst, SortListCst, SubqueryCst, SubscriptCst } from './expression.ts'
import type { Cst } from './node.ts'
import type {
  FromListCst,
  OneTableCst,
  QueryCst,
  ReturningCst,
  TablePrimaryCst,
  TargetAliasCst,
  ValuesRowCst,
  WhereClauseCst,
  WithClauseCst,
} from './query.ts'

export type DataStatementCst = Cst<{
  readonly withClause?: readonly WithClauseCst[]
  readonly plainStatement?: readonly PlainStatementCst[]
}>

export type PlainStatementCst = Cst<{
  readonly query?: readonly QueryCst[]
  readonly insert?: readonly InsertCst[]
  readonly update?: readonly UpdateCst[]
  readonly deletion?: readonly DeletionCst[]
  readonly merge?: readonly MergeCst[]
}>

export type InsertCst = Cst<{
  readonly Insert: readonly IToken[]
  readonly Into: readonly IToken[]
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly As?: readonly IToken[]
  readonly ColumnId?: readonly IToken[]
  readonly targetList?: readonly TargetListCst[]
  readonly overriding?: readonly OverridingCst[]
  readonly query?: readonly QueryCst[]
  readonly Default?: readonly IToken[]
  readonly Values?: readonly IToken[]
  readonly onConflict?: readonly OnConflictCst[]
  readonly returning?: readonly ReturningCst[]
}>

export type OverridingCst = Cst<{
  readonly Overriding: readonly IToken[]
  readonly System?: readonly IToken[]
  readonly User?: readonly IToken[]
  readonly Value: readonly IToken[]
}>

export type OnConflictCst = Cst<{
  readonly On: readonly IToken[]
  readonly Conflict: readonly IToken[]
  readonly conflictKey?: readonly ConflictKeyCst[]
  readonly Constraint?: readonly IToken[]
  readonly ColumnId?: readonly IToken[]
  readonly Do: readonly IToken[]
  readonly Nothing?: readonly IToken[]
  readonly Update?: readonly IToken[]
  readonly Set?: readonly IToken[]
  readonly assignment?: readonly AssignmentCst[]
  readonly Comma?: readonly IToken[]
  readonly whereClause?: readonly WhereClauseCst[]
}>

export type ConflictKeyCst = Cst<{
  readonly LParen: readonly IToken[]
  readonly sortList: readonly SortListCst[]
  readonly RParen: readonly IToken[]
  readonly whereClause?: readonly WhereClauseCst[]
}>

export type UpdateCst = Cst<{
  readonly Update: readonly IToken[]
  readonly oneTable: readonly OneTableCst[]
  readonly targetAlias: readonly TargetAliasCst[]
  readonly Set: readonly IToken[]
  readonly assignment: readonly AssignmentCst[]
  readonly Comma?: readonly IToken[]
  readonly From?: readonly IToken[]
  readonly fromList?: readonly FromListCst[]
  readonly whereClause?: readonly WhereClauseCst[]
  readonly returning?: readonly ReturningCst[]
}>

export type AssignedPartCst = Cst<{
  readonly Dot?: readonly IToken[]
  readonly Label?: readonly IToken[]
  readonly subscript?: readonly SubscriptCst[]
}>

export type TargetColumnCst = Cst<{
  readonly ColumnId: readonly IToken[]
  readonly assignedPart?: readonly AssignedPartCst[]
}>

export type TargetListCst = Cst<{
  readonly LParen: readonly IToken[]
  readonly targetColumn: readonly TargetColumnCst[]
  readonly Comma?: readonly IToken[]
  readonly RParen: readonly IToken[]
}>

export type AssignmentCst = Cst<{
  readonly targetColumn?: readonly TargetColumnCst[]
  readonly Equals?: readonly IToken[]
  readonly Default?: readonly IToken[]
  readonly expression?: readonly ExpressionCst[]
  readonly targetList?: readonly TargetListCst[]
  readonly subquery?: readonly SubqueryCst[]
  readonly RowConstructor?: readonly IToken[]
  readonly valuesRow?: readonly ValuesRowCst[]
}>

export type DeletionCst = Cst<{
  readonly Delete: readonly IToken[]
  readonly From: readonly IToken[]
  readonly oneTable: readonly OneTableCst[]
  readonly targetAlias: readonly TargetAliasCst[]
  readonly Using?: readonly IToken[]
  readonly fromList?: readonly FromListCst[]
  readonly whereClause?: readonly WhereClauseCst[]
  readonly returning?: readonly ReturningCst[]
}>

export type MergeCst = Cst<{
  readonly Merge: readonly IToken[]
  readonly Into: readonly IToken[]
  readonly oneTable: readonly OneTableCst[]
  readonly targetAlias: readonly TargetAliasCst[]
  readonly Using: readonly IToken[]
  readonly tablePrimary: readonly TablePrimaryCst[]
  readonly On: readonly IToken[]
  readonly expression: readonly ExpressionCst[]
  readonly mergeBranch: readonly MergeBranchCst[]
}>

export type MergeBranchCst = Cst<{
  readonly When: readonly IToken[]
  readonly Not?: readonly IToken[]
  readonly Matched: readonly IToken[]
  readonly And?: readonly IToken[]
  readonly expression?: readonly ExpressionCst[]
  readonly Then: readonly IToken[]
  readonly Update?: readonly IToken[]
  readonly Set?: readonly IToken[]
  readonly assignment?: readonly AssignmentCst[]
  readonly Comma?: readonly IToken[]
  readonly Delete?: readonly IToken[]
  readonly Do?: readonly IToken[]
  readonly Nothing?: readonly IToken[]
  readonly Insert?: readonly IToken[]
  readonly targetList?: readonly TargetListCst[]
  readonly overriding?: readonly OverridingCst[]
  readonly Values?: readonly IToken[]
  readonly valuesRow?: readonly ValuesRowCst[]
  readonly Default?: readonly IToken[]
}>
