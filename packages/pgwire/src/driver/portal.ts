import type { WireColumn, WireError, WireParameter, WireResult, WireRow } from '../backend.ts'

/** A statement with its parameters, as Bind makes it. */
export interface Portal {
  readonly text: string
  readonly parameters: readonly WireParameter[]
  /** Null for a statement that gives no rows. */
  readonly columns: readonly WireColumn[] | null
  readonly formats: readonly number[]
  /** Null before the first Execute. */
  run: PortalRun | null
}

/** So much a row weighs besides its texts. */
const ROW_BYTES = 64
const VALUE_BYTES = 16

/** More rows than may be kept while others use the session. */
export class PortalTooLarge extends Error {
  override readonly name = 'PortalTooLarge'
  readonly wire: WireError

  constructor(bytesMax: number) {
    const message = `a suspended portal would keep more than ${bytesMax} bytes`
    super(message)
    this.wire = {
      sqlstate: '53200',
      message,
      hint: 'Fetch its rows before other statements run, or ask for fewer.',
    }
  }
}

/** The rows of a portal that are still to be given, from the statement itself or from memory. */
export class PortalRun {
  readonly #result: WireResult
  #batches: AsyncIterator<readonly WireRow[]> | null
  #rows: readonly WireRow[]
  #at = 0
  #given = 0

  constructor(result: WireResult) {
    this.#result = result
    this.#rows = result.rows
    this.#batches = result.rest
  }

  get columns(): readonly WireColumn[] | null {
    return this.#result.columns
  }

  /** True while the statement itself is not over, so that the session cannot be used for another one. */
  get usesSession(): boolean {
    return this.#batches !== null
  }

  get tag(): string {
    return this.#result.tag(this.#given)
  }

  /** The next rows, at most `max`; empty at the end. */
  async take(max: number): Promise<readonly WireRow[]> {
    return this.here(max) ?? ((await this.#next()) ? (this.here(max) ?? []) : [])
  }

  /** As `take`, at once; null: they are still to come. */
  here(max: number): readonly WireRow[] | null {
    const left = this.#rows.length - this.#at
    if (left === 0) return this.#batches === null ? [] : null
    const rows = this.#at === 0 && left <= max ? this.#rows : this.#rows.slice(this.#at, this.#at + max)
    this.#at += rows.length
    this.#given += rows.length
    return rows
  }

  /** True when nothing is left to give. */
  async done(): Promise<boolean> {
    return this.#at === this.#rows.length && !(await this.#next())
  }

  /** Keeps what is left in memory, so that others can use the session. @throws PortalTooLarge */
  async detach(bytesMax: number): Promise<void> {
    if (this.#batches === null) return
    const kept: WireRow[] = [...this.#rows.slice(this.#at)]
    let bytes = kept.reduce((sum, row) => sum + weigh(row), 0)
    while (await this.#next()) {
      for (const row of this.#rows) {
        kept.push(row)
        bytes += weigh(row)
      }
      if (bytes > bytesMax) {
        await this.close()
        throw new PortalTooLarge(bytesMax)
      }
    }
    this.#rows = kept
    this.#at = 0
  }

  async close(): Promise<void> {
    const batches = this.#batches
    this.#batches = null
    this.#rows = []
    this.#at = 0
    await batches?.return?.()
  }

  /** The next batch with rows; false at the end. */
  async #next(): Promise<boolean> {
    while (this.#batches !== null) {
      const { done, value } = await this.#batches.next()
      if (done) {
        this.#batches = null
        break
      }
      if (value.length === 0) continue
      this.#rows = value
      this.#at = 0
      return true
    }
    return false
  }
}

function weigh(row: WireRow): number {
  let bytes = ROW_BYTES
  for (const value of row) {
    bytes += VALUE_BYTES
    if (typeof value === 'string') bytes += value.length * 2
    else if (value instanceof Uint8Array) bytes += value.length
  }
  return bytes
}
