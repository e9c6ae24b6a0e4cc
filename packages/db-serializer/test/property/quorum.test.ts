import { type NodeId, nodeId } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { changedConfiguration, withoutOutgoing } from '../../src/machine/raft/configuration.ts'
import { electionOutcome, hasQuorum, majority, quorumValue } from '../../src/machine/raft/quorum.ts'
import type { Configuration, ConfigurationChange, MemberChange } from '../../src/machine/raft/types.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(nodeId)
const voterSets = fc.subarray(NAMES, { minLength: 1 })
const votes = fc.dictionary(fc.constantFrom(...NAMES), fc.boolean(), { noNullPrototype: true })

/** All sets of voters that are larger than half, by trying every subset. */
function quorums(voters: readonly NodeId[]): NodeId[][] {
  const found: NodeId[][] = []
  for (let bits = 0; bits < 2 ** voters.length; bits++) {
    const some = voters.filter((_, at) => (bits >> at) & 1)
    if (some.length > voters.length - some.length) found.push(some)
  }
  return found
}

describe('quorums, against the definition', () => {
  test('some majority agrees', () => {
    fc.assert(
      fc.property(voterSets, fc.subarray(NAMES), (voters, agreeing) => {
        const naive = quorums(voters).some((quorum) => quorum.every((voter) => agreeing.includes(voter)))
        expect(hasQuorum(voters, (voter) => agreeing.includes(voter))).toBe(naive)
      }),
    )
    expect(hasQuorum([], () => true)).toBe(false)
  })

  test('the value that some majority has reached', () => {
    fc.assert(
      fc.property(voterSets, fc.array(fc.nat(20), { minLength: 7, maxLength: 7 }), (voters, values) => {
        const of = (voter: NodeId): number => values[NAMES.indexOf(voter)] ?? 0
        const naive = Math.max(...quorums(voters).map((quorum) => Math.min(...quorum.map(of))))
        expect(quorumValue(voters, of)).toBe(naive)
      }),
    )
  })

  test('an election is won, lost or open', () => {
    fc.assert(
      fc.property(voterSets, votes, (voters, cast) => {
        const map = new Map(Object.entries(cast).map(([name, vote]) => [nodeId(name), vote]))
        const all = quorums(voters)
        const won = all.some((quorum) => quorum.every((voter) => map.get(voter) === true))
        const possible = all.some((quorum) => quorum.every((voter) => map.get(voter) !== false))
        expect(electionOutcome(voters, map)).toBe(won ? 'won' : possible ? 'open' : 'lost')
      }),
    )
  })

  test('two majorities always share a voter', () => {
    for (let count = 1; count <= 7; count++) expect(2 * majority(count)).toBeGreaterThan(count)
  })
})

const TYPES = ['addLearner', 'promote', 'demote', 'away', 'remove'] as const
const single: fc.Arbitrary<MemberChange> = fc.record({
  type: fc.constantFrom(...TYPES),
  node: fc.constantFrom(...NAMES),
})
const changes: fc.Arbitrary<ConfigurationChange> = fc.oneof(
  single,
  fc.record({ type: fc.constant('several' as const), changes: fc.array(single, { maxLength: 4 }) }),
)

describe('changes of a configuration', () => {
  test('lists stay sorted and apart, and majorities before and after share a voter', () => {
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 40 }), (script) => {
        let now: Configuration = { voters: [nodeId('a')], learners: [], away: [], provisional: true }
        for (const change of script) {
          const next = changedConfiguration(now, change)
          if (next === null || next.voters.length === 0) continue
          const everyone = [...next.voters, ...next.learners, ...next.away]
          expect(new Set(everyone).size).toBe(everyone.length)
          for (const list of [next.voters, next.learners, next.away]) expect([...list].sort()).toEqual(list)
          // Whoever decides before, and whoever decides next, share a voter: directly or through the outgoing ones.
          const lists = [next.voters, ...(next.outgoing ? [next.outgoing] : [])]
          for (const old of quorums(now.voters))
            expect(
              lists.some((list) =>
                quorums(list).every((fresh) => old.some((voter) => fresh.includes(voter))),
              ),
            ).toBe(true)
          now = withoutOutgoing(next)
        }
      }),
      { numRuns: 40 },
    )
  })
})
