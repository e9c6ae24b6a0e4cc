import { describe, expect, test } from '@jest/globals'
import {
  checkListAppend,
  type ListResults,
  type ListStep,
  type ListTransaction,
  type Operation,
} from '../src/index.ts'

type Transaction = Operation<ListTransaction, ListResults>

/**
 * `T` at a time: `a+1` appends 1 to a, `a=12` read 1 and 2 in a. Every transaction is called at its first number and
 * ends at its second; without a second nobody knows.
 */
function transaction(from: number, to: number | null, text: string): Transaction {
  const steps: ListStep[] = []
  const output: (readonly string[] | null)[] = []
  for (const word of text.split(' ')) {
    const key = word.charAt(0)
    const rest = word.slice(2)
    if (word.charAt(1) === '+') {
      steps.push({ append: key, value: rest })
      output.push(null)
    } else {
      steps.push({ read: key })
      output.push([...rest])
    }
  }
  return {
    client: `c${from}`,
    input: { steps },
    callTime: from,
    end: to === null ? null : { time: to, output },
  }
}

const T = transaction
/** All at the same time: nothing follows from when they ran. */
const at = (text: string): Transaction => T(0, 100, text)

const kinds = (history: readonly Transaction[], rejected: readonly Transaction[] = []): string[] =>
  checkListAppend({ history, rejected: rejected.map(({ input }) => input) }).map(({ kind }) => kind)

describe('checkListAppend finds nothing wrong', () => {
  test('with one after another', () => {
    expect(kinds([T(0, 1, 'a+1'), T(2, 3, 'a=1 a+2 b+3'), T(4, 5, 'a=12 b=3')])).toEqual([])
  })

  test('with what overlaps, in either order', () => {
    expect(kinds([T(0, 10, 'a+1'), T(1, 9, 'a='), T(2, 8, 'a=1')])).toEqual([])
  })

  test('with own appends that are read', () => {
    expect(kinds([at('a+1 a=1 a+2 a=12'), at('a=12')])).toEqual([])
  })

  test('with what nobody knows, seen or not, sooner or later', () => {
    expect(kinds([T(0, null, 'a+1'), T(5, 6, 'a='), T(50, 60, 'a=1')])).toEqual([])
    expect(kinds([T(0, null, 'a+1'), T(5, 6, 'a='), T(50, 60, 'a=')])).toEqual([])
  })

  test('with what failed and was not seen', () => {
    expect(kinds([T(0, 1, 'a+1'), T(5, 6, 'a=1')], [T(2, 3, 'a+2')])).toEqual([])
  })
})

describe('checkListAppend finds', () => {
  test('a transaction that contradicts itself', () => {
    expect(kinds([at('a+1 a=')])).toContain('internal')
    expect(kinds([at('a+1'), at('a= a=1')])).toContain('internal')
  })

  test('what nobody wrote, what is there twice, and lists that do not go together', () => {
    expect(kinds([at('a=7')])).toContain('garbage')
    expect(kinds([at('a+1'), at('a=11')])).toContain('duplicate')
    expect(kinds([at('a+1'), at('a+2'), at('a=12'), at('a=21')])).toContain('incompatible order')
  })

  test('G1a: what failed was read', () => {
    expect(kinds([at('a=1')], [at('a+1')])).toEqual(['G1a'])
  })

  test('G1b: the middle of a transaction was read', () => {
    expect(kinds([at('a+1 a+2'), at('a=1'), at('a=12')])).toEqual(['G1b'])
  })

  test('G0: writes of two transactions are in two orders', () => {
    expect(kinds([at('a+1 b+3'), at('a+2 b+4'), at('a=12 b=43')])).toEqual(['G0'])
  })

  test('G1c: two have read from each other', () => {
    expect(kinds([at('a+1 b=2'), at('b+2 a=1')])).toEqual(['G1c'])
  })

  test('G-single: half of a transaction was read', () => {
    expect(kinds([at('a+1 b+2'), at('a=1 b='), at('a=1 b=2')])).toEqual(['G-single'])
  })

  test('G-single: an append that was acknowledged was lost, as nobody read it ever after', () => {
    expect(kinds([at('a+1'), at('a=1 a+2'), at('a=1 a+3'), at('a=12')])).toEqual(['G-single'])
  })

  test('G2: write skew, with and without somebody who read it all', () => {
    expect(kinds([at('a= b+1'), at('b= a+2'), at('a=2 b=1')])).toEqual(['G2'])
    expect(kinds([at('a= b+1'), at('b= a+2')])).toEqual(['G2'])
  })

  test('G2: a long fork', () => {
    expect(kinds([at('a+1'), at('b+2'), at('a=1 b='), at('a= b=2')])).toEqual(['G2'])
  })

  test('writes, reads and lost sights out of the order of time', () => {
    expect(kinds([T(0, 1, 'a+1'), T(2, 3, 'a+2'), T(4, 5, 'a=21')])).toEqual(['G0-realtime'])
    expect(kinds([T(0, 1, 'a=1'), T(2, 3, 'a+1')])).toEqual(['G1c-realtime'])
    expect(kinds([T(0, 1, 'a+1'), T(2, 3, 'a=')])).toEqual(['G-single-realtime'])
  })

  test('several stale sights out of the order of time', () => {
    const history = [T(0, 20, 'a+1'), T(0, 1, 'b+2'), T(2, 3, 'c= a=1'), T(4, 5, 'c+4'), T(4, 30, 'b= c=4')]
    expect(kinds(history)).toEqual(['G-single-realtime'])
  })

  test('and says why', () => {
    const [anomaly] = checkListAppend({ history: [at('a= b+1'), at('b= a+2')], rejected: [] })
    expect(anomaly?.what).toBe(
      'T0 (c0: read a [], append b 1) comes before itself:\n' +
        '  before T1 (c0: read b [], append a 2) (rw: it did not see 2 in a)\n' +
        '  before T0 (c0: read a [], append b 1) (rw: it did not see 1 in b)',
    )
  })

  test('a needle in a long history, quickly', () => {
    const history: Transaction[] = []
    for (let i = 0; i < 2_000; i++) {
      const key = String.fromCharCode(97 + (i % 20))
      const before = Array.from({ length: Math.floor(i / 20) }, (_, n) => String.fromCharCode(256 + n)).join(
        '',
      )
      history.push(
        T(i * 10, i * 10 + 12, `${key}=${before} ${key}+${String.fromCharCode(256 + Math.floor(i / 20))}`),
      )
    }
    // Values are unique over all lists.
    const named = history.map(({ input, end, ...rest }) => ({
      ...rest,
      input: {
        steps: input.steps.map((step) =>
          'append' in step ? { ...step, value: `${step.append}${step.value}` } : step,
        ),
      },
      end: end && {
        ...end,
        output: end.output.map((list, n) => {
          const step = input.steps[n]
          return list?.map((value) => `${step && 'read' in step ? step.read : ''}${value}`) ?? null
        }),
      },
    }))
    expect(kinds(named)).toEqual([])
    // All of them ended before it began.
    for (const { end } of named) expect(end?.time).toBeLessThan(90_000)
    const stale = { ...T(90_000, 90_001, 'a='), client: 'stale' }
    expect(kinds([...named, stale])).toEqual(['G-single-realtime'])
  })
})
