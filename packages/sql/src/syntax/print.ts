import type {
  ColumnConstraint,
  CreateIndex,
  CreateTable,
  Expression,
  Identifier,
  ReferentialAction,
  Statement,
  StorageOption,
  TableConstraint,
} from './ast.ts'
import { quoteIdentifier, quoteLiteral } from './keywords.ts'
import {
  printDirection,
  printExpression,
  printIdentifier,
  printIdentifiers,
  printName,
  printQuery,
  printType,
  printWhere,
  printWrite,
} from './print-query.ts'

export { printExpression, printQuery } from './print-query.ts'

/** The canonical text of a statement: one spelling of all that mean the same. It parses to the same tree. */
export function printStatement(node: Statement): string {
  switch (node.kind) {
    case 'query':
      return printQuery(node)
    case 'insert':
    case 'update':
    case 'delete':
    case 'merge':
      return printWrite(node)
    case 'prepare': {
      const types = node.types.length === 0 ? '' : ` (${node.types.map(printType).join(', ')})`
      return `PREPARE ${printIdentifier(node.name)}${types} AS ${printStatement(node.statement)}`
    }
    case 'execute': {
      const args = node.args.length === 0 ? '' : ` (${node.args.map(printExpression).join(', ')})`
      return `EXECUTE ${printIdentifier(node.name)}${args}`
    }
    case 'deallocate':
      return `DEALLOCATE ${node.name === null ? 'ALL' : printIdentifier(node.name)}`
    case 'truncate':
      return `TRUNCATE ${node.tables.map(printName).join(', ')}`
    case 'createTable':
      return printCreateTable(node)
    case 'createTableAs': {
      const columns = node.columns.length === 0 ? '' : ` (${printIdentifiers(node.columns)})`
      const end = node.withData ? '' : ' WITH NO DATA'
      return `${createWords('TABLE', node)}${printName(node.table)}${columns} AS ${printQuery(node.query)}${end}`
    }
    case 'createIndex':
      return printCreateIndex(node)
    case 'createView': {
      const replace = node.orReplace ? ' OR REPLACE' : ''
      const temporary = node.temporary ? ' TEMPORARY' : ''
      const columns = node.columns.length === 0 ? '' : ` (${printIdentifiers(node.columns)})`
      return `CREATE${replace}${temporary} VIEW ${printName(node.name)}${columns} AS ${printQuery(node.query)}`
    }
    case 'dropTable':
    case 'dropIndex':
    case 'dropView': {
      const word = node.kind.slice(4).toUpperCase()
      const exists = node.ifExists ? 'IF EXISTS ' : ''
      return `DROP ${word} ${exists}${node.names.map(printName).join(', ')}${node.cascade ? ' CASCADE' : ''}`
    }
    case 'begin': {
      const isolation = node.isolation === null ? '' : ` ISOLATION LEVEL ${node.isolation.toUpperCase()}`
      const access = node.readOnly === null ? '' : node.readOnly ? ' READ ONLY' : ' READ WRITE'
      return `BEGIN${isolation}${access}`
    }
    case 'commit':
      return 'COMMIT'
    case 'rollback':
      return 'ROLLBACK'
    case 'savepoint':
      return `SAVEPOINT ${printIdentifier(node.name)}`
    case 'rollbackTo':
      return `ROLLBACK TO SAVEPOINT ${printIdentifier(node.name)}`
    case 'release':
      return `RELEASE SAVEPOINT ${printIdentifier(node.name)}`
    case 'explain': {
      const words = [
        ...(node.analyze ? ['ANALYZE'] : []),
        ...(node.verbose ? ['VERBOSE'] : []),
        ...node.options.map(printOption(' ')),
      ]
      return `EXPLAIN ${words.length === 0 ? '' : `(${words.join(', ')}) `}${printStatement(node.statement)}`
    }
    case 'set': {
      const value = node.values === null ? 'DEFAULT' : node.values.map(quoteLiteral).join(', ')
      return `SET ${node.scope === 'local' ? 'LOCAL ' : ''}${settingName(node.name)} TO ${value}`
    }
    case 'show':
      return `SHOW ${node.name === 'all' ? 'ALL' : settingName(node.name)}`
  }
}

const settingName = (name: string): string => name.split('.').map(quoteIdentifier).join('.')

function createWords(
  word: string,
  { temporary, ifNotExists }: { readonly temporary: boolean; readonly ifNotExists: boolean },
): string {
  return `CREATE ${temporary ? 'TEMPORARY ' : ''}${word} ${ifNotExists ? 'IF NOT EXISTS ' : ''}`
}

const printOption =
  (sign: string) =>
  ({ name, value }: StorageOption): string =>
    printIdentifier(name) + (value === null ? '' : sign + quoteLiteral(value))

function printCreateTable(node: CreateTable): string {
  const columns = node.columns.map(({ name, type, constraints }) =>
    [printIdentifier(name), printType(type), ...constraints.map(printColumnConstraint)].join(' '),
  )
  const elements = [...columns, ...node.constraints.map(printTableConstraint)]
  const options =
    node.options.length === 0 ? '' : ` WITH (${node.options.map(printOption(' = ')).join(', ')})`
  return `${createWords('TABLE', node)}${printName(node.table)} (${elements.join(', ')})${options}`
}

const named = (name: Identifier | null): string =>
  name === null ? '' : `CONSTRAINT ${printIdentifier(name)} `

const printActions = (onDelete: ReferentialAction, onUpdate: ReferentialAction): string =>
  [
    onDelete === 'no action' ? '' : ` ON DELETE ${onDelete.toUpperCase()}`,
    onUpdate === 'no action' ? '' : ` ON UPDATE ${onUpdate.toUpperCase()}`,
  ].join('')

function printColumnConstraint(node: ColumnConstraint): string {
  const name = named(node.name)
  switch (node.kind) {
    case 'notNull':
      return `${name}NOT NULL`
    case 'nullable':
      return `${name}NULL`
    case 'primaryKey':
      return `${name}PRIMARY KEY`
    case 'unique':
      return `${name}UNIQUE`
    case 'default':
      return `${name}DEFAULT ${printDefault(node.expression)}`
    case 'check':
      return `${name}CHECK (${printExpression(node.expression)})`
    case 'references': {
      const columns = node.columns.length === 0 ? '' : ` (${printIdentifiers(node.columns)})`
      return `${name}REFERENCES ${printName(node.table)}${columns}${printActions(node.onDelete, node.onUpdate)}`
    }
  }
}

const simple: ReadonlySet<Expression['kind']> = new Set([
  'null',
  'boolean',
  'number',
  'string',
  'cast',
  'call',
  'coalesce',
  'nullif',
])

/** What is more than a value goes in parentheses, so that no constraint behind it can be read as its part. */
const printDefault = (node: Expression): string =>
  simple.has(node.kind) ? printExpression(node) : `(${printExpression(node)})`

function printTableConstraint(node: TableConstraint): string {
  const name = named(node.name)
  switch (node.kind) {
    case 'primaryKey':
      return `${name}PRIMARY KEY (${printIdentifiers(node.columns)})`
    case 'unique':
      return `${name}UNIQUE (${printIdentifiers(node.columns)})`
    case 'check':
      return `${name}CHECK (${printExpression(node.expression)})`
    case 'foreignKey': {
      const referenced = node.referenced.length === 0 ? '' : ` (${printIdentifiers(node.referenced)})`
      const target = printName(node.table) + referenced
      const actions = printActions(node.onDelete, node.onUpdate)
      return `${name}FOREIGN KEY (${printIdentifiers(node.columns)}) REFERENCES ${target}${actions}`
    }
  }
}

function printCreateIndex(node: CreateIndex): string {
  const unique = node.unique ? 'UNIQUE ' : ''
  const exists = node.ifNotExists ? 'IF NOT EXISTS ' : ''
  const name = node.name === null ? '' : `${printIdentifier(node.name)} `
  const columns = node.columns.map((column) => {
    const { expression } = column
    const text = printExpression(expression)
    const plain = expression.kind === 'column' || expression.kind === 'call'
    return (plain ? text : `(${text})`) + printDirection(column)
  })
  return `CREATE ${unique}INDEX ${exists}${name}ON ${printName(node.table)} (${columns.join(', ')})${printWhere(node.where)}`
}
