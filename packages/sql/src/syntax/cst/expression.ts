// Made from the grammar; the test of these types says how to make it again.
import type { IToken } from 'chevrotain'
import type { Cst } from './node.ts'

export type TypeNameCst = Cst<{
  readonly Double?: readonly IToken[]
  readonly Precision?: readonly IToken[]
  readonly Character?: readonly IToken[]
  readonly Char?: readonly IToken[]
  readonly Varying?: readonly IToken[]
  readonly Interval?: readonly IToken[]
  readonly intervalSpan?: readonly IntervalSpanCst[]
  readonly qualifiedName?: readonly QualifiedNameCst[]
  readonly LParen?: readonly IToken[]
  readonly typeModifier?: readonly TypeModifierCst[]
  readonly Comma?: readonly IToken[]
  readonly RParen?: readonly IToken[]
  readonly timeZone?: readonly TimeZoneCst[]
  readonly Array?: readonly IToken[]
  readonly LBracket?: readonly IToken[]
  readonly size?: readonly IToken[]
  readonly RBracket?: readonly IToken[]
}>

export type IntervalSpanCst = Cst<{
  readonly IntervalField: readonly IToken[]
  readonly To?: readonly IToken[]
}>

export type TypeModifierCst = Cst<{
  readonly Minus?: readonly IToken[]
  readonly NumberLiteral: readonly IToken[]
}>

export type TimeZoneCst = Cst<{
  readonly Without?: readonly IToken[]
  readonly WithTime?: readonly IToken[]
  readonly Time: readonly IToken[]
  readonly Zone: readonly IToken[]
}>

export type QualifiedNameCst = Cst<{
  readonly ColumnId: readonly IToken[]
  readonly Dot?: readonly IToken[]
  readonly Label?: readonly IToken[]
}>

export type FieldDefinitionsCst = Cst<{
  readonly LParen: readonly IToken[]
  readonly fieldDefinition?: readonly FieldDefinitionCst[]
  readonly Comma?: readonly IToken[]
  readonly RParen: readonly IToken[]
}>

export type FieldDefinitionCst = Cst<{
  readonly ColumnId: readonly IToken[]
  readonly typeName: readonly TypeNameCst[]
  readonly Collate?: readonly IToken[]
  readonly qualifiedName?: readonly QualifiedNameCst[]
}>

export type NameListCst = Cst<{
  readonly LParen: readonly IToken[]
  readonly ColumnId: readonly IToken[]
  readonly Comma?: readonly IToken[]
  readonly RParen: readonly IToken[]
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

export type DoubleLiteralCst = Cst<{
  readonly Double: readonly IToken[]
  readonly Precision: readonly IToken[]
  readonly StringLiteral: readonly IToken[]
}>

export type PlacingCst = Cst<{
  readonly Placing: readonly IToken[]
  readonly expression: readonly ExpressionCst[]
  readonly From: readonly IToken[]
  readonly from: readonly ExpressionCst[]
  readonly For?: readonly IToken[]
  readonly count?: readonly ExpressionCst[]
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
  readonly placing?: readonly PlacingCst[]
  readonly RParen: readonly IToken[]
  readonly Within?: readonly IToken[]
  readonly Group?: readonly IToken[]
  readonly withinGroup?: readonly SortListCst[]
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
  readonly Using?: readonly IToken[]
  readonly InfixOperator?: readonly IToken[]
  readonly Nulls?: readonly IToken[]
  readonly First?: readonly IToken[]
  readonly Last?: readonly IToken[]
}>

export type OverClauseCst = Cst<{
  readonly Over: readonly IToken[]
  readonly windowName?: readonly IToken[]
  readonly windowSpec?: readonly WindowSpecCst[]
}>

export type WindowSpecCst = Cst<{
  readonly LParen: readonly IToken[]
  readonly base?: readonly IToken[]
  readonly Partition?: readonly IToken[]
  readonly By?: readonly IToken[]
  readonly partitionBy?: readonly ExpressionListCst[]
  readonly Order?: readonly IToken[]
  readonly sortList?: readonly SortListCst[]
  readonly frameClause?: readonly FrameClauseCst[]
  readonly RParen: readonly IToken[]
}>

export type FrameClauseCst = Cst<{
  readonly Rows?: readonly IToken[]
  readonly Range?: readonly IToken[]
  readonly Groups?: readonly IToken[]
  readonly Between?: readonly IToken[]
  readonly frameBound?: readonly FrameBoundCst[]
  readonly And?: readonly IToken[]
  readonly Exclude?: readonly IToken[]
  readonly Current?: readonly IToken[]
  readonly Row?: readonly IToken[]
  readonly Group?: readonly IToken[]
  readonly Ties?: readonly IToken[]
  readonly No?: readonly IToken[]
  readonly Others?: readonly IToken[]
}>

export type FrameBoundCst = Cst<{
  readonly Unbounded?: readonly IToken[]
  readonly Preceding?: readonly IToken[]
  readonly Following?: readonly IToken[]
  readonly Current?: readonly IToken[]
  readonly Row?: readonly IToken[]
  readonly expression?: readonly ExpressionCst[]
}>

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
  readonly arrayConstructor?: readonly ArrayConstructorCst[]
  readonly reference?: readonly ReferenceCst[]
  readonly suffix?: readonly SuffixCst[]
}>

export type SuffixCst = Cst<{
  readonly DoubleColon?: readonly IToken[]
  readonly typeName?: readonly TypeNameCst[]
  readonly subscript?: readonly SubscriptCst[]
  readonly Dot?: readonly IToken[]
  readonly Label?: readonly IToken[]
  readonly Star?: readonly IToken[]
  readonly Collate?: readonly IToken[]
  readonly qualifiedName?: readonly QualifiedNameCst[]
}>

export type SubscriptCst = Cst<{
  readonly LBracket: readonly IToken[]
  readonly lower?: readonly ExpressionCst[]
  readonly Colon?: readonly IToken[]
  readonly upper?: readonly ExpressionCst[]
  readonly RBracket: readonly IToken[]
}>

export type ArrayConstructorCst = Cst<{
  readonly Array: readonly IToken[]
  readonly subquery?: readonly SubqueryCst[]
  readonly arrayItems?: readonly ArrayItemsCst[]
}>

export type ArrayItemsCst = Cst<{
  readonly LBracket: readonly IToken[]
  readonly arrayItems?: readonly ArrayItemsCst[]
  readonly expression?: readonly ExpressionCst[]
  readonly Comma?: readonly IToken[]
  readonly RBracket: readonly IToken[]
}>

export type TailCst = Cst<{
  readonly InfixOperator?: readonly IToken[]
  readonly quantified?: readonly QuantifiedCst[]
  readonly operand?: readonly OperandCst[]
  readonly isTest?: readonly IsTestCst[]
  readonly AtTimeZone?: readonly IToken[]
  readonly Time?: readonly IToken[]
  readonly Zone?: readonly IToken[]
  readonly Isnull?: readonly IToken[]
  readonly Notnull?: readonly IToken[]
  readonly membership?: readonly MembershipCst[]
}>

export type QuantifiedCst = Cst<{
  readonly Any?: readonly IToken[]
  readonly Some?: readonly IToken[]
  readonly All?: readonly IToken[]
  readonly subquery?: readonly SubqueryCst[]
  readonly LParen?: readonly IToken[]
  readonly expression?: readonly ExpressionCst[]
  readonly RParen?: readonly IToken[]
}>

export type IsTestCst = Cst<{
  readonly Is: readonly IToken[]
  readonly Not?: readonly IToken[]
  readonly Null?: readonly IToken[]
  readonly True?: readonly IToken[]
  readonly False?: readonly IToken[]
  readonly Unknown?: readonly IToken[]
  readonly Identifier?: readonly IToken[]
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
  readonly quantified?: readonly QuantifiedCst[]
  readonly Similar?: readonly IToken[]
  readonly To?: readonly IToken[]
}>

export type ExpressionListCst = Cst<{
  readonly Variadic?: readonly IToken[]
  readonly expression: readonly ExpressionCst[]
  readonly Comma?: readonly IToken[]
}>

export type SubqueryCst = Cst<{
  readonly QueryParen: readonly IToken[]
  readonly query: readonly Cst<unknown>[]
  readonly RParen: readonly IToken[]
}>

export type ParenthesisedCst = Cst<{
  readonly RowConstructor?: readonly IToken[]
  readonly LParen: readonly IToken[]
  readonly expressionList?: readonly ExpressionListCst[]
  readonly RParen: readonly IToken[]
}>

export type ReferenceCst = Cst<{
  readonly ColumnId: readonly IToken[]
  readonly Dot?: readonly IToken[]
  readonly Label?: readonly IToken[]
  readonly Star?: readonly IToken[]
  readonly callArguments?: readonly CallArgumentsCst[]
  readonly overClause?: readonly OverClauseCst[]
  readonly timeZone?: readonly TimeZoneCst[]
  readonly StringLiteral?: readonly IToken[]
  readonly intervalSpan?: readonly IntervalSpanCst[]
  readonly LParen?: readonly IToken[]
  readonly NumberLiteral?: readonly IToken[]
  readonly RParen?: readonly IToken[]
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
