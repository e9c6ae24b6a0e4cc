import {
  assert,
  type Database,
  hash32,
  type Key,
  KeyWriter,
  type ProgramOutcome,
  type ProgramStep,
  type RelationId,
  type Row,
  type RowAddress,
  relationId,
  type Transaction,
} from '@cluster/core'
import type { Named } from '../load.ts'

/** Gives the database that a program has open. */
export type OpenDatabase<App> = (app: App) => Promise<Database>

/** Every write puts a row with its name here, in the same transaction. */
export const JOURNAL: RelationId = relationId(17)

const DEADLINE = { deadlineMs: 4_000 } as const

const keyOf = (text: string): Key => new KeyWriter().text(text).finish()

export function addressOf(database: Database, relation: RelationId, name: string): RowAddress {
  const key = keyOf(name)
  return { relation, key, partition: database.partitionOf(key) }
}

/** The one value of a row, or null when there is none. */
function textOf(row: Row | null): string | null {
  if (row === null) return null
  const value = row[1] ?? null
  assert(typeof value === 'string', 'these rows are a name and a text')
  return value
}

/** What a transaction does; what `read` gives is what it saw, `write` runs afterwards when it wants to. */
export interface RowsWork<Output> {
  /** Reads by gets or by a scan, and puts. Gives the answer and whether something is to be committed. */
  run(rows: Rows): Promise<{ readonly output: Output; readonly commit: boolean }>
  readonly readOnly: boolean
  /** It may be performed again under its name, as the answer says nothing of what it read. */
  readonly idempotent?: boolean
}

/** Named texts of one relation, in a transaction. */
export class Rows {
  readonly #database: Database
  readonly #transaction: Transaction

  constructor(database: Database, transaction: Transaction) {
    this.#database = database
    this.#transaction = transaction
  }

  async get(relation: RelationId, name: string): Promise<string | null> {
    return textOf(await this.#transaction.get(addressOf(this.#database, relation, name)))
  }

  /** A row whose value is a number; 0 when there is none. */
  async getNumber(relation: RelationId, name: string): Promise<number> {
    const row = await this.#transaction.get(addressOf(this.#database, relation, name))
    const value = row?.[1] ?? 0
    assert(typeof value === 'number', 'these rows are a name and a number')
    return value
  }

  putNumber(relation: RelationId, name: string, value: number): void {
    this.#transaction.put(addressOf(this.#database, relation, name), [name, value])
  }

  /** Adds to the value of a row without reading it. False when there is none, or it cannot be done so: nothing was done then. */
  async add(relation: RelationId, name: string, by: number | string): Promise<boolean> {
    const type = typeof by === 'number' ? 'integer' : 'numeric'
    const address = addressOf(this.#database, relation, name)
    return (await this.#transaction.add?.(address, [{ position: 1, type, by }])) === 'added'
  }

  /** All rows with names from `from` up to, but without, `to`; all rows of the relation without them. */
  async scan(relation: RelationId, from?: string, to?: string): Promise<Map<string, string>> {
    const range = {
      ...(from !== undefined && { from: keyOf(from) }),
      ...(to !== undefined && { to: keyOf(to) }),
    }
    const found = new Map<string, string>()
    for await (const batch of this.#transaction.scan({ relation, range, columns: [0, 1] }))
      for (let i = 0; i < batch.length; i++) {
        const [name, value] = [batch.columns[0]?.[i], batch.columns[1]?.[i]]
        assert(typeof name === 'string' && typeof value === 'string', 'these rows are a name and a text')
        found.set(name, value)
      }
    return found
  }

  /** Some names that follow each other: by one scan, or one by one. */
  async several(
    relation: RelationId,
    names: readonly string[],
    byScan: boolean,
  ): Promise<Map<string, string>> {
    const sorted = [...names].sort()
    const [first] = sorted
    if (byScan && first !== undefined) {
      const found = await this.scan(relation, first, `${sorted.at(-1)}\0`)
      return new Map([...found].filter(([name]) => names.includes(name)))
    }
    const found = new Map<string, string>()
    for (const name of names) {
      const value = await this.get(relation, name)
      if (value !== null) found.set(name, value)
    }
    return found
  }

  put(relation: RelationId, name: string, value: string): void {
    this.#transaction.put(addressOf(this.#database, relation, name), [name, value])
  }

  delete(relation: RelationId, name: string): void {
    this.#transaction.delete(addressOf(this.#database, relation, name))
  }
}

/** Chance that follows from the name of an operation, so that the operation itself says nothing of how it is done. */
export function luckOf({ name }: Named, purpose: string): number {
  return hash32(`${purpose} ${name}`)
}

/**
 * One operation as one transaction, which writes its name into the journal when it writes at all. Every other one begins
 * without asking whether its node is up to date, and has what it read proved.
 */
export async function transact<App, Output>(
  open: OpenDatabase<App>,
  app: App,
  input: Named,
  { run, readOnly, idempotent = false }: RowsWork<Output>,
): Promise<Output> {
  const database = await open(app)
  const optimistic = luckOf(input, 'optimistic') % 2 === 0
  const lost = readOnly || luckOf(input, 'turn') % 24 > 0 ? null : await unlucky(database, run)
  const retry = lost === null ? {} : { retryOf: lost }
  const transaction = await database.begin({ ...DEADLINE, readOnly, optimistic, ...retry })
  try {
    const { output, commit } = await run(new Rows(database, transaction))
    if (commit) {
      transaction.put(addressOf(database, JOURNAL, input.name), [input.name])
      await transaction.commit({ ...DEADLINE, ...(idempotent && { idempotencyKey: input.name }) })
    } else {
      await transaction.validate(DEADLINE)
      transaction.rollback()
    }
    return output
  } catch (error) {
    transaction.rollback()
    throw error
  }
}

/** As if it had lost one race after the other: the last of some attempts, so that the next one gets a turn of its own. */
async function unlucky<Output>(database: Database, run: RowsWork<Output>['run']): Promise<Transaction> {
  let lost = await database.begin({ ...DEADLINE, optimistic: true })
  for (let losses = 1; losses < 4; losses++) {
    lost.rollback()
    lost = await database.begin({ ...DEADLINE, optimistic: true, retryOf: lost })
  }
  try {
    await run(new Rows(database, lost))
  } finally {
    lost.rollback()
  }
  return lost
}

/** One operation as a program of one step, which the log applies without reading first; it is not in the journal. */
export async function executeStep<App>(
  open: OpenDatabase<App>,
  app: App,
  relation: RelationId,
  step: Omit<ProgramStep, 'key'> & { readonly name: string },
): Promise<ProgramOutcome> {
  const database = await open(app)
  const { name, ...what } = step
  const { key, partition } = addressOf(database, relation, name)
  const transaction = await database.begin({ ...DEADLINE, optimistic: true })
  try {
    const program = { relation, partition, steps: [{ key, ...what }], checks: [], returning: true }
    const { outcome } = await transaction.execute(program, DEADLINE)
    return outcome
  } finally {
    transaction.rollback()
  }
}

/** The names of all writes that took effect, as a new transaction on this program sees them. */
export async function readJournal<App>(open: OpenDatabase<App>, app: App): Promise<readonly string[]> {
  const database = await open(app)
  const transaction = await database.begin({ ...DEADLINE, readOnly: true })
  const names: string[] = []
  try {
    for await (const batch of transaction.scan({ relation: JOURNAL, range: {}, columns: [0] }))
      for (const name of batch.columns[0] ?? []) names.push(String(name))
  } finally {
    transaction.rollback()
  }
  return names
}
