import type { Identifier, Node, QualifiedName } from './common.ts'

/** A statement about who may do what. */
export type AccessStatement =
  | CreateRole
  | AlterRole
  | AlterSettings
  | CommentRole
  | RenameRole
  | DropRole
  | GrantRole
  | Grant
  | AlterDefaultPrivileges
  | OwnerTo
  | ReassignOwned
  | DropOwned

/** A statement about the one who speaks in this session. */
export type IdentityStatement = SetRole | SetSessionAuthorization

/** A statement about messages between sessions. */
export type ChannelStatement = Listen | Unlisten | Notify

/** A role by its name, or by a word that stands for one. */
export interface RoleName extends Node {
  readonly kind: 'role'
  /** `name`: that one. The others stand for whoever runs the statement, or for everybody. */
  readonly who: 'name' | 'current' | 'session' | 'public'
  /** Empty unless `who` is `name`. */
  readonly name: string
}

/** What CREATE ROLE and ALTER ROLE say of a role; what is left out stays as it is. */
export interface RoleOptions {
  readonly superuser?: boolean
  readonly createDatabase?: boolean
  readonly createRole?: boolean
  readonly inherit?: boolean
  readonly login?: boolean
  readonly replication?: boolean
  readonly bypassRowSecurity?: boolean
  readonly connectionLimit?: number
  /** Null takes it away. */
  readonly password?: string | null
  readonly validUntil?: string
}

export interface CreateRole extends Node {
  readonly kind: 'createRole'
  readonly name: RoleName
  readonly options: RoleOptions
  /** IN ROLE: it becomes a member of these. */
  readonly inRoles: readonly RoleName[]
  /** ROLE and ADMIN: these become members of it. */
  readonly members: readonly RoleName[]
  readonly admins: readonly RoleName[]
}

export interface AlterRole extends Node {
  readonly kind: 'alterRole'
  readonly name: RoleName
  readonly options: RoleOptions
}

/** What sessions begin with: ALTER ROLE … SET and ALTER DATABASE … SET, and RESET. */
export interface AlterSettings extends Node {
  readonly kind: 'alterSettings'
  /** Null: ALL, and those of a database. */
  readonly role: RoleName | null
  /** Null: in every database. */
  readonly database: Identifier | null
  /** Null: ALL, which is reset. */
  readonly name: string | null
  /** `current`: what it is in this session; null: RESET and DEFAULT. */
  readonly values: readonly string[] | 'current' | null
}

export interface CommentRole extends Node {
  readonly kind: 'commentRole'
  readonly name: RoleName
  /** Null takes the comment away. */
  readonly text: string | null
}

export interface RenameRole extends Node {
  readonly kind: 'renameRole'
  readonly name: RoleName
  readonly to: Identifier
}

export interface DropRole extends Node {
  readonly kind: 'dropRole'
  readonly names: readonly RoleName[]
  readonly ifExists: boolean
}

/** GRANT and REVOKE of membership; ALTER GROUP … ADD and DROP USER too. */
export interface GrantRole extends Node {
  readonly kind: 'grantRole'
  readonly revoke: boolean
  readonly roles: readonly RoleName[]
  readonly members: readonly RoleName[]
  /** WITH ADMIN OPTION; of REVOKE: that option alone. */
  readonly admin: boolean
}

/** One privilege with the columns that it is for; none: the whole object. */
export interface PrivilegeName extends Node {
  /** Upper case: `SELECT`. */
  readonly name: string
  readonly columns: readonly Identifier[]
}

export type GrantObject =
  | 'table'
  | 'sequence'
  | 'schema'
  | 'database'
  | 'type'
  | 'function'
  | 'language'
  | 'tablespace'

export interface Grant extends Node {
  readonly kind: 'grant'
  readonly revoke: boolean
  /** Null: ALL PRIVILEGES, of the columns in `allColumns` if there are any. */
  readonly privileges: readonly PrivilegeName[] | null
  readonly allColumns: readonly Identifier[]
  readonly object: GrantObject
  /** Names of objects; of schemas, for ALL … IN SCHEMA. */
  readonly names: readonly QualifiedName[]
  readonly allInSchema: boolean
  readonly grantees: readonly RoleName[]
  /** WITH GRANT OPTION; of REVOKE: that option alone. */
  readonly grantOption: boolean
  readonly cascade: boolean
}

export interface AlterDefaultPrivileges extends Node {
  readonly kind: 'alterDefaultPrivileges'
  /** None: whoever runs it. */
  readonly forRoles: readonly RoleName[]
  /** None: everywhere. */
  readonly schemas: readonly Identifier[]
  readonly revoke: boolean
  readonly privileges: readonly PrivilegeName[] | null
  readonly object: 'table' | 'sequence' | 'schema' | 'type' | 'function'
  readonly grantees: readonly RoleName[]
  readonly grantOption: boolean
}

/** ALTER … OWNER TO. */
export interface OwnerTo extends Node {
  readonly kind: 'ownerTo'
  readonly object:
    | 'table'
    | 'index'
    | 'view'
    | 'materialized view'
    | 'sequence'
    | 'schema'
    | 'type'
    | 'domain'
    | 'database'
  readonly name: QualifiedName
  readonly ifExists: boolean
  readonly owner: RoleName
}

export interface ReassignOwned extends Node {
  readonly kind: 'reassignOwned'
  readonly from: readonly RoleName[]
  readonly to: RoleName
}

export interface DropOwned extends Node {
  readonly kind: 'dropOwned'
  readonly roles: readonly RoleName[]
  readonly cascade: boolean
}

/** SET ROLE; null: NONE and RESET ROLE. */
export interface SetRole extends Node {
  readonly kind: 'setRole'
  readonly role: string | null
  readonly local: boolean
}

/** Null: DEFAULT and RESET. */
export interface SetSessionAuthorization extends Node {
  readonly kind: 'setSessionAuthorization'
  readonly role: string | null
  readonly local: boolean
}

export interface Listen extends Node {
  readonly kind: 'listen'
  readonly channel: Identifier
}

/** Null: all of them. */
export interface Unlisten extends Node {
  readonly kind: 'unlisten'
  readonly channel: Identifier | null
}

export interface Notify extends Node {
  readonly kind: 'notify'
  readonly channel: Identifier
  readonly payload: string
}
