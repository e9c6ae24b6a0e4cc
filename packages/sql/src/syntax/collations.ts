import { SQLSTATE, sqlError } from '../errors.ts'
import type { QualifiedName } from './ast.ts'

/** Collations whose order is the one that texts have here: by code point. */
const known = new Set(['C', 'POSIX', 'default', 'ucs_basic', 'C.UTF-8', 'C.utf8'])

/** @throws 42704 for an order that there is not */
export function checkCollation({ parts }: QualifiedName, position?: number): void {
  const name = parts.at(-1)?.name ?? ''
  if (known.has(name)) return
  throw sqlError(SQLSTATE.undefinedObject, `collation "${name}" for encoding "UTF8" does not exist`, {
    position,
    hint: 'Texts are ordered by code point: COLLATE "C".',
  })
}
