import type { Random, Transaction } from '@cluster/core'
import type { AccessFacts, AccessState } from '../access/access-state.ts'
import type { AccessStore } from '../access/access-store.ts'
import { checkDefinition } from '../access/definition-rights.ts'
import type { Identity } from '../access/identity.ts'
import { numberBefore, withNewObjects } from '../access/new-objects.ts'
import { denied, permit } from '../access/permit.ts'
import type { Requirement } from '../access/requirement.ts'
import type { Role } from '../access/roles.ts'
import { alterSettings } from '../access/statements/beginning-settings.ts'
import { type AccessContext, findSchema } from '../access/statements/context.ts'
import { alterDefaultPrivileges } from '../access/statements/default-privileges.ts'
import { grantPrivileges } from '../access/statements/grants.ts'
import { grantRole } from '../access/statements/membership.ts'
import { dropOwned, ownerTo, reassignOwned } from '../access/statements/ownership.ts'
import {
  alterRole,
  commentRole,
  createRole,
  dropRole,
  renameRole,
} from '../access/statements/role-statements.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { CatalogEntry } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { AccessStatement, DatabaseStatement, Definition, IdentityStatement } from '../syntax/ast.ts'
import { parseTimestamptz } from '../types/datetime.ts'
import type { PlannedStatement } from './run/planner.ts'
import type { SessionState } from './session-state.ts'
import { checkedSetting } from './settings/settings.ts'
import { type OtherDatabases, runDatabaseStatement } from './statements/databases.ts'

export interface AccessRunnerPorts {
  readonly store: AccessStore
  readonly catalog: Catalog
  readonly database: string
  /** Null: the program has this database alone. */
  readonly databases: OtherDatabases | null
  readonly random: Random
  /** The role that owns the database, which may do everything. */
  readonly bootstrap: string
}

/** A statement on its way, as far as rights go. */
export interface AccessRun {
  readonly transaction: Transaction
  readonly session: SessionState
  /** The present, in microseconds since 1970. */
  readonly nowMicros: () => bigint
}

/** Checks what statements may do, and runs those that change it. */
export class AccessRunner {
  readonly #ports: AccessRunnerPorts
  /** For which state and role the requirements of a plan were met last. */
  readonly #met = new WeakMap<
    readonly Requirement[],
    { readonly state: AccessState; readonly role: number }
  >()

  constructor(ports: AccessRunnerPorts) {
    this.#ports = ports
  }

  /** What holds as the transaction sees it. */
  load(transaction: Transaction): Promise<AccessState> {
    return this.#ports.store.load(transaction)
  }

  /** The owner of the database may do everything, whatever is stored: nothing has to be read for it. */
  #mayAll({ current, session }: Identity): boolean {
    const { bootstrap } = this.#ports
    return current === bootstrap && session === bootstrap
  }

  /** True where nothing has to be read to know that the session may run it. */
  permits({ requirements }: Pick<PlannedStatement, 'requirements'>, { identity }: SessionState): boolean {
    return this.#mayAll(identity) && requirements.every(({ as }) => as === null)
  }

  /** @throws 42501; 28000, 42704 when the role of the session is gone */
  async permit(planned: Pick<PlannedStatement, 'requirements' | 'secrets'>, run: AccessRun): Promise<void> {
    const { requirements, secrets } = planned
    const { identity } = run.session
    if (this.permits(planned, run.session)) return
    const state = await this.load(run.transaction)
    const role = speaker(state, identity)
    const met = this.#met.get(requirements)
    if (met?.state !== state || met.role !== role.oid) {
      const { catalog } = this.#ports
      const schemaOf = (name: string) => findSchema({ catalog, transaction: run.transaction }, name)
      await permit(requirements, state, role.oid, schemaOf)
      this.#met.set(requirements, { state, role: role.oid })
    }
    const [secret] = secrets
    if (secret !== undefined && !role.superuser) throw denied('table', secret)
  }

  /**
   * Runs a statement that changes the catalog, if it may.
   * @param work the statement itself
   */
  async defining<T>(statement: Definition, run: AccessRun, work: () => Promise<T>): Promise<T> {
    const before = await this.#context(run)
    if (!before.current.superuser) await checkDefinition(before, statement)
    const number = await numberBefore(before, statement)
    const result = await work()
    if (number !== undefined) {
      const { state } = before
      await this.#ports.store.save(run.transaction, state, await withNewObjects(before, statement, number))
    } else if (statement.kind === 'drop') await this.#forgetDropped(run)
    return result
  }

  /** Takes out what is stored about objects that are gone. */
  async #forgetDropped({ transaction }: AccessRun): Promise<void> {
    const state = await this.load(transaction)
    const { objects } = state.facts
    if (objects.length === 0) return
    const left = new Set((await this.#ports.catalog.entries(transaction)).map(({ oid }) => oid))
    const kept = objects.filter(({ oid }) => oid < FIRST_CATALOG_OID || left.has(oid))
    await this.#ports.store.save(transaction, state, { ...state.facts, objects: kept })
  }

  /**
   * Runs a statement about roles or privileges.
   * @returns what it says when it is done, and the objects that are to be dropped for it
   */
  async run(
    statement: AccessStatement,
    run: AccessRun,
    drop: (entries: readonly CatalogEntry[], cascade: boolean) => Promise<void>,
  ): Promise<string> {
    const context = await this.#context(run)
    if (statement.kind === 'dropOwned') {
      const { facts, drops } = await dropOwned(context, statement)
      await this.#ports.store.save(run.transaction, context.state, facts)
      await drop(drops, statement.cascade)
      await this.#forgetDropped(run)
      return 'DROP OWNED'
    }
    const facts = await changed(context, statement)
    await this.#ports.store.save(run.transaction, context.state, facts)
    return commandOf(statement)
  }

  /** CREATE DATABASE and DROP DATABASE. @throws as `runDatabaseStatement` */
  async runForDatabases(
    statement: DatabaseStatement,
    run: AccessRun,
    inTransaction: boolean,
  ): Promise<string> {
    const { databases, database } = this.#ports
    const { superuser, createDatabase } = (await this.#context(run)).current
    return runDatabaseStatement(statement, {
      databases,
      current: database,
      inTransaction,
      mayCreate: superuser || createDatabase,
      superuser,
    })
  }

  /** SET ROLE and SET SESSION AUTHORIZATION. @throws 42501, 42704, 22023 */
  async become(statement: IdentityStatement, run: AccessRun): Promise<void> {
    const { identity } = run.session
    const { role: name, local } = statement
    if (name === null) {
      if (statement.kind === 'setRole') identity.become(null, local)
      else identity.authorize(null, local)
      return
    }
    const state = await this.load(run.transaction)
    const found = state.roleNamed(name)
    if (found === null) throw sqlError(SQLSTATE.invalidParameterValue, `role "${name}" does not exist`)
    if (statement.kind === 'setRole') {
      const session = loggedIn(state, identity.session)
      if (!state.mayBecome(session.oid, found.oid))
        throw sqlError('42501', `permission denied to set role "${name}"`)
      identity.become(name, local)
      return
    }
    const login = loggedIn(state, identity.login)
    if (!login.superuser && name !== identity.login)
      throw sqlError('42501', 'permission denied to set session authorization')
    identity.authorize(name, local)
  }

  async #context({ transaction, session, nowMicros }: AccessRun): Promise<AccessContext> {
    const { catalog, database, random } = this.#ports
    const state = await this.load(transaction)
    const zone = session.settings.zone()
    return {
      transaction,
      catalog,
      database,
      random,
      state,
      path: session.path,
      current: speaker(state, session.identity),
      session: loggedIn(state, session.identity.session),
      settings: {
        get: (name) => session.settings.get(name),
        check: (name, values) => checkedSetting(name, values ?? null),
      },
      moment: (text) => parseTimestamptz(text, { zone, nowMicros: nowMicros() }),
    }
  }
}

/** Numbers below are of what is no entry of the catalog. */
const FIRST_CATALOG_OID = 16_384

/** @throws 28000 */
function loggedIn(state: AccessState, name: string): Role {
  const found = state.roleNamed(name)
  if (found === null) throw sqlError('28000', `role "${name}" does not exist`)
  return found
}

/** The role whose rights count. @throws 28000, 42704 */
function speaker(state: AccessState, { session, current }: Identity): Role {
  return session === current ? loggedIn(state, session) : state.needRole(current)
}

function changed(
  context: AccessContext,
  statement: Exclude<AccessStatement, { kind: 'dropOwned' }>,
): AccessFacts | Promise<AccessFacts> {
  switch (statement.kind) {
    case 'createRole':
      return createRole(context, statement)
    case 'alterRole':
      return alterRole(context, statement)
    case 'alterSettings':
      return alterSettings(context, statement)
    case 'commentRole':
      return commentRole(context, statement)
    case 'renameRole':
      return renameRole(context, statement)
    case 'dropRole':
      return dropRole(context, statement)
    case 'grantRole':
      return grantRole(context, statement)
    case 'grant':
      return grantPrivileges(context, statement)
    case 'alterDefaultPrivileges':
      return alterDefaultPrivileges(context, statement)
    case 'ownerTo':
      return ownerTo(context, statement)
    case 'reassignOwned':
      return reassignOwned(context, statement)
  }
}

/** What clients are told of a statement that is done. */
function commandOf(statement: AccessStatement): string {
  switch (statement.kind) {
    case 'createRole':
      return 'CREATE ROLE'
    case 'alterSettings':
      return statement.role === null && statement.database !== null ? 'ALTER DATABASE' : 'ALTER ROLE'
    case 'commentRole':
      return 'COMMENT'
    case 'alterRole':
    case 'renameRole':
      return 'ALTER ROLE'
    case 'dropRole':
      return 'DROP ROLE'
    case 'grantRole':
      return statement.revoke ? 'REVOKE ROLE' : 'GRANT ROLE'
    case 'grant':
      return statement.revoke ? 'REVOKE' : 'GRANT'
    case 'alterDefaultPrivileges':
      return 'ALTER DEFAULT PRIVILEGES'
    case 'ownerTo':
      return `ALTER ${statement.object.toUpperCase()}`
    case 'reassignOwned':
      return 'REASSIGN OWNED'
    case 'dropOwned':
      return 'DROP OWNED'
  }
}
