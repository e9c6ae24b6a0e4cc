import type { WireColumn, WireDescription, WireParameter } from '../backend.ts'
import { decodeBinary } from '../machine/binary-format.ts'
import { type FrontendMessage, ProtocolError, utf8 } from '../machine/frontend-messages.ts'
import { giveCopy } from './copy-stream.ts'
import type { Incoming } from './incoming.ts'
import { Misuse } from './misuse.ts'
import type { Outgoing } from './outgoing.ts'
import { type Portal, PortalRun } from './portal.ts'
import type { Statements } from './statements.ts'

interface Prepared {
  readonly text: string
  /** As the client declared them, else as the statement needs them. */
  readonly parameterTypes: readonly number[]
  readonly columns: readonly WireColumn[] | null
  /** There is no statement in the text. */
  readonly empty: boolean
}

type Message<Type extends FrontendMessage['type']> = Extract<FrontendMessage, { type: Type }>

/** Rows that are asked for at once when the client wants all. */
const ROWS_AT_ONCE = 1024

/** Parse, Bind, Describe, Execute and Close: prepared statements and portals of one client. */
export class ExtendedQuery {
  readonly #statements: Statements
  readonly #incoming: Incoming
  readonly #out: Outgoing
  readonly #prepared = new Map<string, Prepared>()
  readonly #portals = new Map<string, Portal>()

  constructor(statements: Statements, incoming: Incoming, out: Outgoing) {
    this.#statements = statements
    this.#incoming = incoming
    this.#out = out
  }

  /** Null: it is done already. @throws what the statement is refused for */
  handle(message: FrontendMessage): Promise<void> | null {
    switch (message.type) {
      case 'parse':
        return this.#parse(message)
      case 'bind':
        return this.#bind(message)
      case 'describe':
        return this.#describe(message)
      case 'execute':
        return this.#execute(message)
      case 'close':
        return this.#close(message)
      default:
        throw new ProtocolError(`a message of type ${message.type} was not expected`)
    }
  }

  /** The transaction is over: so are its portals. */
  async closePortals(): Promise<void> {
    for (const portal of this.#portals.values()) if (portal.run?.usesSession) await portal.run.close()
    this.#portals.clear()
  }

  /** A simple query takes the place of the statement and the portal without a name. */
  async forgetUnnamed(): Promise<void> {
    this.#prepared.delete('')
    await this.#drop('')
  }

  async #parse({ name, text, parameterTypes }: Message<'parse'>): Promise<void> {
    if (name !== '' && this.#prepared.has(name))
      throw new Misuse('42P05', `prepared statement "${name}" already exists`)
    this.#prepared.delete(name)
    const count = this.#statements.count(text)
    if (count > 1) throw new Misuse('42601', 'cannot insert multiple commands into a prepared statement')
    const description: WireDescription =
      count === 0 ? { parameterTypes: [], columns: null } : await this.#statements.describe(text)
    const needed = Math.max(description.parameterTypes.length, parameterTypes.length)
    this.#prepared.set(name, {
      text,
      parameterTypes: Array.from(
        { length: needed },
        (_, i) => parameterTypes[i] || description.parameterTypes[i] || 0,
      ),
      columns: description.columns,
      empty: count === 0,
    })
    this.#out.writer.parseComplete()
  }

  #bind(message: Message<'bind'>): Promise<void> | null {
    // One with a name must not be there; the other makes room for this one.
    if (message.portal === '' && this.#portals.get('')?.run?.usesSession)
      return this.#drop('').then(() => this.#bound(message))
    this.#bound(message)
    return null
  }

  #bound(message: Message<'bind'>): void {
    const prepared = this.#statement(message.statement)
    if (message.portal !== '' && this.#portals.has(message.portal))
      throw new Misuse('42P03', `cursor "${message.portal}" already exists`)
    const { parameterTypes } = prepared
    const { parameters, parameterFormats } = message
    if (parameters.length !== parameterTypes.length) {
      const named = message.statement === '' ? 'unnamed' : `"${message.statement}"`
      throw new Misuse(
        '08P01',
        `bind message supplies ${parameters.length} parameters, but prepared statement ${named} requires ${parameterTypes.length}`,
      )
    }
    const formats = spread(parameterFormats, parameters.length, 'parameter')
    this.#portals.set(message.portal, {
      text: prepared.empty ? '' : prepared.text,
      parameters: parameters.map((bytes, i) => parameter(bytes, formats[i] ?? 0, parameterTypes[i] ?? 0)),
      columns: prepared.columns,
      formats: spread(message.resultFormats, prepared.columns?.length ?? 0, 'result'),
      run: null,
    })
    this.#out.writer.bindComplete()
  }

  #describe({ what, name }: Message<'describe'>): null {
    const { writer } = this.#out
    if (what === 'statement') {
      const { parameterTypes, columns } = this.#statement(name)
      writer.parameterDescription(parameterTypes)
      this.#rows(columns, [])
    } else {
      const { columns, formats } = this.#portal(name)
      this.#rows(columns, formats)
    }
    return null
  }

  #rows(columns: readonly WireColumn[] | null, formats: readonly number[]): void {
    if (columns === null) this.#out.writer.noData()
    else this.#out.writer.rowDescription(columns, formats)
  }

  async #execute({ portal: name, rowsMax }: Message<'execute'>): Promise<void> {
    const portal = this.#portal(name)
    const { writer } = this.#out
    if (portal.text === '') {
      writer.emptyQuery()
      return
    }
    if (portal.run === null) {
      // Several statements up to the next Sync are one transaction; a single one commits by itself.
      const next = this.#incoming.peekNow() ?? (await this.#incoming.peek())
      const alone = next?.type === 'sync'
      const result = await this.#statements.execute(portal.text, portal.parameters, alone)
      portal.run = new PortalRun(result)
      if (result.copyOut !== undefined) await giveCopy(this.#out, result.copyOut, this.#incoming.gone)
      else this.#statements.occupy(portal.run)
    }
    const { run } = portal
    let given = 0
    while (rowsMax === 0 || given < rowsMax) {
      const most = rowsMax === 0 ? ROWS_AT_ONCE : rowsMax - given
      const rows = run.here(most) ?? (await run.take(most))
      if (rows.length === 0) break
      given += rows.length
      for (const row of rows) {
        writer.dataRow(row, portal.columns ?? [], portal.formats)
        const sent = this.#out.gathered()
        if (sent !== null) await sent
      }
    }
    if (rowsMax > 0 && given === rowsMax && !(await run.done())) writer.portalSuspended()
    else {
      this.#statements.ended(run.tag)
      writer.commandComplete(run.tag)
    }
  }

  async #close({ what, name }: Message<'close'>): Promise<void> {
    if (what === 'statement') this.#prepared.delete(name)
    else await this.#drop(name)
    this.#out.writer.closeComplete()
  }

  async #drop(portal: string): Promise<void> {
    await this.#portals.get(portal)?.run?.close()
    this.#portals.delete(portal)
  }

  #statement(name: string): Prepared {
    const prepared = this.#prepared.get(name)
    if (prepared) return prepared
    throw new Misuse(
      '26000',
      name === ''
        ? 'unnamed prepared statement does not exist'
        : `prepared statement "${name}" does not exist`,
    )
  }

  #portal(name: string): Portal {
    const portal = this.#portals.get(name)
    if (portal) return portal
    throw new Misuse('34000', `portal "${name}" does not exist`)
  }
}

/** No format is text for all, one is for all. */
function spread(formats: readonly number[], count: number, of: string): readonly number[] {
  if (formats.length === count) return formats
  if (formats.length <= 1) return Array.from({ length: count }, () => formats[0] ?? 0)
  throw new Misuse('08P01', `bind message has ${formats.length} ${of} formats but ${count} ${of}s`)
}

function parameter(bytes: Uint8Array | null, format: number, type: number): WireParameter {
  if (bytes === null) return null
  return format === 1 ? decodeBinary(type, bytes) : utf8(bytes)
}
