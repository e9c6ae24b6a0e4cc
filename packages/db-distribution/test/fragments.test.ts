import {
  type ColumnBatch,
  type Database,
  type FragmentEvaluator,
  type FragmentRequest,
  type OpenInput,
  relationId,
  type Transaction,
  type Version,
} from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import { encodeCompute } from '../src/driver/compute/compute-wire.ts'
import { decodeStreamRequest } from '../src/driver/wire.ts'
import { address, ITEMS, TestCluster } from './support/test-cluster.ts'

const EVEN = Uint8Array.of(1)
const SUM = Uint8Array.of(2)
const WIDE = Uint8Array.of(3)

/** Knows three fragments: the even numbers, the sum of all, and each number with a long text. */
class ToyEvaluator implements FragmentEvaluator {
  /** How often it was asked. */
  runs = 0
  /** Runs that were told to stop. */
  stopped = 0
  /** Awaited before each batch of results; null: nothing. */
  gate: ((batch: number) => Promise<void>) | null = null
  fails = false

  async *evaluate(
    program: Uint8Array,
    inputs: readonly OpenInput[],
    signal: AbortSignal,
  ): AsyncGenerator<ColumnBatch> {
    this.runs++
    let ended = false
    signal.addEventListener('abort', () => {
      if (!ended) this.stopped++
    })
    let sum = 0
    let count = 0
    for await (const { length, columns } of (inputs[0] as OpenInput)()) {
      await this.gate?.(count++)
      signal.throwIfAborted()
      if (this.fails) throw new Error('this does not work here')
      const numbers = columns[0]?.slice(0, length) as number[]
      if (program[0] === SUM[0]) sum += numbers.reduce((all, one) => all + one, 0)
      else if (program[0] === WIDE[0])
        yield { length, columns: [numbers, numbers.map((one) => String(one).padEnd(4_000, '.'))] }
      else {
        const even = numbers.filter((one) => one % 2 === 0)
        yield { length: even.length, columns: [even] }
      }
    }
    ended = true
    if (program[0] === SUM[0]) yield { length: 1, columns: [[sum]] }
  }
}

interface Setting {
  readonly cluster: TestCluster
  readonly database: Database
  readonly evaluators: ReadonlyMap<string, ToyEvaluator>
}

const request = (program: Uint8Array, together = false): FragmentRequest => ({
  inputs: [{ relation: ITEMS, range: {}, columns: [0], keys: false, from: 'spread' }],
  program,
  together,
})

interface Making {
  readonly redundancy?: number
  readonly rows?: number
  readonly without?: string
  readonly partitions?: number
}

async function setting(making: Making = {}): Promise<Setting> {
  const { redundancy = 1, rows = 400, without = '', partitions = 8 } = making
  const nodes = ['a', 'b', 'c']
  const evaluators = new Map(nodes.map((name) => [name, new ToyEvaluator()]))
  const cluster = new TestCluster({
    nodes,
    fragments: (name) => (name === without ? undefined : evaluators.get(name)),
  })
  await cluster.start(...nodes)
  const database = await cluster.open('a', { partitions, redundancy })
  for (let start = 0; start < rows; start += 400)
    await cluster.write(
      'a',
      Array.from({ length: Math.min(400, rows - start) }, (_, i): [number, string] => [start + i, 'text']),
    )
  await cluster.applied()
  return { cluster, database, evaluators }
}

/** @param onBatch called with every batch that came */
async function results(
  transaction: Transaction,
  wanted: FragmentRequest,
  onBatch: () => void = () => {},
): Promise<number[] | null> {
  const batches = transaction.fragments?.compute(wanted) ?? null
  if (batches === null) return null
  const found: number[] = []
  for await (const { length, columns } of batches) {
    found.push(...(columns[0] as readonly number[]).slice(0, length))
    onBatch()
  }
  return found.sort((a, b) => a - b)
}

const evenUpTo = (rows: number): number[] => Array.from({ length: Math.ceil(rows / 2) }, (_, i) => i * 2)
const runsOf = ({ evaluators }: Setting): number[] => [...evaluators.values()].map(({ runs }) => runs)

describe('fragments', () => {
  test('are computed by every node on its own rows, and only results travel', async () => {
    const made = await setting()
    const { cluster, database } = made
    const work = async (): Promise<void> => {
      const transaction = await database.begin({ readOnly: true })
      expect(transaction.fragments?.isSpread(request(EVEN).inputs)).toBe(true)
      expect(await results(transaction, request(EVEN))).toEqual(evenUpTo(400))
      const { rows, bytes } = { ...transaction.fragments?.received }
      expect(rows).toBeLessThan(200)
      expect(await results(transaction, request(SUM, true))).toHaveLength(3)
      const sums = (await results(transaction, request(SUM, true))) ?? []
      expect(sums.reduce((all, one) => all + one, 0)).toBe((399 * 400) / 2)
      const after = { ...transaction.fragments?.received }
      expect((after.bytes ?? 0) - (bytes ?? 0)).toBeLessThan(200)
      const read: number[][] = []
      const onRead = (rows: readonly number[]): void => void read.push([...rows])
      await results(transaction, { ...request(SUM, true), onRead })
      await results(transaction, { ...request(EVEN), onRead })
      expect(read).toEqual([[400], [400]])
      transaction.rollback()
    }
    await cluster.settle(work())
    expect(Math.min(...runsOf(made))).toBeGreaterThan(0)
  })

  test('go on with another holder when one dies in the middle', async () => {
    const rows = 24_000
    const made = await setting({ redundancy: 2, rows, partitions: 4 })
    const { cluster, database, evaluators } = made
    const victims = ['b', 'c'].map((name) => [name, evaluators.get(name) as ToyEvaluator] as const)
    let killed = ''
    const partThere = Promise.withResolvers<void>()
    for (const [name, evaluator] of victims)
      evaluator.gate = async (batch) => {
        // Half of the 64 rows of each batch: by then a whole frame of results (1,024 rows) is on its way.
        if (batch < 40 || killed !== '') return
        await partThere.promise
        if (killed !== '') return
        killed = name
        cluster.crash(name)
      }
    const work = async (): Promise<void> => {
      const transaction = await database.begin({ readOnly: true })
      const found = await results(transaction, request(EVEN), () => {
        if ((transaction.fragments?.received.rows ?? 0) > 0) partThere.resolve()
      })
      expect(found).toEqual(evenUpTo(rows))
      transaction.rollback()
    }
    await cluster.settle(work())
    expect(killed).not.toBe('')
  })

  test('count results of several partitions only when all of them are there', async () => {
    // Partitions of so many rows are read in batches of their own.
    const rows = 4_000
    const { cluster, database, evaluators } = await setting({ redundancy: 2, rows })
    let killed = ''
    for (const [name, evaluator] of evaluators)
      evaluator.gate = async (batch) => {
        if (name === 'a' || batch < 1 || killed !== '') return
        killed = name
        cluster.crash(name)
      }
    const work = async (): Promise<void> => {
      const transaction = await database.begin({ readOnly: true })
      const sums = (await results(transaction, request(SUM, true))) ?? []
      expect(sums.reduce((all, one) => all + one, 0)).toBe(((rows - 1) * rows) / 2)
      transaction.rollback()
    }
    await cluster.settle(work())
    expect(killed).not.toBe('')
  })

  test('that a holder does not compute are computed here from its rows', async () => {
    const made = await setting({ without: 'b' })
    const { cluster, database, evaluators } = made
    const refusing = evaluators.get('c') as ToyEvaluator
    refusing.fails = true
    const work = async (): Promise<void> => {
      const transaction = await database.begin({ readOnly: true })
      expect(await results(transaction, request(EVEN))).toEqual(evenUpTo(400))
      const sums = (await results(transaction, request(SUM, true))) ?? []
      expect(sums.reduce((all, one) => all + one, 0)).toBe((399 * 400) / 2)
      transaction.rollback()
    }
    await cluster.settle(work())
    expect(refusing.runs).toBe(2)
    expect(evaluators.get('b')?.runs).toBe(0)
  })

  test('stop at the holders when nobody takes the results any more', async () => {
    const { cluster, database, evaluators } = await setting({ rows: 2_000 })
    const stuck: (() => void)[] = []
    for (const [name, evaluator] of evaluators)
      if (name !== 'a') evaluator.gate = () => new Promise((resolve) => stuck.push(resolve))
    const controller = new AbortController()
    const work = async (): Promise<unknown> => {
      const transaction = await database.begin({ readOnly: true, signal: controller.signal })
      try {
        await results(transaction, request(EVEN))
        return 'it ended'
      } catch (error) {
        return error
      }
    }
    const ending = work()
    await cluster.until(() => stuck.length === 2)
    const before = await cluster.open('a')
    const other = await cluster.settle(before.begin({ readOnly: true }))
    const batches = other.fragments?.compute(request(EVEN)) as AsyncGenerator<ColumnBatch>
    await cluster.settle(batches.next())
    await cluster.until(() => stuck.length === 4)
    await cluster.settle(batches.return(undefined))
    await cluster.until(() => (evaluators.get('b')?.stopped ?? 0) + (evaluators.get('c')?.stopped ?? 0) === 2)
    for (const go of stuck) go()
    for (const evaluator of evaluators.values()) evaluator.gate = null
    expect(await cluster.settle(ending)).toBe('it ended')
  })

  test('whose results are too many to be kept are computed of each partition for itself', async () => {
    const { cluster, database, evaluators } = await setting({ rows: 8_000 })
    const work = async (): Promise<void> => {
      const transaction = await database.begin({ readOnly: true })
      expect(await results(transaction, request(WIDE, true))).toEqual(
        Array.from({ length: 8_000 }, (_, i) => i),
      )
      transaction.rollback()
    }
    await cluster.settle(work())
    expect(evaluators.get('b')?.runs).toBeGreaterThan(2)
  })

  test('read what is certified', async () => {
    const { cluster, database } = await setting()
    const work = async (): Promise<void> => {
      const transaction = await database.begin()
      await results(transaction, request(SUM, true))
      const other = await database.begin()
      other.put(address(database, 1_000), [1_000, 'new'])
      await other.commit()
      transaction.put({ ...address(database, 1), relation: relationId(17) }, [1])
      await expect(transaction.commit()).rejects.toMatchObject({ code: 'DB_CONFLICT' })
      const elsewhere = await database.begin()
      await results(elsewhere, request(SUM, true))
      const third = await database.begin()
      third.put({ ...address(database, 1), relation: relationId(18) }, [1])
      await third.commit()
      elsewhere.put({ ...address(database, 1), relation: relationId(17) }, [1])
      await elsewhere.commit()
    }
    await cluster.settle(work())
  })

  test('are not for what the transaction has written itself, and read at its version', async () => {
    const { cluster, database } = await setting()
    const work = async (): Promise<void> => {
      const old = await database.begin({ readOnly: true })
      const transaction = await database.begin()
      transaction.put(address(database, 1_000), [1_000, 'new'])
      expect(transaction.fragments?.isSpread(request(EVEN).inputs)).toBe(false)
      expect(await results(transaction, request(EVEN))).toBeNull()
      const { version } = await transaction.commit()
      expect(await results(old, request(EVEN))).toEqual(evenUpTo(400))
      const past = await database.begin({ atVersion: (version - 1) as Version })
      expect(await results(past, request(EVEN))).toEqual(evenUpTo(400))
      const now = await database.begin({ readOnly: true })
      expect(await results(now, request(EVEN))).toEqual([...evenUpTo(400), 1_000])
    }
    await cluster.settle(work())
  })

  test('are no scan to a node that does not know them: it says so', () => {
    const opening = encodeCompute({
      ...request(EVEN),
      database: 1,
      version: 1 as Version,
      partitions: [],
      skip: 0,
    })
    expect(() => decodeStreamRequest(opening)).toThrow(expect.objectContaining({ code: 'DB_FRAME_DAMAGED' }))
  })
})
