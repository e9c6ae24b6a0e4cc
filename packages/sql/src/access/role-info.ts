import type { AccessState } from './access-state.ts'
import { type PasswordVerifier, parseVerifier } from './password.ts'
import { DATABASE } from './statements/context.ts'

/** What has to be known of a role to let somebody in by its name. */
export interface RoleInfo {
  readonly name: string
  readonly login: boolean
  readonly superuser: boolean
  /** It has the privilege CONNECT on the database. */
  readonly mayConnect: boolean
  /** Null: it has no password, so none is right. */
  readonly verifier: PasswordVerifier | null
  /** The password holds until then, in microseconds since 1970; null: for ever. */
  readonly validUntilMicros: bigint | null
  /** Sessions at once; −1: as many as there is room for. */
  readonly connectionLimit: number
  /** What its sessions begin with, by name. */
  readonly settings: ReadonlyMap<string, string>
}

/** Null when there is no role of the name. */
export function roleInfo(state: AccessState, name: string): RoleInfo | null {
  const role = state.roleNamed(name)
  if (role === null) return null
  const { oid, login, superuser, password, validUntil, connectionLimit } = role
  return {
    name,
    login,
    superuser,
    mayConnect: state.may(oid, DATABASE, 'c'),
    verifier: password === null ? null : parseVerifier(password),
    validUntilMicros: validUntil === null ? null : BigInt(validUntil),
    connectionLimit,
    settings: state.settingsOf(oid),
  }
}
