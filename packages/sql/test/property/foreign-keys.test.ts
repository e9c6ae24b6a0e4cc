import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { failure, testEngine } from '../engine/support.ts'

// Three tables in a row, a → b → c, and b points at itself too. Statements are compared with a naive version that holds
// rows in maps: it changes a copy, row by row, and keeps it if everything that must hold does.

type Action = 'NO ACTION' | 'RESTRICT' | 'CASCADE' | 'SET NULL' | 'SET DEFAULT'
const actions: readonly Action[] = ['NO ACTION', 'RESTRICT', 'CASCADE', 'SET NULL', 'SET DEFAULT']

interface Tie {
  readonly child: 'b' | 'c'
  readonly column: 'up' | 'peer'
  readonly parent: 'a' | 'b'
  readonly onDelete: Action
  readonly onUpdate: Action
}

type Table = 'a' | 'b' | 'c'
type Row = { id: number; up: number | null; peer: number | null }
type State = Record<Table, Row[]>

/** What SET DEFAULT sets. */
const DEFAULT = 0

type Statement =
  | { readonly kind: 'insert'; readonly table: Table; readonly row: Row }
  | { readonly kind: 'delete'; readonly table: Table; readonly id: number }
  | { readonly kind: 'rekey'; readonly table: Table; readonly from: number; readonly to: number }
  | { readonly kind: 'point'; readonly table: 'b' | 'c'; readonly id: number; readonly to: number | null }

class Refused extends Error {}

class Naive {
  state: State = { a: [], b: [], c: [] }
  readonly #ties: readonly Tie[]

  constructor(ties: readonly Tie[]) {
    this.#ties = ties
  }

  /** @returns false when it is refused; then nothing has changed */
  run(statement: Statement): boolean {
    const before = structuredClone(this.state)
    try {
      this.#apply(statement)
      this.#check()
      return true
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      this.state = before
      return false
    }
  }

  #apply(statement: Statement): void {
    const rows = this.state[statement.table]
    switch (statement.kind) {
      case 'insert':
        if (rows.some(({ id }) => id === statement.row.id)) throw new Refused()
        rows.push({ ...statement.row })
        return
      case 'delete': {
        const row = rows.find(({ id }) => id === statement.id)
        if (row !== undefined)
          this.#lose(statement.table, row.id, null, () => rows.splice(rows.indexOf(row), 1))
        return
      }
      case 'rekey': {
        const row = rows.find(({ id }) => id === statement.from)
        if (row === undefined || statement.from === statement.to) return
        if (rows.some(({ id }) => id === statement.to)) throw new Refused()
        this.#lose(statement.table, statement.from, statement.to, () => {
          row.id = statement.to
        })
        return
      }
      case 'point': {
        const row = rows.find(({ id }) => id === statement.id)
        if (row !== undefined) row.up = statement.to
      }
    }
  }

  /** A key goes: first the row changes, then its children follow. */
  #lose(parent: Table, key: number, next: number | null, change: () => void): void {
    change()
    for (const tie of this.#ties) {
      if (tie.parent !== parent) continue
      const action = next === null ? tie.onDelete : tie.onUpdate
      const children = this.state[tie.child].filter((row) => row[tie.column] === key)
      if (action === 'RESTRICT' && children.length > 0) throw new Refused()
      for (const child of children) {
        if (!this.state[tie.child].includes(child) || child[tie.column] !== key) continue
        if (action === 'SET NULL') child[tie.column] = null
        if (action === 'SET DEFAULT') child[tie.column] = DEFAULT
        if (action === 'CASCADE' && next !== null) child[tie.column] = next
        if (action === 'CASCADE' && next === null) {
          const rows = this.state[tie.child]
          this.#lose(tie.child, child.id, null, () => rows.splice(rows.indexOf(child), 1))
        }
      }
    }
  }

  #check(): void {
    for (const { child, column, parent } of this.#ties)
      for (const row of this.state[child])
        if (row[column] !== null && !this.state[parent].some(({ id }) => id === row[column]))
          throw new Refused()
  }
}

const key = fc.integer({ min: 0, max: 5 })
const pointer = fc.option(key, { freq: 3 })
const statement: fc.Arbitrary<Statement> = fc.oneof(
  fc
    .record({ table: fc.constantFrom<Table>('a', 'b', 'c'), id: key, up: pointer, peer: pointer })
    .map(({ table, id, up, peer }): Statement => {
      const row = { id, up: table === 'a' ? null : up, peer: table === 'b' ? peer : null }
      return { kind: 'insert', table, row }
    }),
  fc.record({ kind: fc.constant('delete' as const), table: fc.constantFrom<Table>('a', 'b', 'c'), id: key }),
  fc.record({
    kind: fc.constant('rekey' as const),
    table: fc.constantFrom<Table>('a', 'b', 'c'),
    from: key,
    to: key,
  }),
  fc.record({ kind: fc.constant('point' as const), table: fc.constantFrom('b', 'c'), id: key, to: pointer }),
)

function sqlOf(one: Statement): string {
  const value = (number: number | null): string => (number === null ? 'NULL' : String(number))
  switch (one.kind) {
    case 'insert':
      return `INSERT INTO ${one.table} (id, up, peer) VALUES (${one.row.id}, ${value(one.row.up)}, ${value(one.row.peer)})`
    case 'delete':
      return `DELETE FROM ${one.table} WHERE id = ${one.id}`
    case 'rekey':
      return `UPDATE ${one.table} SET id = ${one.to} WHERE id = ${one.from}`
    case 'point':
      return `UPDATE ${one.table} SET up = ${value(one.to)} WHERE id = ${one.id}`
  }
}

const action = fc.constantFrom(...actions)
const references = ({ parent, onDelete, onUpdate }: Tie): string =>
  `REFERENCES ${parent} ON DELETE ${onDelete} ON UPDATE ${onUpdate}`

describe('foreign keys', () => {
  test('do what a naive version does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(action, action), { minLength: 3, maxLength: 3 }),
        fc.boolean(),
        fc.array(statement, { minLength: 12, maxLength: 30 }),
        async (chosen, indexed, statements) => {
          const places = [
            ['b', 'up', 'a'],
            ['b', 'peer', 'b'],
            ['c', 'up', 'b'],
          ] as const
          const ties = places.map(
            ([child, column, parent], i): Tie => ({
              child,
              column,
              parent,
              onDelete: chosen[i]?.[0] ?? 'NO ACTION',
              onUpdate: chosen[i]?.[1] ?? 'NO ACTION',
            }),
          )
          const [up, peer, last] = ties.map(references)
          const { engine } = await testEngine()
          await engine.execute(`
            CREATE TABLE a (id integer PRIMARY KEY, up integer, peer integer);
            CREATE TABLE b (id integer PRIMARY KEY, up integer DEFAULT ${DEFAULT} ${up}, peer integer DEFAULT ${DEFAULT} ${peer});
            CREATE TABLE c (id integer PRIMARY KEY, up integer DEFAULT ${DEFAULT} ${last}, peer integer);
            ${indexed ? 'CREATE INDEX ON b (up); CREATE INDEX ON b (peer); CREATE INDEX ON c (up)' : ''}`)
          const naive = new Naive(ties)
          for (const one of statements) {
            const done = naive.run(one)
            if (done) await engine.query(sqlOf(one))
            else expect((await failure(engine.query(sqlOf(one)))).sqlstate).toMatch(/^235(03|05)$/)
            for (const table of ['a', 'b', 'c'] as const) {
              const { rows } = await engine.query(`SELECT id, up, peer FROM ${table} ORDER BY id`)
              const wanted = [...naive.state[table]].sort((x, y) => x.id - y.id)
              expect([sqlOf(one), ...rows]).toEqual([
                sqlOf(one),
                ...wanted.map(({ id, up: u, peer: p }) => [id, u, p]),
              ])
            }
          }
        },
      ),
      { numRuns: 60 },
    )
  })
})
