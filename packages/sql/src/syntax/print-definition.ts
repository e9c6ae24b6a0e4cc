import type {
  AlterObject,
  AttributeChange,
  ColumnAction,
  ColumnConstraint,
  ColumnDefinition,
  CreateIndex,
  CreateTable,
  CreateTableAs,
  Deferral,
  Definition,
  Expression,
  Identifier,
  ObjectChange,
  References,
  ReferentialAction,
  SequenceOption,
  StorageOption,
  TableChange,
  TableConstraint,
} from './ast.ts'
import { quoteLiteral } from './keywords.ts'
import {
  printDirection,
  printExpression,
  printFields,
  printIdentifier,
  printIdentifiers,
  printName,
  printQuery,
  printType,
  printWhere,
} from './print-query.ts'

/** @param source what it has its rows from, as text */
export const printTableAs = (node: Omit<CreateTableAs, 'query'>, source: string): string =>
  `${createWords('TABLE', node)}${printName(node.table)}${columnList(node.columns)} AS ${source}${node.withData ? '' : ' WITH NO DATA'}`

/** The canonical text of a statement that changes the catalog. It parses to the same tree. */
export function printDefinition(node: Definition): string {
  switch (node.kind) {
    case 'truncate': {
      const identity = node.restartIdentity ? ' RESTART IDENTITY' : ''
      return `TRUNCATE ${node.tables.map(printName).join(', ')}${identity}${cascade(node)}`
    }
    case 'createTable':
      return printCreateTable(node)
    case 'createTableAs':
      return printTableAs(node, printQuery(node.query))
    case 'createIndex':
      return printCreateIndex(node)
    case 'createView': {
      const replace = node.orReplace ? ' OR REPLACE' : ''
      const kind = `${node.temporary ? ' TEMPORARY' : ''}${node.recursive ? ' RECURSIVE' : ''}`
      const check = node.checkOption === null ? '' : ` WITH ${node.checkOption.toUpperCase()} CHECK OPTION`
      return `CREATE${replace}${kind} VIEW ${printName(node.name)}${columnList(node.columns)} AS ${printQuery(node.query)}${check}`
    }
    case 'createMaterializedView': {
      const exists = node.ifNotExists ? 'IF NOT EXISTS ' : ''
      const end = node.withData ? '' : ' WITH NO DATA'
      return `CREATE MATERIALIZED VIEW ${exists}${printName(node.name)}${columnList(node.columns)} AS ${printQuery(node.query)}${end}`
    }
    case 'createSequence':
      return `${createWords('SEQUENCE', node)}${printName(node.name)}${node.options.map(printSequenceOption).join('')}`
    case 'createSchema':
      return `CREATE SCHEMA ${node.ifNotExists ? 'IF NOT EXISTS ' : ''}${printIdentifier(node.name)}${node.owner === null ? '' : ` AUTHORIZATION ${printIdentifier(node.owner)}`}${node.elements.map((element) => ` ${printDefinition(element)}`).join('')}`
    case 'createEnum':
      return `CREATE TYPE ${printName(node.name)} AS ENUM (${node.labels.map(quoteLiteral).join(', ')})`
    case 'createComposite':
      return `CREATE TYPE ${printName(node.name)} AS (${printFields(node.fields)})`
    case 'createDomain':
      return `CREATE DOMAIN ${[printName(node.name), 'AS', printType(node.type), ...node.constraints.map(printColumnConstraint)].join(' ')}`
    case 'alterTable':
      return `ALTER TABLE ${ifExists(node)}${printName(node.table)} ${node.changes.map(printTableChange).join(', ')}`
    case 'alterSequence': {
      const { change } = node
      const what =
        change.kind === 'options'
          ? change.options.map(printSequenceOption).join('')
          : ` ${printObjectChange(change)}`
      return `ALTER SEQUENCE ${ifExists(node)}${printName(node.name)}${what}`
    }
    case 'alterComposite':
      return `ALTER TYPE ${printName(node.name)} ${node.changes.map(printAttributeChange).join(', ')}`
    case 'alterEnum':
      return `ALTER TYPE ${printName(node.name)} ${printEnumChange(node.change)}`
    case 'alterDomain':
      return `ALTER DOMAIN ${printName(node.name)} ${printDomainChange(node.change)}`
    case 'alterObject':
      return `ALTER ${node.object.toUpperCase()} ${ifExists(node)}${printName(node.name)} ${printViewChange(node.change)}`
    case 'drop':
      return `DROP ${node.object.toUpperCase()} ${ifExists(node)}${node.names.map(printName).join(', ')}${cascade(node)}`
    case 'refresh':
      return `REFRESH MATERIALIZED VIEW ${printName(node.name)}${node.withData ? '' : ' WITH NO DATA'}`
    case 'comment': {
      const of = node.constraint === null ? '' : `${printIdentifier(node.constraint)} ON `
      const text = node.text === null ? 'NULL' : quoteLiteral(node.text)
      return `COMMENT ON ${node.object.toUpperCase()} ${of}${printName(node.name)} IS ${text}`
    }
  }
}

const cascade = (node: { readonly cascade: boolean }): string => (node.cascade ? ' CASCADE' : '')
const ifExists = (node: { readonly ifExists: boolean }): string => (node.ifExists ? 'IF EXISTS ' : '')
const columnList = (columns: readonly Identifier[]): string =>
  columns.length === 0 ? '' : ` (${printIdentifiers(columns)})`

function createWords(
  word: string,
  { temporary, ifNotExists }: { readonly temporary: boolean; readonly ifNotExists: boolean },
): string {
  return `CREATE ${temporary ? 'TEMPORARY ' : ''}${word} ${ifNotExists ? 'IF NOT EXISTS ' : ''}`
}

export const printOption =
  (sign: string) =>
  ({ name, value }: StorageOption): string =>
    printIdentifier(name) + (value === null ? '' : sign + quoteLiteral(value))

const printOptions = (options: readonly StorageOption[]): string =>
  `(${options.map(printOption(' = ')).join(', ')})`

function printCreateTable(node: CreateTable): string {
  const columns = node.columns.map(printColumn)
  const likes = node.likes.map(({ table, options, position }) => ({
    position,
    text: `LIKE ${[printName(table), ...options.map(({ including, what }) => `${including ? 'INCLUDING' : 'EXCLUDING'} ${printIdentifier(what)}`)].join(' ')}`,
  }))
  const elements = columns.flatMap((column, i) => [
    ...likes.filter(({ position }) => position === i).map(({ text }) => text),
    column,
  ])
  elements.push(...likes.filter(({ position }) => position >= columns.length).map(({ text }) => text))
  elements.push(...node.constraints.map(printTableConstraint))
  const clauses = [
    node.parents.length === 0 ? '' : ` INHERITS (${printIdentifiers(node.parents)})`,
    node.options.length === 0 ? '' : ` WITH ${printOptions(node.options)}`,
    node.distribution.length === 0 ? '' : ` DISTRIBUTED BY (${printIdentifiers(node.distribution)})`,
    node.onCommit === 'preserve rows' ? '' : ` ON COMMIT ${node.onCommit.toUpperCase()}`,
  ]
  return `${createWords('TABLE', node)}${printName(node.table)} (${elements.join(', ')})${clauses.join('')}`
}

function printColumn({ name, type, collation, constraints }: ColumnDefinition): string {
  const collate = collation === null ? [] : [`COLLATE ${printName(collation)}`]
  return [printIdentifier(name), printType(type), ...collate, ...constraints.map(printColumnConstraint)].join(
    ' ',
  )
}

const named = (name: Identifier | null): string =>
  name === null ? '' : `CONSTRAINT ${printIdentifier(name)} `

const deferral = ({ deferrable, initiallyDeferred }: Deferral): string =>
  deferrable ? ` DEFERRABLE${initiallyDeferred ? ' INITIALLY DEFERRED' : ''}` : ''

function printReferences(node: References): string {
  const columns = columnList(node.referenced)
  const match = node.match === 'simple' ? '' : ` MATCH ${node.match.toUpperCase()}`
  const action = (event: string, what: ReferentialAction, some: readonly Identifier[]): string =>
    what === 'no action' ? '' : ` ON ${event} ${what.toUpperCase()}${columnList(some)}`
  const onDelete = action('DELETE', node.onDelete, node.onDeleteColumns)
  return `REFERENCES ${printName(node.table)}${columns}${match}${onDelete}${action('UPDATE', node.onUpdate, [])}`
}

const generatedWhen = (always: boolean): string => (always ? 'ALWAYS' : 'BY DEFAULT')

const identity = (always: boolean, options: readonly SequenceOption[]): string => {
  const list = options.length === 0 ? '' : ` (${options.map(printSequenceOption).join('').trim()})`
  return `GENERATED ${generatedWhen(always)} AS IDENTITY${list}`
}

function printColumnConstraint(node: ColumnConstraint): string {
  const name = named(node.name)
  switch (node.kind) {
    case 'notNull':
      return `${name}NOT NULL`
    case 'nullable':
      return `${name}NULL`
    case 'primaryKey':
      return `${name}PRIMARY KEY${deferral(node)}`
    case 'unique':
      return `${name}UNIQUE${treatment(node)}${deferral(node)}`
    case 'default':
      return `${name}DEFAULT ${printDefault(node.expression)}`
    case 'generated':
      return `${name}GENERATED ${generatedWhen(node.always)} AS (${printExpression(node.expression)}) STORED`
    case 'identity':
      return name + identity(node.always, node.options)
    case 'check':
      return `${name}CHECK (${printExpression(node.expression)})`
    case 'references':
      return name + printReferences(node) + deferral(node)
  }
}

function printSequenceOption(node: SequenceOption): string {
  switch (node.kind) {
    case 'as':
      return ` AS ${printType(node.type)}`
    case 'increment':
    case 'start':
    case 'cache':
      return ` ${node.kind.toUpperCase()} ${node.value}`
    case 'minvalue':
    case 'maxvalue':
      return node.value === null
        ? ` NO ${node.kind.toUpperCase()}`
        : ` ${node.kind.toUpperCase()} ${node.value}`
    case 'restart':
      return node.value === null ? ' RESTART' : ` RESTART ${node.value}`
    case 'cycle':
      return node.on ? ' CYCLE' : ' NO CYCLE'
    case 'ownedBy':
      return ` OWNED BY ${printName(node.owner)}`
    case 'sequenceName':
      return ` SEQUENCE NAME ${printName(node.name)}`
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
  const end = deferral(node) + (node.notValid ? ' NOT VALID' : '')
  const name = named(node.name)
  switch (node.kind) {
    case 'primaryKey':
      return `${name}PRIMARY KEY (${printIdentifiers(node.columns)})${end}`
    case 'unique':
      return `${name}UNIQUE${treatment(node)} (${printIdentifiers(node.columns)})${end}`
    case 'check':
      return `${name}CHECK (${printExpression(node.expression)})${end}`
    case 'foreignKey':
      return `${name}FOREIGN KEY (${printIdentifiers(node.columns)}) ${printReferences(node)}${end}`
  }
}

function printCreateIndex(node: CreateIndex): string {
  const words = `${node.unique ? 'UNIQUE ' : ''}INDEX ${node.concurrently ? 'CONCURRENTLY ' : ''}`
  const exists = node.ifNotExists ? 'IF NOT EXISTS ' : ''
  const name = node.name === null ? '' : `${printIdentifier(node.name)} `
  const method = node.method === null ? '' : ` USING ${printIdentifier(node.method)}`
  const columns = node.columns.map((column) => {
    const { expression, operatorClass } = column
    const text = printExpression(expression)
    const plain = expression.kind === 'column' || expression.kind === 'call'
    const named = operatorClass === null ? '' : ` ${printIdentifier(operatorClass)}`
    return (plain ? text : `(${text})`) + named + printDirection(column)
  })
  const include = node.include.length === 0 ? '' : ` INCLUDE (${printIdentifiers(node.include)})`
  return `CREATE ${words}${exists}${name}ON ${printName(node.table)}${method} (${columns.join(', ')})${include}${treatment(node)}${printWhere(node.where)}`
}

function printObjectChange(node: ObjectChange): string {
  switch (node.kind) {
    case 'rename':
      return `RENAME TO ${printIdentifier(node.to)}`
    case 'setSchema':
      return `SET SCHEMA ${printIdentifier(node.schema)}`
    case 'owner':
      return 'OWNER TO CURRENT_USER'
  }
}

function printTableChange(node: TableChange): string {
  switch (node.kind) {
    case 'addColumn':
      return `ADD COLUMN ${node.ifNotExists ? 'IF NOT EXISTS ' : ''}${printColumn(node.column)}`
    case 'addConstraint':
      return `ADD ${printTableConstraint(node.constraint)}`
    case 'dropColumn':
      return `DROP COLUMN ${ifExists(node)}${printIdentifier(node.name)}${cascade(node)}`
    case 'dropConstraint':
      return `DROP CONSTRAINT ${ifExists(node)}${printIdentifier(node.name)}${cascade(node)}`
    case 'validateConstraint':
      return `VALIDATE CONSTRAINT ${printIdentifier(node.name)}`
    case 'alterConstraint':
      return `ALTER CONSTRAINT ${printIdentifier(node.name)}${deferral(node.deferral)}`
    case 'renameColumn':
      return `RENAME COLUMN ${printIdentifier(node.from)} TO ${printIdentifier(node.to)}`
    case 'renameConstraint':
      return `RENAME CONSTRAINT ${printIdentifier(node.from)} TO ${printIdentifier(node.to)}`
    case 'adoptIndex': {
      const name = node.name === null ? '' : `CONSTRAINT ${printIdentifier(node.name)} `
      return `ADD ${name}${node.primary ? 'PRIMARY KEY' : 'UNIQUE'} USING INDEX ${printIdentifier(node.index)}`
    }
    case 'unchanged':
      return 'SET WITHOUT CLUSTER'
    case 'setOptions':
      return `SET ${printOptions(node.options)}`
    case 'alterColumn':
      return `ALTER COLUMN ${printIdentifier(node.column)} ${printColumnAction(node.action)}`
    default:
      return printObjectChange(node)
  }
}

function printColumnAction(node: ColumnAction): string {
  switch (node.kind) {
    case 'type': {
      const using = node.using === null ? '' : ` USING ${printExpression(node.using)}`
      return `TYPE ${printType(node.type)}${using}`
    }
    case 'setDefault':
      return `SET DEFAULT ${printExpression(node.expression)}`
    case 'dropDefault':
      return 'DROP DEFAULT'
    case 'setNotNull':
      return 'SET NOT NULL'
    case 'dropNotNull':
      return 'DROP NOT NULL'
    case 'dropIdentity':
      return `DROP IDENTITY${node.ifExists ? ' IF EXISTS' : ''}`
    case 'dropExpression':
      return `DROP EXPRESSION${node.ifExists ? ' IF EXISTS' : ''}`
    case 'addIdentity':
      return `ADD ${identity(node.always, node.options)}`
    case 'setIdentity': {
      const always = node.always === null ? [] : [`SET GENERATED ${generatedWhen(node.always)}`]
      const options = node.options.map((option) =>
        option.kind === 'restart' ? printSequenceOption(option).trim() : `SET${printSequenceOption(option)}`,
      )
      return [...always, ...options].join(' ')
    }
    case 'hint':
      return 'SET STATISTICS DEFAULT'
  }
}

function printAttributeChange(change: AttributeChange): string {
  switch (change.kind) {
    case 'add':
      return `ADD ATTRIBUTE ${printIdentifier(change.field.name)} ${printType(change.field.type)}`
    case 'drop':
      return `DROP ATTRIBUTE ${change.ifExists ? 'IF EXISTS ' : ''}${printIdentifier(change.name)}`
    case 'type':
      return `ALTER ATTRIBUTE ${printIdentifier(change.name)} TYPE ${printType(change.type)}`
    case 'rename':
      return `RENAME ATTRIBUTE ${printIdentifier(change.name)} TO ${printIdentifier(change.to)}`
  }
}

function printEnumChange(node: (Definition & { kind: 'alterEnum' })['change']): string {
  switch (node.kind) {
    case 'addValue': {
      const { place } = node
      const where = place === null ? '' : ` ${place.side.toUpperCase()} ${quoteLiteral(place.neighbour)}`
      return `ADD VALUE ${node.ifNotExists ? 'IF NOT EXISTS ' : ''}${quoteLiteral(node.value)}${where}`
    }
    case 'renameValue':
      return `RENAME VALUE ${quoteLiteral(node.from)} TO ${quoteLiteral(node.to)}`
    default:
      return printObjectChange(node)
  }
}

function printViewChange(node: AlterObject['change']): string {
  switch (node.kind) {
    case 'unchanged':
      return 'RESET (fillfactor)'
    case 'renameColumn':
      return `RENAME COLUMN ${printIdentifier(node.from)} TO ${printIdentifier(node.to)}`
    case 'viewOptions':
      return `${node.reset ? 'RESET' : 'SET'} ${printOptions(node.options)}`
    default:
      return printObjectChange(node)
  }
}

function printDomainChange(node: (Definition & { kind: 'alterDomain' })['change']): string {
  switch (node.kind) {
    case 'setDefault':
    case 'dropDefault':
    case 'setNotNull':
    case 'dropNotNull':
      return printColumnAction(node)
    case 'addConstraint':
      return `ADD ${printTableConstraint(node.constraint)}`
    case 'dropConstraint':
      return `DROP CONSTRAINT ${ifExists(node)}${printIdentifier(node.name)}`
    case 'validateConstraint':
      return `VALIDATE CONSTRAINT ${printIdentifier(node.name)}`
    case 'renameConstraint':
      return `RENAME CONSTRAINT ${printIdentifier(node.from)} TO ${printIdentifier(node.to)}`
    default:
      return printObjectChange(node)
  }
}

const treatment = ({ nullsNotDistinct }: { readonly nullsNotDistinct: boolean }): string =>
  nullsNotDistinct ? ' NULLS NOT DISTINCT' : ''
