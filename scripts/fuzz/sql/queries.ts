import type { Dice } from './dice.ts'
import { anyKind, comparable, Expressions, literal, type Nested, type Visible } from './expressions.ts'
import { castName, type FuzzTable, type Kind, type Schema } from './schema.ts'

export interface Output {
  readonly name: string
  readonly kind: Kind
}

export interface FuzzQuery {
  readonly sql: string
  readonly outputs: readonly Output[]
  /** False: what it gives depends on the order in which rows come, so two plans may differ. */
  readonly settled: boolean
}

/** A plain SELECT in parts, so that it can be asked in other ways. */
export interface PlainSelect {
  readonly items: readonly string[]
  readonly from: string
  readonly where: string
}

interface Source {
  readonly sql: string
  readonly columns: readonly Visible[]
}

/** Makes queries over the tables of the schema. */
export class Queries implements Nested {
  readonly #dice: Dice
  readonly #schema: Schema
  readonly #values: Expressions
  /** Without queries inside. */
  readonly #plain: Expressions
  #aliases = 0

  constructor(dice: Dice, schema: Schema) {
    this.#dice = dice
    this.#schema = schema
    this.#values = new Expressions(dice, this)
    this.#plain = new Expressions(dice)
  }

  get values(): Expressions {
    return this.#values
  }

  #alias(): string {
    return `q${++this.#aliases}`
  }

  column(kind: Kind, outer: readonly Visible[], depth: number): string {
    const { sql, columns } = this.#table()
    const inner = this.#plain.of(kind, columns, Math.min(depth, 1))
    return `SELECT ${inner} FROM ${sql} WHERE ${this.#plain.condition([...columns, ...outer], Math.min(depth, 1))}`
  }

  scalar(kind: Kind, outer: readonly Visible[], depth: number): string {
    const { sql, columns } = this.#table()
    const where = `WHERE ${this.#plain.condition([...columns, ...outer], Math.min(depth, 1))}`
    const least = this.#plain.of(kind, columns, Math.min(depth, 1))
    if (
      ['int', 'bigint', 'numeric', 'double', 'text', 'date', 'timestamp', 'interval', 'ints'].includes(kind)
    )
      return `SELECT ${this.#dice.pick(['max', 'min'])}(${least}) FROM ${sql} ${where}`
    return `SELECT ${least} FROM ${sql} ${where} ORDER BY 1 LIMIT 1`
  }

  /** A table of the schema, or rows made on the spot. */
  #table(): Source {
    const dice = this.#dice
    const alias = this.#alias()
    const { tables } = this.#schema
    if (tables.length === 0 || dice.chance(12)) return this.#made(alias)
    return sourceOf(dice.pick(tables), alias)
  }

  #made(alias: string): Source {
    const dice = this.#dice
    const of = (name: string, kind: Kind): Visible => ({ ref: `${alias}.${name}`, kind })
    return dice.weighted<() => Source>([
      [
        3,
        () => ({
          sql: `generate_series(${dice.between(-1, 2)}, ${dice.between(1, 6)}) AS ${alias}(n)`,
          columns: [of('n', 'int')],
        }),
      ],
      [
        3,
        () => {
          const kinds = dice.some(1, 3, () => anyKind(dice))
          const rows = dice.some(
            1,
            4,
            () => `(${kinds.map((kind) => castTo(literal(dice, kind), kind)).join(', ')})`,
          )
          const names = kinds.map((_, i) => `v${i}`)
          return {
            sql: `(VALUES ${rows.join(', ')}) AS ${alias}(${names.join(', ')})`,
            columns: kinds.map((kind, i) => of(`v${i}`, kind)),
          }
        },
      ],
      [
        1,
        () => ({
          sql: `unnest(${literal(dice, 'ints')}) WITH ORDINALITY AS ${alias}(u, o)`,
          columns: [of('u', 'int'), of('o', 'bigint')],
        }),
      ],
      [
        1,
        () => ({
          sql: `jsonb_each('{"a": 1, "b": null}') AS ${alias}(k, j)`,
          columns: [of('k', 'text'), of('j', 'jsonb')],
        }),
      ],
      [
        1,
        () => ({
          sql: `jsonb_to_recordset('[{"x": 1, "y": "a"}, {"x": 2}]') AS ${alias}(x int, y text)`,
          columns: [of('x', 'int'), of('y', 'text')],
        }),
      ],
    ])()
  }

  #from(): Source {
    const dice = this.#dice
    let source = dice.chance(15) ? this.#derived() : this.#table()
    for (
      let joins = dice.weighted([
        [6, 0],
        [4, 1],
        [1, 2],
      ]);
      joins > 0;
      joins--
    ) {
      const right = dice.chance(15) ? this.#derived() : this.#table()
      const columns = [...source.columns, ...right.columns]
      const word = dice.pick(['JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN', 'CROSS JOIN', 'LATERAL'])
      if (word === 'CROSS JOIN') source = { sql: `${source.sql} CROSS JOIN ${right.sql}`, columns }
      else if (word === 'LATERAL') {
        const alias = this.#alias()
        const kind = comparable(dice)
        const inner = this.#plain.of(kind, columns, 1)
        const sql = `${source.sql} LEFT JOIN LATERAL (SELECT ${inner} AS l FROM ${right.sql} WHERE ${this.#plain.condition(columns, 1)}) AS ${alias} ON true`
        source = { sql, columns: [...source.columns, { ref: `${alias}.l`, kind }] }
      } else source = { sql: `${source.sql} ${word} ${right.sql} ON ${this.#on(source, right)}`, columns }
    }
    return source
  }

  /** FULL JOIN wants a condition that hashes, or none is refused by PostgreSQL: equality comes first. */
  #on(left: Source, right: Source): string {
    const dice = this.#dice
    const pairs = left.columns.flatMap((one) =>
      right.columns.filter(({ kind }) => kind === one.kind).map((other) => `${one.ref} = ${other.ref}`),
    )
    const more = dice.chance(30)
      ? ` AND ${this.#plain.condition([...left.columns, ...right.columns], 1)}`
      : ''
    if (pairs.length > 0 && dice.chance(85)) return dice.pick(pairs) + more
    return this.#plain.condition([...left.columns, ...right.columns], 1)
  }

  #derived(): Source {
    const alias = this.#alias()
    const { sql, outputs } = this.#dice.chance(70) ? this.#simple(1) : this.#grouped(1)
    return {
      sql: `(${sql}) AS ${alias}`,
      columns: outputs.map(({ name, kind }) => ({ ref: `${alias}.${name}`, kind })),
    }
  }

  /** A SELECT whose parts can be put together in other ways. */
  plainSelect(): PlainSelect {
    const { sql, columns } = this.#from()
    const items = this.#dice.some(1, 3, () => this.#values.of(comparable(this.#dice), columns, 1))
    return { items, from: sql, where: this.#values.condition(columns, 2) }
  }

  #simple(depth: number): FuzzQuery {
    const dice = this.#dice
    const { sql, columns } = this.#from()
    const outputs = dice.some(1, 4, (i): Output => ({ name: `c${i}`, kind: comparable(dice) }))
    const items = outputs.map(({ name, kind }) => `${this.#values.of(kind, columns, depth)} AS ${name}`)
    const where = dice.chance(70) ? ` WHERE ${this.#values.condition(columns, depth)}` : ''
    const distinct = dice.chance(15) ? 'DISTINCT ' : ''
    return { sql: `SELECT ${distinct}${items.join(', ')} FROM ${sql}${where}`, outputs, settled: true }
  }

  #grouped(depth: number): FuzzQuery {
    const dice = this.#dice
    const { sql, columns } = this.#from()
    const keys = dice.some(0, 2, () => {
      const kind = comparable(dice)
      return { kind, expr: this.#plain.of(kind, columns, 1) }
    })
    const calls = dice.some(1, 3, () => this.#aggregate(columns, depth))
    const outputs: Output[] = [
      ...keys.map(({ kind }, i) => ({ name: `k${i}`, kind })),
      ...calls.map(({ kind }, i) => ({ name: `a${i}`, kind })),
    ]
    const exprs = [...keys, ...calls].map(({ expr }, i) => `${expr} AS ${outputs[i]?.name}`)
    const where = dice.chance(50) ? ` WHERE ${this.#values.condition(columns, depth)}` : ''
    const ordinals = keys.map((_, i) => String(i + 1)).join(', ')
    const exact = keys.map(({ expr }) => `(${expr})`)
    const group =
      keys.length === 0
        ? ''
        : dice.chance(75)
          ? ` GROUP BY ${ordinals}`
          : ` GROUP BY ${dice.pick(['ROLLUP', 'CUBE', 'GROUPING SETS'])} (${exact.join(', ')})`
    const having = dice.chance(25) ? ` HAVING count(*) ${dice.pick(['>', '<', '<>'])} ${dice.below(3)}` : ''
    return { sql: `SELECT ${exprs.join(', ')} FROM ${sql}${where}${group}${having}`, outputs, settled: true }
  }

  #aggregate(columns: readonly Visible[], depth: number): { readonly expr: string; readonly kind: Kind } {
    const dice = this.#dice
    const of = (kind: Kind): string => this.#plain.of(kind, columns, depth)
    const filter = dice.chance(20) ? ` FILTER (WHERE ${this.#plain.condition(columns, 1)})` : ''
    const [text, kind] = dice.weighted<readonly [string, Kind]>([
      [4, ['count(*)', 'bigint']],
      [2, [`count(${of(comparable(dice))})`, 'bigint']],
      [2, [`count(DISTINCT ${of('int')})`, 'bigint']],
      [3, [`sum(${of('int')})`, 'bigint']],
      [2, [`sum(${of('numeric')})`, 'numeric']],
      [2, [`avg(${of('int')})`, 'numeric']],
      [2, [`min(${of('text')})`, 'text']],
      [2, [`max(${of('date')})`, 'date']],
      [1, [`max(${of('ints')})`, 'ints']],
      [1, [`bool_and(${of('bool')})`, 'bool']],
      [1, [`bool_or(${of('bool')})`, 'bool']],
      [1, [`bit_or(${of('int')})`, 'int']],
      [1, [`sum(${of('interval')})`, 'interval']],
      [1, [`round(stddev(${of('int')}), 6)`, 'numeric']],
    ])
    if (!dice.chance(15)) return { expr: text.startsWith('round') ? text : text + filter, kind }
    const value = of('int')
    const [ordered, made] = dice.pick<readonly [string, Kind]>([
      [`array_agg(${value} ORDER BY ${value})`, 'ints'],
      [`jsonb_agg(${value} ORDER BY ${value})`, 'jsonb'],
      [`string_agg(${value}::text, ',' ORDER BY ${value}::text)`, 'text'],
      [`percentile_disc(0.5) WITHIN GROUP (ORDER BY ${value})`, 'int'],
      [`mode() WITHIN GROUP (ORDER BY ${value})`, 'int'],
      [`rank(1) WITHIN GROUP (ORDER BY ${value})`, 'bigint'],
    ])
    return { expr: ordered, kind: made }
  }

  #windowed(depth: number): FuzzQuery {
    const dice = this.#dice
    const { sql, columns } = this.#from()
    const of = (kind: Kind): string => this.#plain.of(kind, columns, depth)
    const calls = dice.some(1, 2, (): { expr: string; kind: Kind } => {
      const part = dice.chance(60) ? `PARTITION BY ${of(comparable(dice))}` : ''
      const key = of('int')
      const frame = dice.pick([
        '',
        ` RANGE BETWEEN ${dice.below(3)} PRECEDING AND ${dice.below(3)} FOLLOWING`,
        ` GROUPS BETWEEN ${dice.below(2)} PRECEDING AND CURRENT ROW`,
        ' RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE GROUP',
        ` GROUPS BETWEEN CURRENT ROW AND ${dice.below(3)} FOLLOWING EXCLUDE GROUP`,
      ])
      // Rows that sort alike are alike for these, whatever order they come in.
      const [call, kind] = dice.pick<readonly [string, Kind]>([
        [`sum(${key})`, 'bigint'],
        ['count(*)', 'bigint'],
        [`max(${of('text')})`, 'text'],
        ['rank()', 'bigint'],
        ['dense_rank()', 'bigint'],
        [`min(${of('numeric')})`, 'numeric'],
        [`first_value(${key})`, 'int'],
        [`last_value(${key})`, 'int'],
      ])
      return { expr: `${call} OVER (${part} ORDER BY ${key}${frame})`, kind }
    })
    const outputs = calls.map(({ kind }, i): Output => ({ name: `w${i}`, kind }))
    const items = calls.map(({ expr }, i) => `${expr} AS w${i}`)
    const kind = comparable(dice)
    return {
      sql: `SELECT ${[...items, `${of(kind)} AS p`].join(', ')} FROM ${sql}`,
      outputs: [...outputs, { name: 'p', kind }],
      settled: true,
    }
  }

  #combined(depth: number): FuzzQuery {
    const dice = this.#dice
    const kinds = dice.some(1, 3, () => comparable(dice))
    const side = (): string => {
      const { sql, columns } = this.#from()
      const items = kinds.map((kind, i) => `${castTo(this.#plain.of(kind, columns, depth), kind)} AS s${i}`)
      return `SELECT ${items.join(', ')} FROM ${sql} WHERE ${this.#plain.condition(columns, 1)}`
    }
    const word = dice.pick(['UNION', 'UNION ALL', 'INTERSECT', 'INTERSECT ALL', 'EXCEPT', 'EXCEPT ALL'])
    return {
      sql: `${side()} ${word} ${side()}`,
      outputs: kinds.map((kind, i) => ({ name: `s${i}`, kind })),
      settled: true,
    }
  }

  #recursive(): FuzzQuery {
    const dice = this.#dice
    const name = this.#alias()
    const end = dice.pick([
      '',
      ` SEARCH ${dice.pick(['DEPTH', 'BREADTH'])} FIRST BY n SET seq`,
      ' CYCLE n SET mark USING path',
    ])
    const step = end.includes('CYCLE') ? `(n + ${dice.between(1, 3)}) % 7` : `n + ${dice.between(1, 3)}`
    const all = end === '' && dice.chance(40) ? '' : ' ALL'
    const sql = `WITH RECURSIVE ${name}(n, t) AS (SELECT ${dice.between(0, 3)}, 'r'::text UNION${all} SELECT ${step}, t || 'x' FROM ${name} WHERE n < ${dice.between(3, 12)} AND length(t) < 12)${end} SELECT n, t FROM ${name}`
    return {
      sql,
      outputs: [
        { name: 'n', kind: 'int' },
        { name: 't', kind: 'text' },
      ],
      settled: true,
    }
  }

  #withTables(depth: number): FuzzQuery {
    const dice = this.#dice
    const name = this.#alias()
    const { sql, outputs } = this.#simple(depth)
    const how = dice.pick(['', 'MATERIALIZED ', 'NOT MATERIALIZED '])
    const columns = outputs.map((one): Visible => ({ ref: `x.${one.name}`, kind: one.kind }))
    const kind = comparable(dice)
    return {
      sql: `WITH ${name} AS ${how}(${sql}) SELECT ${this.#plain.of(kind, columns, 1)} AS m, x.* FROM ${name} x WHERE ${this.#plain.condition(columns, 1)}`,
      outputs: [{ name: 'm', kind }, ...outputs],
      settled: true,
    }
  }

  /** Any query. */
  query(): FuzzQuery {
    const dice = this.#dice
    const depth = dice.between(1, 2)
    const made = dice.weighted<() => FuzzQuery>([
      [40, () => this.#simple(depth)],
      [22, () => this.#grouped(depth)],
      [12, () => this.#windowed(depth)],
      [9, () => this.#combined(depth)],
      [4, () => this.#recursive()],
      [8, () => this.#withTables(depth)],
    ])()
    return this.#ended(made)
  }

  /** ORDER BY all columns leaves nothing to chance, so a LIMIT behind it is settled too. */
  #ended(query: FuzzQuery): FuzzQuery {
    const dice = this.#dice
    if (!dice.chance(45)) return query
    const keys = query.outputs.map(
      (_, i) => `${i + 1}${dice.pick(['', '', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST'])}`,
    )
    const end = dice.chance(40)
      ? ` LIMIT ${dice.below(6)}${dice.chance(40) ? ` OFFSET ${dice.below(3)}` : ''}`
      : ''
    return { ...query, sql: `${query.sql} ORDER BY ${keys.join(', ')}${end}` }
  }
}

const castTo = (expr: string, kind: Kind): string => `CAST(${expr} AS ${castName(kind)})`

const sourceOf = (table: FuzzTable, alias: string): Source => ({
  sql: `${table.name} AS ${alias}`,
  columns: table.columns.map(({ name, kind }) => ({ ref: `${alias}.${name}`, kind })),
})
