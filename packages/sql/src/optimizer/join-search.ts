import type { Expr } from '../plan/expression.ts'
import { isEquality } from '../plan/traverse.ts'

/** One input of a chain of inner joins. */
export interface JoinInput {
  /** Rows that it gives. */
  readonly rows: number
  /** Rows of the table behind it, before its own conditions: about as many as it has different keys. */
  readonly keys: number
}

/** A condition and the inputs that it names, a bit each. */
export interface JoinCondition {
  readonly expr: Expr
  readonly inputs: number
  /** The share of pairs that it leaves; absent: by the keys of its inputs. */
  readonly share?: number
}

/** A tree of joins over positions of inputs. */
export type JoinTree = { readonly input: number } | { readonly left: JoinTree; readonly right: JoinTree }

/**
 * The cheapest tree of joins, of all there are: for each set of inputs the best way to split it in two, the smaller
 * sets first. A join costs the rows that it reads and gives; pairs that no condition connects are joined only
 * where nothing else is left. Of equally cheap trees the first in the order written wins.
 * @param inputs at most 16
 */
export function searchJoins(inputs: readonly JoinInput[], conditions: readonly JoinCondition[]): JoinTree {
  const all = (1 << inputs.length) - 1
  const rows = rowsOfSets(inputs, conditions)
  const near = neighboursOfSets(inputs.length, conditions)
  /** What a set costs, and reading what it gives. */
  const used = new Float64Array(all + 1)
  const split = new Int32Array(all + 1)
  for (let set = 1; set <= all; set++) {
    const given = rows[set] as number
    const lowest = set & -set
    // Every split once: the left part has the lowest input.
    const others = set ^ lowest
    if (others === 0) {
      used[set] = given
      continue
    }
    let least = Number.POSITIVE_INFINITY
    let best = 0
    for (let right = others; right > 0; right = (right - 1) & others) {
      const left = set ^ right
      if (((near[left] as number) & right) === 0) continue
      const price = (used[left] as number) + (used[right] as number)
      if (price >= least) continue
      least = price
      best = right
    }
    // No condition connects any two parts.
    if (best === 0)
      for (let right = others; right > 0; right = (right - 1) & others) {
        const price = (used[set ^ right] as number) + (used[right] as number)
        if (price >= least) continue
        least = price
        best = right
      }
    split[set] = best
    used[set] = least + given + given
  }
  return treeOf(all, split)
}

/** How many rows each set of inputs gives when all conditions within it are met. */
function rowsOfSets(inputs: readonly JoinInput[], conditions: readonly JoinCondition[]): Float64Array {
  const all = (1 << inputs.length) - 1
  // Conditions by the lowest of their inputs: a set meets those of its rest, and those of its own lowest input.
  const byLowest = inputs.map((): { readonly needed: number; readonly share: number }[] => [])
  const seen = new Set<number>()
  for (const { expr, inputs: needed, share: known } of conditions) {
    // A second equality of the same inputs says little that is new.
    const guess = isEquality(expr) ? (seen.has(needed) ? 0.5 : 1 / keysOf(inputs, needed)) : 0.3
    if (isEquality(expr)) seen.add(needed)
    byLowest[lowestOf(needed)]?.push({ needed, share: known ?? guess })
  }
  const rows = new Float64Array(all + 1)
  rows[0] = 1
  for (let set = 1; set <= all; set++) {
    const lowest = lowestOf(set)
    let product = (rows[set & (set - 1)] as number) * (inputs[lowest] as JoinInput).rows
    for (const { needed, share } of byLowest[lowest] ?? []) if ((set & needed) === needed) product *= share
    rows[set] = product
  }
  return rows.map((count) => Math.max(1, count))
}

const keysOf = (inputs: readonly JoinInput[], set: number): number =>
  Math.max(1, ...inputs.filter((_, i) => (set & (1 << i)) !== 0).map(({ keys }) => keys))

/** For each set the inputs that a condition connects it with. */
function neighboursOfSets(count: number, conditions: readonly JoinCondition[]): Int32Array {
  const near = new Int32Array(1 << count)
  for (const { inputs } of conditions)
    for (let i = 0; i < count; i++)
      if ((inputs & (1 << i)) !== 0) near[1 << i] = (near[1 << i] as number) | (inputs & ~(1 << i))
  for (let set = 1; set < near.length; set++)
    near[set] = (near[set & (set - 1)] as number) | (near[set & -set] as number)
  return near
}

const lowestOf = (set: number): number => 31 - Math.clz32(set & -set)

function treeOf(set: number, split: Int32Array): JoinTree {
  if ((set & (set - 1)) === 0) return { input: lowestOf(set) }
  const right = split[set] as number
  return { left: treeOf(set ^ right, split), right: treeOf(right, split) }
}
