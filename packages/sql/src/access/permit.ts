import { sqlError } from '../errors.ts'
import type { AccessState, Guarded } from './access-state.ts'
import type { Requirement } from './requirement.ts'

/** 42501 */
export const denied = (word: string, name: string) =>
  sqlError('42501', `permission denied for ${word} ${name}`)

/** 42501 */
export const notOwner = (word: string, name: string) => sqlError('42501', `must be owner of ${word} ${name}`)

/**
 * Checks that a role may do all of this.
 * @param schemaOf finds a schema; null for one that is none of the catalog, such as that of temporary tables
 * @throws 42501
 */
export async function permit(
  requirements: readonly Requirement[],
  state: AccessState,
  role: number,
  schemaOf: (schema: string) => Promise<Guarded | null>,
): Promise<void> {
  const schemas = new Set(requirements.flatMap(({ schema }) => (schema === null ? [] : [schema])))
  if (!state.isSuperuser(role))
    for (const name of schemas) {
      const schema = await schemaOf(name)
      if (schema !== null && !state.may(role, schema, 'U')) throw denied('schema', name)
    }
  for (const requirement of requirements) {
    const { as, word, name } = requirement
    const who = as === null ? role : state.ownerOf(as)
    if (!allowed(requirement, state, who)) throw denied(word, name)
  }
}

function allowed({ object, letters, columns }: Requirement, state: AccessState, role: number): boolean {
  if (letters.some((letter) => state.may(role, object, letter))) return true
  if (columns === null) return false
  return letters.some((letter) =>
    columns.length === 0
      ? state.mayAnyColumn(role, object.oid, letter)
      : columns.every((slot) => state.mayColumn(role, object.oid, slot, letter)),
  )
}
