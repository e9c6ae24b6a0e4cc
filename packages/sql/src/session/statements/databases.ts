import type { Databases } from '@cluster/core'
import { SQLSTATE, sqlError } from '../../errors.ts'
import type { CreateDatabase, DatabaseStatement } from '../../syntax/ast.ts'
import { notInBlock } from '../refusals.ts'

/** The databases of the cluster, as far as statements have to do with them. */
export type OtherDatabases = Pick<Databases, 'open' | 'drop' | 'list'>

/** Who says it, and where. */
export interface DatabaseRun {
  /** Null: the program has this one alone. */
  readonly databases: OtherDatabases | null
  /** The one that the session is in. */
  readonly current: string
  readonly inTransaction: boolean
  /** Whether whoever speaks is a superuser, or may make databases. */
  readonly mayCreate: boolean
  readonly superuser: boolean
}

/**
 * CREATE DATABASE and DROP DATABASE: they are done at once, outside of transactions.
 * @returns the command, as it is told to clients
 * @throws 25001, 42501, 42P04, 3D000, 55006, 0A000, 22023
 */
export async function runDatabaseStatement(statement: DatabaseStatement, run: DatabaseRun): Promise<string> {
  const { databases, current } = run
  const { name } = statement.name
  const command = statement.kind === 'createDatabase' ? 'CREATE DATABASE' : 'DROP DATABASE'
  if (run.inTransaction) throw notInBlock(command)
  if (databases === null)
    throw sqlError(
      SQLSTATE.featureNotSupported,
      `${command} is not supported where there is one database alone`,
    )
  const exists = databases.list().includes(name)
  if (statement.kind === 'createDatabase') {
    if (!run.mayCreate) throw sqlError('42501', 'permission denied to create database')
    checkOptions(statement)
    if (exists) throw sqlError('42P04', `database "${name}" already exists`)
    await databases.open(name)
    return command
  }
  if (!exists && statement.ifExists) return command
  if (!exists) throw sqlError('3D000', `database "${name}" does not exist`)
  if (!run.superuser) throw sqlError('42501', `must be owner of database ${name}`)
  if (name === current) throw sqlError('55006', 'cannot drop the currently open database')
  await databases.drop(name)
  return command
}

/** Options that change nothing here: there is one encoding, one order of texts, and nothing is a template. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'lc_collate',
  'lc_ctype',
  'locale',
  'icu_locale',
  'locale_provider',
  'collation_version',
  'tablespace',
  'allow_connections',
  'is_template',
  'strategy',
  'oid',
  'connection limit',
])
const TEMPLATES: ReadonlySet<string> = new Set(['template0', 'template1'])
const ENCODINGS: ReadonlySet<string> = new Set(['utf8', 'utf-8', 'unicode', '6'])
/** Roles are of a database; these are in each from the start. */
const OWNERS: ReadonlySet<string> = new Set(['cluster', 'postgres'])

function checkOptions({ options }: CreateDatabase): void {
  const seen = new Set<string>()
  for (const [name, value] of options) {
    if (seen.has(name)) throw sqlError('42601', 'conflicting or redundant options')
    seen.add(name)
    if (WITHOUT_EFFECT.has(name)) continue
    if (name === 'encoding') {
      if (value !== null && !ENCODINGS.has(value.toLowerCase()))
        throw sqlError(SQLSTATE.featureNotSupported, `encoding "${value}" is not supported: texts are UTF-8`)
    } else if (name === 'template') {
      if (value !== null && !TEMPLATES.has(value))
        throw sqlError(
          SQLSTATE.featureNotSupported,
          `a database cannot be made from "${value}": restore a backup of it under the new name`,
        )
    } else if (name === 'owner') {
      if (value !== null && !OWNERS.has(value))
        throw sqlError('42704', `role "${value}" does not exist in the new database: make it there`)
    } else throw sqlError('42601', `option "${name}" not recognized`)
  }
}
