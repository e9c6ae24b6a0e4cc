import { nodeId } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import {
  type AnyLoad,
  anyLoad,
  bankLoad,
  Clients,
  counterLoad,
  dutyLoad,
  forkLoad,
  judgeBank,
  judgeCounters,
  judgeDuty,
  judgeForks,
  judgeOwners,
  judgeSet,
  listLoad,
  mixedLoad,
  modelDatabases,
  type OpenDatabase,
  type Operation,
  ownerLoad,
  readJournal,
  registerRowsLoad,
  type SetInput,
  type SetOutput,
  setLoad,
  World,
} from '../src/index.ts'

type SetOperation = Operation<SetInput, SetOutput>

let names = 0
/** An operation from one time to another; without an end nobody knows. */
function told<Input extends object, Output>(input: Input, from: number, to: number | null, output?: Output) {
  const named = { name: `op${names++}`, ...input }
  const end = to === null ? null : { time: to, output: output as Output }
  return { client: 'c', input: named, callTime: from, end }
}
const history = <T>(...operations: T[]) => ({ history: operations, rejected: [] })

describe('judges of loads', () => {
  test('a bank keeps its total, and nobody owes', () => {
    const sees = (balances: number[]) =>
      judgeBank(
        history(
          told({ transfer: null }, 0, 1, {
            balances: Object.fromEntries(balances.map((balance, i) => [`account ${i}`, balance])),
          }),
        ),
      )
    expect(sees([100, 100, 100, 100, 100, 100, 50, 150])).toBeNull()
    expect(sees([100, 100, 100, 100, 100, 100, 50, 100])).toMatch(/750 instead of 800/)
    expect(sees([100, 100, 100, 100, 100, 100, -50, 250])).toMatch(/owes/)
  })

  test('a set keeps what was added, from then on, and nothing else', () => {
    const add = (name: string, from: number, to: number | null): SetOperation =>
      told({ name, add: name }, from, to, null)
    const read = (from: number, to: number, ...elements: string[]): SetOperation =>
      told({ add: null }, from, to, elements)
    expect(judgeSet(history(add('x', 0, 5), read(1, 2), read(3, 4, 'x'), read(6, 7, 'x')))).toBeNull()
    expect(judgeSet(history(add('x', 0, null), read(1, 2), read(30, 40)))).toBeNull()
    expect(judgeSet(history(add('x', 0, 5), read(6, 7)))).toMatch(/did not read x/)
    expect(judgeSet(history(add('x', 0, 50), read(3, 4, 'x'), read(6, 7)))).toMatch(/did not read x/)
    expect(judgeSet(history(add('x', 8, 9), read(6, 7, 'x')))).toMatch(/nobody had added/)
    expect(judgeSet({ ...history(read(6, 7, 'x')), rejected: [{ name: 'x', add: 'x' }] })).toMatch(/refused/)
  })

  test('a counter lies between what was acknowledged and what was tried', () => {
    const add = (from: number, to: number | null, before: number | null) =>
      told({ counter: 'a', add: 2 }, from, to, before)
    const read = (from: number, to: number, count: number | null) =>
      told({ counter: 'a', add: 0 }, from, to, count)
    expect(judgeCounters(history(add(0, 1, 0), add(2, 10, 2), add(3, null, 0), read(4, 5, 2)))).toBeNull()
    expect(judgeCounters(history(add(0, 1, 0), add(2, 10, 2), add(3, null, 0), read(4, 5, 6)))).toBeNull()
    expect(judgeCounters(history(add(0, 1, 0), add(2, 10, 2), read(4, 5, 0)))).toMatch(
      /read 0 .* from 2 to 4/,
    )
    expect(judgeCounters(history(add(0, 1, 0), read(4, 5, 8)))).toMatch(/read 8 .* from 2 to 2/)
    // Whoever does not look tells nothing.
    expect(judgeCounters(history(add(0, 1, null), read(4, 5, 2)))).toBeNull()
    expect(judgeCounters(history(add(0, 5, 0), add(0, 5, 0), read(6, 7, 4)))).toMatch(
      /found 0 .* added 2 to 0/,
    )
    expect(judgeCounters(history(add(0, 5, 1), add(0, 5, 0)))).toMatch(/found 1 .* added 2 to 0/)
  })

  test('unique keys have one owner', () => {
    const asks = (name: string, owner: string) => told({ name, key: 'k' }, 0, 1, { owner })
    expect(judgeOwners(history(asks('x', 'x'), asks('y', 'x')))).toBeNull()
    expect(judgeOwners(history(asks('x', 'x'), asks('y', 'y')))).toMatch(
      /owned by x, says x, and by y, says y/,
    )
    expect(judgeOwners({ ...history(asks('y', 'x')), rejected: [{ name: 'x', key: 'k' }] })).toMatch(
      /refused/,
    )
  })

  test('somebody is on duty', () => {
    const looks = (a: boolean, b: boolean) => told({ pair: 'p', wish: null }, 0, 1, { a, b, done: false })
    expect(judgeDuty(history(looks(true, false), looks(false, true)))).toBeNull()
    expect(judgeDuty(history(looks(false, false)))).toMatch(/write skew/)
  })

  test('all see one order', () => {
    const sees = (...keys: string[]) => told({ group: 'g', key: null }, 0, 1, keys)
    expect(judgeForks(history(sees('a', 'b'), sees('a'), sees(), sees('a')))).toBeNull()
    expect(judgeForks(history(sees('a'), sees('b')))).toMatch(/long fork/)
    expect(judgeForks(history(sees('a', 'b'), sees('c')))).toMatch(/long fork/)
  })
})

describe('loads', () => {
  test('all run on a database that is right, and are content with it', async () => {
    const databases = modelDatabases({ nodes: [nodeId('n1')] })
    const open: OpenDatabase<object> = () => databases.open('test')
    const loads = new Map<string, AnyLoad<object>>([
      ['registers', anyLoad(registerRowsLoad(open))],
      ['bank', anyLoad(bankLoad(open))],
      ['lists', anyLoad(listLoad(open))],
      ['duty', anyLoad(dutyLoad(open))],
      ['forks', anyLoad(forkLoad(open))],
      ['set', anyLoad(setLoad(open))],
      ['counters', anyLoad(counterLoad(open))],
      ['owners', anyLoad(ownerLoad(open))],
    ])
    const world = new World({ seed: 1 })
    const node = world.node<object>('n1', { start: async () => ({}), stop: async () => {} })
    await node.start()
    const clients = new Clients(world, [node], { clients: 6, thinkMs: [1, 20], load: mixedLoad(loads) })
    clients.start()
    await world.run(6_000)
    clients.stop()
    await world.until(() => clients.idle, 1_000)
    await world.settle(clients.writeOn(node), 1_000)
    const endings = await world.settle(clients.closeOn(node), 1_000)
    expect(endings.every(({ how }) => how === 'acknowledged')).toBe(true)
    expect(clients.judge()).toBeNull()
    const { acknowledged } = clients.book()
    const journal = await readJournal(open, {})
    expect([...acknowledged].sort()).toEqual([...journal].sort())
    expect(journal.length).toBeGreaterThan(500)
    // Each of them did something, and was told what.
    for (const kind of loads.keys())
      expect(clients.told().history.filter(({ input }) => input.kind === kind).length).toBeGreaterThan(100)
  })
})
