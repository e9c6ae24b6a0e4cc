import type { Dice } from './dice.ts'

const odd = [
  '',
  '(',
  ')',
  ',',
  "'",
  '"',
  ';',
  '::',
  '[',
  ']',
  '$1',
  'NULL',
  'select',
  '--',
  '/*',
  '\u0000',
  '😀',
  '9999999999999999999999',
  '1e400',
  '-',
  "E'\\x'",
  'from',
  'where',
  'order by',
]

/** A statement with something wrong in it: parts that are missing, twice, changed about, or of another world. */
export function broken(dice: Dice, sql: string): string {
  const tokens = sql.match(/\w+|\s+|'(?:[^']|'')*'|./gs) ?? []
  for (let changes = dice.between(1, 3); changes > 0; changes--) {
    const at = dice.below(Math.max(tokens.length, 1))
    const other = dice.below(Math.max(tokens.length, 1))
    switch (dice.below(5)) {
      case 0:
        tokens.splice(at, 1)
        break
      case 1:
        tokens.splice(at, 0, tokens[other] ?? '')
        break
      case 2:
        ;[tokens[at], tokens[other]] = [tokens[other] ?? '', tokens[at] ?? '']
        break
      case 3:
        tokens[at] = dice.pick(odd)
        break
      default:
        tokens.length = at + 1
    }
  }
  return tokens.join('')
}
