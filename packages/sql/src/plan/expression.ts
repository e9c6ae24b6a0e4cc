export type {
  CallExpr,
  CaseExpr,
  CoalesceExpr,
  Column,
  ColumnExpr,
  ConstantExpr,
  ExistsExpr,
  Expr,
  InListExpr,
  LogicalExpr,
  QuantifiedExpr,
  ScalarQueryExpr,
} from './tree.ts'
