import type { Change, ChangeFeed, Database, RelationId, RowExpression, Version } from '@cluster/core'
import { type DatabaseTools, ITEMS, item, key, numbers, OTHERS } from './database-tools.ts'

/** Takes so many changes and leaves the feed. */
export async function takeChanges(feed: ChangeFeed, count: number): Promise<Change[]> {
  const taken: Change[] = []
  if (count === 0) return taken
  for await (const change of feed) {
    taken.push(change)
    if (taken.length === count) break
  }
  return taken
}

/** What is told of commits to those who follow them. */
export function changeTests({ describe, expect, test, write, failure }: DatabaseTools): void {
  const shown = ({ relation, before, after }: Change) => [Number(relation), before, after]

  const remove = async (database: Database, value: number): Promise<Version> => {
    const transaction = await database.begin()
    transaction.delete(item(database, value))
    return (await transaction.commit()).version
  }

  const both = async (database: Database, value: number, relations: readonly RelationId[]) => {
    const transaction = await database.begin()
    for (const relation of relations) transaction.put(item(database, value, relation), [value, 'both'])
    return transaction.commit()
  }

  describe('changes', () => {
    test('tell each row as it was and as it is, in the order of commits, on every node', async ({
      first,
      last,
    }) => {
      await write(first, [[1, 'before']])
      const start = await first.keepChanges([ITEMS])
      const versions = [
        (await write(last, [[1, 'a']])).version,
        (await write(first, [[2, 'b']])).version,
        (await write(last, [[1, 'c']])).version,
        await remove(first, 2),
      ]
      for (const database of [first, last]) {
        const changes = await takeChanges(database.changes({ relations: [ITEMS], from: start }), 4)
        expect(changes.map(shown)).toEqual([
          [ITEMS, [1, 'before'], [1, 'a']],
          [ITEMS, null, [2, 'b']],
          [ITEMS, [1, 'a'], [1, 'c']],
          [ITEMS, [2, 'b'], null],
        ])
        expect(changes.map(({ version }) => version)).toEqual(versions)
        expect(changes.map((change) => change.key)).toEqual([1, 2, 1, 2].map(key))
        expect(changes.map(({ partition }) => partition)).toEqual(
          [1, 2, 1, 2].map((value) => first.partitionOf(key(value))),
        )
      }
    })

    test('begin with what comes, unless told otherwise', async ({ first, last }) => {
      await write(first, [[1, 'before']])
      const feed = last.changes({ relations: [ITEMS] })
      expect(feed.token).toBeNull()
      const taking = takeChanges(feed, 2)
      // It has begun once changes are kept: from then on nothing is left out.
      const since = await first.keepChanges([ITEMS])
      await write(first, [[2, 'a']])
      await write(first, [[3, 'b']])
      const taken = (await taking).map(({ version }) => version)
      expect(taken.length).toBe(2)
      expect(taken[0]).toBeGreaterThan(since)
      expect(taken[1]).toBeGreaterThan(Number(taken[0]))
    })

    test('of one transaction come together, those of others between the same versions do not', async ({
      first,
      last,
    }) => {
      const from = await first.keepChanges([ITEMS, OTHERS])
      const rows = numbers(0, 30)
      const one = await write(
        last,
        rows.map((value) => [value, 'one'] as const),
      )
      const two = await both(first, 5, [OTHERS, ITEMS])
      const changes = await takeChanges(last.changes({ relations: [OTHERS, ITEMS], from }), 32)
      expect(changes.map(({ version }) => version)).toEqual([
        ...rows.map(() => one.version),
        two.version,
        two.version,
      ])
      const values = changes.slice(0, 30).map(({ after }) => Number(after?.[0]))
      expect(values.sort((a, b) => a - b)).toEqual(rows)
      const only = await takeChanges(first.changes({ relations: [OTHERS], from }), 1)
      expect(only.map(shown)).toEqual([[OTHERS, null, [5, 'both']]])
    })

    test('go on behind a token, on every node, each exactly once', async ({ first, last }) => {
      const from = await first.keepChanges([ITEMS])
      const rows = numbers(0, 12)
      await write(
        first,
        rows.slice(0, 6).map((value) => [value, 'a'] as const),
      )
      for (const value of rows.slice(6)) await write(last, [[value, 'b']])
      const all = await takeChanges(first.changes({ relations: [ITEMS], from }), rows.length)
      // Cut behind every change, within a transaction, too.
      for (const [i, { token }] of all.entries()) {
        const database = i % 2 === 0 ? last : first
        const rest = await takeChanges(
          database.changes({ relations: [ITEMS], from: token }),
          rows.length - i - 1,
        )
        expect(rest).toEqual(all.slice(i + 1))
      }
      const feed = last.changes({ relations: [ITEMS], from })
      const tokens: (string | null)[] = []
      for await (const change of feed) {
        expect(feed.token).toBe(change.token)
        tokens.push(feed.token)
        if (tokens.length === rows.length) break
      }
      expect(tokens).toEqual(all.map(({ token }) => token))
    })

    test('of all relations are there when all are asked for', async ({ first, last }) => {
      const from = await first.keepChanges()
      await both(last, 1, [ITEMS])
      await both(first, 2, [OTHERS])
      const changes = await takeChanges(last.changes({ from }), 2)
      expect(changes.map(shown)).toEqual([
        [ITEMS, null, [1, 'both']],
        [OTHERS, null, [2, 'both']],
      ])
      expect((await takeChanges(first.changes({ relations: [OTHERS], from }), 1)).map(shown)).toEqual([
        [OTHERS, null, [2, 'both']],
      ])
    })

    test('tell what programs did', async ({ first, last }) => {
      const from = await first.keepChanges([ITEMS])
      await write(first, [[1, 1]])
      const { partition } = item(first, 1)
      const transaction = await last.begin()
      const add: RowExpression = {
        op: 'add',
        type: 'integer',
        left: { op: 'column', position: 1 },
        right: { op: 'value', value: 1 },
      }
      await transaction.execute({
        relation: ITEMS,
        partition,
        steps: [
          {
            key: key(1),
            present: { do: 'update', set: [{ position: 1, value: add }], where: null },
            absent: null,
          },
        ],
        checks: [],
        returning: false,
      })
      const [, second] = await takeChanges(first.changes({ relations: [ITEMS], from }), 2)
      expect(second).toMatchObject({ before: [1, 1], after: [1, 2] })
    })

    test('that nobody had asked for are not made up', async ({ first, last }) => {
      const { version } = await write(first, [[1, 'early']])
      await write(first, [[1, 'early, too']])
      await first.keepChanges([OTHERS])
      const gone = (reason: string) => ({
        detail: { code: 'DB_CHANGES_GONE', outcome: 'rejected', reason },
      })
      const from = version
      const asked = (database: Database, relations: readonly RelationId[]) =>
        failure(takeChanges(database.changes({ relations, from }), 1))
      expect(await asked(last, [ITEMS])).toMatchObject(gone('notKept'))
      const since = await last.keepChanges([ITEMS])
      await write(first, [[2, 'late']])
      expect(await asked(first, [ITEMS])).toMatchObject(gone('notKept'))
      const [late] = await takeChanges(last.changes({ relations: [ITEMS], from: since }), 1)
      expect(late?.after).toEqual([2, 'late'])
      await first.forgetChanges([ITEMS])
      await write(first, [[3, 'later']])
      const rest = last.changes({ relations: [ITEMS], from: late?.token ?? '' })
      expect(await failure(takeChanges(rest, 1))).toMatchObject(gone('notKept'))
    })

    test('are followed until the caller has enough', async ({ first }) => {
      const controller = new AbortController()
      const feed = first.changes({ relations: [ITEMS], signal: controller.signal })
      const taking = failure(takeChanges(feed, 1))
      await first.keepChanges([ITEMS])
      controller.abort()
      expect(await taking).toMatchObject({ detail: { code: 'ABORTED', outcome: 'rejected' } })
    })

    test('are refused for what is no token', async ({ first, fixture }) => {
      const wrong = { detail: { code: 'DB_OPTION_INVALID', outcome: 'rejected', option: 'from' } }
      const follow = async (from: string) => takeChanges(first.changes({ relations: [ITEMS], from }), 1)
      expect(await failure(follow('nonsense'))).toMatchObject(wrong)
      const other = await fixture.nodes[0]?.open('other', { partitions: 4 })
      if (other === undefined) throw new Error('there is a node')
      const from = await other.keepChanges([ITEMS])
      await write(other, [[1, 'elsewhere']])
      const [change] = await takeChanges(other.changes({ relations: [ITEMS], from }), 1)
      expect(await failure(follow(change?.token ?? ''))).toMatchObject(wrong)
    })
  })
}
