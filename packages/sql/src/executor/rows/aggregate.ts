import type { Value } from '@cluster/core'
import { BATCH_ROWS, type Batch, type Frame } from '../../compile/batch.ts'
import type { ExecutionContext, Source } from '../context.ts'
import { MemoryAccount, rowsBytes } from '../memory.ts'
import { Partitions } from '../spill/partitions.ts'
import { SpillFiles } from '../spill/spill-file.ts'

/** The states of one aggregate call: one a group, in a form that only its own code knows. */
export interface AggregateStates {
  /** Adds the state of a new group. */
  grow(): void
  /** The call's value for a group. */
  result(group: number): Value
}

/** Groups with small whole keys have a place of their own up to here, whatever their number. */
const DENSE_MIN = 65_536
/** … and up to so many times their number. */
const DENSE_SHARE = 64
const FIRST_SLOTS = 1_024

/** The groups of one run. Compiled code fills them, by one of three tables as suits the grouping columns. */
class Groups {
  /** Hash key → number of the group. */
  readonly byKey = new Map<unknown, number>()
  /** For one whole number: key → number of the group and one more; 0: look into `byKey`. */
  dense = new Int32Array(0)
  /** For several values: hash → number of the group, the next free place after a collision; −1: free. A power of two long. */
  slots: Int32Array<ArrayBuffer> = new Int32Array(FIRST_SLOTS).fill(-1)
  /** The hashes of the groups. */
  hashes: Int32Array<ArrayBuffer> = new Int32Array(FIRST_SLOTS >> 1)
  /** The grouping values: a list for each grouping column, one value a group. */
  readonly columns: readonly Value[][]
  readonly states: readonly AggregateStates[]
  /** True: no group is added any more; rows that would need one are told by `miss`. */
  frozen = false
  /** The rows of a batch that would need a new group, and the hashes or keys of these groups. */
  missed: number[] = []
  missedKeys: unknown[] = []
  /** What states of any size keep for their groups, in bytes: values of DISTINCT, and of aggregates that gather. */
  heldBytes = 0
  #size = 0

  constructor(width: number, states: readonly AggregateStates[]) {
    this.columns = Array.from({ length: width }, () => [])
    this.states = states
  }

  get size(): number {
    return this.#size
  }

  /** A new group under this key; the caller adds its grouping values. */
  add(key: unknown): number {
    this.byKey.set(key, this.#size)
    return this.#grow()
  }

  /** A row of the batch would need a new group. */
  miss(row: number, key: unknown): void {
    this.missed.push(row)
    this.missedKeys.push(key)
  }

  #grow(): number {
    for (const states of this.states) states.grow()
    return this.#size++
  }

  /** The group of a whole number, or of NULL, that has none in `dense`; −1: there is none. */
  find(key: number | null): number {
    return this.byKey.get(key) ?? -1
  }

  /** A new group under a whole number or NULL; the caller adds its grouping value. */
  addWhole(key: number | null): number {
    if (key === null || !(key >= 0 && key < Math.max(DENSE_MIN, DENSE_SHARE * this.#size)))
      return this.add(key)
    if (key >= this.dense.length) {
      const wider = new Int32Array(2 ** Math.max(10, 32 - Math.clz32(key)))
      wider.set(this.dense)
      this.dense = wider
    }
    const group = this.#grow()
    this.dense[key] = group + 1
    return group
  }

  /** A new group at a free place of `slots`; the caller adds its grouping values. */
  addHashed(slot: number, hash: number): number {
    const group = this.#grow()
    this.slots[slot] = group
    this.hashes[group] = hash
    if (this.#size === this.hashes.length) this.#rehash()
    return group
  }

  #rehash(): void {
    const hashes = new Int32Array(this.hashes.length * 2)
    hashes.set(this.hashes)
    const slots = new Int32Array(hashes.length * 2).fill(-1)
    const mask = slots.length - 1
    for (let group = 0; group < this.#size; group++) {
      let slot = (hashes[group] as number) & mask
      while ((slots[slot] as number) >= 0) slot = (slot + 1) & mask
      slots[slot] = group
    }
    this.hashes = hashes
    this.slots = slots
  }
}

/** A hash of a text or NULL, of all of its characters. */
export function textHash(text: string | null): number {
  if (text === null) return 7
  let hash = text.length
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193)
  return hash
}

/** The same for texts that differ only by blanks at their ends. */
export function blankHash(text: string | null): number {
  if (text === null) return 7
  let end = text.length
  while (end > 0 && text.charCodeAt(end - 1) === 32) end--
  let hash = 11
  for (let i = 0; i < end; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193)
  return hash
}

/** Adds the rows of a batch to their groups. */
export type AggregateUpdate = (batch: Batch, groups: Groups, frame: Frame) => void

export interface AggregateOptions {
  readonly groupWidth: number
  readonly makeStates: readonly (() => AggregateStates)[]
  readonly update: AggregateUpdate
  /** The same for rows that were judged before: it does not filter. */
  readonly updateJudged: () => AggregateUpdate
}

/** What an aggregation is in the plan. */
export interface AggregateInput {
  /** The node of the plan, by which EXPLAIN ANALYZE knows it. */
  readonly node: object
  /** Columns of the input. */
  readonly width: number
}

export interface SetOptions extends AggregateOptions {
  /** Which of all grouping columns the set has, in order. */
  readonly positions: readonly number[]
}

/** What all groups of one operator share in a run. */
interface GroupingPorts {
  readonly context: ExecutionContext
  readonly account: MemoryAccount
  readonly files: SpillFiles
  readonly width: number
}

/**
 * Groups of rows. When they are too many for memory, no more are added: the rows of others go to partitions on disk, which are grouped
 * one after another when the groups in memory were given out.
 */
class Grouping {
  readonly #ports: GroupingPorts
  readonly #options: AggregateOptions
  readonly #level: number
  readonly #update: AggregateUpdate
  #groups: Groups
  #bytes = 0
  #partitions: Partitions | null = null

  constructor(ports: GroupingPorts, options: AggregateOptions, level = 0) {
    this.#ports = ports
    this.#options = options
    this.#level = level
    this.#update = level === 0 ? options.update : options.updateJudged()
    const { groupWidth, makeStates } = options
    this.#groups = new Groups(
      groupWidth,
      makeStates.map((make) => make()),
    )
    // Without grouping columns there is one group, also without rows.
    if (groupWidth === 0) this.#groups.add(null)
  }

  /** Adds rows. @returns what has to be waited for; null: nothing @throws 53200 */
  add(batch: Batch): Promise<void> | null {
    const groups = this.#groups
    const { account, context } = this.#ports
    const [size, held] = [groups.size, groups.heldBytes]
    this.#update(batch, groups, context.frame)
    const bytes = groupsBytes(groups, size) + groups.heldBytes - held
    this.#bytes += bytes
    account.take(bytes)
    if (groups.frozen) return groups.missed.length === 0 ? null : this.#spill(batch)
    if (account.over && this.#options.groupWidth > 0) groups.frozen = true
    return null
  }

  async #spill(batch: Batch): Promise<void> {
    const { files, width } = this.#ports
    const { missed, missedKeys } = this.#groups
    this.#groups.missed = []
    this.#groups.missedKeys = []
    this.#partitions ??= await Partitions.make(files, width, this.#level)
    await this.#partitions.add(batch, missedKeys, missed)
  }

  async *results(): AsyncGenerator<Batch> {
    const { context, account, files } = this.#ports
    const groups = this.#groups
    for (let start = 0; start < groups.size; start += BATCH_ROWS) {
      const pause = context.work(BATCH_ROWS)
      if (pause !== null) await pause
      yield resultsOf(groups, start)
    }
    account.give(this.#bytes)
    this.#bytes = 0
    const partitions = this.#partitions
    if (partitions === null) return
    this.#groups = new Groups(0, [])
    await partitions.finish()
    for (const rows of partitions.parts) {
      if (rows.length === 0) continue
      files.batches++
      const part = new Grouping(this.#ports, this.#options, this.#level + 1)
      for await (const batch of rows.read(context)) {
        const writing = part.add(batch)
        if (writing !== null) await writing
      }
      yield* part.results()
    }
    await partitions.remove()
  }
}

/** A place in a hash table, and the state of one call. */
const PLACE_BYTES = 24
const STATE_BYTES = 24

/** About what the groups behind the first few take. */
const groupsBytes = (groups: Groups, from: number): number =>
  rowsBytes(groups.columns, groups.size, from) +
  (groups.size - from) * (PLACE_BYTES + STATE_BYTES * groups.states.length)

/** A batch of groups: their values, then what the aggregates gave. */
function resultsOf(groups: Groups, start: number): Batch {
  const end = Math.min(groups.size, start + BATCH_ROWS)
  const columns = groups.columns.map((column) => column.slice(start, end))
  for (const states of groups.states) {
    const results: Value[] = []
    for (let group = start; group < end; group++) results.push(states.result(group))
    columns.push(results)
  }
  return { length: end - start, columns }
}

/** Hash aggregation. Without grouping columns there is one group, also without rows. */
export function aggregateSource(input: Source, of: AggregateInput, options: AggregateOptions): Source {
  const set = { ...options, positions: Array.from({ length: options.groupWidth }, (_, i) => i) }
  return groupedSource(input, of, [set], (batch) => batch)
}

/**
 * Groups the same rows in several ways at once, each with a hash table of its own. The columns are all grouping
 * columns (NULL where the set does not have them), the aggregates, and the number of the set.
 */
export function groupingSetsSource(
  input: Source,
  of: AggregateInput,
  groupWidth: number,
  sets: readonly SetOptions[],
): Source {
  return groupedSource(input, of, sets, ({ length, columns }, { positions }, s) => {
    const grouped = Array.from({ length: groupWidth }, (_, position) => {
      const own = positions.indexOf(position)
      return own < 0 ? new Array<Value>(length).fill(null) : (columns[own] as readonly Value[])
    })
    const numbers = new Array<Value>(length).fill(s)
    return { length, columns: [...grouped, ...columns.slice(positions.length), numbers] }
  })
}

/** @param shaped makes the rows of the operator of the groups of one set */
function groupedSource(
  input: Source,
  { node, width }: AggregateInput,
  sets: readonly SetOptions[],
  shaped: (batch: Batch, set: SetOptions, number: number) => Batch,
): Source {
  return {
    async *open(context) {
      const account = new MemoryAccount(context.memory)
      const files = new SpillFiles(context, node)
      files.batches = 1
      try {
        const all = sets.map((set) => new Grouping({ context, account, files, width }, set))
        for await (const batch of input.open(context)) {
          for (const grouping of all) {
            const writing = grouping.add(batch)
            if (writing !== null) await writing
            const pause = context.work(batch.length)
            if (pause !== null) await pause
          }
        }
        for (const [s, grouping] of all.entries())
          for await (const batch of grouping.results()) yield shaped(batch, sets[s] as SetOptions, s)
      } finally {
        account.clear()
        files.kept(account)
        if (files.used) await files.close('hash')
      }
    },
  }
}
