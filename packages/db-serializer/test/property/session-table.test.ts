import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { SESSION_WINDOW, SessionTable } from '../../src/machine/commands/session-table.ts'

/** Everything that ever happened, without forgetting: who has applied which number, with what result. */
class NaiveTable {
  readonly sessions = new Map<number, { owner: string; low: number; applied: Map<number, number> }>()

  open(id: number, owner: string): void {
    for (const [other, session] of this.sessions) if (session.owner === owner) this.sessions.delete(other)
    this.sessions.set(id, { owner, low: 1, applied: new Map() })
  }

  begin(id: number, number: number, low: number): string {
    const session = this.sessions.get(id)
    if (!session) return 'expired'
    session.low = Math.max(session.low, low)
    if (number < session.low || number >= session.low + SESSION_WINDOW) return 'settled'
    const index = session.applied.get(number)
    return index === undefined ? 'new' : `done ${index}`
  }
}

const step = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('open' as const), owner: fc.constantFrom('a', 'b', 'c') }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      type: fc.constant('command' as const),
      session: fc.integer({ min: 1, max: 40 }),
      number: fc.integer({ min: 1, max: 30 }),
      back: fc.integer({ min: 0, max: 30 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('reload' as const) }) },
)

describe('the session table', () => {
  test('judges every command like a table that forgets nothing', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        let table = new SessionTable()
        const naive = new NaiveTable()
        for (const [i, one] of steps.entries()) {
          const index = i + 1
          if (one.type === 'open') {
            table.open(index, { owner: one.owner, nonce: `nonce ${index}`, machines: ['m'], supports: 1 })
            naive.open(index, one.owner)
          } else if (one.type === 'reload') {
            const copy = new SessionTable()
            copy.load(structuredClone(table.save()))
            table = copy
          } else {
            const low = Math.max(1, one.number - one.back)
            const verdict = table.begin(one.session, one.number, low)
            const said = verdict.verdict === 'done' ? `done ${verdict.outcome.index}` : verdict.verdict
            expect(said).toBe(naive.begin(one.session, one.number, low))
            if (verdict.verdict === 'new') {
              table.finish(one.session, one.number, { index, result: new Uint8Array([index % 256]) })
              naive.sessions.get(one.session)?.applied.set(one.number, index)
            }
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  test('a number that was overtaken is applied, one that was applied is not applied again', () => {
    const table = new SessionTable()
    table.open(1, { owner: 'a', nonce: 'n', machines: ['m'], supports: 1 })
    const result = new Uint8Array([7])
    expect(table.begin(1, 3, 1)).toEqual({ verdict: 'new' })
    table.finish(1, 3, { index: 10, result })
    expect(table.begin(1, 2, 1)).toEqual({ verdict: 'new' })
    expect(table.begin(1, 3, 1)).toEqual({ verdict: 'done', outcome: { index: 10, result } })
  })

  test('a proposal of a session that ended opens nothing and applies nothing', () => {
    const table = new SessionTable()
    table.open(1, { owner: 'a', nonce: 'first life', machines: ['m'], supports: 1 })
    table.open(9, { owner: 'a', nonce: 'second life', machines: ['m'], supports: 1 })
    expect(table.begin(1, 1, 1)).toEqual({ verdict: 'expired' })
    table.closeOf('a')
    expect(table.begin(9, 1, 1)).toEqual({ verdict: 'expired' })
    expect(table.size).toBe(0)
  })

  test('a low mark far ahead costs nothing', () => {
    const table = new SessionTable()
    table.open(1, { owner: 'a', nonce: 'n', machines: ['m'], supports: 1 })
    table.begin(1, 1, 1)
    table.finish(1, 1, { index: 2, result: new Uint8Array() })
    expect(table.begin(1, 2 ** 50 + 1, 2 ** 50)).toEqual({ verdict: 'new' })
  })
})
