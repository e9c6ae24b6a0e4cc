/** PostgreSQL's ranks, loosest first. */
export const RANK = {
  or: 1,
  and: 2,
  not: 3,
  is: 4,
  comparison: 5,
  /** BETWEEN, IN, LIKE. */
  membership: 6,
  escape: 7,
  /** Every operator that has no rank of its own, `||` among them. */
  other: 8,
  additive: 9,
  multiplicative: 10,
  power: 11,
  /** AT TIME ZONE. */
  zone: 12,
  sign: 13,
} as const

const ranks: Readonly<Record<string, number>> = {
  or: RANK.or,
  and: RANK.and,
  escape: RANK.escape,
  overlaps: RANK.membership,
  '=': RANK.comparison,
  '<>': RANK.comparison,
  '<': RANK.comparison,
  '>': RANK.comparison,
  '<=': RANK.comparison,
  '>=': RANK.comparison,
  '+': RANK.additive,
  '-': RANK.additive,
  '*': RANK.multiplicative,
  '/': RANK.multiplicative,
  '%': RANK.multiplicative,
  '^': RANK.power,
}

export const infixRank = (operator: string): number => ranks[operator] ?? RANK.other

/** Two of these side by side are a syntax error: `a < b < c`. */
export const isNonAssociative = (rank: number): boolean => rank >= RANK.is && rank <= RANK.escape
