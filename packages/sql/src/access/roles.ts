/** A role as the catalog keeps it. Immutable. */
export interface Role {
  /** Never reused. */
  readonly oid: number
  readonly name: string
  readonly superuser: boolean
  readonly createDatabase: boolean
  readonly createRole: boolean
  /** It may do what the roles may that it is a member of, without SET ROLE. */
  readonly inherit: boolean
  readonly login: boolean
  readonly replication: boolean
  readonly bypassRowSecurity: boolean
  /** Sessions at once on one node; −1: as many as there is room for. */
  readonly connectionLimit: number
  /** `SCRAM-SHA-256$iterations:salt$stored:server`; null: it has no password. */
  readonly password: string | null
  /** Its password holds until then, in microseconds since 1970, as decimal text; null: for ever. */
  readonly validUntil: string | null
  readonly memberOf: readonly Membership[]
  readonly comment: string | null
}

export interface Membership {
  readonly role: number
  /** It may make others members of it. */
  readonly admin: boolean
  readonly grantor: number
}

/** The number of the role that owns the database, and everything that no other role does. */
export const BOOTSTRAP_OID = 10
/** Tools and dumps take it for granted that a role of this name is there. */
const USUAL: Pick<Role, 'oid' | 'name'> = { oid: 12, name: 'postgres' }

const NOBODY: Omit<Role, 'oid' | 'name'> = {
  superuser: false,
  createDatabase: false,
  createRole: false,
  inherit: true,
  login: false,
  replication: false,
  bypassRowSecurity: false,
  connectionLimit: -1,
  password: null,
  validUntil: null,
  memberOf: [],
  comment: null,
}

export const newRole = (oid: number, name: string): Role => ({ ...NOBODY, oid, name })

const mighty = (role: Pick<Role, 'oid' | 'name'>): Role => ({
  ...NOBODY,
  ...role,
  superuser: true,
  createDatabase: true,
  createRole: true,
  login: true,
  replication: true,
  bypassRowSecurity: true,
})

/** The roles that are there from the start. @param bootstrap the name of the one that owns the database */
export function firstRoles(bootstrap: string): readonly Role[] {
  const first = mighty({ oid: BOOTSTRAP_OID, name: bootstrap })
  return bootstrap === USUAL.name ? [first] : [first, mighty(USUAL)]
}
