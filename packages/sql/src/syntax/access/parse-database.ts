import type { CreateDatabase, DatabaseStatement } from '../ast.ts'
import type { Cursor } from './cursor.ts'

/** Words of an option of two words, by the first. */
const SECOND_WORDS: Readonly<Record<string, string>> = { connection: 'limit' }

/** CREATE DATABASE and DROP DATABASE; null for every other statement. */
export function databaseStatement(cursor: Cursor): DatabaseStatement | null {
  if (cursor.skip('create', 'database')) {
    const name = cursor.name()
    return { kind: 'createDatabase', name, options: options(cursor), span: cursor.span }
  }
  if (!cursor.skip('drop', 'database')) return null
  const ifExists = cursor.skip('if', 'exists')
  const name = cursor.name()
  return { kind: 'dropDatabase', name, ifExists, force: force(cursor), span: cursor.span }
}

function options(cursor: Cursor): CreateDatabase['options'] {
  cursor.skip('with')
  const found: (readonly [string, string | null])[] = []
  while (!cursor.done) {
    const first = cursor.anyName().name
    const second = SECOND_WORDS[first]
    if (second !== undefined) cursor.need(second)
    cursor.sign('=')
    const value = cursor.skip('default') ? null : cursor.settingValue()
    found.push([second === undefined ? first : `${first} ${second}`, value])
  }
  return found
}

function force(cursor: Cursor): boolean {
  const has = cursor.skip('with')
  if (!cursor.sign('(')) {
    if (has) throw cursor.unexpected()
    return false
  }
  cursor.list(() => cursor.need('force'))
  cursor.needSign(')')
  return true
}
