import { intervalNames } from '../types/interval-fields.ts'
import type {
  AssignedPart,
  Assignment,
  CallExpression,
  CycleClause,
  Expression,
  FieldDefinition,
  FrameBound,
  FunctionTable,
  GroupingElement,
  Identifier,
  Insert,
  InsertValue,
  LockingClause,
  MergeAction,
  MergeBranch,
  OnConflict,
  QualifiedName,
  Query,
  QueryBody,
  SearchClause,
  Select,
  SelectItem,
  SortItem,
  TableAlias,
  TableReference,
  TargetColumn,
  TypeName,
  WindowFrame,
  WindowSpec,
  WithTables,
  WriteStatement,
} from './ast.ts'
import { infixRank, isNonAssociative, RANK } from './build/precedence.ts'
import { quoteIdentifier, quoteLiteral } from './keywords.ts'

/** Ranks above those of operators. */
const CAST = RANK.sign + 1
const PRIMARY = CAST + 1

export const printName = (name: QualifiedName): string => printParts(name.parts)
export const printIdentifier = ({ name }: Identifier): string => quoteIdentifier(name)
export const printIdentifiers = (names: readonly Identifier[]): string =>
  names.map(printIdentifier).join(', ')
const printParts = (parts: readonly Identifier[]): string => parts.map(printIdentifier).join('.')

const standardTypes = new Set([
  'boolean',
  'smallint',
  'integer',
  'bigint',
  'real',
  'double precision',
  'numeric',
  'character varying',
  'character',
  'timestamp without time zone',
  'timestamp with time zone',
  'time without time zone',
  'time with time zone',
  'interval',
  ...intervalNames,
])

export function printType({ name, modifiers, array }: TypeName): string {
  const shown = standardTypes.has(name) ? name : name.split('.').map(quoteIdentifier).join('.')
  const suffix = modifiers.length === 0 ? '' : `(${modifiers.join(', ')})`
  const [word = '', ...zone] = shown.includes(' time zone') ? shown.split(' ') : [shown]
  return `${[word + suffix, ...zone].join(' ')}${array ? '[]' : ''}`
}

/** How tightly an expression holds together when it is printed. */
function rankOf(node: Expression): number {
  switch (node.kind) {
    case 'or':
      return RANK.or
    case 'and':
      return RANK.and
    case 'not':
      return RANK.not
    case 'is':
    case 'distinctFrom':
      return RANK.is
    case 'between':
    case 'in':
    case 'inQuery':
    case 'like':
      return RANK.membership
    case 'binary':
    case 'quantified':
    case 'quantifiedArray':
      return infixRank(node.operator)
    case 'unary':
      return node.operator === '-' || node.operator === '+' ? RANK.sign : RANK.other
    case 'number':
      return node.text.startsWith('-') ? RANK.sign : PRIMARY
    case 'cast':
      return CAST
    default:
      return PRIMARY
  }
}

/** The expression, in parentheses if it holds together less tightly than `least`. */
function within(node: Expression, least: number): string {
  const text = printExpression(node)
  return rankOf(node) < least ? `(${text})` : text
}

const list = (nodes: readonly Expression[]): string => nodes.map(printExpression).join(', ')
const not = (negated: boolean): string => (negated ? 'NOT ' : '')

/** The canonical text of an expression: it parses to the same tree, spans aside. */
export function printExpression(node: Expression): string {
  switch (node.kind) {
    case 'null':
      return 'NULL'
    case 'boolean':
      return node.value ? 'TRUE' : 'FALSE'
    case 'number':
      return node.text
    case 'string':
      return quoteLiteral(node.value)
    case 'parameter':
      return `$${node.index}`
    case 'column':
      return printParts(node.parts)
    case 'unary': {
      // Between signs a blank, or two minus signs would begin a comment.
      const signed = node.operator === '-' || node.operator === '+'
      const operand = within(node.operand, signed ? RANK.sign + 1 : RANK.additive)
      return signed ? node.operator + operand : `${node.operator} ${operand}`
    }
    case 'binary': {
      const rank = infixRank(node.operator)
      const left = within(node.left, isNonAssociative(rank) ? rank + 1 : rank)
      return `${left} ${node.operator} ${within(node.right, rank + 1)}`
    }
    case 'quantified':
    case 'quantifiedArray': {
      const rank = infixRank(node.operator)
      const left = within(node.left, isNonAssociative(rank) ? rank + 1 : rank)
      const right = node.kind === 'quantified' ? printQuery(node.query) : printExpression(node.array)
      return `${left} ${node.operator} ${node.quantifier.toUpperCase()} (${right})`
    }
    case 'not':
      return `NOT ${within(node.operand, RANK.not)}`
    case 'and':
      return node.operands.map((operand) => within(operand, RANK.and + 1)).join(' AND ')
    case 'or':
      return node.operands.map((operand) => within(operand, RANK.or + 1)).join(' OR ')
    case 'is':
      return `${within(node.operand, RANK.is + 1)} IS ${not(node.negated)}${node.test.toUpperCase()}`
    case 'distinctFrom':
      return `${within(node.left, RANK.is + 1)} IS ${not(node.negated)}DISTINCT FROM ${within(node.right, RANK.is + 1)}`
    case 'between': {
      const [operand = '', low = '', high = ''] = [node.operand, node.low, node.high].map((part) =>
        within(part, RANK.other),
      )
      const symmetric = node.symmetric ? 'SYMMETRIC ' : ''
      return `${operand} ${not(node.negated)}BETWEEN ${symmetric}${low} AND ${high}`
    }
    case 'in':
      return `${within(node.operand, RANK.other)} ${not(node.negated)}IN (${list(node.list)})`
    case 'inQuery':
      return `${within(node.operand, RANK.other)} ${not(node.negated)}IN (${printQuery(node.query)})`
    case 'like': {
      const word = node.caseInsensitive ? 'ILIKE' : 'LIKE'
      const end = node.escape === null ? '' : ` ESCAPE ${within(node.escape, RANK.other)}`
      return `${within(node.operand, RANK.other)} ${not(node.negated)}${word} ${within(node.pattern, RANK.other)}${end}`
    }
    case 'exists':
      return `EXISTS (${printQuery(node.query)})`
    case 'subquery':
      return `(${printQuery(node.query)})`
    case 'case': {
      const operand = node.operand === null ? '' : ` ${printExpression(node.operand)}`
      const branches = node.branches.map(
        ({ when, result }) => ` WHEN ${printExpression(when)} THEN ${printExpression(result)}`,
      )
      const otherwise = node.otherwise === null ? '' : ` ELSE ${printExpression(node.otherwise)}`
      return `CASE${operand}${branches.join('')}${otherwise} END`
    }
    case 'cast':
      return `${within(node.operand, CAST)}::${printType(node.type)}`
    case 'call':
      return printCall(node)
    case 'coalesce':
    case 'greatest':
    case 'least':
      return `${node.kind.toUpperCase()}(${list(node.args)})`
    case 'nullif':
      return `NULLIF(${printExpression(node.left)}, ${printExpression(node.right)})`
    case 'row':
      return `ROW(${list(node.items)})`
    case 'array':
      return `ARRAY[${list(node.items)}]`
    case 'arrayQuery':
      return `ARRAY(${printQuery(node.query)})`
    case 'field':
      return `${printRow(node.operand)}.${printIdentifier(node.field)}`
    case 'fields':
      return node.operand.kind === 'column'
        ? `${printExpression(node.operand)}.*`
        : `${printRow(node.operand)}.*`
    case 'subscript': {
      const [lower, upper] = [node.lower, node.upper].map((one) => (one === null ? '' : printExpression(one)))
      return `${within(node.operand, PRIMARY)}[${lower}${node.slice ? `:${upper}` : ''}]`
    }
  }
}

/** What a field is taken of stands in parentheses. */
const printRow = (operand: Expression): string =>
  operand.kind === 'subscript' || operand.kind === 'field'
    ? printExpression(operand)
    : `(${printExpression(operand)})`

export const printFields = (fields: readonly FieldDefinition[]): string =>
  fields.map(({ name, type }) => `${printIdentifier(name)} ${printType(type)}`).join(', ')

const withoutParentheses = new Set([
  'current_catalog',
  'current_date',
  'current_role',
  'current_schema',
  'current_time',
  'current_timestamp',
  'current_user',
  'localtime',
  'localtimestamp',
  'session_user',
  'user',
])
/** Keywords that may be written plainly before a parenthesis. */
const plainBeforeParenthesis = new Set(['grouping', 'left', 'right', 'substring'])

function printCall(node: CallExpression): string {
  const { name, args, filter } = node
  const [only, second] = name.parts
  const plain = only !== undefined && second === undefined ? only.name : null
  const [first, last] = args
  if (plain !== null && withoutParentheses.has(plain) && !node.star)
    return args.length === 0 ? plain.toUpperCase() : `${plain.toUpperCase()}(${list(args)})`
  if (plain === 'extract' && first?.kind === 'string' && last !== undefined)
    return `EXTRACT(${quoteLiteral(first.value)} FROM ${printExpression(last)})`
  if (plain === 'position' && first !== undefined && last !== undefined)
    return `POSITION(${within(last, RANK.other)} IN ${within(first, RANK.other)})`
  const shown = plain !== null && plainBeforeParenthesis.has(plain) ? plain : printName(name)
  const distinct = node.distinct ? 'DISTINCT ' : ''
  const order = node.orderBy.length === 0 ? '' : ` ORDER BY ${printSort(node.orderBy)}`
  const group = node.withinGroup.length === 0 ? '' : ` WITHIN GROUP (ORDER BY ${printSort(node.withinGroup)})`
  const end = filter === null ? '' : ` FILTER (WHERE ${printExpression(filter)})`
  return `${shown}(${node.star ? '*' : distinct + argumentList(node) + order})${group}${end}${printOver(node.over)}`
}

function argumentList({ args, variadic }: CallExpression): string {
  if (variadic !== true) return list(args)
  const last = args.slice(-1).map((arg) => `VARIADIC ${printExpression(arg)}`)
  return [...args.slice(0, -1).map(printExpression), ...last].join(', ')
}

function printOver(over: CallExpression['over']): string {
  if (over === null) return ''
  return ` OVER ${over.kind === 'identifier' ? printIdentifier(over) : printWindow(over)}`
}

function printWindow({ base, partitionBy, orderBy, frame }: WindowSpec): string {
  const parts = [
    base === null ? '' : printIdentifier(base),
    partitionBy.length === 0 ? '' : `PARTITION BY ${list(partitionBy)}`,
    orderBy.length === 0 ? '' : `ORDER BY ${printSort(orderBy)}`,
    frame === null ? '' : printFrame(frame),
  ]
  return `(${parts.filter((part) => part !== '').join(' ')})`
}

function printFrame({ mode, start, end, exclude }: WindowFrame): string {
  const bound = (one: FrameBound): string =>
    'offset' in one ? `${within(one.offset, RANK.not + 1)} ${one.kind.toUpperCase()}` : one.kind.toUpperCase()
  const but = exclude === 'no others' ? '' : ` EXCLUDE ${exclude.toUpperCase()}`
  return `${mode.toUpperCase()} BETWEEN ${bound(start)} AND ${bound(end)}${but}`
}

const printSort = (items: readonly SortItem[]): string =>
  items.map((item) => printExpression(item.expression) + printDirection(item)).join(', ')

export function printDirection({ descending, nulls }: Pick<SortItem, 'descending' | 'nulls'>): string {
  const usual = descending ? 'first' : 'last'
  return `${descending ? ' DESC' : ''}${nulls === usual ? '' : ` NULLS ${nulls.toUpperCase()}`}`
}

const printItems = (items: readonly SelectItem[]): string =>
  items
    .map((item) => {
      if (item.kind === 'star') return [...item.qualifier.map(printIdentifier), '*'].join('.')
      const alias = item.alias === null ? '' : ` AS ${printIdentifier(item.alias)}`
      return printExpression(item.expression) + alias
    })
    .join(', ')

/** The canonical text of a query. */
export function printQuery(query: Query): string {
  const { body, orderBy, limit, offset, withTies, locking } = query
  const rows = limit === null ? '' : printExpression(limit)
  return [
    printWith(query),
    body.kind === 'query' ? `(${printQuery(body)})` : printBody(body),
    orderBy.length === 0 ? '' : ` ORDER BY ${printSort(orderBy)}`,
    limit === null || withTies ? '' : ` LIMIT ${rows}`,
    offset === null ? '' : ` OFFSET ${printExpression(offset)}`,
    withTies ? ` FETCH FIRST (${rows}) ROWS WITH TIES` : '',
    ...locking.map(printLocking),
  ].join('')
}

function printWith({ with: tables, recursive }: WithTables): string {
  if (tables.length === 0) return ''
  const texts = tables.map(({ name, columns, materialized, query, search, cycle }) => {
    const how = materialized === null ? '' : `${not(!materialized)}MATERIALIZED `
    const inner = query.kind === 'query' ? printQuery(query) : printWrite(query)
    return `${printIdentifier(name)}${columnList(columns)} AS ${how}(${inner})${printSearch(search)}${printCycle(cycle)}`
  })
  return `WITH ${recursive ? 'RECURSIVE ' : ''}${texts.join(', ')} `
}

function printSearch(search: SearchClause | null): string {
  if (search === null) return ''
  const { first, columns, sequence } = search
  return ` SEARCH ${first.toUpperCase()} FIRST BY ${printIdentifiers(columns)} SET ${printIdentifier(sequence)}`
}

function printCycle(cycle: CycleClause | null): string {
  if (cycle === null) return ''
  const { columns, mark, value, otherwise, path } = cycle
  const marks = `${printIdentifier(mark)} TO ${printExpression(value)} DEFAULT ${printExpression(otherwise)}`
  return ` CYCLE ${printIdentifiers(columns)} SET ${marks} USING ${printIdentifier(path)}`
}

function printLocking({ strength, of, wait }: LockingClause): string {
  const tables = of.length === 0 ? '' : ` OF ${of.map(printName).join(', ')}`
  return ` FOR ${strength.toUpperCase()}${tables}${wait === 'wait' ? '' : ` ${wait.toUpperCase()}`}`
}

const columnList = (columns: readonly Identifier[]): string =>
  columns.length === 0 ? '' : ` (${printIdentifiers(columns)})`

const setRank = (body: QueryBody): number =>
  body.kind === 'query' ? 0 : body.kind !== 'setOperation' ? 3 : body.operator === 'intersect' ? 2 : 1

function printBody(body: QueryBody): string {
  switch (body.kind) {
    case 'query':
      return printQuery(body)
    case 'select':
      return printSelect(body)
    case 'values':
      return `VALUES ${body.rows.map((row) => `(${list(row)})`).join(', ')}`
    case 'setOperation': {
      const rank = setRank(body)
      const side = (inner: QueryBody, least: number): string =>
        setRank(inner) < least ? `(${printBody(inner)})` : printBody(inner)
      const all = body.all ? ' ALL' : ''
      return `${side(body.left, rank)} ${body.operator.toUpperCase()}${all} ${side(body.right, rank + 1)}`
    }
  }
}

function printSelect(node: Select): string {
  const distinct =
    node.distinct === 'all'
      ? ''
      : node.distinct === 'on'
        ? ` DISTINCT ON (${list(node.distinctOn)})`
        : ' DISTINCT'
  return [
    `SELECT${distinct}`,
    node.items.length === 0 ? '' : ` ${printItems(node.items)}`,
    node.from.length === 0 ? '' : ` FROM ${printTables(node.from)}`,
    node.where === null ? '' : ` WHERE ${printExpression(node.where)}`,
    node.groupBy.length === 0
      ? ''
      : ` GROUP BY ${node.distinctGroups ? 'DISTINCT ' : ''}${node.groupBy.map(printGrouping).join(', ')}`,
    node.having === null ? '' : ` HAVING ${printExpression(node.having)}`,
    node.windows.length === 0
      ? ''
      : ` WINDOW ${node.windows.map(({ name, window }) => `${printIdentifier(name)} AS ${printWindow(window)}`).join(', ')}`,
  ].join('')
}

function printGrouping(element: GroupingElement): string {
  const grouped = (items: readonly Expression[]): string => {
    const [only] = items
    if (items.length !== 1 || only === undefined) return `(${list(items)})`
    // A function of that name must not be taken for the clause.
    return printExpression(only).replace(/^(rollup|cube)(?=\()/, '"$1"')
  }
  if (element.kind === 'plain') return grouped(element.items)
  if (element.kind === 'sets') return `GROUPING SETS (${element.elements.map(printGrouping).join(', ')})`
  return `${element.kind.toUpperCase()}(${element.lists.map(grouped).join(', ')})`
}

const printTables = (tables: readonly TableReference[]): string => tables.map(printTable).join(', ')

const printAlias = (alias: TableAlias | null): string =>
  alias === null ? '' : ` AS ${printIdentifier(alias.name)}${columnList(alias.columns)}`

const printCalls = ({ call, more }: FunctionTable): string =>
  more.length === 0 ? printCall(call) : `ROWS FROM (${[call, ...more].map(printCall).join(', ')})`

function printFunctionAlias({ alias, definition }: FunctionTable): string {
  if (definition === null) return printAlias(alias)
  return ` AS ${alias === null ? '' : `${printIdentifier(alias.name)} `}(${printFields(definition)})`
}

function printTable(node: TableReference): string {
  switch (node.kind) {
    case 'table':
      return printName(node.name) + printAlias(node.alias)
    case 'derived':
      return `${node.lateral ? 'LATERAL ' : ''}(${printQuery(node.query)})${printAlias(node.alias)}`
    case 'functionTable':
      return `${node.lateral ? 'LATERAL ' : ''}${printCalls(node)}${node.ordinality ? ' WITH ORDINALITY' : ''}${printFunctionAlias(node)}`
    case 'join': {
      const { condition, type } = node
      const natural = condition?.kind === 'natural' ? 'NATURAL ' : ''
      const word = type === 'inner' ? '' : `${type.toUpperCase()} `
      const bare = node.right.kind === 'join' && node.right.alias === null
      const right = bare ? `(${printTable(node.right)})` : printTable(node.right)
      const end =
        condition?.kind === 'on'
          ? ` ON ${printExpression(condition.expression)}`
          : condition?.kind === 'using'
            ? ` USING (${printIdentifiers(condition.columns)})${condition.alias === null ? '' : ` AS ${printIdentifier(condition.alias)}`}`
            : ''
      const text = `${printTable(node.left)} ${natural}${word}JOIN ${right}${end}`
      return node.alias === null ? text : `(${text})${printAlias(node.alias)}`
    }
  }
}

const printTarget = (table: QualifiedName, alias: Identifier | null): string =>
  printName(table) + (alias === null ? '' : ` AS ${printIdentifier(alias)}`)

export function printWrite(node: WriteStatement): string {
  const tables = printWith(node)
  switch (node.kind) {
    case 'insert':
      return tables + printInsert(node)
    case 'update': {
      const from = node.from.length === 0 ? '' : ` FROM ${printTables(node.from)}`
      const target = printTarget(node.table, node.alias)
      return `${tables}UPDATE ${target} SET ${printAssignments(node.assignments)}${from}${printWhere(node.where)}${printReturning(node.returning)}`
    }
    case 'delete': {
      const using = node.using.length === 0 ? '' : ` USING ${printTables(node.using)}`
      const target = printTarget(node.table, node.alias)
      return `${tables}DELETE FROM ${target}${using}${printWhere(node.where)}${printReturning(node.returning)}`
    }
    case 'merge': {
      const branches = node.branches.map(printBranch).join('')
      const target = printTarget(node.table, node.alias)
      return `${tables}MERGE INTO ${target} USING ${printTable(node.source)} ON ${printExpression(node.on)}${branches}`
    }
  }
}

function printBranch({ matched, condition, action }: MergeBranch): string {
  const and = condition === null ? '' : ` AND ${printExpression(condition)}`
  return ` WHEN ${not(!matched)}MATCHED${and} THEN ${printAction(action)}`
}

function printAction(action: MergeAction): string {
  switch (action.kind) {
    case 'update':
      return `UPDATE SET ${printAssignments(action.assignments)}`
    case 'delete':
      return 'DELETE'
    case 'nothing':
      return 'DO NOTHING'
    case 'insert': {
      const values = action.values
      const row = values === null ? 'DEFAULT VALUES' : `VALUES (${values.map(printValue).join(', ')})`
      return `INSERT${printTargetList(action.columns)}${printOverriding(action.overriding)} ${row}`
    }
  }
}

export const printWhere = (where: Expression | null): string =>
  where === null ? '' : ` WHERE ${printExpression(where)}`

const printReturning = (items: readonly SelectItem[]): string =>
  items.length === 0 ? '' : ` RETURNING ${printItems(items)}`

const printValue = (value: InsertValue): string =>
  value.kind === 'default' ? 'DEFAULT' : printExpression(value)

function printAssignment(node: Assignment): string {
  if (node.kind === 'queryAssignment')
    return `(${printTargetColumns(node.columns)}) = (${printQuery(node.query)})`
  return `${printTargetColumns([node.column])} = ${printValue(node.value)}`
}

const printTargetColumns = (columns: readonly TargetColumn[]): string =>
  columns.map((column) => printIdentifier(column) + column.path.map(printPart).join('')).join(', ')

const printTargetList = (columns: readonly TargetColumn[]): string =>
  columns.length === 0 ? '' : ` (${printTargetColumns(columns)})`

function printPart(part: AssignedPart): string {
  if (part.kind === 'field') return `.${printIdentifier(part.field)}`
  const [lower, upper] = [part.lower, part.upper].map((one) => (one === null ? '' : printExpression(one)))
  return `[${lower}${part.slice ? `:${upper}` : ''}]`
}

const printAssignments = (list: readonly Assignment[]): string => list.map(printAssignment).join(', ')

/** What is not a column goes in parentheses, as PostgreSQL asks for it. */
const printConflictPart = (part: Expression): string =>
  part.kind === 'column' ? printExpression(part) : `(${printExpression(part)})`

function printOnConflict({ target, update }: OnConflict): string {
  const where =
    target === null
      ? ''
      : target.by === 'key'
        ? ` (${target.parts.map(printConflictPart).join(', ')})${printWhere(target.where)}`
        : ` ON CONSTRAINT ${printIdentifier(target.constraint)}`
  if (update === null) return ` ON CONFLICT${where} DO NOTHING`
  const assignments = printAssignments(update.assignments)
  return ` ON CONFLICT${where} DO UPDATE SET ${assignments}${printWhere(update.where)}`
}

const printOverriding = (overriding: Insert['overriding']): string =>
  overriding === null ? '' : ` OVERRIDING ${overriding.toUpperCase()} VALUE`

function printInsert({ table, alias, columns, overriding, source, onConflict, returning }: Insert): string {
  const names = printTargetList(columns)
  const what =
    source.kind === 'query'
      ? printQuery(source.query)
      : source.kind === 'defaultValues'
        ? 'DEFAULT VALUES'
        : `VALUES ${source.rows.map((row) => `(${row.map(printValue).join(', ')})`).join(', ')}`
  const conflict = onConflict === null ? '' : printOnConflict(onConflict)
  const over = printOverriding(overriding)
  return `INSERT INTO ${printTarget(table, alias)}${names}${over} ${what}${conflict}${printReturning(returning)}`
}
