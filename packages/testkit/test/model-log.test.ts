import { type LogEntry, nodeId, type OrderedLog, type StateMachine } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import { modelLog, orderedLogSuite } from '../src/index.ts'

const text = new TextEncoder()
const read = new TextDecoder()

class Words implements StateMachine {
  readonly name = 'words'
  words: string[] = []

  apply(entry: LogEntry): Uint8Array {
    this.words.push(read.decode(entry.command))
    return text.encode(String(this.words.length))
  }

  snapshot(): Uint8Array {
    return text.encode(this.words.join(' '))
  }

  restore(snapshot: Uint8Array | null): void {
    this.words = snapshot && snapshot.length > 0 ? read.decode(snapshot).split(' ') : []
  }

  durableIndex(): number {
    return Number.POSITIVE_INFINITY
  }
}

async function start(log: ReturnType<typeof modelLog>, id: string) {
  const words = new Words()
  const node = log.node(id)
  node.attach(words)
  await node.start()
  return { node, words }
}

describe('modelLog', () => {
  test('gives every node the same order', async () => {
    const log = modelLog()
    const a = await start(log, 'a')
    const b = await start(log, 'b')
    const [x, y] = await Promise.all([
      a.node.submit('words', text.encode('x')),
      b.node.submit('words', text.encode('y')),
    ])
    expect([x.index, y.index, x.durableOn]).toEqual([1, 2, 2])
    expect(read.decode(y.result)).toBe('2')
    expect(a.words.words).toEqual(['x', 'y'])
    expect(b.words.words).toEqual(['x', 'y'])
  })

  test('a held node catches up through a snapshot once the order is compacted', async () => {
    const log = modelLog()
    const a = await start(log, 'a')
    const b = await start(log, 'b')
    log.hold('b')
    for (const word of ['x', 'y', 'z']) await a.node.submit('words', text.encode(word))
    expect(b.words.words).toEqual([])
    expect(log.compact('a')).toBe(3)
    const installed: number[] = []
    b.node.on('snapshotInstalled', ({ index }) => installed.push(index))
    log.release('b')
    expect(b.words.words).toEqual(['x', 'y', 'z'])
    expect(installed).toEqual([3])
  })

  test('members come, die, are removed and come back', async () => {
    const log = modelLog({ maxVoters: 2 })
    const a = await start(log, 'a')
    await start(log, 'b')
    await start(log, 'c')
    expect(a.node.group()).toMatchObject({
      leader: 'a',
      voters: ['a', 'b'],
      learners: ['c'],
      provisional: false,
    })
    const removed: string[] = []
    a.node.on('removed', ({ node, reason }) => removed.push(`${node} ${reason}`))
    log.kill('b')
    expect(a.node.group().voters).toEqual(['a', 'b'])
    log.remove('b')
    expect(removed).toEqual(['b dead'])
    expect(a.node.group()).toMatchObject({ voters: ['a', 'c'], learners: [] })
    await start(log, 'b')
    expect(a.node.group().learners).toEqual([nodeId('b')])
    await a.node.stop('away')
    await expect(a.node.submit('words', text.encode('late'))).rejects.toMatchObject({ code: 'STOPPED' })
  })

  test('the same idempotency key applies once', async () => {
    const log = modelLog()
    const a = await start(log, 'a')
    const first = await a.node.submit('words', text.encode('x'), { idempotencyKey: 'k' })
    const again = await a.node.submit('words', text.encode('x'), { idempotencyKey: 'k' })
    expect(again).toEqual(first)
    expect(a.words.words).toEqual(['x'])
  })
})

orderedLogSuite({ describe, test, expect }, async () => {
  const model = modelLog()
  const running = new Map<string, OrderedLog>()
  return {
    async start(name, machines) {
      const log = model.node(name)
      running.set(name, log)
      for (const machine of machines) log.attach(machine)
      await log.start()
      return log
    },
    kill: (name) => model.kill(name),
    stop: async (name, reason) => running.get(name)?.stop(reason),
    async until(done) {
      for (let i = 0; i < 100 && !done(); i++) await Promise.resolve()
      if (!done()) throw new Error('the model settles at once, or never')
    },
    settle: (promise) => promise,
  }
})
