import { describe, expect, test } from '@jest/globals'
import {
  type Delivery,
  judgeLocks,
  judgeQueue,
  judgeTopic,
  judgeTtl,
  type LockNote,
  type QueueInput,
  type Subscriber,
  type TtlInput,
  type TtlOutput,
} from '../src/index.ts'

/** An operation from one time to another; without an end nobody knows. */
function told<Input extends { readonly name: string }, Output>(
  input: Input,
  from: number,
  to: number | null,
  output: Output,
) {
  return { client: 'c', input, callTime: from, end: to === null ? null : { time: to, output } }
}
const history = <T>(...operations: T[]) => ({ history: operations, rejected: [] })

describe('judges of shared objects', () => {
  const push = (name: string, from: number, to: number | null) =>
    told<QueueInput, boolean>({ name, action: 'push' }, from, to, true)
  const drain = (from: number, emptied = true) =>
    told<QueueInput, boolean>({ name: 'd', action: 'drain' }, from, from + 9, emptied)
  const delivery = (
    message: string,
    deliveries: number,
    at: number,
    acknowledged: number | null = null,
  ): Delivery => ({
    message,
    deliveries,
    redelivered: deliveries > 1,
    called: at - 1,
    at,
    acknowledging: acknowledged === null ? null : acknowledged - 1,
    acknowledged,
  })

  test('a queue delivers nothing before its time, nor what was set aside', () => {
    const input: QueueInput = { name: 'x', action: 'push', delayMs: 1_000 }
    const pushed = history(told<QueueInput, boolean>(input, 0, 1, true), drain(5_000))
    expect(judgeQueue(pushed, [delivery('x', 1, 1_000)])).toBeNull()
    expect(judgeQueue(pushed, [delivery('x', 1, 800)])).toMatch(/before its time/)
    const often = [1, 2, 3, 4].map((number) => delivery('x', number, 1_000 * number))
    expect(judgeQueue(pushed, often.slice(0, 3))).toBeNull()
    expect(judgeQueue(pushed, often)).toMatch(/set aside/)
  })

  test('a queue delivers again only with a mark, and never what was acknowledged', () => {
    const pushed = history(push('x', 0, 1), push('y', 2, 3), drain(50))
    const y = delivery('y', 1, 30, 35)
    expect(judgeQueue(pushed, [delivery('x', 1, 10), delivery('x', 2, 20, 22), y])).toBeNull()
    expect(judgeQueue(pushed, [delivery('x', 1, 10), delivery('x', 1, 20), y])).toMatch(/twice/)
    expect(judgeQueue(pushed, [{ ...delivery('x', 2, 20), redelivered: false }, y])).toMatch(/marked/)
    expect(judgeQueue(pushed, [delivery('x', 1, 10, 12), delivery('x', 2, 20), y])).toMatch(
      /had been acknowledged/,
    )
    expect(judgeQueue(pushed, [delivery('x', 1, 10, 30), delivery('x', 2, 20), y])).toMatch(
      /after delivery 2/,
    )
    expect(judgeQueue(pushed, [delivery('x', 1, 10, 30), delivery('x', 2, 20, 28), y])).toMatch(
      /acknowledged by/,
    )
    expect(judgeQueue(pushed, [y])).toMatch(/x was pushed and never delivered/)
    expect(judgeQueue(pushed, [y, delivery('x', 1, 40)])).toMatch(/overtook/)
    expect(judgeQueue(pushed, [delivery('z', 1, 10)])).toMatch(/nobody/)
    expect(
      judgeQueue({ ...pushed, rejected: [{ name: 'x', action: 'push' }] }, [delivery('x', 1, 10)]),
    ).toMatch(/refused/)
    expect(judgeQueue(history(drain(50, false)), [])).toMatch(/emptied/)
    expect(judgeQueue(history(push('x', 0, null), drain(50)), [])).toBeNull()
  })

  test('a topic has one order, and its subscribers miss nothing', () => {
    const publish = (name: string, from: number, to: number | null) =>
      told<{ name: string; publishes: boolean }, readonly string[] | null>(
        { name, publishes: true },
        from,
        to,
        null,
      )
    const read = (from: number, ...seen: string[]) =>
      told<{ name: string; publishes: boolean }, readonly string[] | null>(
        { name: 'r', publishes: false },
        from,
        from + 1,
        seen,
      )
    const nobody = new Map<string, Subscriber>()
    const on = (...seen: string[]) => new Map([['n1', { token: '', seen }]])
    const both = [publish('x', 0, 1), publish('y', 2, 3)]
    expect(judgeTopic(history(...both, read(5, 'x', 'y'), read(1.5, 'x')), on('x', 'y'))).toBeNull()
    expect(judgeTopic(history(...both, read(5, 'y', 'x')), nobody)).toMatch(/before it/)
    expect(judgeTopic(history(...both, read(5, 'x')), nobody)).toMatch(/did not see y/)
    expect(judgeTopic(history(...both, read(5, 'x', 'x')), nobody)).toMatch(/twice/)
    expect(judgeTopic(history(...both, read(5, 'x', 'y'), read(2, 'y')), nobody)).toMatch(/others saw/)
    expect(judgeTopic(history(...both, read(5, 'x', 'y', 'z')), on('x', 'z'))).toMatch(/subscriber on n1/)
    expect(judgeTopic(history(...both, read(5, 'x', 'y')), on('x', 'x'))).toMatch(/subscriber on n1/)
  })

  test('nothing ends before its time, and nothing stays for ever', () => {
    const set = (key: string, from: number, ttlMs: number) =>
      told<TtlInput, TtlOutput>({ name: key, action: 'set', key, ttlMs }, from, from + 1, true)
    const look = (
      action: 'get' | 'list' | 'touch',
      from: number,
      output: boolean | readonly string[],
      ttlMs = 0,
    ) =>
      told<TtlInput, TtlOutput>(
        { name: 'l', action, key: action === 'list' ? '' : 'x', ttlMs },
        from,
        from + 1,
        output,
      )
    expect(judgeTtl(history(set('x', 0, 1_000), look('get', 700, true), look('get', 950, false)))).toBeNull()
    expect(judgeTtl(history(set('x', 0, 1_000), look('get', 700, false)))).toMatch(/gone/)
    const touched = [set('x', 0, 1_000), look('touch', 500, true, 5_000)]
    expect(judgeTtl(history(...touched, look('get', 800, false)))).toMatch(/gone/)
    expect(judgeTtl(history(...touched, look('get', 5_400, false)))).toBeNull()
    expect(judgeTtl(history(set('x', 0, 1_000), look('list', 90_000, ['x'])))).toMatch(/is still there/)
    expect(judgeTtl(history(set('x', 0, 1_000), look('list', 900, [])))).toBeNull()
  })

  test('work under a lock does not interleave, and tokens grow', () => {
    const notes = (...steps: (readonly [number, 'begin' | 'end'])[]) =>
      told({ name: 'r', lock: 'red', works: false }, 0, 1, {
        notes: steps.map(([token, step]): LockNote => ({ by: `w${token}`, token, step })),
      })
    expect(
      judgeLocks(history(notes([1, 'begin'], [1, 'end'], [3, 'begin'], [5, 'begin'], [5, 'end']))),
    ).toBeNull()
    expect(judgeLocks(history(notes([1, 'begin'], [3, 'begin'], [1, 'end'])))).toMatch(/after w3/)
    expect(judgeLocks(history(notes([1, 'begin'], [3, 'end'])))).toMatch(/not begun/)
    const grant = (name: string, from: number, token: number) =>
      told({ name, lock: 'red', works: true }, from, from + 5, { token, grantedAt: from + 2 })
    expect(judgeLocks(history(grant('a', 0, 1), grant('b', 3, 2)))).toBeNull()
    expect(judgeLocks(history(grant('a', 0, 2), grant('b', 3, 1)))).toMatch(/got token 1/)
  })
})
