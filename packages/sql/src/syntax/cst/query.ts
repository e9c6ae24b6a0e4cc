// Made from the grammar; the test of these types says how to make it again.
import type { IToken } from 'chevrotain'
import type { Cst } from './node.ts'

export type ExpressionCst = Cst<{
  readonly operand: readonly OperandCst[]
  readonly tail?: readonly TailCst[]
}>

export type OperandCst = Cst<{
  readonly PrefixOperator?: readonly IToken[]
  readonly Literal?: readonly IToken[]
  readonly caseExpression?: readonly CaseExpressionCst[]
  readonly castCall?: readonly CastCallCst[]
  readonly existsTest?: readonly ExistsTestCst[]
  readonly listCall?: readonly ListCallCst[]
  readonly extractCall?: readonly ExtractCallCst[]
  readonly positionCall?: readonly PositionCallCst[]
  readonly substringCall?: readonly SubstringCallCst[]
  readonly trimCall?: readonly TrimCallCst[]
  readonly currentValue?: readonly CurrentValueCst[]
  readonly subquery?: readonly SubqueryCst[]
  readonly parenthesised?: readonly ParenthesisedCst[]
  readonly doubleLiteral?: readonly DoubleLiteralCst[]
  readonly reference?: readonly ReferenceCst[]
  readonly DoubleColon?: readonly IToken[]
  readonly typeName?: readonly TypeNameCst[]
}>

export type TailCst = Cst<{
  readonly InfixOperator?: readonly IToken[]
  readonly quantified?: readonly QuantifiedCst[]
  readonly operand?: readonly OperandCst[]
  readonly isTest?: readonly IsTestCst[]
  readonly Isnull?: readonly IToken[]
  readonly Notnull?: readonly IToken[]
  readonly membership?: readonly MembershipCst[]
}>

export type QuantifiedCst = Cst<{
  readonly Any?: readonly IToken[]
  readonly Some?: readonly IToken[]
  readonly All?: readonly IToken[]
  readonly subquery: readonly SubqueryCst[]
}>

export type IsTestCst = Cst<{
  readonly Is: readonly IToken[]
  readonly Not?: readonly IToken[]
  readonly Null?: readonly IToken[]
  readonly True?: readonly IToken[]
  readonly False?: readonly IToken[]
  readonly Unknown?: readonly IToken[]
  readonly Distinct?: readonly IToken[]
  readonly From?: readonly IToken[]
  readonly operand?: readonly OperandCst[]
}>

export type MembershipCst = Cst<{
  readonly NotBefore?: readonly IToken[]
  readonly Between?: readonly IToken[]
  readonly Symmetric?: readonly IToken[]
  readonly Asymmetric?: readonly IToken[]
  readonly operand?: readonly OperandCst[]
  readonly In?: readonly IToken[]
  readonly subquery?: readonly SubqueryCst[]
  readonly LParen?: readonly IToken[]
  readonly expressionList?: readonly ExpressionListCst[]
  readonly RParen?: readonly IToken[]
  readonly Like?: readonly IToken[]
  readonly Ilike?: readonly IToken[]
}>

export type ExpressionListCst = Cst<{
  readonly expression: readonly ExpressionCst[]
  readonly Comma?: readonly IToken[]
}>

export type CaseExpressionCst = Cst<{
  readonly Case: readonly IToken[]
  readonly subject?: readonly ExpressionCst[]
  readonly caseBranch: readonly CaseBranchCst[]
  readonly Else?: readonly IToken[]
  readonly otherwise?: readonly ExpressionCst[]
  readonly End: readonly IToken[]
}>

export type CaseBranchCst = Cst<{
  readonly When: readonly IToken[]
  readonly when: readonly ExpressionCst[]
  readonly Then: readonly IToken[]
  readonly outcome: readonly ExpressionCst[]
}>

export type CastCallCst = Cst<{
  readonly Cast: readonly IToken[]
  readonly LParen: readonly IToken[]
  readonly expression: readonly ExpressionCst[]
  readonly As: readonly IToken[]
  readonly typeName: readonly TypeNameCst[]
  readonly RParen: readonly IToken[]
}>

export type ExistsTestCst = Cst<{
  readonly Exists: readonly IToken[]
  readonly subquery: readonly SubqueryCst[]
}>

export type ListCallCst = Cst<{
  readonly ListFunction: readonly IToken[]
  readonly LParen: readonly IToken[]
  readonly expressionList: readonly ExpressionListCst[]
  readonly RParen: readonly IToken[]
}>

export type ExtractCallCst = Cst<{
  readonly Extract: readonly IToken[]
  readonly LParen: readonly IToken[]
  readonly ColumnId?: readonly IToken[]
  readonly StringLiteral?: readonly IToken[]
  readonly From: readonly IToken[]
  readonly expression: readonly ExpressionCst[]
  readonly RParen: readonly IToken[]
}>

export type PositionCallCst = Cst<{
  readonly Position: readonly IToken[]
  readonly LParen: readonly IToken[]
  readonly plainExpression: readonly PlainExpressionCst[]
  readonly In: readonly IToken[]
  readonly text: readonly PlainExpressionCst[]
  readonly RParen: readonly IToken[]
}>

export type PlainExpressionCst = Cst<{
  readonly operand: readonly OperandCst[]
  readonly plainTail?: readonly PlainTailCst[]
}>

export type PlainTailCst = Cst<{
  readonly InfixOperator: readonly IToken[]
  readonly operand: readonly OperandCst[]
}>

export type SubstringCallCst = Cst<{
  readonly Substring: readonly IToken[]
  readonly LParen: readonly IToken[]
  readonly expression: readonly ExpressionCst[]
  readonly Comma?: readonly IToken[]
  readonly further?: readonly ExpressionCst[]
  readonly From?: readonly IToken[]
  readonly from?: readonly ExpressionCst[]
  readonly For?: readonly IToken[]
  readonly count?: readonly ExpressionCst[]
  readonly RParen: readonly IToken[]
}>

export type TrimCallCst = Cst<{
  readonly Trim: readonly IToken[]
  readonly LParen: readonly IToken[]
  readonly Both?: readonly IToken[]
  readonly Leading?: readonly IToken[]
  readonly Trailing?: readonly IToken[]
  readonly first?: readonly ExpressionCst[]
  readonly From?: readonly IToken[]
  readonly source?: readonly ExpressionListCst[]
  readonly Comma?: readonly IToken[]
  readonly further?: readonly ExpressionListCst[]
  readonly RParen: readonly IToken[]
}>

export type CurrentValueCst = Cst<{
  readonly CurrentValue: readonly IToken[]
  readonly LParen?: readonly IToken[]
  readonly NumberLiteral?: readonly IToken[]
  readonly RParen?: readonly IToken[]
}>

export type SubqueryCst = Cst<{
  readonly QueryParen: readonly IToken[]
  readonly query: readonly QueryCst[]
  readonly RParen: readonly IToken[]
}>

export type ParenthesisedCst = Cst<{
  readonly RowConstructor?: readonly IToken[]
  readonly LParen: readonly IToken[]
  readonly expressionList?: readonly ExpressionListCst[]
  readonly RParen: readonly IToken[]
}>

export type DoubleLiteralCst = Cst<{
  readonly Double: readonly IToken[]
  readonly Precision: readonly IToken[]
  readonly StringLiteral: readonly IToken[]
}>

export type ReferenceCst = Cst<{
  readonly ColumnId: readonly IToken[]
  readonly Dot?: readonly IToken[]
  readonly Label?: readonly IToken[]
  readonly Star?: readonly IToken[]
  readonly callArguments?: readonly CallArgumentsCst[]
  readonly timeZone?: readonly TimeZoneCst[]
  readonly StringLiteral?: readonly IToken[]
  readonly IntervalField?: readonly IToken[]
}>

export type TimeZoneCst = Cst<{
  readonly Without?: readonly IToken[]
  readonly WithTime?: readonly IToken[]
  readonly Time: readonly IToken[]
  readonly Zone: readonly IToken[]
}>

export type CallArgumentsCst = Cst<{
  readonly LParen: readonly IToken[]
  readonly Star?: readonly IToken[]
  readonly Distinct?: readonly IToken[]
  readonly All?: readonly IToken[]
  readonly expressionList?: readonly ExpressionListCst[]
  readonly Order?: readonly IToken[]
  readonly By?: readonly IToken[]
  readonly sortList?: readonly SortListCst[]
  readonly RParen: readonly IToken[]
  readonly Filter?: readonly IToken[]
  readonly Where?: readonly IToken[]
  readonly expression?: readonly ExpressionCst[]
}>

export type SortListCst = Cst<{
  readonly sortItem: readonly SortItemCst[]
  readonly Comma?: readonly IToken[]
}>

export type SortItemCst = Cst<{
  readonly expression: readonly ExpressionCst[]
  readonly Asc?: readonly IToken[]
  readonly Desc?: readonly IToken[]
  readonly Nulls?: readonly IToken[]
  readonly First?: readonly IToken[]
  readonly Last?: readonly IToken[]
}>

export type TypeNameCst = Cst<{
  readonly Double?: readonly IToken[]
  readonly Precision?: readonly IToken[]
  readonly Character?: readonly IToken[]
  readonly Char?: readonly IToken[]
  readonly Varying?: readonly IToken[]
  readonly Interval?: readonly IToken[]
  readonly qualifiedName?: readonly QualifiedNameCst[]
  readonly LParen?: readonly IToken[]
  readonly NumberLiteral?: readonly IToken[]
  readonly Comma?: readonly IToken[]
  readonly RParen?: readonly IToken[]
  readonly timeZone?: readonly TimeZoneCst[]
  readonly LBracket?: readonly IToken[]
  readonly RBracket?: readonly IToken[]
}>

export type QualifiedNameCst = Cst<{
  readonly ColumnId: readonly IToken[]
  readonly Dot?: readonly IToken[]
  readonly Label?: readonly IToken[]
}>

export type NameListCst = Cst<{
  readonly LParen: readonly IToken[]
  readonly ColumnId: readonly IToken[]
  readonly Comma?: readonly IToken[]
  readonly RParen: readonly IToken[]
}>

export type SelectItemCst = Cst<{
  readonly Star?: readonly IToken[]
  readonly expression?: readonly ExpressionCst[]
  readonly As?: readonly IToken[]
  readonly alias?: readonly IToken[]
}>

export type SelectItemsCst = Cst<{
  readonly selectItem: readonly SelectItemCst[]
  readonly Comma?: readonly IToken[]
}>

export type QueryCst = Cst<{
  readonly withClause?: readonly WithClauseCst[]
  readonly queryTerm: readonly QueryTermCst[]
  readonly setTail?: readonly SetTailCst[]
  readonly Order?: readonly IToken[]
  readonly By?: readonly IToken[]
  readonly sortList?: readonly SortListCst[]
  readonly limitClause?: readonly LimitClauseCst[]
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
  readonly subquery: readonly SubqueryCst[]
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
}>

export type FetchCountCst = Cst<{
  readonly NumberLiteral?: readonly IToken[]
  readonly Parameter?: readonly IToken[]
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
  readonly From?: readonly IToken[]
  readonly fromList?: readonly FromListCst[]
  readonly Where?: readonly IToken[]
  readonly where?: readonly ExpressionCst[]
  readonly Group?: readonly IToken[]
  readonly By?: readonly IToken[]
  readonly groupBy?: readonly ExpressionListCst[]
  readonly Having?: readonly IToken[]
  readonly having?: readonly ExpressionCst[]
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
  readonly Natural?: readonly IToken[]
  readonly Inner?: readonly IToken[]
  readonly Cross?: readonly IToken[]
  readonly Left?: readonly IToken[]
  readonly Right?: readonly IToken[]
  readonly Full?: readonly IToken[]
  readonly Outer?: readonly IToken[]
  readonly Join: readonly IToken[]
  readonly tablePrimary: readonly TablePrimaryCst[]
  readonly On?: readonly IToken[]
  readonly expression?: readonly ExpressionCst[]
  readonly Using?: readonly IToken[]
  readonly nameList?: readonly NameListCst[]
}>

export type TablePrimaryCst = Cst<{
  readonly Lateral?: readonly IToken[]
  readonly subquery?: readonly SubqueryCst[]
  readonly LParen?: readonly IToken[]
  readonly tableReference?: readonly TableReferenceCst[]
  readonly RParen?: readonly IToken[]
  readonly qualifiedName?: readonly QualifiedNameCst[]
  readonly callArguments?: readonly CallArgumentsCst[]
  readonly tableAlias?: readonly TableAliasCst[]
}>

export type TableAliasCst = Cst<{
  readonly As?: readonly IToken[]
  readonly ColumnId: readonly IToken[]
  readonly nameList?: readonly NameListCst[]
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
