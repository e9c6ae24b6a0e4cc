import type { Begin, Maintain, Statement } from './ast.ts'
import { quoteIdentifier, quoteLiteral } from './keywords.ts'
import { isAccess, printAccess } from './print-access.ts'
import { printCopy, printCursor } from './print-copy.ts'
import { printDefinition, printOption, printTableAs } from './print-definition.ts'
import {
  printExpression,
  printIdentifier,
  printName,
  printQuery,
  printType,
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
    case 'createTableExecute':
      return printTableAs(node.create, printStatement(node.execute))
    case 'deallocate':
      return `DEALLOCATE ${node.name === null ? 'ALL' : printIdentifier(node.name)}`
    case 'copy':
      return printCopy(node)
    case 'declare':
    case 'fetch':
    case 'move':
    case 'close':
      return printCursor(node)
    case 'begin':
      return `${node.start ? 'START TRANSACTION' : 'BEGIN'}${transactionModes(node)}`
    case 'setTransaction':
      return `SET ${node.session ? 'SESSION CHARACTERISTICS AS ' : ''}TRANSACTION${transactionModes(node)}`
    case 'commit':
      return `COMMIT${node.chain ? ' AND CHAIN' : ''}`
    case 'rollback':
      return `ROLLBACK${node.chain ? ' AND CHAIN' : ''}`
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
      if (node.reset) return `RESET ${node.name === 'all' ? 'ALL' : settingName(node.name)}`
      const value = node.values === null ? 'DEFAULT' : node.values.map(quoteLiteral).join(', ')
      return `SET ${node.scope === 'local' ? 'LOCAL ' : ''}${settingName(node.name)} TO ${value}`
    }
    case 'show':
      return `SHOW ${node.name === 'all' ? 'ALL' : settingName(node.name)}`
    case 'setConstraints': {
      const names = node.names.length === 0 ? 'ALL' : node.names.map(printName).join(', ')
      return `SET CONSTRAINTS ${names} ${node.deferred ? 'DEFERRED' : 'IMMEDIATE'}`
    }
    case 'lockTable':
      return `LOCK TABLE ${node.tables.map(printName).join(', ')}`
    case 'maintain':
      return printMaintain(node)
    case 'discard':
      return `DISCARD ${node.what.toUpperCase()}`
    case 'dropAbsent':
      return `DROP ${node.object.toUpperCase()} ${node.ifExists ? 'IF EXISTS ' : ''}${node.what}`
    case 'createExtension':
      return `CREATE EXTENSION ${node.ifNotExists ? 'IF NOT EXISTS ' : ''}${printIdentifier(node.name)}`
    case 'dropExtension':
      return `DROP EXTENSION ${node.ifExists ? 'IF EXISTS ' : ''}${node.names.map(printIdentifier).join(', ')}`
    case 'do':
      return `DO LANGUAGE ${quoteIdentifier(node.language)} ${quoteLiteral(node.body)}`
    default:
      return isAccess(node) ? printAccess(node) : printDefinition(node)
  }
}

function printMaintain({ command, tables, indexes }: Maintain): string {
  const names = (list: Maintain['tables']): string => list.map(printName).join(', ')
  if (command !== 'REINDEX') {
    const using = indexes.length === 0 ? '' : ` USING ${names(indexes)}`
    return tables.length === 0 ? command : `${command} ${names(tables)}${using}`
  }
  if (indexes.length > 0) return `REINDEX INDEX ${names(indexes)}`
  return tables.length === 0 ? 'REINDEX DATABASE' : `REINDEX TABLE ${names(tables)}`
}

function transactionModes({ isolation, readOnly }: Pick<Begin, 'isolation' | 'readOnly'>): string {
  const level = isolation === null ? '' : ` ISOLATION LEVEL ${isolation.toUpperCase()}`
  const access = readOnly === null ? '' : readOnly ? ' READ ONLY' : ' READ WRITE'
  // Modes that are kept nowhere stand for none at all.
  return level === '' && access === '' ? '' : `${level}${access}`
}

const settingName = (name: string): string => name.split('.').map(quoteIdentifier).join('.')
