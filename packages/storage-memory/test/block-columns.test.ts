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
  reverse = false,
  between: () => void = () => {},
): (readonly [Key, unknown, unknown])[] {
  const rows: (readonly [Key, unknown, unknown])[] = []
  const range = {
    ...(from === null ? {} : { from: keyOf(from) }),
    ...(to === null ? {} : { to: keyOf(to) }),
  }
  const request = { relation: ITEMS, version: logIndex(version), range, columns: [1, 0], reverse }
  for (const { length, keys, columns } of store.scan(limit === null ? request : { ...request, limit })) {
    expect(length).toBeLessThanOrEqual(1_024)
    for (let i = 0; i < length; i++) rows.push([keys[i] as Key, columns[0]?.[i], columns[1]?.[i]])
    between()
  }
  return rows
}

const ROWS = 3_000
const bound = fc.option(fc.nat(ROWS + 200))
const change = fc.record({ at: fc.nat(ROWS + 200), value: fc.option(fc.integer()) })

describe('columns that blocks keep', () => {
  test('are what a scan of the version finds, whatever was read and written before', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            changes: fc.array(change, { maxLength: 8 }),
            scans: fc.array(fc.tuple(bound, bound, fc.option(fc.nat(ROWS)), fc.nat(3), fc.boolean()), {
              maxLength: 3,
            }),
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
            for (const [from, to, limit, back, reverse] of scans) {
              const version = Math.max(0, versions.length - 1 - back)
              const expected = [...(versions[version] as Map<Key, Row>)]
                .filter(([key]) => (from === null || key >= keyOf(from)) && (to === null || key < keyOf(to)))
                .sort(([a], [b]) => (a < b !== reverse ? -1 : 1))
                .slice(0, limit ?? undefined)
                .map(([key, row]) => [key, row[1], row[0]])
              expect(scanned(store, version, from, to, limit, reverse)).toEqual(expected)
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
    write(1, 0, 4_000)
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

  test('are the source of small ranges that are read often, until a row of the block changes', () => {
    const store = new VersionedRelations(logIndex(0))
    const write = (version: number, n: number, row: Row | null): void =>
      store.apply(logIndex(version), [{ relation: ITEMS, key: keyOf(n), row }])
    for (let n = 0; n < ROWS; n++) write(1, n, [n, 'old'])
    const pin = store.pin(logIndex(1))
    const read = (version: number): unknown[] =>
      scanned(store, version, 100, 104, null).map(([, text, n]) => `${n} ${text}`)
    const old = ['100 old', '101 old', '102 old', '103 old']
    for (let i = 0; i < 200; i++) expect(read(1)).toEqual(old)
    write(2, 101, [101, 'new'])
    write(3, 102, null)
    for (let i = 0; i < 200; i++) {
      expect(read(1)).toEqual(old)
      expect(read(2)).toEqual(['100 old', '101 new', '102 old', '103 old'])
      expect(read(3)).toEqual(['100 old', '101 new', '103 old'])
    }
    pin.release()
  })

  test('are found again where blocks come and go while a scan is under way', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(ROWS), fc.integer({ min: 1, max: 1_200 }), fc.boolean()), { minLength: 1 }),
        bound,
        fc.boolean(),
        (changes, from, reverse) => {
          const store = new VersionedRelations(logIndex(0))
          // Every other key, so that there is room for new ones in between.
          const rows = Array.from({ length: ROWS }, (_, n) => n).filter((n) => n % 2 === 0)
          store.apply(
            logIndex(1),
            rows.map((n) => ({ relation: ITEMS, key: keyOf(n), row: [n, 'old'] })),
          )
          let version = 1
          const between = (): void => {
            const [at, count, removes] = changes[version % changes.length] as [number, number, boolean]
            version++
            store.apply(
              logIndex(version),
              Array.from({ length: count }, (_, i) => ({
                relation: ITEMS,
                key: keyOf((at + i) % ROWS),
                row: removes ? null : [-1, 'new'],
              })),
            )
          }
          const pin = store.pin(logIndex(1))
          const found = scanned(store, 1, from, null, null, reverse, between).map(([, , n]) => n)
          pin.release()
          const expected = rows.filter((n) => from === null || n >= from)
          expect(found).toEqual(reverse ? expected.reverse() : expected)
        },
      ),
      { numRuns: 60 },
    )
  })
})
