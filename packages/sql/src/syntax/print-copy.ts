import type { Copy, CopyOption, CursorStatement } from './ast.ts'
import { quoteIdentifier, quoteLiteral } from './keywords.ts'
import {
  printExpression,
  printIdentifier,
  printIdentifiers,
  printName,
  printQuery,
  printWrite,
} from './print-query.ts'

export function printCopy(node: Copy): string {
  const { table, columns, query, file, options, where } = node
  const named = table === null ? '' : printName(table)
  const list = columns.length === 0 ? '' : ` (${printIdentifiers(columns)})`
  const what =
    query === null ? `${named}${list}` : `(${query.kind === 'query' ? printQuery(query) : printWrite(query)})`
  const stream = node.direction === 'from' ? 'STDIN' : 'STDOUT'
  const place = file === null ? stream : `${file.program ? 'PROGRAM ' : ''}${quoteLiteral(file.name)}`
  const all = options.length === 0 ? '' : ` WITH (${options.map(printOption).join(', ')})`
  const condition = where === null ? '' : ` WHERE ${printExpression(where)}`
  return `COPY ${what} ${node.direction.toUpperCase()} ${place}${all}${condition}`
}

function printOption({ name, value, list }: CopyOption): string {
  const word = quoteIdentifier(name)
  if (value === null) return word
  if (typeof value !== 'string') return `${word} (${printIdentifiers(value)})`
  return `${word} ${list ? '*' : quoteLiteral(value)}`
}

export function printCursor(node: CursorStatement): string {
  switch (node.kind) {
    case 'declare': {
      const scroll = node.scroll === null ? '' : node.scroll ? ' SCROLL' : ' NO SCROLL'
      const words = `${node.binary ? ' BINARY' : ''}${scroll} CURSOR${node.hold ? ' WITH HOLD' : ''}`
      return `DECLARE ${printIdentifier(node.name)}${words} FOR ${printQuery(node.query)}`
    }
    case 'close':
      return `CLOSE ${node.name === null ? 'ALL' : printIdentifier(node.name)}`
    default: {
      const { way, count } = node.direction
      const where = `${way.toUpperCase()} ${count === 'all' ? 'ALL' : count}`
      return `${node.kind.toUpperCase()} ${where} FROM ${printIdentifier(node.cursor)}`
    }
  }
}
