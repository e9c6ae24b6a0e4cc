import type { Clock, Database, Random, Transaction } from '@cluster/core'
import type { CatalogImage } from '../../catalog/image.ts'
import type { FunctionContext, LockCalls } from '../../functions/function.ts'
import type { Outbox } from '../../notify/outbox.ts'
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

/** What functions may ask while a statement runs. */
export function functionContext(
  { clock, random, database, outbox }: Ports,
  { transactionMicros, session, transaction, sequences, image, locks }: Surroundings,
): FunctionContext {
  const { settings, identity, channels } = session
  const micros = (ms: number): bigint => BigInt(Math.round(ms * MICROS_A_MS))
  const startedAt = clock.wall()
  return {
    transactionMicros,
    get statementMicros() {
      return micros(startedAt)
    },
    clockMicros: () => micros(clock.wall()),
    // 53 bits, as many as a double has.
    random: () => (random.uint32() * 0x20_0000 + (random.uint32() >>> 11)) / 0x20_0000_0000_0000,
    zone: settings.zone(),
    randomBytes: (count) => random.bytes(count),
    sequences,
    locks,
    catalog() {
      if (image === null) throw new TypeError('the statement did not say that it asks the catalog')
      return image
    },
    setting: (name) => settings.get(name),
    settings: () => settings.all(),
    set: (name, value) => settings.set(name, [value]),
    user: identity.current,
    sessionUser: identity.session,
    pid: () => session.pid,
    channels: () => channels.names,
    notify: (channel, payload) => outbox.add(transaction, { channel, payload, pid: session.pid }),
    database: database.name,
  }
}
