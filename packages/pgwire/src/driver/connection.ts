import type { Clock, Logger } from '@cluster/core'
import type { WireBackend, WireError, WireResult, WireSession } from '../backend.ts'
import { NoBinaryFormat } from '../machine/binary-format.ts'
import { type FrontendMessage, ProtocolError, type StartupMessage } from '../machine/frontend-messages.ts'
import { MessageReader } from '../machine/message-reader.ts'
import type { ScramCrypto } from '../machine/scram.ts'
import type { ResolvedOptions } from '../options.ts'
import type { ByteStream } from './byte-stream.ts'
import type { CancelKey, CancelKeys } from './cancel-keys.ts'
import { copyIn, giveCopy } from './copy-stream.ts'
import { ExtendedQuery } from './extended-query.ts'
import { Incoming } from './incoming.ts'
import { authenticate, LoginRefused, MINOR, negotiate, readLogin } from './login.ts'
import type { LoginGate } from './login-gate.ts'
import { Misuse } from './misuse.ts'
import { Notifier } from './notifier.ts'
import { Outgoing } from './outgoing.ts'
import { PortalTooLarge } from './portal.ts'
import { Statements } from './statements.ts'

export interface ConnectionPorts {
  readonly backend: WireBackend
  readonly crypto: ScramCrypto
  readonly clock: Clock
  readonly logger: Logger
  readonly cancelKeys: CancelKeys
  readonly gate: LoginGate
  nonce(bytes: number): Uint8Array
}

/** Before the client has said who it is. */
const LOGIN_BYTES_MAX = 64 * 1024
const SECRET_BYTES = { before: 4, since2: 32 } as const
const NO_FORMATS: readonly number[] = []

/** One client from its first byte to its last. */
export class Connection {
  readonly #ports: ConnectionPorts
  readonly #options: ResolvedOptions
  #stream: ByteStream
  #reader = new MessageReader(LOGIN_BYTES_MAX)
  #incoming: Incoming
  #out: Outgoing
  #key: CancelKey | null = null
  #statements: Statements | null = null
  /** As they were when the client was told last. */
  #settings: ReadonlyMap<string, string> | null = null
  readonly #told = new Map<string, string>()

  constructor(stream: ByteStream, ports: ConnectionPorts, options: ResolvedOptions) {
    this.#ports = ports
    this.#options = options
    this.#stream = stream
    this.#incoming = new Incoming(stream, this.#reader)
    this.#out = new Outgoing(stream)
  }

  /** Resolves when the connection is over. Never rejects. */
  async run(): Promise<void> {
    const { clock, logger } = this.#ports
    const overdue = clock.after(this.#options.loginMs, () => this.#stream.destroy())
    const onGone = (): void => this.#statements?.cancel()
    try {
      const startup = await this.#begin()
      if (startup === null) return
      const session = await this.#login(startup)
      overdue()
      this.#stream.gone.addEventListener('abort', onGone)
      await this.#serve(session)
    } catch (error) {
      await this.#fatal(error)
    } finally {
      overdue()
      this.#key?.release()
      this.#statements?.close()
      this.#stream.end()
      logger.log('debug', 'client gone', { remote: this.#stream.remote })
    }
  }

  /**
   * Turns a client away that there is no room for, once it has said who it is: one that asks for encryption first would not
   * understand it before. What it wants cancelled is cancelled. Never rejects.
   */
  async refuse(error: WireError): Promise<void> {
    const overdue = this.#ports.clock.after(this.#options.loginMs, () => this.#stream.destroy())
    try {
      if ((await this.#begin()) !== null) await this.turnAway(error)
    } catch (failure) {
      await this.#fatal(failure)
    } finally {
      overdue()
      this.#stream.end()
    }
  }

  /** Tells the client why it goes, and lets it go: the node stops, or there is no room. */
  async turnAway(error: WireError): Promise<void> {
    try {
      this.#out.writer.error(error, 'FATAL')
      await this.#out.flush()
    } finally {
      this.#statements?.cancel()
      this.#stream.end()
    }
  }

  /** Up to the start-up message. Null when there will be none. */
  async #begin(): Promise<Extract<StartupMessage, { type: 'startup' }> | null> {
    for (;;) {
      const message = await this.#incoming.startup()
      switch (message?.type) {
        case undefined:
          return null
        case 'cancel':
          this.#ports.cancelKeys.cancel(message.process, message.secret)
          return null
        case 'gssRequest':
          this.#out.writer.raw('N')
          await this.#out.flush()
          break
        case 'tlsRequest':
          await this.#encrypt()
          break
        case 'startup':
          return message
      }
    }
  }

  async #encrypt(): Promise<void> {
    const { encrypt } = this.#stream
    // What came before the encryption could be anybody's.
    if (encrypt !== null && this.#reader.size > 0) throw new ProtocolError('bytes came before the encryption')
    this.#out.writer.raw(encrypt === null ? 'N' : 'S')
    await this.#out.flush()
    if (encrypt === null) return
    this.#stream = await encrypt()
    this.#reader = new MessageReader(LOGIN_BYTES_MAX)
    this.#incoming = new Incoming(this.#stream, this.#reader)
    this.#out = new Outgoing(this.#stream)
  }

  async #login(startup: Extract<StartupMessage, { type: 'startup' }>): Promise<WireSession> {
    const { backend, cancelKeys } = this.#ports
    const login = readLogin(startup)
    negotiate(startup, this.#out)
    await authenticate(login, this.#stream, this.#incoming, this.#out, this.#ports)
    const secretBytes = startup.minor >= MINOR ? SECRET_BYTES.since2 : SECRET_BYTES.before
    this.#key = cancelKeys.issue(secretBytes, () => this.#statements?.cancel())
    const session = await backend.connect(login, this.#key.process)
    this.#reader.limit(this.#options.messageBytesMax)
    this.#statements = new Statements(session, this.#options.portalBytesMax, (shape) =>
      copyIn(this.#incoming, this.#out, shape),
    )
    this.#tellSettings(session)
    this.#out.writer.backendKey(this.#key.process, this.#key.secret)
    return session
  }

  async #serve(session: WireSession): Promise<void> {
    const statements = this.#statements
    if (statements === null) return
    const notifier = new Notifier(session, this.#out, (error) => {
      void this.#fatal(error).finally(() => this.#stream.destroy())
    })
    const extended = new ExtendedQuery(statements, this.#incoming, this.#out)
    // Leaves with the answer to what comes next, if that is here already.
    const ready = (): Promise<void> | null => {
      this.#tellSettings(session)
      notifier.tell()
      this.#out.writer.ready(statements.state)
      return this.#out.gathered()
    }
    await ready()
    // After an error everything up to the next Sync is left out.
    let skipping = false
    for (;;) {
      const message = this.#incoming.nextNow() ?? (await this.#wait(notifier, statements.state === 'idle'))
      if (message === null || message.type === 'terminate') return
      if (skipping && message.type !== 'sync') continue
      try {
        switch (message.type) {
          case 'query':
            await extended.forgetUnnamed()
            await this.#query(statements, message.text)
            if (statements.state === 'idle') await extended.closePortals()
            break
          case 'sync':
            skipping = false
            if (statements.unfinished) await statements.finish()
            if (statements.state === 'idle') await extended.closePortals()
            break
          case 'flush':
            await this.#out.flush()
            continue
          default: {
            const answered = this.#other(extended, message)
            if (answered !== null) await answered
            continue
          }
        }
      } catch (error) {
        this.#refuse(error)
        if (message.type !== 'query' && message.type !== 'sync') {
          skipping = true
          continue
        }
      }
      const sent = ready()
      if (sent !== null) await sent
    }
  }

  /** Sends what is there, and waits for the client. */
  async #wait(notifier: Notifier, idle: boolean): Promise<FrontendMessage | null> {
    await this.#out.flush()
    return notifier.whileIdle(idle, () => this.#incoming.next())
  }

  /** Null: it is done already. */
  #other(extended: ExtendedQuery, message: FrontendMessage): Promise<void> | null {
    switch (message.type) {
      case 'functionCall':
        throw new Misuse('0A000', 'calling functions by message is not supported; use SELECT')
      case 'copyData':
      case 'copyDone':
      case 'copyFail':
        // A COPY that failed: what the client still sends of it is nobody's.
        return null
      default:
        return extended.handle(message)
    }
  }

  async #query(statements: Statements, text: string): Promise<void> {
    const count = statements.count(text)
    if (count === 0) {
      this.#out.writer.emptyQuery()
      return
    }
    if (count === 1) {
      await this.#give(await statements.execute(text, [], true))
      return
    }
    const apart = statements.apart(text)
    if (apart !== null) await this.#queryApart(statements, apart)
    else for (const result of await statements.executeAll(text)) await this.#give(result)
  }

  /** One statement after another, as the client has to take part in some; one transaction together. */
  async #queryApart(statements: Statements, texts: readonly string[]): Promise<void> {
    try {
      for (const [i, text] of texts.entries()) {
        const result = await statements.execute(text, [], false)
        // The last one is complete when all is committed.
        await this.#give(result, async () => {
          statements.ended(result.tag(0))
          if (i === texts.length - 1) await statements.finish()
        })
      }
    } catch (error) {
      await statements.finish()
      throw error
    }
  }

  async #give(
    { columns, rows, rest, tag, copyOut }: WireResult,
    beforeComplete: () => Promise<void> = async () => {},
  ): Promise<void> {
    const { writer } = this.#out
    if (copyOut !== undefined) await giveCopy(this.#out, copyOut, this.#stream.gone)
    if (columns !== null) writer.rowDescription(columns, NO_FORMATS)
    let given = 0
    for (let batch = rows; ; ) {
      for (const row of batch) {
        writer.dataRow(row, columns ?? [], NO_FORMATS)
        const sent = this.#out.gathered()
        if (sent !== null) await sent
      }
      given += batch.length
      if (rest === null) break
      // A client that is gone needs no more rows.
      if (this.#stream.gone.aborted) {
        await rest.return?.()
        return
      }
      const next = await rest.next()
      if (next.done) break
      batch = next.value
    }
    await beforeComplete()
    writer.commandComplete(tag(given))
  }

  /** An error that the connection survives. @throws ProtocolError, which it does not */
  #refuse(error: unknown): void {
    if (error instanceof ProtocolError) throw error
    this.#out.writer.error(this.#describe(error))
  }

  #describe(error: unknown): WireError {
    if (error instanceof Misuse || error instanceof PortalTooLarge || error instanceof LoginRefused)
      return error.wire
    if (error instanceof NoBinaryFormat) return { sqlstate: '0A000', message: error.message }
    if (error instanceof ProtocolError) return { sqlstate: '08P01', message: error.message }
    return this.#ports.backend.describeError(error)
  }

  async #fatal(error: unknown): Promise<void> {
    const { logger } = this.#ports
    if (this.#stream.gone.aborted) return
    const wire = this.#describe(error)
    logger.log('info', 'client turned away', { remote: this.#stream.remote, why: wire.message })
    try {
      this.#out.writer.error(wire, 'FATAL')
      await this.#out.flush()
    } catch (lost) {
      logger.log('debug', 'the client did not hear why', { why: String(lost) })
    }
  }

  /** Says which settings are other than the client was told. */
  #tellSettings(session: WireSession): void {
    const settings = session.settings()
    if (settings === this.#settings) return
    this.#settings = settings
    for (const [name, value] of settings) {
      if (this.#told.get(name) === value) continue
      this.#told.set(name, value)
      this.#out.writer.parameterStatus(name, value)
    }
  }
}
