import { PUBLIC_OID } from '../catalog/known-oids.ts'
import type { CatalogEntry } from '../catalog/schema.ts'
import { sqlError } from '../errors.ts'
import { type AccessKind, type Acl, defaultAcl, EVERYBODY, type Letter } from './privileges.ts'
import { BOOTSTRAP_OID, firstRoles, type Role } from './roles.ts'

/** Who owns an object and who may do what with it. */
export interface ObjectAccess {
  readonly oid: number
  readonly owner: number
  /** Null: nothing was given or taken yet. */
  readonly acl: Acl | null
  /** Of columns, by slot. */
  readonly columns: Readonly<Record<string, Acl>>
}

/** What is given on objects that a role will make. */
export interface DefaultAcl {
  readonly role: number
  /** The number of the schema; 0: everywhere. */
  readonly schema: number
  readonly kind: 'table' | 'sequence' | 'schema' | 'type' | 'function'
  readonly acl: Acl
}

/** What sessions begin with. */
export interface BeginningSettings {
  /** 0: of all roles. */
  readonly role: number
  /** In this database alone, which goes before what holds everywhere. */
  readonly here: boolean
  /** By name. */
  readonly settings: Readonly<Record<string, string>>
}

/** Everything that is stored about access. */
export interface AccessFacts {
  readonly roles: readonly Role[]
  readonly objects: readonly ObjectAccess[]
  readonly defaults: readonly DefaultAcl[]
  readonly beginnings: readonly BeginningSettings[]
}

/** An object as far as access goes. */
export interface Guarded {
  readonly oid: number
  readonly kind: AccessKind
  /** Its own number unless it belongs to another object: a sequence of a column has the owner of the table. */
  readonly ownedAs: number
}

/** All roles and privileges of a database at one moment. Immutable. */
export class AccessState {
  readonly facts: AccessFacts
  /** The name of the role that owns the database. */
  readonly bootstrap: string
  readonly #roles: ReadonlyMap<number, Role>
  readonly #byName: ReadonlyMap<string, Role>
  readonly #objects: ReadonlyMap<number, ObjectAccess>
  readonly #closures = new Map<string, ReadonlySet<number>>()

  constructor(facts: AccessFacts, bootstrap: string) {
    this.facts = facts
    this.bootstrap = bootstrap
    const stored = new Set(facts.roles.map(({ oid }) => oid))
    const roles = [...firstRoles(bootstrap).filter(({ oid }) => !stored.has(oid)), ...facts.roles]
    this.#roles = new Map(roles.sort((a, b) => a.oid - b.oid).map((role) => [role.oid, role]))
    this.#byName = new Map(roles.map((role) => [role.name, role]))
    this.#objects = new Map(facts.objects.map((object) => [object.oid, object]))
  }

  /** By number. */
  get roles(): readonly Role[] {
    return [...this.#roles.values()]
  }

  role(oid: number): Role | null {
    return this.#roles.get(oid) ?? null
  }

  roleNamed(name: string): Role | null {
    return this.#byName.get(name) ?? null
  }

  /** @throws 42704 */
  needRole(name: string): Role {
    const found = this.#byName.get(name)
    if (found === undefined) throw sqlError('42704', `role "${name}" does not exist`)
    return found
  }

  /** What a session of the role begins with; what is said more closely goes before. */
  settingsOf(role: number): ReadonlyMap<string, string> {
    const rank = ({ role: of, here }: BeginningSettings): number => (of === 0 ? 0 : 2) + (here ? 1 : 0)
    const own = this.facts.beginnings.filter(({ role: of }) => of === 0 || of === role)
    return new Map(own.sort((a, b) => rank(a) - rank(b)).flatMap(({ settings }) => Object.entries(settings)))
  }

  nameOf(oid: number): string {
    return this.#roles.get(oid)?.name ?? String(oid)
  }

  /** What was said of the object; null: nothing, so it belongs to the role that owns the database. */
  stored(oid: number): ObjectAccess | null {
    return this.#objects.get(oid) ?? null
  }

  ownerOf({ ownedAs }: Pick<Guarded, 'ownedAs'>): number {
    return this.#objects.get(ownedAs)?.owner ?? BOOTSTRAP_OID
  }

  /** The list as it stands; null where nothing was ever given or taken. */
  aclOf({ oid }: Pick<Guarded, 'oid'>): Acl | null {
    const own = this.#objects.get(oid)?.acl ?? null
    // As PostgreSQL 15 begins: everybody may look into `public`, nobody else may make things there.
    if (own === null && oid === PUBLIC_OID)
      return [
        { grantee: BOOTSTRAP_OID, grantor: BOOTSTRAP_OID, letters: 'UC', grantable: '' },
        { grantee: EVERYBODY, grantor: BOOTSTRAP_OID, letters: 'U', grantable: '' },
      ]
    return own
  }

  /** The list, or what holds where there is none. */
  effectiveAcl(object: Guarded): Acl {
    return this.aclOf(object) ?? defaultAcl(object.kind, this.ownerOf(object))
  }

  columnAcl(oid: number, slot: number): Acl | null {
    return this.#objects.get(oid)?.columns[String(slot)] ?? null
  }

  /** The role and those whose rights it has without asking; or, with `members`, all that it may become. */
  closure(role: number, how: 'rights' | 'members' = 'rights'): ReadonlySet<number> {
    const key = `${how}${role}`
    const known = this.#closures.get(key)
    if (known !== undefined) return known
    const found = new Set([role])
    for (const oid of found) {
      const one = this.#roles.get(oid)
      if (one === undefined || (how === 'rights' && !one.inherit)) continue
      for (const membership of one.memberOf) found.add(membership.role)
    }
    this.#closures.set(key, found)
    return found
  }

  isSuperuser(role: number): boolean {
    return this.#roles.get(role)?.superuser === true
  }

  /** True when `role` has the rights of `other`. */
  hasRightsOf(role: number, other: number): boolean {
    return this.isSuperuser(role) || this.closure(role).has(other)
  }

  /** True when `role` may become `other` by SET ROLE. */
  mayBecome(role: number, other: number): boolean {
    return this.isSuperuser(role) || this.closure(role, 'members').has(other)
  }

  owns(role: number, object: Pick<Guarded, 'ownedAs'>): boolean {
    return this.hasRightsOf(role, this.ownerOf(object))
  }

  /** @param option the right to give it on */
  may(role: number, object: Guarded, letter: Letter, option = false): boolean {
    if (this.isSuperuser(role)) return true
    if (option && this.owns(role, object)) return true
    return this.#allows(this.effectiveAcl(object), role, letter, option)
  }

  mayColumn(role: number, oid: number, slot: number, letter: Letter, option = false): boolean {
    const acl = this.columnAcl(oid, slot)
    return acl !== null && this.#allows(acl, role, letter, option)
  }

  /** True when it may so with some column at least. */
  mayAnyColumn(role: number, oid: number, letter: Letter): boolean {
    const columns = Object.values(this.#objects.get(oid)?.columns ?? {})
    return columns.some((acl) => this.#allows(acl, role, letter, false))
  }

  #allows(acl: Acl, role: number, letter: Letter, option: boolean): boolean {
    const rights = this.closure(role)
    return acl.some(
      ({ grantee, letters, grantable }) =>
        (option ? grantable : letters).includes(letter) && (grantee === EVERYBODY || rights.has(grantee)),
    )
  }
}

export const kindOf = (entry: CatalogEntry): AccessKind =>
  entry.kind === 'sequence' || entry.kind === 'schema'
    ? entry.kind
    : entry.kind === 'enum' || entry.kind === 'domain'
      ? 'type'
      : 'table'

/** @param byKey finds the table that a sequence belongs to */
export function guarded(entry: CatalogEntry, byKey: (key: string) => CatalogEntry | null): Guarded {
  const table =
    entry.kind === 'sequence' && entry.ownedBy !== null
      ? byKey(entry.ownedBy.table)
      : entry.kind === 'index'
        ? byKey(entry.table)
        : null
  return { oid: entry.oid, kind: kindOf(entry), ownedAs: table?.oid ?? entry.oid }
}
