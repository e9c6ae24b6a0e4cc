import { ClusterError, nodeId } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import type { Context } from '../src/driver/context.ts'
import { RemoteAsks } from '../src/driver/read/remote-asks.ts'

interface Request {
  readonly holder: string
  readonly questions: readonly number[]
  answer(count?: number): void
  fail(): void
}

/** Asks whose messages are answered by the test; an answer is the question in the name of its group. */
function setting() {
  const requests: Request[] = []
  const peers = {
    request: (holder: string, _service: string, frame: Uint8Array): Promise<Uint8Array> =>
      new Promise((resolve, reject) => {
        const questions = [...frame]
        requests.push({
          holder,
          questions,
          answer: (count = questions.length) => resolve(frame.subarray(0, count)),
          fail: () => reject(new ClusterError({ code: 'UNREACHABLE', outcome: 'rejected' }, 'It is gone.')),
        })
      }),
  }
  const context = { ports: { peers }, settings: { attemptMs: 1_000 } } as unknown as Context
  const asks = new RemoteAsks<string, number, number>(context, {
    nameOf: (group) => group,
    encode: (_group, questions) => Uint8Array.from(questions),
    decode: (reply) => [...reply],
  })
  const ask = (holder: string, group: string, question: number): Promise<number> =>
    asks.ask(nodeId(holder), group, question)
  /** Lets everything happen that waits for nothing. */
  const turn = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await Promise.resolve()
  }
  return { requests, ask, turn }
}

describe('questions to other nodes', () => {
  test('of one turn travel together, those behind them once the answer is here', async () => {
    const { requests, ask, turn } = setting()
    const first = [ask('a', 'g', 1), ask('a', 'g', 2)]
    await turn()
    const later = [ask('a', 'g', 3), ask('a', 'g', 4), ask('a', 'g', 5)]
    await turn()
    expect(requests.map(({ questions }) => questions)).toEqual([[1, 2]])
    requests[0]?.answer()
    expect(await Promise.all(first)).toEqual([1, 2])
    await turn()
    expect(requests[1]?.questions).toEqual([3, 4, 5])
    requests[1]?.answer()
    expect(await Promise.all(later)).toEqual([3, 4, 5])
    const alone = ask('a', 'g', 6)
    await turn()
    requests[2]?.answer()
    expect(await alone).toBe(6)
  })

  test('of other nodes and groups wait for nobody', async () => {
    const { requests, ask, turn } = setting()
    for (const [holder, group] of [
      ['a', 'g'],
      ['b', 'g'],
      ['a', 'h'],
    ] as const)
      void ask(holder, group, 1)
    await turn()
    expect(requests.map(({ holder }) => holder)).toEqual(['a', 'b', 'a'])
  })

  test('that did not fit into the reply are asked again', async () => {
    const { requests, ask, turn } = setting()
    const all = [ask('a', 'g', 1), ask('a', 'g', 2), ask('a', 'g', 3)]
    await turn()
    requests[0]?.answer(1)
    await turn()
    expect(requests[1]?.questions).toEqual([2, 3])
    requests[1]?.answer()
    expect(await Promise.all(all)).toEqual([1, 2, 3])
  })

  test('fail with the message before them, and the next goes out anew', async () => {
    const { requests, ask, turn } = setting()
    const first = ask('a', 'g', 1)
    await turn()
    const behind = ask('a', 'g', 2)
    requests[0]?.fail()
    await expect(first).rejects.toThrow('It is gone.')
    await expect(behind).rejects.toThrow('It is gone.')
    const next = ask('a', 'g', 3)
    await turn()
    expect(requests[1]?.questions).toEqual([3])
    requests[1]?.answer()
    expect(await next).toBe(3)
  })

  test('beyond 256 do not wait', async () => {
    const { requests, ask, turn } = setting()
    void ask('a', 'g', 0)
    await turn()
    for (let i = 0; i < 300; i++) void ask('a', 'g', i % 200)
    await turn()
    expect(requests.map(({ questions }) => questions.length)).toEqual([1, 256])
  })
})
