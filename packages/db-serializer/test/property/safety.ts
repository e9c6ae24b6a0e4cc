import type { Entry } from '../../src/machine/raft/types.ts'
import { describeEntry, type TestCluster, type TestNode } from '../raft-cluster.ts'

class Broken extends Error {}

const demand = (holds: boolean, what: string): void => {
  if (!holds) throw new Broken(what)
}

/** The four laws of Raft, watched over a whole cluster whose lineages follow one another. */
export class SafetyWatch {
  /** Lineage and term to the leader. Going alone counts only once it is durable, so the lineage belongs to the key. */
  readonly #leaders = new Map<string, string>()
  /** (index, term) to the content there and the term of the entry before. */
  readonly #entries = new Map<string, string>()
  readonly #committed = new Map<number, string>()
  committedIndex = 0
  elections = 0

  constructor(cluster: TestCluster) {
    cluster.onApply = (node, entry) => this.#applied(node, entry)
    cluster.onStep = (node, _input, effects) => {
      for (const effect of effects) {
        if (effect.type === 'role' && effect.role === 'leader') this.#elected(node, effect.term)
      }
    }
    cluster.onDurable = (node, entries) => this.#appended(node, entries)
  }

  /** Election safety and leader completeness. */
  #elected(node: TestNode, term: number): void {
    const office = `${node.raft.view().history?.lineage} ${term}`
    const other = this.#leaders.get(office)
    demand(other === undefined || other === node.id, `${node.id} and ${other} both lead term ${term}`)
    if (other === undefined) this.elections++
    this.#leaders.set(office, node.id)
    demand(
      node.raft.view().lastIndex >= this.committedIndex,
      `${node.id} leads term ${term} without committed entry ${this.committedIndex}`,
    )
  }

  /** Log matching: an index and a term name one entry, and what comes before it. */
  #appended(node: TestNode, entries: readonly Entry[]): void {
    let before: Entry | undefined
    for (const entry of entries) {
      this.#same(`${entry.index}@${entry.term}`, `${describeEntry(entry)} t${entry.time}`, node)
      if (before !== undefined) this.#same(`before ${entry.index}@${entry.term}`, `${before.term}`, node)
      before = entry
    }
  }

  #same(key: string, value: string, node: TestNode): void {
    const known = this.#entries.get(key)
    demand(known === undefined || known === value, `${node.id} has ${value} at ${key}, another had ${known}`)
    this.#entries.set(key, value)
  }

  /** State machine safety. */
  #applied(node: TestNode, entry: Entry): void {
    const value = `${entry.term} ${describeEntry(entry)}`
    const known = this.#committed.get(entry.index)
    demand(
      known === undefined || known === value,
      `${node.id} applied ${value} at ${entry.index}, another ${known}`,
    )
    this.#committed.set(entry.index, value)
    if (entry.index > this.committedIndex) this.committedIndex = entry.index
  }
}
