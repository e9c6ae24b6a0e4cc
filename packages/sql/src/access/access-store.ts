import {
  assert,
  EVERYWHERE,
  KeyWriter,
  type Random,
  type RelationId,
  type RowAddress,
  relationId,
  type Transaction,
} from '@cluster/core'
import { list, number, object, string, stringOrNull, word } from '../catalog/json.ts'
import { Lru } from '../session/lru.ts'
import {
  type AccessFacts,
  AccessState,
  type BeginningSettings,
  type DefaultAcl,
  type ObjectAccess,
} from './access-state.ts'
import type { Acl } from './privileges.ts'
import type { Role } from './roles.ts'

/** Rows `[format, text]` about roles and privileges. */
const ACCESS: RelationId = relationId(6)
const FORMAT = 1

const addressOf = (key: string): RowAddress => ({
  relation: ACCESS,
  partition: EVERYWHERE,
  key: new KeyWriter().text(key).finish(),
})

/** Changes with every other row, so that one read tells whether anything did. */
const STAMP = addressOf('stamp')
const STAMP_BYTES = 16
/** States that are kept: the one that is, and some that open transactions still see. */
const STATES_KEPT = 8

/**
 * The roles and privileges of one database, read and written inside the caller's transactions. Whoever reads them is
 * certified against the stamp, so a statement commits only if what it was allowed still holds.
 */
export class AccessStore {
  readonly #random: Random
  readonly #empty: AccessState
  readonly #known = new Lru<string, AccessState>(STATES_KEPT)

  constructor(bootstrap: string, random: Random) {
    this.#random = random
    this.#empty = new AccessState({ roles: [], objects: [], defaults: [], beginnings: [] }, bootstrap)
  }

  /** What holds as this transaction sees it. */
  async load(transaction: Transaction): Promise<AccessState> {
    const row = await transaction.get(STAMP)
    if (row === null) return this.#empty
    const stamp = string(row[1])
    const known = this.#known.get(stamp)
    if (known !== undefined) return known
    const state = new AccessState(await read(transaction), this.#empty.bootstrap)
    this.#known.set(stamp, state)
    return state
  }

  /** Writes what has changed. */
  async save(transaction: Transaction, before: AccessState, after: AccessFacts): Promise<void> {
    const [old, next] = [rowsOf(before.facts), rowsOf(after)]
    const changed = [...next].filter(([key, text]) => old.get(key) !== text)
    const gone = [...old.keys()].filter((key) => !next.has(key))
    if (changed.length + gone.length === 0) return
    for (const [key, text] of changed) transaction.put(addressOf(key), [FORMAT, text])
    for (const key of gone) transaction.delete(addressOf(key))
    // Random, so that a transaction that is rolled back leaves no stamp that another one may get.
    const stamp = Array.from(this.#random.bytes(STAMP_BYTES), (byte) => byte.toString(16).padStart(2, '0'))
    await transaction.get(STAMP)
    transaction.put(STAMP, [FORMAT, stamp.join('')])
  }
}

function rowsOf({ roles, objects, defaults, beginnings }: AccessFacts): ReadonlyMap<string, string> {
  return new Map([
    ...roles.map((role) => [`role/${role.oid}`, JSON.stringify(role)] as const),
    ...objects.map((one) => [`object/${one.oid}`, JSON.stringify(one)] as const),
    ...defaults.map((one) => [`default/${one.role}/${one.schema}/${one.kind}`, JSON.stringify(one)] as const),
    ...beginnings.map((one) => [`settings/${one.role}/${one.here}`, JSON.stringify(one)] as const),
  ])
}

async function read(transaction: Transaction): Promise<AccessFacts> {
  const roles: Role[] = []
  const objects: ObjectAccess[] = []
  const defaults: DefaultAcl[] = []
  const beginnings: BeginningSettings[] = []
  const request = { relation: ACCESS, range: {}, partitions: [EVERYWHERE], columns: [0, 1] }
  for await (const { columns, length } of transaction.scan(request))
    for (let i = 0; i < length; i++) {
      const text = string(columns[1]?.[i])
      assert(columns[0]?.[i] === FORMAT, `access row of another format; this program reads format ${FORMAT}`)
      if (!text.startsWith('{')) continue
      const json = object(JSON.parse(text))
      if ('memberOf' in json) roles.push(decodeRole(json))
      else if ('owner' in json) objects.push(decodeObject(json))
      else if ('settings' in json) beginnings.push(decodeBeginning(json))
      else defaults.push(decodeDefault(json))
    }
  return { roles, objects, defaults, beginnings }
}

type Json = ReturnType<typeof object>

function decodeRole(json: Json): Role {
  const flag = (name: string): boolean => json[name] === true
  return {
    oid: number(json['oid']),
    name: string(json['name']),
    superuser: flag('superuser'),
    createDatabase: flag('createDatabase'),
    createRole: flag('createRole'),
    inherit: flag('inherit'),
    login: flag('login'),
    replication: flag('replication'),
    bypassRowSecurity: flag('bypassRowSecurity'),
    connectionLimit: number(json['connectionLimit']),
    password: stringOrNull(json['password']),
    validUntil: stringOrNull(json['validUntil']),
    comment: json['comment'] === undefined ? null : stringOrNull(json['comment']),
    memberOf: list(json['memberOf']).map((value) => {
      const one = object(value)
      return { role: number(one['role']), admin: one['admin'] === true, grantor: number(one['grantor']) }
    }),
  }
}

function decodeObject(json: Json): ObjectAccess {
  const columns = Object.entries(object(json['columns'])).map(
    ([slot, acl]) => [slot, decodeAcl(acl)] as const,
  )
  return {
    oid: number(json['oid']),
    owner: number(json['owner']),
    acl: json['acl'] === null ? null : decodeAcl(json['acl']),
    columns: Object.fromEntries(columns),
  }
}

const decodeDefault = (json: Json): DefaultAcl => ({
  role: number(json['role']),
  schema: number(json['schema']),
  kind: word(json['kind'], ['table', 'sequence', 'schema', 'type', 'function'] as const),
  acl: decodeAcl(json['acl']),
})

const decodeBeginning = (json: Json): BeginningSettings => ({
  role: number(json['role']),
  here: json['here'] === true,
  settings: Object.fromEntries(
    Object.entries(object(json['settings'])).map(([name, value]) => [name, string(value)]),
  ),
})

function decodeAcl(value: unknown): Acl {
  return list(value).map((item) => {
    const one = object(item)
    return {
      grantee: number(one['grantee']),
      grantor: number(one['grantor']),
      letters: string(one['letters']),
      grantable: string(one['grantable']),
    }
  })
}
