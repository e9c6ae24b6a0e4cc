/**
 * Why one transaction comes before another:
 * - `ww`: the other one overwrote what it wrote;
 * - `wr`: the other one read what it wrote;
 * - `rw`: the other one overwrote what it read;
 * - `rt`: it had ended before the other one was called.
 */
export type DependencyKind = 'ww' | 'wr' | 'rw' | 'rt'

export interface Dependency {
  readonly from: number
  readonly to: number
  readonly kind: DependencyKind
  /** What it is concluded from, for people. */
  readonly because: string
}

/** Transactions, by number, and what makes one come before another. */
export class DependencyGraph {
  readonly #out = new Map<number, Map<string, Dependency>>()

  add(dependency: Dependency): void {
    const { from, to, kind } = dependency
    if (from === to) return
    const edges = this.#out.get(from) ?? new Map<string, Dependency>()
    this.#out.set(from, edges)
    const name = `${kind} ${to}`
    if (!edges.has(name)) edges.set(name, dependency)
  }

  from(node: number): Iterable<Dependency> {
    return this.#out.get(node)?.values() ?? []
  }

  /** Sets of transactions that all come before each other, by the kinds given; those of one alone are left out. */
  components(kinds: ReadonlySet<DependencyKind>): number[][] {
    const found: number[][] = []
    const order = new Map<number, { index: number; low: number; onStack: boolean }>()
    const stack: number[] = []
    const enter = (node: number) => {
      const state = { index: order.size, low: order.size, onStack: true }
      order.set(node, state)
      stack.push(node)
      return { node, state, edges: [...this.from(node)].filter(({ kind }) => kinds.has(kind)), at: 0 }
    }
    for (const root of this.#out.keys()) {
      if (order.has(root)) continue
      // Tarjan's algorithm without recursion: histories are longer than the stack is deep.
      const path = [enter(root)]
      for (let frame = path.at(-1); frame; frame = path.at(-1)) {
        const edge = frame.edges[frame.at++]
        if (edge === undefined) {
          path.pop()
          const above = path.at(-1)
          if (above) above.state.low = Math.min(above.state.low, frame.state.low)
          if (frame.state.low === frame.state.index) {
            const component: number[] = []
            for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
              const popped = order.get(node)
              if (popped) popped.onStack = false
              component.push(node)
              if (node === frame.node) break
            }
            if (component.length > 1) found.push(component.sort((a, b) => a - b))
          }
          continue
        }
        const next = order.get(edge.to)
        if (next === undefined) path.push(enter(edge.to))
        else if (next.onStack) frame.state.low = Math.min(frame.state.low, next.index)
      }
    }
    return found
  }

  /** A shortest way from one to another within a set, by the kinds given; null when there is none. */
  path(
    from: number,
    to: number,
    within: ReadonlySet<number>,
    kinds: ReadonlySet<DependencyKind>,
  ): Dependency[] | null {
    const cameBy = new Map<number, Dependency | null>([[from, null]])
    let border = [from]
    while (border.length > 0 && !cameBy.has(to)) {
      const next: number[] = []
      for (const node of border)
        for (const edge of this.from(node)) {
          if (!kinds.has(edge.kind) || !within.has(edge.to) || cameBy.has(edge.to)) continue
          cameBy.set(edge.to, edge)
          next.push(edge.to)
        }
      border = next
    }
    const way: Dependency[] = []
    for (let edge = cameBy.get(to); edge; edge = cameBy.get(edge.from)) way.unshift(edge)
    return cameBy.has(to) ? way : null
  }
}
