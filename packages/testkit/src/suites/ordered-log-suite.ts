import { errorCode, type LogEntry, logIndex, nodeId, type OrderedLog, type StateMachine } from '@cluster/core'
import type { SuiteRunner } from './runner.ts'

export interface OrderedLogFixture {
  /**
   * Builds the log of a node, attaches the machines and starts it. A name that ran before and is over now is the
   * same node, started again. Its id is the name. The first name that is started forms the group, the others
   * come into it.
   */
  start(name: string, machines: readonly StateMachine[]): Promise<OrderedLog>
  /** Ends the process of a node as kill −9 does. */
  kill(name: string): void
  /** Stops a node in good order. */
  stop(name: string, reason: 'away' | 'left'): Promise<void>
  /** Lets (virtual) time pass until it holds. @throws when it does not within `withinMs` */
  until(done: () => boolean, withinMs: number): Promise<void>
  /** Lets (virtual) time pass until the promise settles. */
  settle<T>(promise: Promise<T>): Promise<T>
}

const SOON_MS = 10_000
const encoder = new TextEncoder()
const decoder = new TextDecoder()
const text = (value: string): Uint8Array => encoder.encode(value)
const read = (bytes: Uint8Array): string => decoder.decode(bytes)

/** Keeps what it was given, in order; answers with how many there are. */
class ListMachine implements StateMachine {
  readonly name: string
  lines: string[] = []
  entries: LogEntry[] = []

  constructor(name = 'list') {
    this.name = name
  }

  apply(entry: LogEntry): Uint8Array {
    this.entries.push(entry)
    this.lines.push(`${entry.index} ${entry.origin} ${read(entry.command)}`)
    return text(`${this.lines.length}`)
  }

  snapshot(): Uint8Array {
    return text(JSON.stringify(this.lines))
  }

  restore(snapshot: Uint8Array | null): void {
    this.lines = snapshot === null ? [] : (JSON.parse(read(snapshot)) as string[])
  }

  durableIndex(): number {
    return Number.POSITIVE_INFINITY
  }
}

/**
 * Money in purses, for bundles. A command `jar -3` answers with what is there then, or `short`; a condition `jar 7` holds
 * when at least so much is there.
 */
class PurseMachine implements StateMachine {
  readonly name: string
  purses = new Map<string, number>()
  /** What is true before the bundle under way. */
  #before: ReadonlyMap<string, number> | null = null

  constructor(name: string) {
    this.name = name
  }

  readonly bundles = {
    check: (condition: Uint8Array): boolean => {
      const [purse = '', least] = read(condition).split(' ')
      return (this.purses.get(purse) ?? 0) >= Number(least)
    },
    begin: (): void => {
      this.#before = new Map(this.purses)
    },
    commit: (): void => {
      this.#before = null
    },
    rollback: (): void => {
      this.purses = new Map(this.#before)
      this.#before = null
    },
    refuses: (result: Uint8Array): boolean => read(result) === 'short',
  }

  apply({ command }: LogEntry): Uint8Array {
    const [purse = '', change] = read(command).split(' ')
    const sum = (this.purses.get(purse) ?? 0) + Number(change)
    if (sum < 0) return text('short')
    this.purses.set(purse, sum)
    return text(`${sum}`)
  }

  snapshot(): Uint8Array {
    return text(JSON.stringify([...this.purses]))
  }

  restore(snapshot: Uint8Array | null): void {
    this.purses = new Map(snapshot === null ? [] : (JSON.parse(read(snapshot)) as [string, number][]))
  }

  durableIndex(): number {
    return Number.POSITIVE_INFINITY
  }
}

/** Keeps pages, and gives them one by one: `snapshot` must not be asked for. */
class PageMachine implements StateMachine {
  readonly name = 'pages'
  pages: string[] = []

  readonly pieces = {
    save: (): Iterator<Uint8Array> => {
      // What is applied later must not be seen in them.
      const pages = [...this.pages]
      return pages.map((page) => text(`${page}\n`)).values()
    },
    load: (): { piece(bytes: Uint8Array): void; done(): void } => {
      const decoding = new TextDecoder()
      let all = ''
      return {
        piece: (bytes) => {
          all += decoding.decode(bytes, { stream: true })
        },
        done: () => {
          this.pages = all.split('\n').slice(0, -1)
        },
      }
    },
  }

  apply({ command }: LogEntry): Uint8Array {
    this.pages.push(read(command))
    return text(`${this.pages.length}`)
  }

  snapshot(): Uint8Array {
    throw new Error('a machine that has pieces is not asked for its state as a whole')
  }

  restore(snapshot: Uint8Array | null): void {
    if (snapshot !== null) throw new Error('a machine that has pieces is not given its state as a whole')
    this.pages = []
  }

  durableIndex(): number {
    return Number.POSITIVE_INFINITY
  }
}

interface Running {
  readonly log: OrderedLog
  readonly list: ListMachine
}

/** What an ordered log can do beside what every one must. */
export interface OrderedLogAbilities {
  /** False for one that runs on one node alone: its fixture starts no name but the first. Default true. */
  readonly severalNodes?: boolean
}

/** What every ordered log holds to. */
export function orderedLogSuite(
  runner: SuiteRunner,
  make: () => Promise<OrderedLogFixture>,
  { severalNodes = true }: OrderedLogAbilities = {},
): void {
  const { describe, test, expect } = runner

  async function begin(world: OrderedLogFixture, name: string): Promise<Running> {
    const list = new ListMachine()
    const log = await world.start(name, [list])
    await world.settle(log.ready())
    return { log, list }
  }

  async function trio() {
    const world = await make()
    const a = await begin(world, 'a')
    const b = await begin(world, 'b')
    const c = await begin(world, 'c')
    const all = [a, b, c]
    await world.until(() => all.every(({ log }) => log.group().voters.join() === 'a,b,c'), SOON_MS)
    return { world, a, b, c, all }
  }

  /** Three nodes, or one that stands for all of them. */
  async function crew() {
    if (severalNodes) return trio()
    const world = await make()
    const a = await begin(world, 'a')
    return { world, a, b: a, c: a, all: [a] }
  }

  /** Waits until all of them have applied as much as the furthest. */
  async function level(world: OrderedLogFixture, all: readonly Running[]): Promise<void> {
    const furthest = Math.max(...all.map(({ log }) => log.appliedIndex()))
    await world.settle(Promise.all(all.map(({ log }) => log.applied(logIndex(furthest)))))
  }

  describe('an ordered log', () => {
    test('gives every node the same commands in the same order, whoever submits', async () => {
      const { world, all } = await crew()
      const answers = await world.settle(
        Promise.all(
          Array.from({ length: 60 }, (_, i) => all[i % all.length]?.log.submit('list', text(`w${i}`))),
        ),
      )
      await level(world, all)
      const lines = all[0]?.list.lines ?? []
      expect(lines.length).toBe(60)
      for (const { list } of all) expect(list.lines).toEqual(lines)
      const numbers = answers.map((answer) => answer?.index ?? 0)
      expect(new Set(numbers).size).toBe(60)
      // What one node submits in a row keeps its order.
      const own = numbers.filter((_, i) => i % all.length === all.length - 1)
      expect(own).toEqual([...own].sort((x, y) => x - y))
    })

    test('answers the submitter with the index, the result and how many hold it', async () => {
      const { world, b, all } = await crew()
      await world.settle(b.log.submit('list', text('one')))
      const two = await world.settle(b.log.submit('list', text('two')))
      expect(read(two.result)).toBe('2')
      expect(two.durableOn).toBeGreaterThanOrEqual(severalNodes ? 2 : 1)
      expect(two.lineage).toBe(b.log.group().lineage)
      expect(b.log.appliedIndex()).toBeGreaterThanOrEqual(two.index)
      await level(world, all)
      for (const { list } of all) expect(list.lines.at(-1)).toBe(`${two.index} ${b.log.self} two`)
    })

    test('stamps entries with a log time that never goes back, the same on every node', async () => {
      const { world, all } = await crew()
      for (let i = 0; i < 9; i++) {
        const at = i % all.length
        for (const { log } of all.slice(at, at + 1)) await world.settle(log.submit('list', text('x')))
      }
      await level(world, all)
      const times = all.map(({ list }) => list.entries.map(({ time, wall }) => [time, wall]))
      for (const each of times) expect(each).toEqual(times[0])
      const clock = times[0]?.map(([time]) => time ?? 0) ?? []
      expect(clock).toEqual([...clock].sort((x, y) => x - y))
    })

    test('keeps machines apart by name', async () => {
      const world = await make()
      const left = new ListMachine('left')
      const right = new ListMachine('right')
      const log = await world.start('a', [left, right])
      await world.settle(log.ready())
      await world.settle(Promise.all([log.submit('left', text('l')), log.submit('right', text('r'))]))
      expect(left.entries.map(({ command }) => read(command))).toEqual(['l'])
      expect(right.entries.map(({ command }) => read(command))).toEqual(['r'])
      const failure = await world.settle(log.submit('middle', text('m')).catch(errorCode))
      expect(failure).toBe('LOG_UNKNOWN_MACHINE')
    })

    test('applies one idempotency key once, and answers every retry alike', async () => {
      const { world, a, b, all } = await crew()
      const first = await world.settle(a.log.submit('list', text('x'), { idempotencyKey: 'k1' }))
      const again = await world.settle(a.log.submit('list', text('x'), { idempotencyKey: 'k1' }))
      const there = await world.settle(b.log.submit('list', text('x'), { idempotencyKey: 'k1' }))
      expect([again.index, there.index]).toEqual([first.index, first.index])
      expect(read(there.result)).toBe(read(first.result))
      await world.settle(b.log.submit('list', text('y'), { idempotencyKey: 'k2' }))
      await level(world, all)
      expect(a.list.entries.map(({ command }) => read(command))).toEqual(['x', 'y'])
    })

    describe('bundles', () => {
      const add = (machine: string, purse: string, change: number) => ({
        machine,
        command: text(`${purse} ${change}`),
      })
      const atLeast = (machine: string, purse: string, least: number) => ({
        machine,
        condition: text(`${purse} ${least}`),
      })

      async function purses(world: OrderedLogFixture, name: string) {
        const mine = new PurseMachine('mine')
        const yours = new PurseMachine('yours')
        const log = await world.start(name, [mine, yours, new ListMachine()])
        await world.settle(log.ready())
        return { log, mine, yours }
      }

      test('take effect on all machines, at one index, in order', async () => {
        const world = await make()
        const a = await purses(world, 'a')
        const b = severalNodes ? await purses(world, 'b') : a
        const done = await world.settle(
          b.log.submitBundle({
            commands: [add('mine', 'jar', 5), add('yours', 'jar', 2), add('mine', 'jar', -1)],
          }),
        )
        expect(done.adopted).toBe(true)
        expect([done.unmet, done.refused]).toEqual([null, null])
        expect(done.results.map(read)).toEqual(['5', '2', '4'])
        await world.settle(a.log.applied(done.index))
        for (const { mine, yours } of [a, b])
          expect([...mine.purses, ...yours.purses]).toEqual([
            ['jar', 4],
            ['jar', 2],
          ])
      })

      test('a condition that does not hold leaves everything as it is', async () => {
        const world = await make()
        const { log, mine, yours } = await purses(world, 'a')
        await world.settle(log.submit('mine', text('jar 3')))
        const commands = [add('yours', 'jar', 3), add('mine', 'jar', -3)]
        const met = atLeast('mine', 'jar', 3)
        const unmet = await world.settle(
          log.submitBundle({ commands, requires: [met, atLeast('yours', 'jar', 1)] }),
        )
        expect([unmet.adopted, unmet.unmet, unmet.refused, unmet.results.length]).toEqual([false, 1, null, 0])
        expect([mine.purses.get('jar'), yours.purses.size]).toEqual([3, 0])
        const done = await world.settle(log.submitBundle({ commands, requires: [met] }))
        expect(done.adopted).toBe(true)
        expect([mine.purses.get('jar'), yours.purses.get('jar')]).toEqual([0, 3])
        expect(done.index).toBeGreaterThan(unmet.index)
      })

      test('a command that refuses takes the others back with it', async () => {
        const world = await make()
        const { log, mine, yours } = await purses(world, 'a')
        await world.settle(log.submit('mine', text('jar 3')))
        const refused = await world.settle(
          log.submitBundle({
            commands: [add('yours', 'jar', 1), add('mine', 'jar', -2), add('mine', 'jar', -2)],
          }),
        )
        expect([refused.adopted, refused.unmet, refused.refused]).toEqual([false, null, 2])
        expect(refused.results.map(read)).toEqual(['short'])
        expect([mine.purses.get('jar'), yours.purses.size]).toEqual([3, 0])
      })

      test('one idempotency key applies once', async () => {
        const world = await make()
        const { log, mine } = await purses(world, 'a')
        const bundle = { commands: [add('mine', 'jar', 2)] }
        const first = await world.settle(log.submitBundle(bundle, { idempotencyKey: 'k' }))
        const again = await world.settle(log.submitBundle(bundle, { idempotencyKey: 'k' }))
        expect([again.index, again.adopted, again.results.map(read)]).toEqual([first.index, true, ['2']])
        expect(mine.purses.get('jar')).toBe(2)
      })

      test('only machines that take part in bundles can be named', async () => {
        const world = await make()
        const { log, mine } = await purses(world, 'a')
        const failure = (machine: string) =>
          world.settle(
            log
              .submitBundle({ commands: [add('mine', 'jar', 1), { machine, command: text('x') }] })
              .then(() => null, errorCode),
          )
        expect(await failure('list')).toBe('LOG_NO_BUNDLES')
        expect(await failure('nobody')).toBe('LOG_UNKNOWN_MACHINE')
        expect(mine.purses.size).toBe(0)
      })
    })

    test('a barrier covers everything acknowledged before, on whatever node', async () => {
      const { world, a, b, c } = await crew()
      for (let i = 0; i < 5; i++) {
        const { index } = await world.settle(a.log.submit('list', text(`${i}`)))
        const [here, there] = await world.settle(Promise.all([b.log.barrier(), c.log.barrier()]))
        expect(here).toBeGreaterThanOrEqual(index)
        await world.settle(c.log.applied(there))
        expect(c.list.lines.length).toBeGreaterThanOrEqual(i + 1)
      }
    })

    test('what was acknowledged is there after a kill, and after a stop', async () => {
      const world = await make()
      const first = await begin(world, 'a')
      await world.settle(first.log.submit('list', text('x')))
      world.kill('a')
      const second = await begin(world, 'a')
      expect(second.list.lines).toEqual(first.list.lines)
      await world.settle(second.log.submit('list', text('y')))
      await world.settle(world.stop('a', 'away'))
      const failure = await world.settle(second.log.submit('list', text('late')).then(() => null, errorCode))
      expect(failure).toBe('STOPPED')
      const third = await begin(world, 'a')
      expect(third.list.lines).toEqual(second.list.lines)
      expect(third.log.group()).toMatchObject({ role: 'leader', voters: ['a'], leader: 'a', alone: false })
    })

    test('a machine gives and takes a large state in pieces, while commands are applied', async () => {
      const world = await make()
      const machines = { a: new PageMachine(), b: new PageMachine() }
      const log = await world.start('a', [machines.a])
      await world.settle(log.ready())
      // More than logs commonly keep before they take a snapshot.
      const page = (i: number): string => `${i} `.padEnd(96 * 1024, 'page ')
      const pages = Array.from({ length: 120 }, (_, i) => page(i))
      for (let i = 0; i < pages.length; i += 20)
        await world.settle(Promise.all(pages.slice(i, i + 20).map((each) => log.submit('pages', text(each)))))
      expect(machines.a.pages).toEqual(pages)
      if (severalNodes) {
        const other = await world.start('b', [machines.b])
        await world.settle(other.ready())
        await world.until(() => machines.b.pages.length === pages.length, SOON_MS)
        expect(machines.b.pages).toEqual(pages)
        world.kill('b')
      }
      world.kill('a')
      const again = { a: new PageMachine(), b: new PageMachine() }
      const logs = [await world.start('a', [again.a])]
      if (severalNodes) logs.push(await world.start('b', [again.b]))
      for (const each of logs) await world.settle(each.ready())
      await world.until(() => again.a.pages.length === pages.length, SOON_MS)
      expect(again.a.pages).toEqual(pages)
      if (!severalNodes) return
      await world.until(() => again.b.pages.length === pages.length, SOON_MS)
      expect(again.b.pages).toEqual(pages)
    })

    test('takes a command of several MiB whole, and applies it once', async () => {
      const { world, a, all } = await crew()
      const long = 'long '.repeat(1024 * 1024)
      const key = { idempotencyKey: 'long' }
      const submitted = Promise.all([
        a.log.submit('list', text(long), key),
        a.log.submit('list', text('short')),
        a.log.submit('list', text(long), key),
      ])
      const [first, , again] = await world.settle(submitted)
      expect(again).toMatchObject({ index: first.index, result: first.result })
      for (const { log, list } of all) {
        await world.settle(log.barrier().then((index) => log.applied(index)))
        expect(list.lines.map((line) => line.split(' ').slice(2).join(' ')).sort()).toEqual([long, 'short'])
      }
    })

    test('a call that is aborted before it began leaves nothing', async () => {
      const { world, a, all } = await crew()
      const signal = AbortSignal.abort()
      expect(await world.settle(a.log.submit('list', text('no'), { signal }).catch(errorCode))).toBe(
        'ABORTED',
      )
      await world.settle(a.log.submit('list', text('yes')))
      await level(world, all)
      expect(a.list.entries.map(({ command }) => read(command))).toEqual(['yes'])
    })
  })

  if (!severalNodes) return

  describe('an ordered log on several nodes', () => {
    test('who comes later has everything once it is ready', async () => {
      const world = await make()
      const a = await begin(world, 'a')
      for (let i = 0; i < 20; i++) await world.settle(a.log.submit('list', text(`${i}`)))
      const b = await begin(world, 'b')
      expect(b.list.lines).toEqual(a.list.lines)
    })

    test('a killed node changes nothing for the others, and comes back with all of it', async () => {
      const { world, a, b, c } = await trio()
      await world.settle(c.log.submit('list', text('before')))
      const victim = [a, b, c].find(({ log }) => log.group().leader === log.self)?.log.self ?? nodeId('a')
      const survivors = [a, b, c].filter(({ log }) => log.self !== victim)
      world.kill(victim)
      for (const { log } of survivors) await world.settle(log.submit('list', text(`after ${log.self}`)))
      const back = await begin(world, victim)
      await level(world, [...survivors, back])
      expect(back.list.lines.length).toBe(3)
      for (const { list } of survivors) expect(list.lines).toEqual(back.list.lines)
    })

    test('a node that stops is away, hands over, and comes back', async () => {
      const { world, all } = await trio()
      const leader = all.find(({ log }) => log.group().leader === log.self)?.log.self ?? nodeId('a')
      const rest = all.filter(({ log }) => log.self !== leader)
      await world.settle(world.stop(leader, 'away'))
      await world.until(() => rest.every(({ log }) => log.group().away.join() === leader), SOON_MS)
      for (const { log } of rest) {
        expect(log.group().voters.length).toBe(2)
        await world.settle(log.submit('list', text('x')))
      }
      const stopped = all.find(({ log }) => log.self === leader)
      const failure = await world.settle(
        stopped?.log.submit('list', text('late')).then(() => null, errorCode) ?? Promise.resolve(null),
      )
      expect(failure).toBe('STOPPED')
      const back = await begin(world, leader)
      await world.until(() => back.log.group().voters.length === 3, SOON_MS)
      await level(world, [...rest, back])
      expect(back.list.lines).toEqual(rest[0]?.list.lines)
    })

    test('a node that leaves is removed, and the others hear of it', async () => {
      const { world, a, b, c } = await trio()
      const removed: string[] = []
      for (const { log } of [a, b]) log.on('removed', ({ node, reason }) => removed.push(`${node} ${reason}`))
      await world.settle(world.stop('c', 'left'))
      await world.until(() => removed.length === 2, SOON_MS)
      expect(removed).toEqual([`${c.log.self} left`, `${c.log.self} left`])
      for (const { log } of [a, b]) {
        expect(log.group().voters).toEqual(['a', 'b'])
        expect(log.group().away).toEqual([])
      }
      await world.settle(a.log.submit('list', text('on')))
    })

    test('the last one that stopped still has all of it when it comes back alone', async () => {
      const { world, a } = await trio()
      await world.settle(a.log.submit('list', text('x')))
      for (const name of ['c', 'b', 'a']) await world.settle(world.stop(name, 'away'))
      const back = await begin(world, 'a')
      expect(back.list.lines.length).toBe(1)
      await world.settle(back.log.submit('list', text('y')))
    })

    test('tells the view of the group alike on all nodes, and when it changes', async () => {
      const { world, a, all } = await trio()
      const views = all.map(({ log }) => log.group())
      for (const view of views) {
        expect(view.voters).toEqual(['a', 'b', 'c'])
        expect(view.cluster).toBe(views[0]?.cluster)
        expect(view.leader).toBe(views[0]?.leader)
        expect(view.provisional).toBe(false)
        expect(view.alone).toBe(false)
      }
      expect(views.filter(({ role }) => role === 'leader').length).toBe(1)
      let told = 0
      a.log.on('group', () => told++)
      const d = await begin(world, 'd')
      await world.until(() => a.log.group().voters.length === 4 && d.log.group().voters.length === 4, SOON_MS)
      expect(told).toBeGreaterThan(0)
    })
  })
}
