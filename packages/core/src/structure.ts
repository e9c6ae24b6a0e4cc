/** A node of the tree of cluster objects that `structure()` prints: p2p → log → database → table … */
export interface StructureNode {
  /** What it is: `p2p`, `log`, `database`, `table`, `mutex` … */
  readonly kind: string
  readonly name: string
  /** Short facts, in the order to print. */
  readonly facts: Readonly<Record<string, string | number | boolean>>
  readonly children: readonly StructureNode[]
}

/** Anything that can describe itself for `structure()`. */
export interface Describable {
  describe(): StructureNode
}
