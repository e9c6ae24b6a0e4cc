import type { Discard, ExtensionStatement, Maintain, QualifiedName } from '../ast.ts'
import type { Cursor } from './cursor.ts'

type Upkeep = Discard | ExtensionStatement | Maintain

/**
 * Reads DISCARD, REINDEX, CLUSTER, CHECKPOINT, and CREATE and DROP EXTENSION.
 * @returns null for any other statement
 * @throws 42601
 */
export function upkeep(cursor: Cursor): Upkeep | null {
  if (cursor.skip('discard')) return discard(cursor)
  if (cursor.skip('reindex')) return reindex(cursor)
  if (cursor.skip('cluster')) return cluster(cursor)
  if (cursor.skip('checkpoint')) return maintained(cursor, 'CHECKPOINT', [])
  if (cursor.skip('create', 'extension')) {
    const ifNotExists = cursor.skip('if', 'not', 'exists')
    const name = cursor.name()
    cursor.skip('with')
    for (;;)
      if (cursor.skip('schema')) cursor.name()
      else if (cursor.skip('version')) cursor.settingValue()
      else if (!cursor.skip('cascade')) break
    return { kind: 'createExtension', name, ifNotExists, span: cursor.span }
  }
  if (cursor.skip('drop', 'extension')) {
    const ifExists = cursor.skip('if', 'exists')
    const names = cursor.list(() => cursor.name())
    if (!cursor.skip('cascade')) cursor.skip('restrict')
    return { kind: 'dropExtension', names, ifExists, span: cursor.span }
  }
  return null
}

function discard(cursor: Cursor): Discard {
  const what = cursor.oneOf('all', 'plans', 'sequences', 'temporary', 'temp')
  return { kind: 'discard', what: what === 'temporary' ? 'temp' : what, span: cursor.span }
}

const maintained = (
  cursor: Cursor,
  command: Maintain['command'],
  tables: readonly QualifiedName[],
  indexes: readonly QualifiedName[] = [],
): Maintain => ({ kind: 'maintain', command, tables, indexes, span: cursor.span })

function reindex(cursor: Cursor): Maintain {
  cursor.skipParentheses()
  const object = cursor.oneOf('index', 'table', 'schema', 'database', 'system')
  cursor.skip('concurrently')
  if (object === 'schema' || object === 'database' || object === 'system') {
    if (!cursor.done) cursor.name()
    return maintained(cursor, 'REINDEX', [])
  }
  const names = [cursor.qualifiedName()]
  return object === 'table' ? maintained(cursor, 'REINDEX', names) : maintained(cursor, 'REINDEX', [], names)
}

function cluster(cursor: Cursor): Maintain {
  cursor.skipParentheses()
  cursor.skip('verbose')
  if (cursor.done) return maintained(cursor, 'CLUSTER', [])
  const table = cursor.qualifiedName()
  const indexes = cursor.skip('using') ? [cursor.qualifiedName()] : []
  return maintained(cursor, 'CLUSTER', [table], indexes)
}
