import { describe, expect, test } from '@jest/globals'
import type { Entry } from '../../src/machine/raft/types.ts'
import { TestCluster, type TestNode, TestRandom } from '../raft-cluster.ts'
import { SafetyWatch } from './safety.ts'

const SEEDS = Number(process.env['RAFT_SEEDS'] ?? 40)
const encoder = new TextEncoder()

interface Run {
  readonly cluster: TestCluster
  readonly watch: SafetyWatch
  readonly nodes: readonly TestNode[]
  readonly chaos: TestRandom
  readonly reads: Map<number, number>
  answered: number
  cut: string | null
}

function begin(seed: number, leaseMs: number): Run {
  const cluster = new TestCluster(seed, { electionTimeoutMs: 100, heartbeatMs: 20, leaseMs })
  const watch = new SafetyWatch(cluster)
  const chaos = new TestRandom(seed + 31)
  const reads = new Map<number, number>()
  const run: Run = { cluster, watch, chaos, reads, nodes: [], answered: 0, cut: null }
  const watched = cluster.onStep
  cluster.onStep = (node, input, effects) => {
    watched(node, input, effects)
    for (const effect of effects) {
      if (effect.type === 'readFailed') reads.delete(effect.ref)
      if (effect.type !== 'readReady') continue
      const atLeast = reads.get(effect.ref) ?? 0
      if (effect.index < atLeast)
        throw new Error(`seed ${seed}: ${node.id} read ${effect.index}, ${atLeast} was acknowledged`)
      reads.delete(effect.ref)
      run.answered++
    }
  }
  cluster.formed(['a', 'b', 'c'])
  return Object.assign(run, { nodes: [...cluster.nodes.values()] })
}

/** One step of a life with cuts, resets of links, restarts and hand-overs. Links that break are seen to break. */
function disturb(run: Run): void {
  const { cluster, chaos, nodes } = run
  const node = nodes[chaos.below(3)] as TestNode
  const dice = chaos.below(100)
  if (dice < 55) {
    const letter = cluster.letters.shift()
    const lost = letter === undefined || letter.from === run.cut || letter.to === run.cut
    if (!lost) cluster.deliver(letter)
  } else if (dice < 70) for (const each of nodes) each.sync()
  else if (dice < 80) {
    cluster.now += 1 + chaos.below(12)
    // Some nodes are stalled: they come to look at their clock only when they get something.
    for (const each of nodes) if (each.machine !== null && chaos.below(4) > 0) each.tick()
  } else if (dice < 86) {
    for (const leader of cluster.leaders()) {
      const data = [encoder.encode(`c${cluster.ref()}`)]
      leader.step({ type: 'propose', ref: cluster.ref(), now: leader.now, wall: 0, data })
    }
  } else if (dice < 94) {
    for (const leader of cluster.leaders()) {
      const ref = cluster.ref()
      run.reads.set(ref, run.watch.committedIndex)
      leader.step({ type: 'read', ref, now: leader.now })
    }
  } else if (dice < 95) {
    if (run.cut !== null) run.cut = null
    else {
      const target = chaos.below(3) > 0 ? (cluster.leaders()[0] ?? node) : node
      run.cut = target.id
      if (chaos.below(3) === 0) return
      // Its links break too, and both ends see it.
      for (const other of nodes) {
        if (other === target || other.machine === null || target.machine === null) continue
        target.step({ type: 'linkDown', peer: other.id })
        other.step({ type: 'linkDown', peer: target.id })
      }
    }
  } else if (dice < 97) {
    const other = nodes[chaos.below(3)] as TestNode
    if (other === node || node.machine === null || other.machine === null) return
    for (const type of ['linkDown', 'linkUp'] as const) {
      node.step({ type, peer: other.id })
      other.step({ type, peer: node.id })
      if (chaos.below(2) === 0) break
    }
  } else if (dice < 98) {
    for (const leader of cluster.leaders())
      if (leader !== node) leader.step({ type: 'transfer', to: node.id })
  } else if (dice < 99) {
    if (node.machine !== null && chaos.below(3) === 0) {
      node.crash()
      node.start()
    }
  } else for (const a of nodes) for (const b of nodes) if (a !== b) a.step({ type: 'linkUp', peer: b.id })
}

describe('clocks', () => {
  test('with leases no read is stale, whatever happens to links, as long as clocks go alike', () => {
    let answered = 0
    let elections = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      const run = begin(seed, 80)
      for (const [at, node] of run.nodes.entries()) {
        node.rate = [0.96, 1, 1.04][(at + seed) % 3] ?? 1
        node.skew = 1_000 * run.chaos.below(50)
      }
      for (let i = 0; i < 4_000; i++) disturb(run)
      answered += run.answered
      elections += run.watch.elections
    }
    expect(answered).toBeGreaterThan(50 * SEEDS)
    expect(elections).toBeGreaterThan(3 * SEEDS)
  })

  test('log time never goes back, never runs ahead of true time, and stands still between two leaders', () => {
    let offices = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      const run = begin(seed, 0)
      // A new leader's clock may be hours ahead of the last one's.
      for (const node of run.nodes) node.skew = 3_600_000 * run.chaos.below(20)
      const committed = new Map<number, Entry>()
      const watched = run.cluster.onApply
      run.cluster.onApply = (node, entry) => {
        watched(node, entry)
        committed.set(entry.index, entry)
      }
      for (let i = 0; i < 3_000; i++) disturb(run)
      const entries = [...committed.values()].sort((a, b) => a.index - b.index)
      for (const [at, entry] of entries.entries()) {
        const before = entries[at - 1]
        expect(entry.time).toBeLessThanOrEqual(run.cluster.now)
        if (before === undefined) continue
        expect(entry.time).toBeGreaterThanOrEqual(before.time)
        if (entry.term === before.term) continue
        // So whatever lasts some time by the log has all that is left of it under the new leader.
        expect(entry.time).toBe(before.time)
        offices++
      }
    }
    expect(offices).toBeGreaterThan(SEEDS)
  })
})
