import { logIndex, type NodeId, nodeId } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import {
  type GroupFacts,
  isGranted,
  nextChange,
  type Standing,
  type Wish,
} from '../src/machine/group/group-policy.ts'
import type { Configuration, ConfigurationChange, ProgressView } from '../src/machine/raft/types.ts'

const options = { maxVoters: 5, graceMs: 10_000, awayMs: 600_000, flapMs: 1_000, heardMs: 300 }
const ids = (text: string): NodeId[] => text.split(' ').filter(Boolean).map(nodeId)

interface Case {
  readonly voters: string
  readonly learners?: string
  readonly away?: string
  readonly now?: number
  readonly states?: Readonly<Record<string, Partial<Standing>>>
  readonly wishes?: Readonly<Record<string, Wish>>
  readonly match?: Readonly<Record<string, number>>
  readonly awaySince?: Readonly<Record<string, number>>
  /** How long ago each last answered the leader. */
  readonly silentMs?: Readonly<Record<string, number>>
}

/** What the leader `a` does next. Who is not spoken of is alive, linked for long and caught up. */
function next(one: Case): ConfigurationChange | null {
  const configuration: Configuration = {
    voters: ids(one.voters),
    learners: ids(one.learners ?? ''),
    away: ids(one.away ?? ''),
    provisional: false,
  }
  const others = [...configuration.voters, ...configuration.learners].filter((id) => id !== 'a')
  const standing = (id: NodeId): [NodeId, Standing] => [
    id,
    { state: 'alive', since: 0, proved: false, downAt: null, ...one.states?.[id] },
  ]
  const facts: GroupFacts = {
    self: nodeId('a'),
    now: one.now ?? 100_000,
    configuration,
    progress: others.map(
      (node): ProgressView => ({
        node,
        match: logIndex(one.match?.[node] ?? 9),
        state: 'replicate',
        heardAt: (one.now ?? 100_000) - (one.silentMs?.[node] ?? 0),
      }),
    ),
    standings: new Map(others.map(standing)),
    wishes: new Map(Object.entries(one.wishes ?? {}).map(([id, wish]) => [nodeId(id), wish])),
    awaySince: new Map(Object.entries(one.awaySince ?? {}).map(([id, since]) => [nodeId(id), since])),
  }
  return nextChange(facts, options)
}

const dead = { state: 'dead', since: 0 } as const
const proved = { state: 'suspected', since: 99_999, proved: true } as const

describe('the group policy', () => {
  test('a group that is well is left alone', () => {
    expect(next({ voters: 'a b c' })).toBeNull()
  })

  test('nobody is let go whose place only a voter without its disk would take', () => {
    const going = { voters: 'a b c', wishes: { b: { wish: 'away' } } } as const
    expect(next(going)).toEqual({ type: 'away', node: 'b' })
    // c is alive and answered once; it came back with another disk, and answers as a voter no more.
    expect(next({ ...going, silentMs: { c: 5_000 } })).toBeNull()
  })

  test('who asks is let in as a learner, and a learner becomes a voter', () => {
    expect(next({ voters: 'a', wishes: { b: { wish: 'join', fresh: true } } })).toEqual({
      type: 'addLearner',
      node: 'b',
    })
    expect(next({ voters: 'a', learners: 'b' })).toEqual({ type: 'promote', node: 'b' })
    expect(next({ voters: 'a', learners: 'b', match: { b: 0 } })).toBeNull()
    expect(next({ voters: 'a b', away: 'c', wishes: { c: { wish: 'join', fresh: false } } })).toEqual({
      type: 'addLearner',
      node: 'c',
    })
  })

  test('there are never more voters than there may be', () => {
    expect(next({ voters: 'a b c d e', learners: 'f' })).toBeNull()
  })

  test('a learner whose link flaps waits', () => {
    expect(next({ voters: 'a', learners: 'b', states: { b: { downAt: 99_500 } } })).toBeNull()
    expect(next({ voters: 'a', learners: 'b', states: { b: { downAt: 98_000 } } })).not.toBeNull()
  })

  test('a voter that is proved dead goes at once, a silent one after the grace time', () => {
    expect(next({ voters: 'a b c', states: { b: proved } })).toEqual({ type: 'remove', node: 'b' })
    const silent = { state: 'suspected', since: 91_000 } as const
    expect(next({ voters: 'a b c', states: { b: silent } })).toBeNull()
    expect(next({ voters: 'a b c', now: 101_001, states: { b: silent } })).toEqual({
      type: 'remove',
      node: 'b',
    })
    expect(next({ voters: 'a b c', states: { b: dead } })).toEqual({ type: 'remove', node: 'b' })
  })

  test('two never become one by silence, nor four become two', () => {
    expect(next({ voters: 'a b', states: { b: dead } })).toBeNull()
    expect(next({ voters: 'a b', states: { b: proved } })).toBeNull()
    expect(next({ voters: 'a b c d', states: { b: dead, c: dead } })).toBeNull()
  })

  test('who says that it goes is let go, from two voters too', () => {
    expect(next({ voters: 'a b', wishes: { b: { wish: 'away' } } })).toEqual({ type: 'away', node: 'b' })
    expect(next({ voters: 'a b', wishes: { b: { wish: 'left' } } })).toEqual({ type: 'remove', node: 'b' })
    expect(next({ voters: 'a', away: 'b', wishes: { b: { wish: 'left' } } })).toEqual({
      type: 'remove',
      node: 'b',
    })
    expect(next({ voters: 'a', away: 'b', wishes: { b: { wish: 'away' } } })).toBeNull()
  })

  test('who is away too long is given up', () => {
    expect(next({ voters: 'a', away: 'b', now: 700_000, awaySince: { b: 100_001 } })).toBeNull()
    expect(next({ voters: 'a', away: 'b', now: 700_001, awaySince: { b: 100_001 } })).toEqual({
      type: 'remove',
      node: 'b',
    })
  })

  test('a member that lost its disk starts anew', () => {
    const wishes = { b: { wish: 'join', fresh: true } } as const
    expect(next({ voters: 'a b c', wishes })).toEqual({ type: 'remove', node: 'b' })
    expect(next({ voters: 'a', learners: 'b', wishes, match: { b: 0 } })).toBeNull()
  })

  test('wishes are granted by the configuration', () => {
    const configuration: Configuration = {
      voters: ids('a'),
      learners: [],
      away: ids('b'),
      provisional: false,
    }
    expect(isGranted(nodeId('a'), { wish: 'join', fresh: false }, configuration)).toBe(true)
    expect(isGranted(nodeId('b'), { wish: 'join', fresh: false }, configuration)).toBe(false)
    expect(isGranted(nodeId('b'), { wish: 'away' }, configuration)).toBe(true)
    expect(isGranted(nodeId('b'), { wish: 'left' }, configuration)).toBe(false)
    expect(isGranted(nodeId('c'), { wish: 'left' }, configuration)).toBe(true)
  })
})
