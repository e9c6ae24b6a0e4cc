import { sqlError } from '../../errors.ts'
import { type Acl, inOrder, withRevoked } from '../privileges.ts'

interface Revocation {
  readonly grantee: number
  readonly letters: string
  readonly owner: number
  /** The right to give them on alone. */
  readonly grantOption: boolean
  readonly cascade: boolean
}

/**
 * The list without what is revoked, and without what the grantee has given on of it.
 * @throws 2BP01 when it has, unless CASCADE was said
 */
export function revokedFrom(acl: Acl, revocation: Revocation): Acl {
  const { grantee, letters, owner, grantOption, cascade } = revocation
  const item = { grantee, grantor: owner, letters, grantable: '' }
  let left = withRevoked(acl, item, grantOption)
  // The owner may give whatever it has or has not itself.
  if (grantee === owner) return left
  const stillGrants = inOrder(
    left.filter((one) => one.grantee === grantee).flatMap(({ grantable }) => [...grantable]),
  )
  const lost = [...letters].filter((letter) => !stillGrants.includes(letter))
  const dependent = left.filter(
    (one) => one.grantor === grantee && [...one.letters].some((letter) => lost.includes(letter)),
  )
  if (dependent.length > 0 && !cascade)
    throw sqlError('2BP01', 'dependent privileges exist', { hint: 'Use CASCADE to revoke them too.' })
  for (const one of dependent)
    left = revokedFrom(left, {
      ...revocation,
      grantee: one.grantee,
      letters: lost.join(''),
      grantOption: false,
    })
  return left
}
