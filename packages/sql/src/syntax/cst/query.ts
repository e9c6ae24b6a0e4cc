// Made from the grammar; the test of these types says how to make it again.
import type { IToken } from 'chevrotain'
import type {
  CallArgumentsCst,
  ExpressionCst,
  ExpressionListCst,
  FieldDefinitionsCst,
  NameListCst,
  QualifiedNameCst,
  SelectItemsCst,
  SortListCst,
  SubqueryCst,
  TypeNameCst,
  WindowSpecCst,
} from './expression.ts'
import type { Cst } from './node.ts'

export type QueryCst = Cst<{
  readonly withClause?: readonly WithClauseCst[]
  readonly queryTerm: readonly QueryTermCst[]
  readonly setTail?: readonly SetTailCst[]
  readonly Order?: readonly IToken[]
  readonly By?: readonly IToken[]
  readonly sortList?: readonly SortListCst[]
  readonly limitClause?: readonly LimitClauseCst[]
  readonly lockingClause?: readonly LockingClauseCst[]
}>

export type WithClauseCst = Cst<{
  readonly With: readonly IToken[]
  readonly Recursive?: readonly IToken[]
  readonly commonTable: readonly CommonTableCst[]
  readonly Comma?: readonly IToken[]
}>

export type CommonTableCst = Cst<{
  readonly ColumnId: readonly IToken[]
  readonly nameList?: readonly NameListCst[]
  readonly As: readonly IToken[]
  readonly Not?: readonly IToken[]
  readonly Materialized?: readonly IToken[]
  readonly QueryParen?: readonly IToken[]
  readonly dataStatement?: readonly Cst<unknown>[]
  readonly RParen?: readonly IToken[]
  readonly LParen?: readonly IToken[]
  readonly searchClause?: readonly SearchClauseCst[]
  readonly cycleClause?: readonly CycleClauseCst[]
}>

export type SearchClauseCst = Cst<{
  readonly Search: readonly IToken[]
  readonly Depth?: readonly IToken[]
  readonly Breadth?: readonly IToken[]
  readonly First: readonly IToken[]
  readonly By: readonly IToken[]
  readonly ColumnId: readonly IToken[]
  readonly Comma?: readonly IToken[]
  readonly Set: readonly IToken[]
  readonly sequence: readonly IToken[]
}>

export type CycleClauseCst = Cst<{
  readonly Cycle: readonly IToken[]
  readonly ColumnId: readonly IToken[]
  readonly Comma?: readonly IToken[]
  readonly Set: readonly IToken[]
  readonly mark: readonly IToken[]
  readonly To?: readonly IToken[]
  readonly value?: readonly ExpressionCst[]
  readonly Default?: readonly IToken[]
  readonly otherwise?: readonly ExpressionCst[]
  readonly Using: readonly IToken[]
  readonly path: readonly IToken[]
}>

export type QueryTermCst = Cst<{
  readonly select?: readonly SelectCst[]
  readonly values?: readonly ValuesCst[]
  readonly Table?: readonly IToken[]
  readonly qualifiedName?: readonly QualifiedNameCst[]
  readonly subquery?: readonly SubqueryCst[]
}>

export type SetTailCst = Cst<{
  readonly Union?: readonly IToken[]
  readonly Intersect?: readonly IToken[]
  readonly Except?: readonly IToken[]
  readonly All?: readonly IToken[]
  readonly Distinct?: readonly IToken[]
  readonly queryTerm: readonly QueryTermCst[]
}>

export type LimitClauseCst = Cst<{
  readonly Limit?: readonly IToken[]
  readonly All?: readonly IToken[]
  readonly expression?: readonly ExpressionCst[]
  readonly Offset?: readonly IToken[]
  readonly Row?: readonly IToken[]
  readonly Rows?: readonly IToken[]
  readonly Fetch?: readonly IToken[]
  readonly First?: readonly IToken[]
  readonly Next?: readonly IToken[]
  readonly fetchCount?: readonly FetchCountCst[]
  readonly Only?: readonly IToken[]
  readonly With?: readonly IToken[]
  readonly Ties?: readonly IToken[]
}>

export type LockingClauseCst = Cst<{
  readonly For: readonly IToken[]
  readonly Update?: readonly IToken[]
  readonly Share?: readonly IToken[]
  readonly No?: readonly IToken[]
  readonly Key?: readonly IToken[]
  readonly Of?: readonly IToken[]
  readonly qualifiedName?: readonly QualifiedNameCst[]
  readonly Comma?: readonly IToken[]
  readonly Nowait?: readonly IToken[]
  readonly Skip?: readonly IToken[]
  readonly Locked?: readonly IToken[]
}>

export type FetchCountCst = Cst<{
  readonly NumberLiteral?: readonly IToken[]
  readonly Parameter?: readonly IToken[]
  readonly subquery?: readonly SubqueryCst[]
  readonly LParen?: readonly IToken[]
  readonly expression?: readonly ExpressionCst[]
  readonly RParen?: readonly IToken[]
}>

export type SelectCst = Cst<{
  readonly Select: readonly IToken[]
  readonly All?: readonly IToken[]
  readonly Distinct?: readonly IToken[]
  readonly On?: readonly IToken[]
  readonly LParen?: readonly IToken[]
  readonly distinctOn?: readonly ExpressionListCst[]
  readonly RParen?: readonly IToken[]
  readonly selectItems?: readonly SelectItemsCst[]
  readonly intoClause?: readonly IntoClauseCst[]
  readonly From?: readonly IToken[]
  readonly fromList?: readonly FromListCst[]
  readonly Where?: readonly IToken[]
  readonly where?: readonly ExpressionCst[]
  readonly Group?: readonly IToken[]
  readonly By?: readonly IToken[]
  readonly distinctGroups?: readonly IToken[]
  readonly groupBy?: readonly GroupingListCst[]
  readonly Having?: readonly IToken[]
  readonly having?: readonly ExpressionCst[]
  readonly Window?: readonly IToken[]
  readonly windowDefinition?: readonly WindowDefinitionCst[]
  readonly Comma?: readonly IToken[]
}>

export type IntoClauseCst = Cst<{
  readonly Into: readonly IToken[]
  readonly Local?: readonly IToken[]
  readonly Temp?: readonly IToken[]
  readonly Temporary?: readonly IToken[]
  readonly Unlogged?: readonly IToken[]
  readonly Table?: readonly IToken[]
  readonly qualifiedName: readonly QualifiedNameCst[]
}>

export type GroupingListCst = Cst<{
  readonly groupingElement: readonly GroupingElementCst[]
  readonly Comma?: readonly IToken[]
}>

export type GroupingElementCst = Cst<{
  readonly Grouping?: readonly IToken[]
  readonly Sets?: readonly IToken[]
  readonly LParen?: readonly IToken[]
  readonly groupingList?: readonly GroupingListCst[]
  readonly RParen?: readonly IToken[]
  readonly expression?: readonly ExpressionCst[]
}>

export type WindowDefinitionCst = Cst<{
  readonly ColumnId: readonly IToken[]
  readonly As: readonly IToken[]
  readonly windowSpec: readonly WindowSpecCst[]
}>

export type ValuesCst = Cst<{
  readonly Values: readonly IToken[]
  readonly valuesRow: readonly ValuesRowCst[]
  readonly Comma?: readonly IToken[]
}>

export type ValuesRowCst = Cst<{
  readonly LParen: readonly IToken[]
  readonly Default?: readonly IToken[]
  readonly expression?: readonly ExpressionCst[]
  readonly Comma?: readonly IToken[]
  readonly RParen: readonly IToken[]
}>

export type FromListCst = Cst<{
  readonly tableReference: readonly TableReferenceCst[]
  readonly Comma?: readonly IToken[]
}>

export type TableReferenceCst = Cst<{
  readonly tablePrimary: readonly TablePrimaryCst[]
  readonly joinTail?: readonly JoinTailCst[]
}>

export type JoinTailCst = Cst<{
  readonly Cross?: readonly IToken[]
  readonly Join?: readonly IToken[]
  readonly tablePrimary?: readonly TablePrimaryCst[]
  readonly Natural?: readonly IToken[]
  readonly joinType?: readonly JoinTypeCst[]
  readonly joinTail?: readonly JoinTailCst[]
  readonly On?: readonly IToken[]
  readonly expression?: readonly ExpressionCst[]
  readonly Using?: readonly IToken[]
  readonly nameList?: readonly NameListCst[]
  readonly As?: readonly IToken[]
  readonly ColumnId?: readonly IToken[]
}>

export type JoinTypeCst = Cst<{
  readonly Inner?: readonly IToken[]
  readonly Left?: readonly IToken[]
  readonly Right?: readonly IToken[]
  readonly Full?: readonly IToken[]
  readonly Outer?: readonly IToken[]
}>

export type TablePrimaryCst = Cst<{
  readonly Lateral?: readonly IToken[]
  readonly subquery?: readonly SubqueryCst[]
  readonly LParen?: readonly IToken[]
  readonly tableReference?: readonly TableReferenceCst[]
  readonly RParen?: readonly IToken[]
  readonly Rows?: readonly IToken[]
  readonly From?: readonly IToken[]
  readonly rowsCall?: readonly RowsCallCst[]
  readonly Comma?: readonly IToken[]
  readonly WithOrdinality?: readonly IToken[]
  readonly Ordinality?: readonly IToken[]
  readonly qualifiedName?: readonly QualifiedNameCst[]
  readonly callArguments?: readonly CallArgumentsCst[]
  readonly Star?: readonly IToken[]
  readonly onlyTable?: readonly OnlyTableCst[]
  readonly tableAlias?: readonly TableAliasCst[]
}>

export type OnlyTableCst = Cst<{
  readonly Only: readonly IToken[]
  readonly qualifiedName?: readonly QualifiedNameCst[]
  readonly LParen?: readonly IToken[]
  readonly RParen?: readonly IToken[]
}>

export type OneTableCst = Cst<{
  readonly onlyTable?: readonly OnlyTableCst[]
  readonly qualifiedName?: readonly QualifiedNameCst[]
  readonly Star?: readonly IToken[]
}>

export type RowsCallCst = Cst<{
  readonly qualifiedName: readonly QualifiedNameCst[]
  readonly callArguments: readonly CallArgumentsCst[]
  readonly As?: readonly IToken[]
  readonly fieldDefinitions?: readonly FieldDefinitionsCst[]
}>

export type TableAliasCst = Cst<{
  readonly As?: readonly IToken[]
  readonly ColumnId?: readonly IToken[]
  readonly aliasColumns?: readonly AliasColumnsCst[]
  readonly fieldDefinitions?: readonly FieldDefinitionsCst[]
}>

export type AliasColumnsCst = Cst<{
  readonly LParen: readonly IToken[]
  readonly aliasColumn: readonly AliasColumnCst[]
  readonly Comma?: readonly IToken[]
  readonly RParen: readonly IToken[]
}>

export type AliasColumnCst = Cst<{
  readonly ColumnId: readonly IToken[]
  readonly typeName?: readonly TypeNameCst[]
  readonly Collate?: readonly IToken[]
  readonly qualifiedName?: readonly QualifiedNameCst[]
}>

export type TargetAliasCst = Cst<{ readonly As?: readonly IToken[]; readonly ColumnId?: readonly IToken[] }>

export type ReturningCst = Cst<{
  readonly Returning: readonly IToken[]
  readonly selectItems: readonly SelectItemsCst[]
}>

export type WhereClauseCst = Cst<{
  readonly Where: readonly IToken[]
  readonly expression: readonly ExpressionCst[]
}>
