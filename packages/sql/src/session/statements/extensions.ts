import { SQLSTATE, sqlError } from '../../errors.ts'
import type { DropAbsent, ExtensionStatement } from '../../syntax/ast.ts'

/**
 * Extensions whose functions every database has. `installed`: PostgreSQL has it in a new database, too, so that making it again
 * is an error there as here.
 */
const BUILT_IN: ReadonlyMap<string, { readonly installed: boolean }> = new Map([
  ['plpgsql', { installed: true }],
  ['uuid-ossp', { installed: false }],
])

/**
 * CREATE EXTENSION and DROP EXTENSION. What an extension brings is there already or is not at all, so nothing changes.
 * @returns the command, as it is told to clients
 * @throws 0A000, 42710, 42704
 */
export function extended(statement: ExtensionStatement): string {
  if (statement.kind === 'createExtension') {
    const { name } = statement.name
    const known = BUILT_IN.get(name)
    if (known === undefined)
      throw sqlError(SQLSTATE.featureNotSupported, `extension "${name}" is not available`, {
        hint:
          name === 'pgcrypto'
            ? 'gen_random_uuid() and sha256() are there without it.'
            : `There are ${[...BUILT_IN.keys()].join(' and ')}, in every database.`,
      })
    if (known.installed && !statement.ifNotExists)
      throw sqlError(SQLSTATE.duplicateObject, `extension "${name}" already exists`)
    return 'CREATE EXTENSION'
  }
  for (const { name } of statement.names) {
    if (BUILT_IN.has(name))
      throw sqlError(SQLSTATE.featureNotSupported, `extension "${name}" cannot be dropped`, {
        detail: 'Its functions are part of every database.',
      })
    if (!statement.ifExists) throw sqlError(SQLSTATE.undefinedObject, `extension "${name}" does not exist`)
  }
  return 'DROP EXTENSION'
}

/**
 * DROP of something of which there is none: with IF EXISTS that is as it should be.
 * @returns the command, as it is told to clients
 * @throws 42883, 42704, 42P01
 */
export function droppedAbsent({ object, what, ifExists, sqlstate }: DropAbsent): string {
  if (ifExists) return `DROP ${object.toUpperCase()}`
  const name = sqlstate === SQLSTATE.undefinedFunction ? what : `"${what.split(/\s/)[0]}"`
  throw sqlError(sqlstate, `${object} ${name} does not exist`)
}
