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
  const all = 2 ** inputs.length - 1
  const rows = rowsOfSets(inputs, conditions)
  const cost = new Float64Array(all + 1).fill(Number.POSITIVE_INFINITY)
  const split = new Int32Array(all + 1)
  const neighbours = neighboursOf(inputs.length, conditions)
  for (let i = 0; i < inputs.length; i++) cost[2 ** i] = 0
  for (let set = 1; set <= all; set++) {
    if ((set & (set - 1)) === 0) continue
    const lowest = set & -set
    let connected = false
    for (const onlyConnected of [true, false]) {
      if (connected) break
      // Every split once: the left part has the lowest input.
      for (let right = (set - 1) & set; right > 0; right = (right - 1) & set) {
        if ((right & lowest) !== 0) continue
        const left = set ^ right
        if (onlyConnected && !touches(left, right, neighbours)) continue
        const price =
          (cost[left] as number) +
          (cost[right] as number) +
          (rows[left] as number) +
          (rows[right] as number) +
          (rows[set] as number)
        if (!(price < (cost[set] as number))) continue
        cost[set] = price
        split[set] = right
        connected = true
      }
    }
  }
  return treeOf(all, split)
}

/** How many rows each set of inputs gives when all conditions within it are met. */
function rowsOfSets(inputs: readonly JoinInput[], conditions: readonly JoinCondition[]): Float64Array {
  const all = 2 ** inputs.length - 1
  const rows = new Float64Array(all + 1)
  for (let set = 1; set <= all; set++) {
    let product = 1
    for (let i = 0; i < inputs.length; i++) if ((set & (2 ** i)) !== 0) product *= inputs[i]?.rows as number
    rows[set] = product
  }
  const seen = new Set<number>()
  for (const { expr, inputs: needed, share: known } of conditions) {
    // A second equality of the same inputs says little that is new.
    const guess = isEquality(expr) ? (seen.has(needed) ? 0.5 : 1 / keysOf(inputs, needed)) : 0.3
    const share = known ?? guess
    if (isEquality(expr)) seen.add(needed)
    for (let set = 1; set <= all; set++)
      if ((set & needed) === needed) rows[set] = (rows[set] as number) * share
  }
  return rows.map((count) => Math.max(1, count))
}

const keysOf = (inputs: readonly JoinInput[], set: number): number =>
  Math.max(1, ...inputs.filter((_, i) => (set & (2 ** i)) !== 0).map(({ keys }) => keys))

/** For each input those that a condition connects it with. */
function neighboursOf(count: number, conditions: readonly JoinCondition[]): Int32Array {
  const neighbours = new Int32Array(count)
  for (const { inputs } of conditions)
    for (let i = 0; i < count; i++)
      if ((inputs & (2 ** i)) !== 0) neighbours[i] = (neighbours[i] as number) | (inputs & ~(2 ** i))
  return neighbours
}

function touches(left: number, right: number, neighbours: Int32Array): boolean {
  for (let rest = left; rest !== 0; rest &= rest - 1) {
    const input = 31 - Math.clz32(rest & -rest)
    if (((neighbours[input] as number) & right) !== 0) return true
  }
  return false
}

function treeOf(set: number, split: Int32Array): JoinTree {
  if ((set & (set - 1)) === 0) return { input: 31 - Math.clz32(set) }
  const right = split[set] as number
  return { left: treeOf(set ^ right, split), right: treeOf(right, split) }
}
