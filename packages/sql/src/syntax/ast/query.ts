import type { Identifier, Node, QualifiedName, TypeName } from './common.ts'
import type {
  BooleanLiteral,
  ColumnReference,
  NullLiteral,
  NumberLiteral,
  Parameter,
  StringLiteral,
} from './literal.ts'

// Expressions and queries contain each other, and WITH lets queries contain what changes rows.

/** A query with all that may surround it. As a statement of its own it is a `Statement` too. */
export interface Query extends Node {
  readonly kind: 'query'
  readonly with: readonly CommonTable[]
  readonly recursive: boolean
  readonly body: QueryBody
  readonly orderBy: readonly SortItem[]
  /** Null: no limit (also LIMIT ALL). */
  readonly limit: Expression | null
  readonly offset: Expression | null
  /** FETCH … WITH TIES: rows that sort as the last one come too. */
  readonly withTies: boolean
  readonly locking: readonly LockingClause[]
}

/** FOR UPDATE and its like. */
export interface LockingClause extends Node {
  readonly strength: 'update' | 'no key update' | 'share' | 'key share'
  /** Names that tables go by in FROM; empty: all of them. */
  readonly of: readonly QualifiedName[]
  readonly wait: 'wait' | 'nowait' | 'skip locked'
}

/** A `Query` as a body stands in parentheses of its own, because it has more than a body. */
export type QueryBody = Select | SetOperation | Values | Query

export interface CommonTable extends Node {
  readonly name: Identifier
  readonly columns: readonly Identifier[]
  readonly query: Query | WriteStatement
  readonly materialized: boolean | null
  readonly search: SearchClause | null
  readonly cycle: CycleClause | null
}

/** `SEARCH DEPTH FIRST BY a, b SET sequence`: a column to sort the rows of a recursive table by. */
export interface SearchClause extends Node {
  readonly first: 'depth' | 'breadth'
  readonly columns: readonly Identifier[]
  readonly sequence: Identifier
}

/** `CYCLE a, b SET mark TO value DEFAULT otherwise USING path`: stops at rows that came before on their path. */
export interface CycleClause extends Node {
  readonly columns: readonly Identifier[]
  readonly mark: Identifier
  readonly value: Expression
  readonly otherwise: Expression
  readonly path: Identifier
}

export interface Select extends Node {
  readonly kind: 'select'
  /** `on` holds the expressions of DISTINCT ON. */
  readonly distinct: 'all' | 'distinct' | 'on'
  readonly distinctOn: readonly Expression[]
  readonly items: readonly SelectItem[]
  /** Items of the comma list; empty without FROM. */
  readonly from: readonly TableReference[]
  readonly where: Expression | null
  readonly groupBy: readonly GroupingElement[]
  /** GROUP BY DISTINCT: equal grouping sets count once. */
  readonly distinctGroups: boolean
  readonly having: Expression | null
  readonly windows: readonly WindowDefinition[]
}

/** `()` is a plain element without expressions, `(a, b)` one with two. */
export type GroupingElement =
  | (Node & { readonly kind: 'plain'; readonly items: readonly Expression[] })
  | (Node & { readonly kind: 'rollup' | 'cube'; readonly lists: readonly (readonly Expression[])[] })
  | (Node & { readonly kind: 'sets'; readonly elements: readonly GroupingElement[] })

/** `WINDOW name AS (…)`. */
export interface WindowDefinition extends Node {
  readonly name: Identifier
  readonly window: WindowSpec
}

export interface WindowSpec extends Node {
  readonly kind: 'window'
  /** The window that this one adds to. */
  readonly base: Identifier | null
  readonly partitionBy: readonly Expression[]
  readonly orderBy: readonly SortItem[]
  readonly frame: WindowFrame | null
}

export interface WindowFrame extends Node {
  readonly mode: 'rows' | 'range' | 'groups'
  readonly start: FrameBound
  readonly end: FrameBound
  readonly exclude: 'no others' | 'current row' | 'group' | 'ties'
}

export type FrameBound =
  | { readonly kind: 'unbounded preceding' | 'current row' | 'unbounded following' }
  | { readonly kind: 'preceding' | 'following'; readonly offset: Expression }

export interface SetOperation extends Node {
  readonly kind: 'setOperation'
  readonly operator: 'union' | 'intersect' | 'except'
  readonly all: boolean
  readonly left: QueryBody
  readonly right: QueryBody
}

/** Every row has the same number of items when it came from the parser. */
export interface Values extends Node {
  readonly kind: 'values'
  readonly rows: readonly (readonly Expression[])[]
}

export type SelectItem = ExpressionItem | StarItem

export interface ExpressionItem extends Node {
  readonly kind: 'item'
  readonly expression: Expression
  readonly alias: Identifier | null
}

/** `*` (no parts) or `table.*`. */
export interface StarItem extends Node {
  readonly kind: 'star'
  readonly qualifier: readonly Identifier[]
}

export interface SortItem extends Node {
  readonly expression: Expression
  readonly descending: boolean
  /** As it takes effect: PostgreSQL puts NULL last when ascending, first when descending. */
  readonly nulls: 'first' | 'last'
}

export type TableReference = TableName | DerivedTable | FunctionTable | Join

export interface TableAlias extends Node {
  readonly name: Identifier
  readonly columns: readonly Identifier[]
}

export interface TableName extends Node {
  readonly kind: 'table'
  readonly name: QualifiedName
  readonly alias: TableAlias | null
}

export interface DerivedTable extends Node {
  readonly kind: 'derived'
  readonly query: Query
  /** PostgreSQL 15 insists on one: the parser has checked. */
  readonly alias: TableAlias
  readonly lateral: boolean
}

/** `generate_series(1, 10) AS n`. */
export interface FunctionTable extends Node {
  readonly kind: 'functionTable'
  readonly call: CallExpression
  /** ROWS FROM: the functions behind the first, whose rows go beside its own. */
  readonly more: readonly CallExpression[]
  /** WITH ORDINALITY: a last column counts the rows from 1. */
  readonly ordinality: boolean
  /** `AS name (a integer, b text)`: what the rows are of a function that does not say so itself. */
  readonly definition: readonly FieldDefinition[] | null
  readonly alias: TableAlias | null
  readonly lateral: boolean
}

/** `a integer`. */
export interface FieldDefinition {
  readonly name: Identifier
  readonly type: TypeName
}

export interface Join extends Node {
  readonly kind: 'join'
  readonly type: 'inner' | 'left' | 'right' | 'full' | 'cross'
  readonly left: TableReference
  readonly right: TableReference
  readonly condition: JoinCondition | null
  /** `(a JOIN b …) AS name`: the only name that it goes by outside. */
  readonly alias: TableAlias | null
}

/** Null on the join itself: a cross join. */
export type JoinCondition =
  | { readonly kind: 'on'; readonly expression: Expression }
  | {
      readonly kind: 'using'
      readonly columns: readonly Identifier[]
      /** `USING (…) AS name`: the joined columns under a name of their own. */
      readonly alias: Identifier | null
    }
  | { readonly kind: 'natural' }

export type Expression =
  | NullLiteral
  | BooleanLiteral
  | NumberLiteral
  | StringLiteral
  | Parameter
  | ColumnReference
  | UnaryExpression
  | BinaryExpression
  | NotExpression
  | LogicalExpression
  | IsExpression
  | DistinctFromExpression
  | BetweenExpression
  | InListExpression
  | InQueryExpression
  | LikeExpression
  | QuantifiedExpression
  | QuantifiedArrayExpression
  | ExistsExpression
  | ScalarSubquery
  | CaseExpression
  | CastExpression
  | CallExpression
  | CoalesceExpression
  | NullIfExpression
  | ExtremeExpression
  | RowExpression
  | ArrayExpression
  | ArrayQueryExpression
  | SubscriptExpression
  | FieldExpression
  | FieldsExpression

/** Prefix `-`, `+`, `@`, `~` and other operators. */
export interface UnaryExpression extends Node {
  readonly kind: 'unary'
  readonly operator: string
  readonly operand: Expression
}

/** Every infix operator that is looked up by its operands' types: `+`, `<=`, `||`, … (`!=` becomes `<>`). */
export interface BinaryExpression extends Node {
  readonly kind: 'binary'
  readonly operator: string
  readonly left: Expression
  readonly right: Expression
  /** Where the operator stands, for messages. */
  readonly operatorSpan: Node['span']
}

export interface NotExpression extends Node {
  readonly kind: 'not'
  readonly operand: Expression
}

/** A chain of one connective, flat however long it is; at least two operands. */
export interface LogicalExpression extends Node {
  readonly kind: 'and' | 'or'
  readonly operands: readonly Expression[]
}

export interface IsExpression extends Node {
  readonly kind: 'is'
  readonly test: 'null' | 'true' | 'false' | 'unknown'
  readonly operand: Expression
  readonly negated: boolean
}

export interface DistinctFromExpression extends Node {
  readonly kind: 'distinctFrom'
  readonly left: Expression
  readonly right: Expression
  readonly negated: boolean
}

export interface BetweenExpression extends Node {
  readonly kind: 'between'
  readonly operand: Expression
  readonly low: Expression
  readonly high: Expression
  readonly symmetric: boolean
  readonly negated: boolean
}

export interface InListExpression extends Node {
  readonly kind: 'in'
  readonly operand: Expression
  readonly list: readonly Expression[]
  readonly negated: boolean
}

export interface InQueryExpression extends Node {
  readonly kind: 'inQuery'
  readonly operand: Expression
  readonly query: Query
  readonly negated: boolean
}

export interface LikeExpression extends Node {
  readonly kind: 'like'
  readonly operand: Expression
  readonly pattern: Expression
  readonly escape: Expression | null
  readonly caseInsensitive: boolean
  readonly negated: boolean
}

/** `left operator ANY (query)`, `left operator ALL (query)`; SOME is ANY. */
export interface QuantifiedExpression extends Node {
  readonly kind: 'quantified'
  readonly left: Expression
  readonly operator: string
  readonly quantifier: 'any' | 'all'
  readonly query: Query
  readonly operatorSpan: Node['span']
}

/** `left operator ANY (array)`, `left operator ALL (array)`. */
export interface QuantifiedArrayExpression extends Node {
  readonly kind: 'quantifiedArray'
  readonly left: Expression
  readonly operator: string
  readonly quantifier: 'any' | 'all'
  readonly array: Expression
  readonly operatorSpan: Node['span']
}

export interface ExistsExpression extends Node {
  readonly kind: 'exists'
  readonly query: Query
}

export interface ScalarSubquery extends Node {
  readonly kind: 'subquery'
  readonly query: Query
}

/** With an `operand`, each `when` is compared with it. */
export interface CaseExpression extends Node {
  readonly kind: 'case'
  readonly operand: Expression | null
  readonly branches: readonly CaseBranch[]
  readonly otherwise: Expression | null
}

export interface CaseBranch extends Node {
  readonly when: Expression
  readonly result: Expression
}

/** `CAST(x AS t)`, `x::t`, and the typed literal `t 'text'`. */
export interface CastExpression extends Node {
  readonly kind: 'cast'
  readonly operand: Expression
  readonly type: TypeName
  /** Nobody wrote it, so it gives a column no name. */
  readonly implied?: true
}

/**
 * A function or aggregate. The standard's special forms are calls as well: SUBSTRING, POSITION (arguments
 * swapped: text first), TRIM (`btrim`, `ltrim`, `rtrim`), EXTRACT (`extract` with the field as a string
 * first), CURRENT_TIMESTAMP and its like (no arguments).
 */
export interface CallExpression extends Node {
  readonly kind: 'call'
  readonly name: QualifiedName
  readonly args: readonly Expression[]
  /** Set when the last argument is VARIADIC: an array that holds all further ones. */
  readonly variadic?: true
  /** `count(*)`. */
  readonly star: boolean
  readonly distinct: boolean
  readonly orderBy: readonly SortItem[]
  /** WITHIN GROUP (ORDER BY …); empty: none. */
  readonly withinGroup: readonly SortItem[]
  readonly filter: Expression | null
  /** A name from the WINDOW clause, or a window of its own; null: no window function. */
  readonly over: Identifier | WindowSpec | null
}

export interface CoalesceExpression extends Node {
  readonly kind: 'coalesce'
  readonly args: readonly Expression[]
}

export interface NullIfExpression extends Node {
  readonly kind: 'nullif'
  readonly left: Expression
  readonly right: Expression
}

/** GREATEST and LEAST. */
export interface ExtremeExpression extends Node {
  readonly kind: 'greatest' | 'least'
  readonly args: readonly Expression[]
}

/** `(a, b)`, `ROW(a)`. */
export interface RowExpression extends Node {
  readonly kind: 'row'
  readonly items: readonly Expression[]
}

/** `ARRAY[a, b]`; in an array of arrays the inner ones are of this kind too. */
export interface ArrayExpression extends Node {
  readonly kind: 'array'
  readonly items: readonly Expression[]
}

/** `ARRAY(query)`. */
export interface ArrayQueryExpression extends Node {
  readonly kind: 'arrayQuery'
  readonly query: Query
}

/** `operand[lower]`, or with `slice` `operand[lower:upper]`. */
export interface SubscriptExpression extends Node {
  readonly kind: 'subscript'
  readonly operand: Expression
  readonly slice: boolean
  readonly lower: Expression | null
  readonly upper: Expression | null
}

/** `(row).name`: one field of a row. */
export interface FieldExpression extends Node {
  readonly kind: 'field'
  readonly operand: Expression
  readonly field: Identifier
}

/** `(row).*`, `table.*`: all fields of a row, where a list of values may stand; elsewhere the row. */
export interface FieldsExpression extends Node {
  readonly kind: 'fields'
  readonly operand: Expression
}

/** DEFAULT in place of a value, in INSERT's rows and UPDATE's assignments. */
export interface DefaultValue extends Node {
  readonly kind: 'default'
}

export type InsertValue = Expression | DefaultValue

/** The WITH clause in front of a statement that changes rows. */
export interface WithTables {
  readonly with: readonly CommonTable[]
  readonly recursive: boolean
}

export type WriteStatement = Insert | Update | Delete | Merge

export interface Insert extends Node, WithTables {
  readonly kind: 'insert'
  readonly table: QualifiedName
  readonly alias: Identifier | null
  /** Empty: all columns in order. */
  readonly columns: readonly TargetColumn[]
  /** OVERRIDING … VALUE: whether given values count in identity columns (`system`) or not (`user`). */
  readonly overriding: 'system' | 'user' | null
  readonly source: InsertSource
  readonly onConflict: OnConflict | null
  readonly returning: readonly SelectItem[]
}

/** What becomes of a row whose key another row has. */
export interface OnConflict extends Node {
  /** Which constraints are meant, by all parts of their key or by name; null: all of them. */
  readonly target: ConflictTarget | null
  /** Null: DO NOTHING. */
  readonly update: ConflictUpdate | null
}

export type ConflictTarget =
  | { readonly by: 'key'; readonly parts: readonly Expression[]; readonly where: Expression | null }
  | { readonly by: 'constraint'; readonly constraint: Identifier }

export interface ConflictUpdate {
  readonly assignments: readonly Assignment[]
  readonly where: Expression | null
}

export type InsertSource =
  | { readonly kind: 'rows'; readonly rows: readonly (readonly InsertValue[])[] }
  | { readonly kind: 'query'; readonly query: Query }
  | { readonly kind: 'defaultValues' }

/** `(a, b) = (1, 2)` comes as two of the first kind. */
export type Assignment = ColumnAssignment | QueryAssignment

export interface ColumnAssignment extends Node {
  readonly kind: 'assignment'
  readonly column: TargetColumn
  readonly value: InsertValue
}

/** A column that is given a value, or a part of one. */
export interface TargetColumn extends Identifier {
  /** The part of the column, from the outside inwards; empty: all of it. */
  readonly path: readonly AssignedPart[]
}

export type AssignedPart =
  | { readonly kind: 'field'; readonly field: Identifier }
  | {
      readonly kind: 'item'
      readonly slice: boolean
      readonly lower: Expression | null
      readonly upper: Expression | null
    }

/** `(a, b) = (SELECT …)`: the row of a query, or NULLs without one. */
export interface QueryAssignment extends Node {
  readonly kind: 'queryAssignment'
  readonly columns: readonly TargetColumn[]
  readonly query: Query
}

export interface Update extends Node, WithTables {
  readonly kind: 'update'
  readonly table: QualifiedName
  readonly alias: Identifier | null
  readonly assignments: readonly Assignment[]
  readonly from: readonly TableReference[]
  readonly where: Expression | null
  readonly returning: readonly SelectItem[]
}

export interface Delete extends Node, WithTables {
  readonly kind: 'delete'
  readonly table: QualifiedName
  readonly alias: Identifier | null
  readonly using: readonly TableReference[]
  readonly where: Expression | null
  readonly returning: readonly SelectItem[]
}

/** For each row of `source` the first branch that fits decides. */
export interface Merge extends Node, WithTables {
  readonly kind: 'merge'
  readonly table: QualifiedName
  readonly alias: Identifier | null
  readonly source: TableReference
  readonly on: Expression
  readonly branches: readonly MergeBranch[]
}

export interface MergeBranch extends Node {
  readonly matched: boolean
  readonly condition: Expression | null
  readonly action: MergeAction
}

export type MergeAction =
  | { readonly kind: 'update'; readonly assignments: readonly Assignment[] }
  | { readonly kind: 'delete' }
  | { readonly kind: 'nothing' }
  /** No values: DEFAULT VALUES. */
  | {
      readonly kind: 'insert'
      readonly columns: readonly TargetColumn[]
      readonly overriding: Insert['overriding']
      readonly values: readonly InsertValue[] | null
    }
