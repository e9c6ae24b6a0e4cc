import fc from 'fast-check'

/** Two small tables with few different values, many of them NULL, so that conditions meet each other often. */
export const schema = [
  'CREATE TABLE t (id integer PRIMARY KEY, a integer, b integer, c text, d boolean)',
  'CREATE TABLE u (a integer, b bigint, c text, e double precision, UNIQUE (b))',
  'CREATE INDEX t_ab ON t (a, b)',
  'CREATE INDEX u_c ON u (c)',
]

const small = fc.integer({ min: -2, max: 4 })
const orNull = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<string> =>
  fc.option(value, { freq: 4 }).map((some) => (some === null ? 'NULL' : String(some)))
const word = fc.constantFrom("'x'", "'y'", "'xy'", "''")

/** INSERT statements. */
export const rows: fc.Arbitrary<readonly string[]> = fc
  .record({
    t: fc.array(fc.tuple(orNull(small), orNull(small), orNull(word), orNull(fc.boolean())), { maxLength: 9 }),
    u: fc.uniqueArray(fc.tuple(orNull(small), fc.integer({ min: 0, max: 9 }), orNull(word), orNull(small)), {
      maxLength: 7,
      selector: ([, b]) => b,
    }),
  })
  .map(({ t, u }) => [
    ...(t.length === 0
      ? []
      : [`INSERT INTO t VALUES ${t.map((row, id) => `(${[id, ...row].join(', ')})`).join(', ')}`]),
    ...(u.length === 0 ? [] : [`INSERT INTO u VALUES ${u.map((row) => `(${row.join(', ')})`).join(', ')}`]),
  ])

export type Side = 't' | 'u' | 'both'

const numbersOf: Readonly<Record<Side, readonly string[]>> = {
  t: ['t.id', 't.a', 't.b'],
  u: ['u.a', 'u.b', 'u.e'],
  both: ['t.id', 't.a', 't.b', 'u.a', 'u.b'],
}
const textsOf: Readonly<Record<Side, readonly string[]>> = { t: ['t.c'], u: ['u.c'], both: ['t.c', 'u.c'] }

/** An expression that is a number. */
const numberOf = (side: Side): fc.Arbitrary<string> => {
  const leaf = fc.oneof(fc.constantFrom(...numbersOf[side]), small.map(String))
  return fc.oneof(
    { weight: 4, arbitrary: leaf },
    {
      weight: 1,
      arbitrary: fc.tuple(leaf, fc.constantFrom('+', '-', '*'), leaf).map((all) => `(${all.join(' ')})`),
    },
    { weight: 1, arbitrary: fc.tuple(leaf, leaf).map(([one, other]) => `coalesce(${one}, ${other})`) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(leaf, leaf, leaf)
        .map(([a, b, c]) => `CASE WHEN ${a} > ${b} THEN ${c} ELSE ${a} END`),
    },
  )
}

const comparison = fc.constantFrom('=', '<>', '<', '<=', '>', '>=')

/** An expression that is true, false or NULL. */
export const conditionOf = (side: Side): fc.Arbitrary<string> =>
  fc.letrec<{ condition: string }>((tie) => {
    const inner = tie('condition')
    const number = numberOf(side)
    const text = fc.oneof(fc.constantFrom(...textsOf[side]), word)
    const other = side === 't' ? 'u' : 't'
    const otherColumn = fc.constantFrom('a', 'b')
    return {
      condition: fc.oneof(
        { maxDepth: 3, depthSize: 'small' },
        fc.tuple(number, comparison, number).map((all) => all.join(' ')),
        fc.tuple(text, comparison, text).map((all) => all.join(' ')),
        fc.tuple(number, fc.boolean()).map(([one, not]) => `${one} IS ${not ? 'NOT ' : ''}NULL`),
        fc
          .tuple(number, fc.boolean(), fc.array(orNull(small), { minLength: 1, maxLength: 5 }))
          .map(([one, not, list]) => `${one} ${not ? 'NOT ' : ''}IN (${list.join(', ')})`),
        fc.tuple(number, small, small).map(([one, low, high]) => `${one} BETWEEN ${low} AND ${high}`),
        text.map((one) => `${one} LIKE 'x%'`),
        ...(side === 'u' ? [] : [fc.constant('t.d'), fc.constant('t.d IS NOT TRUE')]),
        fc.tuple(inner, fc.constantFrom('AND', 'OR'), inner).map((all) => `(${all.join(' ')})`),
        inner.map((one) => `NOT (${one})`),
        fc
          .tuple(inner, inner, inner)
          .map(([when, then, otherwise]) => `CASE WHEN ${when} THEN ${then} ELSE ${otherwise} END`),
        fc
          .tuple(number, fc.boolean(), otherColumn, small)
          .map(
            ([one, not, column, bound]) =>
              `${one} ${not ? 'NOT ' : ''}IN (SELECT i.${column} FROM ${other} i WHERE i.a > ${bound})`,
          ),
        fc
          .tuple(fc.boolean(), otherColumn, fc.constantFrom(...numbersOf[side]), comparison)
          .map(
            ([not, column, outer, sign]) =>
              `${not ? 'NOT ' : ''}EXISTS (SELECT 1 FROM ${other} i WHERE i.${column} ${sign} ${outer})`,
          ),
        fc
          .tuple(number, comparison, fc.constantFrom(...numbersOf[side]))
          .map(
            ([one, sign, outer]) => `${one} ${sign} (SELECT max(i.b) FROM ${other} i WHERE i.a = ${outer})`,
          ),
      ),
    }
  }).condition

const join = fc
  .tuple(
    fc.constantFrom('JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN'),
    fc.constantFrom(
      't.a = u.a',
      't.b = u.b',
      't.a = u.a AND t.c = u.c',
      't.a = u.a AND t.b > 0',
      't.a < u.b',
    ),
  )
  .map(([word, on]) => `t ${word} u ON ${on}`)

/** Whole queries whose result does not depend on the order in which rows are read. */
export const query: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(numberOf('t'), conditionOf('t'))
    .map(([one, where]) => `SELECT t.id, ${one} FROM t WHERE ${where}`),
  fc
    .tuple(join, conditionOf('both'))
    .map(([from, where]) => `SELECT t.id, t.c, u.b, u.c FROM ${from} WHERE ${where}`),
  fc
    .tuple(join, numberOf('both'), conditionOf('both'))
    .map(
      ([from, one, where]) =>
        `SELECT t.d, count(*), sum(${one}), min(u.c) FROM ${from} WHERE ${where} GROUP BY t.d`,
    ),
  fc
    .tuple(conditionOf('t'), small)
    .map(
      ([where, bound]) =>
        `SELECT v.a, v.n FROM (SELECT t.a, count(*) AS n, max(t.b) AS m FROM t WHERE ${where} GROUP BY t.a) v WHERE v.n > ${bound} AND v.a > 0`,
    ),
  fc
    .tuple(conditionOf('t'), fc.integer({ min: 0, max: 4 }), fc.constantFrom('', ' DESC'))
    .map(
      ([where, limit, down]) => `SELECT t.id, t.b FROM t WHERE ${where} ORDER BY t.id${down} LIMIT ${limit}`,
    ),
  fc
    .tuple(
      fc.constantFrom('UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT', 'EXCEPT ALL'),
      conditionOf('t'),
      conditionOf('u'),
      small,
    )
    .map(
      ([word, one, other, bound]) =>
        `SELECT * FROM (SELECT t.a, t.c FROM t WHERE ${one} ${word} SELECT u.a, u.c FROM u WHERE ${other}) v WHERE v.a >= ${bound}`,
    ),
  // One row that looks up another by its key.
  fc
    .tuple(
      fc.constantFrom('JOIN', 'LEFT JOIN', 'RIGHT JOIN'),
      small,
      conditionOf('both'),
      conditionOf('both'),
    )
    .map(
      ([word, key, on, where]) =>
        `SELECT t.id, u.b, u.c FROM (SELECT * FROM u WHERE b = ${key}) u ${word} t ON t.id = u.a AND ${on} WHERE ${where}`,
    ),
  fc
    .tuple(fc.boolean(), small, conditionOf('t'))
    .map(
      ([not, key, where]) =>
        `SELECT t.id FROM t WHERE t.id = ${key} AND ${not ? 'NOT ' : ''}EXISTS (SELECT 1 FROM u WHERE u.b = t.a) AND ${where}`,
    ),
  // Windows, with conditions above them that may go below some and not others.
  fc
    .tuple(
      conditionOf('t'),
      fc.constantFrom('a', 'b', 'd', 'c'),
      fc.constantFrom('v.k = 1', 'v.p IS NULL', 'v.p > 0 AND v.s > 1', 'v.n < 3', 'true'),
      fc.constantFrom(
        '',
        ' ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING',
        ' GROUPS 1 PRECEDING EXCLUDE CURRENT ROW',
      ),
    )
    .map(
      ([where, part, above, frame]) =>
        `SELECT * FROM (SELECT t.id, t.${part} IS NULL AS q, CASE WHEN '${part}' IN ('a', 'b') THEN t.a END AS p, row_number() OVER (PARTITION BY t.${part} ORDER BY t.id) AS k, sum(t.b) OVER (PARTITION BY t.a ORDER BY t.id${frame}) AS s, count(*) OVER (PARTITION BY t.a) AS n FROM t WHERE ${where}) v WHERE ${above}`,
    ),
  // Grouping sets, filtered by what only some sets have.
  fc
    .tuple(
      conditionOf('t'),
      fc.constantFrom(
        'ROLLUP (t.a, t.c)',
        'CUBE (t.a, t.c)',
        'GROUPING SETS ((t.a, t.c), (t.a))',
        't.a, ROLLUP (t.c)',
      ),
      fc.constantFrom('v.a = 1', 'v.c IS NULL', "v.c = 'x' AND v.n > 0", 'v.g = 1', 'true'),
    )
    .map(
      ([where, sets, above]) =>
        `SELECT * FROM (SELECT t.a, t.c, count(*) AS n, sum(t.b) AS s, grouping(t.c) AS g FROM t WHERE ${where} GROUP BY ${sets}) v WHERE ${above}`,
    ),
  // Lateral queries that can and cannot become joins.
  fc
    .tuple(
      fc.constantFrom(', LATERAL', 'JOIN LATERAL', 'LEFT JOIN LATERAL'),
      conditionOf('both'),
      fc.constantFrom('', ' ORDER BY u.b LIMIT 1'),
      fc.constantFrom('true', 'l.b > 2', 'l.b = t.b'),
      conditionOf('t'),
    )
    .map(
      ([word, inside, end, on, where]) =>
        `SELECT t.id, l.b, l.c FROM t ${word} (SELECT u.b, u.c FROM u WHERE u.a = t.a AND ${inside}${end}) l ${word.startsWith(',') ? `WHERE ${on} AND ${where}` : `ON ${on} WHERE ${where}`}`,
    ),
  // WITH tables that are merged into their use, kept, or made step by step.
  fc
    .tuple(
      conditionOf('t'),
      conditionOf('u'),
      fc.constantFrom('', 'MATERIALIZED ', 'NOT MATERIALIZED '),
      fc.constantFrom('x.a = 1', 'x.id < 3', 'x.c IS NOT NULL'),
    )
    .map(
      ([one, other, how, where]) =>
        `WITH x AS ${how}(SELECT t.id, t.a, t.c FROM t WHERE ${one}), y AS (SELECT u.a, u.b FROM u WHERE ${other}) SELECT x.id, y.b, (SELECT count(*) FROM x z WHERE z.a = x.a) FROM x LEFT JOIN y ON x.a = y.a WHERE ${where}`,
    ),
  fc
    .tuple(conditionOf('t'), fc.constantFrom('UNION', 'UNION ALL'), small)
    .map(
      ([where, word, bound]) =>
        `WITH RECURSIVE r(id, d) AS (SELECT t.id, 0 FROM t WHERE ${where} ${word} SELECT t.id, r.d + 1 FROM r JOIN t ON t.a = r.id AND r.d < 3) SELECT r.id, count(*), max(r.d) FROM r WHERE r.id > ${bound} GROUP BY r.id`,
    ),
  // Chains of joins, for the search of orders.
  fc
    .tuple(conditionOf('t'), conditionOf('u'), fc.constantFrom('v.a = w.a', 'v.b = t.id', 'w.c = u.c'))
    .map(
      ([one, other, link]) =>
        `SELECT t.id, u.b, v.id, w.b FROM t, u, t v, u w WHERE t.a = u.a AND u.b = v.b AND v.a = w.a AND ${link} AND ${one} AND ${other}`,
    ),
  fc
    .tuple(conditionOf('t'), conditionOf('u'))
    .map(
      ([one, other]) =>
        `SELECT DISTINCT t.a, w.e FROM t, u, u AS w WHERE t.a = u.a AND u.b = w.b AND ${one} AND ${other}`,
    ),
)

/** Where the seed comes from: fixed, so that a run says the same every time; SQL_SEED tries others. */
export const settings = (numRuns: number) => ({
  numRuns: numRuns * Number(process.env['SQL_RUNS'] ?? 1),
  seed: Number(process.env['SQL_SEED'] ?? 20_240),
})
