import { type Clock, ClusterError, type Random } from '@cluster/core'
import { nodeCrypto, type ScramVerifier } from '@cluster/pgwire'
import type { RoleInfo } from '@cluster/sql'
import type { ClusterDatabase } from './cluster.ts'

/** Who may come in by PostgreSQL's protocol. */

const MICROS_A_MS = 1_000
const KEY_BYTES = 32
const SALT_BYTES = 16
/** As many as passwords here have, so that nobody learns who exists. */
const ITERATIONS = 4_096

/** The verifier of a role, unless its password has run out. */
export function usable(role: RoleInfo | null, clock: Clock): ScramVerifier | null {
  if (role?.verifier == null) return null
  const { validUntilMicros, verifier } = role
  const now = BigInt(Math.round(clock.wall() * MICROS_A_MS))
  return validUntilMicros !== null && validUntilMicros <= now ? null : verifier
}

/** Verifiers that fit no password: the same one for the same name, as if there were one stored. */
export function strangers(random: Random): (user: string, database: string) => ScramVerifier {
  const secret = random.bytes(KEY_BYTES)
  return (user, database) => {
    const of = (what: string): Uint8Array =>
      nodeCrypto.hmacSha256(secret, new TextEncoder().encode(JSON.stringify([what, user, database])))
    return {
      iterations: ITERATIONS,
      salt: of('salt').subarray(0, SALT_BYTES),
      storedKey: of('stored'),
      serverKey: of('server'),
    }
  }
}

/** @throws 42501; 28000 for a role that does not exist or may not log in */
export async function roleThatMayEnter(database: ClusterDatabase, user: string): Promise<RoleInfo> {
  const role = await database.role(user)
  if (role === null)
    throw refused(
      '28000',
      `role "${user}" does not exist`,
      `CREATE ROLE makes it; "cluster" is there from the start.`,
    )
  if (!role.login) throw refused('28000', `role "${user}" is not permitted to log in`)
  if (!role.mayConnect)
    throw refused(
      '42501',
      `permission denied for database "${database.name}"`,
      'It takes the privilege CONNECT.',
    )
  return role
}

export const noDatabase = (database: string, names: readonly string[]) =>
  refused(
    '3D000',
    `database "${database}" does not exist`,
    names.length === 0 ? 'There is none yet.' : `There are: ${names.join(', ')}.`,
  )

function refused(sqlstate: string, message: string, hint?: string): ClusterError {
  return new ClusterError(
    { code: 'SQL_ERROR', outcome: 'rejected', sqlstate, ...(hint === undefined ? {} : { hint }) },
    message,
  )
}

/** Counts the sessions of each role on this node. */
export class RoleCounters {
  readonly #sessions = new Map<string, number>()

  /** @returns to be called when the session ends @throws 53300 */
  enter(database: string, { name, superuser, connectionLimit }: RoleInfo): () => void {
    const key = JSON.stringify([database, name])
    const count = this.#sessions.get(key) ?? 0
    if (connectionLimit >= 0 && count >= connectionLimit && !superuser)
      throw refused('53300', `too many connections for role "${name}"`)
    this.#sessions.set(key, count + 1)
    let left = false
    return () => {
      if (left) return
      left = true
      const now = (this.#sessions.get(key) ?? 1) - 1
      if (now > 0) this.#sessions.set(key, now)
      else this.#sessions.delete(key)
    }
  }
}
