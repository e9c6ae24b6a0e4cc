import type { Value } from '@cluster/core'
import { sqlError } from '../errors.ts'
import type { TemporaryFiles } from './spill/temporary-files.ts'

/** What every row costs, and every value of it: the place in a list, and a number or the head of a text. */
const ROW_BYTES = 16
const VALUE_BYTES = 24
/** Of a column so many values are looked at, spread over all of it … */
const SAMPLE = 32
/** … and all of them, when one of those is larger than this. */
const LONG_BYTES = 64
/** An operator writes to disk only when its own part of what is kept is at least this share of what may be. */
const OWN_SHARE = 16

/** What a value takes beside its place and its head. */
export function sizeOf(value: Value | undefined): number {
  switch (typeof value) {
    case 'string':
      return value.length
    case 'bigint':
      return 8
    case 'object':
      return value === null ? 0 : 80 + value.length
    default:
      return 0
  }
}

/** What the values of a column from `from` up to `to` take beside their places; from a sample where they are short. */
function columnBytes(column: readonly Value[], from: number, to: number): number {
  const count = to - from
  const step = Math.max(1, Math.floor(count / SAMPLE))
  let bytes = 0
  let looked = 0
  for (let i = from; i < to; i += step) {
    const size = sizeOf(column[i])
    if (size > LONG_BYTES && step > 1) return allBytes(column, from, to)
    bytes += size
    looked++
  }
  return looked === 0 ? 0 : Math.ceil((bytes * count) / looked)
}

function allBytes(column: readonly Value[], from: number, to: number): number {
  let bytes = 0
  for (let i = from; i < to; i++) bytes += sizeOf(column[i])
  return bytes
}

/** About what the rows from `from` up to `to` of some columns take in memory, in bytes. */
export function rowsBytes(columns: readonly (readonly Value[])[], to: number, from = 0): number {
  let bytes = (to - from) * (ROW_BYTES + VALUE_BYTES * columns.length)
  for (const column of columns) bytes += columnBytes(column, from, to)
  return bytes
}

export interface MemoryLimits {
  /** More than this is refused. */
  readonly bytesMax: number
  /** From here on operators write to disk what they keep. Absent: they never do. */
  readonly spill?: { readonly bytes: number; readonly files: TemporaryFiles }
}

/** Counts what a statement keeps in memory, by estimates. */
export class MemoryBudget {
  /** Where rows go that are too many; null: there is no such place. */
  readonly files: TemporaryFiles | null
  /** What the operators of the statement should keep together at most. */
  readonly spillBytes: number
  readonly #bytesMax: number
  #bytes = 0
  #peak = 0

  constructor({ bytesMax, spill }: MemoryLimits) {
    this.#bytesMax = bytesMax
    this.files = spill?.files ?? null
    this.spillBytes = spill === undefined ? Number.POSITIVE_INFINITY : Math.min(spill.bytes, bytesMax / 2)
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The most that was kept at once. */
  get peak(): number {
    return this.#peak
  }

  /**
   * Takes room.
   * @throws 53200 when the statement keeps more than it may
   */
  take(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.#peak) this.#peak = this.#bytes
    if (this.#bytes <= this.#bytesMax) return
    throw sqlError('53200', `The statement needs more than ${this.#bytesMax} bytes of memory.`, {
      hint: 'Select fewer rows or columns, add a condition or a LIMIT, or raise memoryBytesMax.',
    })
  }

  /** Gives room back. */
  give(bytes: number): void {
    this.#bytes -= bytes
  }
}

/** What one operator keeps. */
export class MemoryAccount {
  readonly budget: MemoryBudget
  #bytes = 0
  #peak = 0

  constructor(budget: MemoryBudget) {
    this.budget = budget
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The most that it kept at once. */
  get peak(): number {
    return this.#peak
  }

  /** True: the statement keeps more than it should, and this operator is among those that can help. */
  get over(): boolean {
    const { budget } = this
    return budget.bytes > budget.spillBytes && this.#bytes * OWN_SHARE >= budget.spillBytes
  }

  /** @throws 53200 */
  take(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.#peak) this.#peak = this.#bytes
    this.budget.take(bytes)
  }

  give(bytes: number): void {
    this.#bytes -= bytes
    this.budget.give(bytes)
  }

  /** Gives everything back. */
  clear(): void {
    this.give(this.#bytes)
  }
}
