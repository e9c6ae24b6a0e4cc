import { SQLSTATE, type SqlError, sqlError } from '../../errors.ts'
import type { DropAbsent } from '../ast.ts'
import type { Cursor } from './cursor.ts'

/** What PostgreSQL has objects of and this dialect has not, by the words after CREATE, ALTER and DROP. */
const OBJECTS: readonly (readonly [words: string, undefined: string])[] = [
  ['function', SQLSTATE.undefinedFunction],
  ['procedure', SQLSTATE.undefinedFunction],
  ['routine', SQLSTATE.undefinedFunction],
  ['aggregate', SQLSTATE.undefinedFunction],
  ['operator class', SQLSTATE.undefinedObject],
  ['operator family', SQLSTATE.undefinedObject],
  ['operator', SQLSTATE.undefinedFunction],
  ['event trigger', SQLSTATE.undefinedObject],
  ['constraint trigger', SQLSTATE.undefinedObject],
  ['trigger', SQLSTATE.undefinedObject],
  ['rule', SQLSTATE.undefinedObject],
  ['policy', SQLSTATE.undefinedObject],
  ['publication', SQLSTATE.undefinedObject],
  ['subscription', SQLSTATE.undefinedObject],
  ['statistics', SQLSTATE.undefinedObject],
  ['collation', SQLSTATE.undefinedObject],
  ['conversion', SQLSTATE.undefinedObject],
  ['cast', SQLSTATE.undefinedObject],
  ['transform', SQLSTATE.undefinedObject],
  ['language', SQLSTATE.undefinedObject],
  ['trusted language', SQLSTATE.undefinedObject],
  ['foreign data wrapper', SQLSTATE.undefinedObject],
  ['foreign table', SQLSTATE.undefinedTable],
  ['server', SQLSTATE.undefinedObject],
  ['user mapping', SQLSTATE.undefinedObject],
  ['text search', SQLSTATE.undefinedObject],
  ['tablespace', SQLSTATE.undefinedObject],
  ['access method', SQLSTATE.undefinedObject],
]

/** Whole statements that this dialect has not. */
const STATEMENTS = [
  'alter system',
  'call',
  'commit prepared',
  'import foreign schema',
  'load',
  'prepare transaction',
  'rollback prepared',
  'security label',
  'set transaction snapshot',
]

/** Clauses of CREATE TABLE and ALTER TABLE that this dialect has not, by the words that tell them. */
const CLAUSES: readonly (readonly [words: string, name: string])[] = [
  ['partition by', 'PARTITION BY'],
  ['partition of', 'PARTITION OF'],
  ['attach partition', 'ATTACH PARTITION'],
  ['detach partition', 'DETACH PARTITION'],
  ['row level security', 'row level security'],
  ['exclude using', 'an EXCLUDE constraint'],
  ['no inherit', 'NO INHERIT'],
  ['inherit', 'INHERIT'],
  ['as range', 'a range type'],
]

/** Parts of any statement that this dialect has not, by the words that tell them. */
const PARTS: readonly (readonly [words: string, name: string])[] = [
  ['current of', 'WHERE CURRENT OF'],
  ['tablesample', 'TABLESAMPLE'],
]

const refusal = (what: string): SqlError => sqlError(SQLSTATE.featureNotSupported, `${what} is not supported`)

/**
 * Looks at a statement that the grammar does not know: PostgreSQL may know it.
 * @returns 0A000 that tells what is not there; null for what is wrong in PostgreSQL as well
 */
export function absent(cursor: Cursor): SqlError | null {
  for (const words of STATEMENTS) if (cursor.sees(...words.split(' '))) return refusal(words.toUpperCase())
  for (const [words, name] of PARTS) if (cursor.seesAhead(...words.split(' '))) return refusal(name)
  for (const verb of ['create', 'alter', 'drop', 'comment']) {
    if (!cursor.skip(verb)) continue
    if (verb === 'create') cursor.skip('or', 'replace')
    if (verb === 'comment') cursor.skip('on')
    for (const [words] of OBJECTS)
      if (cursor.sees(...words.split(' ')))
        return refusal(`${verb.toUpperCase()}${verb === 'comment' ? ' ON' : ''} ${words.toUpperCase()}`)
    if (cursor.sees('table') || cursor.sees('type') || cursor.sees('temp') || cursor.sees('temporary'))
      for (const [words, name] of CLAUSES) if (cursor.seesAhead(...words.split(' '))) return refusal(name)
    if (verb === 'create' && cursor.skip('schema') && cursor.seesAhead('create'))
      return refusal('CREATE SCHEMA with what is in it')
    return null
  }
  return null
}

/**
 * Reads DROP of something that there cannot be, so that scripts which clear away first can be run.
 * @returns null for any other statement
 */
export function dropAbsent(cursor: Cursor): DropAbsent | null {
  for (const [words, sqlstate] of OBJECTS) {
    if (!cursor.skip('drop', ...words.split(' '))) continue
    const ifExists = cursor.skip('if', 'exists')
    return { kind: 'dropAbsent', object: words, ifExists, what: cursor.rest(), sqlstate, span: cursor.span }
  }
  return null
}
