import { type Key, logIndex, type Row, relationId } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { VersionedRelations } from '../src/machine/versioned-relations.ts'

const ITEMS = relationId(16)
const keyOf = (n: number): Key => String(n).padStart(5, '0')

/** What a scan gives, row by row. */
function scanned(
  store: VersionedRelations,
  version: number,
  from: number | null,
  to: number | null,
  limit: number | null,
): (readonly [Key, unknown, unknown])[] {
  const rows: (readonly [Key, unknown, unknown])[] = []
  const range = {
    ...(from === null ? {} : { from: keyOf(from) }),
    ...(to === null ? {} : { to: keyOf(to) }),
  }
  const request = { relation: ITEMS, version: logIndex(version), range, columns: [1, 0] }
  for (const { length, keys, columns } of store.scan(limit === null ? request : { ...request, limit })) {
    expect(length).toBeLessThanOrEqual(1_024)
    for (let i = 0; i < length; i++) rows.push([keys[i] as Key, columns[0]?.[i], columns[1]?.[i]])
  }
  return rows
}

const ROWS = 1_500
const bound = fc.option(fc.nat(ROWS + 200))
const change = fc.record({ at: fc.nat(ROWS + 200), value: fc.option(fc.integer()) })

describe('columns that blocks keep', () => {
  test('are what a scan of the version finds, whatever was read and written before', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            changes: fc.array(change, { maxLength: 8 }),
            scans: fc.array(fc.tuple(bound, bound, fc.option(fc.nat(ROWS)), fc.nat(3)), { maxLength: 3 }),
          }),
          { maxLength: 6 },
        ),
        (steps) => {
          const store = new VersionedRelations(logIndex(0))
          const pin = store.pin(logIndex(0))
          const versions: Map<Key, Row>[] = [new Map()]
          const apply = (writes: readonly { readonly key: Key; readonly row: Row | null }[]): void => {
            const next = new Map(versions.at(-1))
            for (const { key, row } of writes)
              if (row === null) next.delete(key)
              else next.set(key, row)
            versions.push(next)
            store.apply(
              logIndex(versions.length - 1),
              writes.map((write) => ({ relation: ITEMS, ...write })),
            )
          }
          apply(Array.from({ length: ROWS }, (_, n) => ({ key: keyOf(n), row: [n, `r${n}`] })))
          for (const { changes, scans } of steps) {
            apply(
              changes.map(({ at, value }) => ({
                key: keyOf(at),
                row: value === null ? null : [value, 'new'],
              })),
            )
            for (const [from, to, limit, back] of scans) {
              const version = Math.max(0, versions.length - 1 - back)
              const expected = [...(versions[version] as Map<Key, Row>)]
                .filter(([key]) => (from === null || key >= keyOf(from)) && (to === null || key < keyOf(to)))
                .sort(([a], [b]) => (a < b ? -1 : 1))
                .slice(0, limit ?? undefined)
                .map(([key, row]) => [key, row[1], row[0]])
              expect(scanned(store, version, from, to, limit)).toEqual(expected)
            }
          }
          pin.release()
        },
      ),
      { numRuns: 60 },
    )
  })

  test('are the same lists in the next scan, until a row of the block changes', () => {
    const store = new VersionedRelations(logIndex(0))
    const write = (version: number, from: number, count: number): void =>
      store.apply(
        logIndex(version),
        Array.from({ length: count }, (_, i) => ({ relation: ITEMS, key: keyOf(from + i), row: [version] })),
      )
    write(1, 0, 2_000)
    const lists = (): unknown[] =>
      [...store.scan({ relation: ITEMS, version: store.applied, range: {}, columns: [0] })].map(
        ({ columns }) => columns[0],
      )
    const first = lists()
    expect(first.length).toBeGreaterThan(2)
    lists().forEach((list, i) => {
      expect(list).toBe(first[i])
    })
    const kept = [...(first[0] as readonly unknown[])]
    write(2, 0, 1)
    const second = lists()
    expect(second[0]).not.toBe(first[0])
    expect(second[1]).toBe(first[1])
    expect(first[0]).toEqual(kept)
  })
})
