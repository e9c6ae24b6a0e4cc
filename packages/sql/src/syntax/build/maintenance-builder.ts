import type { Maintenance } from '../ast.ts'
import type { DoBlockCst, LockTableCst, MaintainCst } from '../cst/copy.ts'
import { has, only, qualifiedName, scanned, spanOf } from './tree.ts'

export function lockTable(node: LockTableCst): Maintenance {
  return { kind: 'lockTable', tables: node.children.qualifiedName.map(qualifiedName), span: spanOf(node) }
}

export function maintain(node: MaintainCst): Maintenance {
  const { Vacuum, maintained = [] } = node.children
  const tables = maintained.map(({ children }) => qualifiedName(only(children.qualifiedName)))
  const command = has(Vacuum) ? 'VACUUM' : 'ANALYZE'
  return { kind: 'maintain', command, tables, indexes: [], span: spanOf(node) }
}

export function doBlock(node: DoBlockCst): Maintenance {
  const { StringLiteral, language = [] } = node.children
  const named = language[0]?.children
  const word = named === undefined ? null : only(named.Label ?? named.StringLiteral)
  return {
    kind: 'do',
    language: word === null ? 'plpgsql' : scanned(word).value.toLowerCase(),
    body: scanned(only(StringLiteral)).value,
    span: spanOf(node),
  }
}
