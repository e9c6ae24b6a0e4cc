import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { GATHERED_BYTES_MAX, SESSION_WINDOW, SessionTable } from '../../src/machine/commands/session-table.ts'

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

  test('a command in parts is whole once, in whatever order they come, and across snapshots', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 8 })
    const sent = fc.array(bytes, { minLength: 2, maxLength: 6 }).chain((parts) =>
      fc.record({
        parts: fc.constant(parts),
        order: fc.array(fc.nat(parts.length - 1), { maxLength: 30 }),
        reloads: fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }),
      }),
    )
    fc.assert(
      fc.property(sent, ({ parts, order, reloads }) => {
        let table = new SessionTable()
        table.open(1, { owner: 'a', nonce: 'n', machines: ['m'], supports: 1 })
        const seen = new Set<number>()
        for (const [i, position] of order.entries()) {
          if (reloads[i]) {
            const copy = new SessionTable()
            copy.load(structuredClone(table.save()))
            table = copy
          }
          const part = parts[position] ?? new Uint8Array()
          const envelope = {
            kind: 'part' as const,
            session: 1,
            number: 1,
            low: 1,
            position,
            count: parts.length,
          }
          expect(table.begin(1, 1, 1)).toEqual({ verdict: 'new' })
          const whole = table.gather({ ...envelope, bytes: part })
          seen.add(position)
          let leading = 0
          while (seen.has(leading)) leading++
          if (seen.size < parts.length) {
            expect(whole).toBeNull()
            expect(table.gatheredOf(1, 1)).toBe(leading)
            continue
          }
          expect(whole && [...whole]).toEqual(parts.flatMap((each) => [...each]))
          expect(table.save().gathered).toBeUndefined()
          seen.clear()
        }
      }),
      { numRuns: 200 },
    )
  })

  test('parts go with their session, with the low mark, and when there are too many of them', () => {
    const table = new SessionTable()
    const part = (session: number, number: number, length = 3) =>
      table.gather({
        ...{ kind: 'part' as const, session, number, low: 1, position: 0, count: 2 },
        bytes: new Uint8Array(length),
      })
    table.open(1, { owner: 'a', nonce: 'n', machines: ['m'], supports: 1 })
    table.open(2, { owner: 'b', nonce: 'n', machines: ['m'], supports: 1 })
    part(1, 1)
    part(1, 2)
    part(2, 1)
    table.begin(1, 3, 2)
    expect([table.gatheredOf(1, 1), table.gatheredOf(1, 2), table.gatheredOf(2, 1)]).toEqual([0, 1, 1])
    table.closeOf('a')
    expect([table.gatheredOf(1, 2), table.gatheredOf(2, 1)]).toEqual([0, 1])
    part(2, 2, GATHERED_BYTES_MAX)
    expect([table.gatheredOf(2, 1), table.gatheredOf(2, 2)]).toEqual([0, 1])
  })
})
