import type { Clock, Database, Random, Transaction } from '@cluster/core'
import type { CatalogImage } from '../../catalog/image.ts'
import type { FunctionContext, LockCalls } from '../../functions/function.ts'
import type { Outbox } from '../../notify/outbox.ts'
import { SeededRandom } from '../seeded-random.ts'
import type { StatementSequences } from '../sequences.ts'
import type { SessionState } from '../session-state.ts'

interface Ports {
  readonly clock: Clock
  readonly random: Random
  readonly database: Database
  readonly outbox: Outbox
}

/** What a statement runs in. */
interface Surroundings {
  readonly transactionMicros: bigint
  readonly session: SessionState
  readonly transaction: Transaction
  readonly sequences: StatementSequences
  /** Null when the statement asks the catalog nothing. */
  readonly image: CatalogImage | null
  readonly locks: LockCalls
}

const MICROS_A_MS = 1_000

/** What functions may ask while a statement runs. Made for every statement, so nothing is computed before it is asked for. */
class StatementFunctions implements FunctionContext {
  readonly #ports: Ports
  readonly #surroundings: Surroundings
  readonly #startedAt: number
  #zone: FunctionContext['zone'] | null = null

  constructor(ports: Ports, surroundings: Surroundings) {
    this.#ports = ports
    this.#surroundings = surroundings
    this.#startedAt = ports.clock.wall()
  }

  /** The session's, and the same for the whole statement. */
  get zone(): FunctionContext['zone'] {
    this.#zone ??= this.#surroundings.session.settings.zone()
    return this.#zone
  }

  get transactionMicros(): bigint {
    return this.#surroundings.transactionMicros
  }

  get statementMicros(): bigint {
    return micros(this.#startedAt)
  }

  get sequences(): StatementSequences {
    return this.#surroundings.sequences
  }

  get locks(): LockCalls {
    return this.#surroundings.locks
  }

  get user(): string {
    return this.#surroundings.session.identity.current
  }

  get sessionUser(): string {
    return this.#surroundings.session.identity.session
  }

  get database(): string {
    return this.#ports.database.name
  }

  clockMicros(): bigint {
    return micros(this.#ports.clock.wall())
  }

  random(): number {
    const { seeded } = this.#surroundings.session
    if (seeded !== null) return seeded.next()
    const { random } = this.#ports
    // 53 bits, as many as a double has.
    return (random.uint32() * 0x20_0000 + (random.uint32() >>> 11)) / 0x20_0000_0000_0000
  }

  seed(value: number): void {
    this.#surroundings.session.seeded = new SeededRandom(value)
  }

  randomBytes(count: number): Uint8Array {
    return this.#ports.random.bytes(count)
  }

  catalog(): CatalogImage {
    const { image } = this.#surroundings
    if (image === null) throw new TypeError('the statement did not say that it asks the catalog')
    return image
  }

  setting(name: string): string {
    return this.#surroundings.session.settings.get(name)
  }

  settings(): readonly (readonly [string, string])[] {
    return this.#surroundings.session.settings.all()
  }

  set(name: string, value: string): void {
    this.#surroundings.session.settings.set(name, [value])
  }

  pid(): number {
    return this.#surroundings.session.pid
  }

  channels(): readonly string[] {
    return this.#surroundings.session.channels.names
  }

  notify(channel: string, payload: string): void {
    const { session, transaction } = this.#surroundings
    this.#ports.outbox.add(transaction, { channel, payload, pid: session.pid })
  }
}

const micros = (ms: number): bigint => BigInt(Math.round(ms * MICROS_A_MS))

export const functionContext = (ports: Ports, surroundings: Surroundings): FunctionContext =>
  new StatementFunctions(ports, surroundings)
