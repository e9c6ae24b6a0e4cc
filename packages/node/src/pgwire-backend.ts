import { type Clock, isClusterError, type Logger, type Random } from '@cluster/core'
import type {
  WireAdmission,
  WireBackend,
  WireCall,
  WireColumn,
  WireError,
  WireNotifications,
  WireParameter,
  WireResult,
  WireSession,
} from '@cluster/pgwire'
import {
  type ResultColumn,
  type RoleInfo,
  type Session,
  type SqlResult,
  sqlstateOf,
  typeBytes,
  typeModifier,
  typeOid,
} from '@cluster/sql'
import type { ClusterDatabase } from './cluster.ts'
import { noDatabase, RoleCounters, roleThatMayEnter, strangers, usable } from './pgwire-roles.ts'

export interface PgwireBackendPorts {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Clients of this machine need the password of their role, too. */
  readonly localPasswords: boolean
  /** Connections at once, as `max_connections` tells it. */
  readonly connectionsMax: number
  /** Names of the databases that there are. */
  names(): readonly string[]
  open(name: string): Promise<ClusterDatabase>
}

/** What clients are told of at the start and on each change, by the names that they know. */
const REPORTED: readonly (readonly [string, string])[] = [
  ['application_name', 'application_name'],
  ['client_encoding', 'client_encoding'],
  ['datestyle', 'DateStyle'],
  ['default_transaction_read_only', 'default_transaction_read_only'],
  ['intervalstyle', 'IntervalStyle'],
  ['server_encoding', 'server_encoding'],
  ['server_version', 'server_version'],
  ['standard_conforming_strings', 'standard_conforming_strings'],
  ['timezone', 'TimeZone'],
]

/** The same in every session. */
const CONSTANT: readonly (readonly [string, string])[] = [
  ['in_hot_standby', 'off'],
  ['integer_datetimes', 'on'],
]

/** Tools connect to this database to make and end others, and expect that there is one. It is made when it is first asked for. */
const MAINTENANCE = 'postgres'

/** Commands whose tag says how many rows it was. */
const COUNTED: ReadonlySet<string> = new Set(['SELECT', 'UPDATE', 'DELETE', 'MERGE', 'FETCH', 'MOVE', 'COPY'])

/** The databases of a node for clients of PostgreSQL's protocol. */
export function pgwireBackend(ports: PgwireBackendPorts): WireBackend {
  const names = () => ports.names()
  const nobodys = strangers(ports.random)
  const counters = new RoleCounters()
  const facts = new Map([['max_connections', String(ports.connectionsMax)]])
  return {
    async admit({ user, database }, { local }): Promise<WireAdmission> {
      // Whoever runs programs on this machine can read the data folder anyway.
      if (local && !ports.localPasswords) return { how: 'trust' }
      const role = names().includes(database) ? await (await ports.open(database)).role(user) : null
      return { how: 'scram', verifier: usable(role, ports.clock) ?? nobodys(user, database) }
    },
    async connect({ user, database, settings }, process): Promise<WireSession> {
      if (!names().includes(database) && database !== MAINTENANCE) throw noDatabase(database, names())
      const opened = await ports.open(database)
      const role = await roleThatMayEnter(opened, user)
      const leave = counters.enter(database, role)
      const wire = new NodeWireSession(opened.session({ user, pid: process, settings: facts }), role, leave)
      // What the client asks for goes before what its role begins with.
      for (const [name, value] of role.settings) wire.begin(name, value, ports.logger)
      for (const [name, value] of settings) wire.begin(name, value, ports.logger)
      return wire
    },
    describeError: (error) => describeError(error, ports.logger),
  }
}

/** A session of the SQL engine as the protocol needs it. */
class NodeWireSession implements WireSession {
  readonly #session: Session
  readonly #role: RoleInfo
  readonly #leave: () => void
  readonly notifications: WireNotifications

  /** What clients are told of, while these are the settings and the user. */
  #told: {
    readonly all: ReadonlyMap<string, string>
    readonly user: string
    readonly reported: ReadonlyMap<string, string>
  } | null = null

  /** @param leave called when the session ends */
  constructor(session: Session, role: RoleInfo, leave: () => void) {
    this.#session = session
    this.#role = role
    this.#leave = leave
    this.notifications = {
      take: () =>
        session.takeNotifications().map(({ pid, channel, payload }) => ({ process: pid, channel, payload })),
      onArrival: (listener) => session.onNotification(listener),
    }
  }

  get transactionState(): WireSession['transactionState'] {
    return this.#session.transactionState
  }

  /** A setting of the role, or one that the client asked for at the start. One that is not known here must not keep it out. */
  begin(name: string, value: string, logger: Logger): void {
    try {
      this.#session.configure(name.toLowerCase(), value)
    } catch (error) {
      logger.log('info', 'a setting of a client is left alone', { name, value, why: String(error) })
    }
  }

  settings(): ReadonlyMap<string, string> {
    const all = this.#session.settings()
    const { user } = this.#session
    if (this.#told?.all !== all || this.#told.user !== user)
      this.#told = { all, user, reported: this.#reported(all, user) }
    return this.#told.reported
  }

  #reported(all: ReadonlyMap<string, string>, user: string): ReadonlyMap<string, string> {
    const reported = REPORTED.flatMap(([name, shown]) => {
      const value = all.get(name)
      return value === undefined ? [] : [[shown, value] as const]
    })
    const mighty = this.#role.superuser && this.#role.name === user
    return new Map([
      ...reported,
      ...CONSTANT,
      ['is_superuser', mighty ? 'on' : 'off'],
      ['session_authorization', user],
    ])
  }

  count(text: string): number {
    return this.#session.outline(text).length
  }

  apart(text: string): readonly string[] | null {
    const outline = this.#session.outline(text)
    return outline.length > 1 && outline.some(({ copy }) => copy !== null)
      ? outline.map((statement) => statement.text)
      : null
  }

  async describe(text: string) {
    const { parameterTypes, columns } = await this.#session.prepare(text)
    return {
      parameterTypes: parameterTypes.map(typeOid),
      columns: columns.length === 0 ? null : this.#columns(columns),
    }
  }

  async execute(
    text: string,
    parameters: readonly WireParameter[],
    { signal, copyIn }: WireCall,
  ): Promise<WireResult> {
    const [outline] = this.#session.outline(text)
    if (outline?.copy === 'from') return this.#result(await this.#session.copyFrom(text, copyIn, { signal }))
    if (outline?.copy === 'to') {
      const copyOut = await this.#session.copyOut(text, { signal })
      return { ...NO_ROWS, tag: () => tagOf('COPY', copyOut.copied()), copyOut }
    }
    const { command, columns, rows, rest, written } = await this.#session.open(text, parameters, { signal })
    const tag = (given: number): string => tagOf(command, written ?? given)
    // A query may have rows without columns; of any other statement that is none.
    const shown = written === null ? this.#columns(columns) : this.#shown(columns)
    return { columns: shown, rows, rest, tag }
  }

  async executeAll(text: string, { signal }: { readonly signal: AbortSignal }) {
    const results = await this.#session.execute(text, [], { signal })
    return results.map((result) => this.#result(result))
  }

  close(): void {
    this.#leave()
    this.#session.close()
  }

  #result({ command, columns, rows, rowCount }: SqlResult): WireResult {
    return { columns: this.#shown(columns), rows, rest: null, tag: () => tagOf(command, rowCount) }
  }

  #shown(columns: readonly ResultColumn[]): readonly WireColumn[] | null {
    return columns.length === 0 ? null : this.#columns(columns)
  }

  #columns(columns: readonly ResultColumn[]): readonly WireColumn[] {
    return columns.map(({ name, type }) => ({
      name,
      typeOid: typeOid(type),
      typeBytes: typeBytes(type),
      typeModifier: typeModifier(type),
      text: (value) => this.#session.format(type, value),
    }))
  }
}

const NO_ROWS = { columns: null, rows: [], rest: null } as const

function tagOf(command: string, rowCount: number): string {
  if (command === 'INSERT') return `INSERT 0 ${rowCount}`
  return COUNTED.has(command) ? `${command} ${rowCount}` : command
}

function describeError(error: unknown, logger: Logger): WireError {
  const sqlstate = sqlstateOf(error)
  if (!isClusterError(error) || sqlstate === null) {
    logger.log('error', 'a statement failed in a way that nobody foresaw', { why: String(error) })
    return { sqlstate: 'XX000', message: error instanceof Error ? error.message : String(error) }
  }
  const fields = error.detail as Partial<
    Record<'detail' | 'hint' | 'table' | 'column' | 'constraint' | 'context', string>
  > & {
    readonly position?: number
  }
  const { detail, hint, position, table, column, constraint, context } = fields
  return {
    sqlstate,
    message: error.message,
    ...(detail === undefined ? {} : { detail }),
    ...(hint === undefined ? {} : { hint }),
    ...(position === undefined ? {} : { position }),
    ...(table === undefined ? {} : { table }),
    ...(column === undefined ? {} : { column }),
    ...(constraint === undefined ? {} : { constraint }),
    ...(context === undefined ? {} : { context }),
  }
}
