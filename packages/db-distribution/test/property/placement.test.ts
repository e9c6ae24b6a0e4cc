import { EVERYWHERE, type NodeId, nodeId } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { encodeAssign, encodeCreate, encodeDescribe, encodeReplicas } from '../../src/machine/commands.ts'
import { DatabasesMachine } from '../../src/machine/machine.ts'
import { type NodeView, planPlacement } from '../../src/machine/placement.ts'
import { completeCount, type DatabaseRecord } from '../../src/machine/state.ts'
import type { NodeTraits } from '../../src/machine/traits.ts'

const ALL = ['a', 'b', 'c', 'd', 'e', 'f'].map(nodeId)

type Happening =
  | { readonly type: 'silent' | 'back' | 'removed' | 'joins'; readonly node: NodeId }
  | { readonly type: 'plan' }
  | { readonly type: 'copied'; readonly node: NodeId }

const node = fc.constantFrom(...ALL)
const happenings: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ type: fc.constantFrom('silent' as const, 'back' as const), node }),
  fc.record({ type: fc.constantFrom('removed' as const, 'joins' as const), node }),
  fc.record({ type: fc.constant('plan' as const) }),
  fc.record({ type: fc.constant('plan' as const) }),
  fc.record({ type: fc.constant('copied' as const), node }),
)

/** A cluster as the controller sees it: nothing but records and who is there. */
class Model {
  readonly machine = new DatabasesMachine()
  readonly living: Set<NodeId>
  readonly members: Set<NodeId>
  #index = 1

  constructor(redundancy: number | 'all', partitions: number, nodes: readonly NodeId[]) {
    this.living = new Set(nodes)
    this.members = new Set(nodes)
    const options = { redundancy, partitions, minCopies: 1 }
    this.machine.apply(this.#index++, encodeCreate({ name: 'shop', uid: 'x', options, candidates: nodes }))
  }

  get database(): DatabaseRecord {
    return this.machine.database('shop') as DatabaseRecord
  }

  get view(): NodeView {
    const { traits } = this.machine
    return { living: [...this.living].sort(), members: [...this.members].sort(), traits }
  }

  describe(node: NodeId, traits: NodeTraits): void {
    this.machine.apply(this.#index++, encodeDescribe({ node, traits }))
  }

  /** One round of the controller. Returns how many partitions changed. */
  plan(): number {
    const { database, view } = this
    const before = database.partitions.map((partition) => partition.replicas)
    const assignments = planPlacement(database, view)
    if (assignments.length === 0) return 0
    this.machine.apply(this.#index++, encodeAssign(assignments))
    for (const { partition } of assignments) {
      const old = before[partition] ?? []
      const now = database.partitions[partition]?.replicas ?? []
      // A living complete copy is there before and after.
      expect(old.some((replica) => replica.complete && this.living.has(replica.node))).toBe(true)
      expect(now.some((replica) => replica.complete && this.living.has(replica.node))).toBe(true)
      // What it has, stays: only copies on nodes that are gone, or that are one too many, are dropped.
      const dropped = old.filter(({ node }) => !now.some((replica) => replica.node === node))
      const { redundancy } = database.options
      for (const replica of dropped)
        if (replica.complete) {
          // As many living complete copies as there can be are left.
          const left = now.filter(({ node, complete }) => complete && this.living.has(node)).length
          const most = redundancy === 'all' || partition === EVERYWHERE ? Infinity : redundancy
          expect(left).toBeGreaterThanOrEqual(Math.min(most, this.living.size))
        }
      for (const replica of dropped)
        if (this.members.has(replica.node)) {
          const complete = now.filter(({ complete }) => complete).length
          expect(typeof redundancy === 'number' && complete >= redundancy).toBe(true)
        }
      // New copies are made on living nodes only.
      for (const { node } of now)
        if (!old.some((replica) => replica.node === node)) expect(this.living.has(node)).toBe(true)
    }
    return assignments.length
  }

  /** A node has copied everything that it could. */
  copied(node: NodeId): void {
    if (!this.living.has(node)) return
    const replicas = this.database.partitions.flatMap((partition) => {
      const mine = partition.replicas.find((replica) => replica.node === node && !replica.complete)
      const source = partition.replicas.some((replica) => replica.complete && this.living.has(replica.node))
      if (mine === undefined || !source) return []
      return [{ database: this.database.id, partition: partition.id, since: mine.since }]
    })
    if (replicas.length > 0)
      this.machine.apply(this.#index++, encodeReplicas({ type: 'complete', node, replicas }))
  }

  happen(happening: Happening): void {
    switch (happening.type) {
      case 'silent':
        if (this.living.size > 1) this.living.delete(happening.node)
        return
      case 'back':
        if (this.members.has(happening.node)) this.living.add(happening.node)
        return
      case 'removed':
        if (this.living.size > 1 || !this.living.has(happening.node)) {
          this.living.delete(happening.node)
          this.members.delete(happening.node)
        }
        return
      case 'joins':
        this.members.add(happening.node)
        this.living.add(happening.node)
        return
      case 'plan':
        this.plan()
        return
      case 'copied':
        this.copied(happening.node)
        return
    }
  }
}

const redundancies = fc.oneof(fc.integer({ min: 1, max: 3 }), fc.constant('all' as const))

describe('placement', () => {
  test('never drops what it must not, and comes to rest with all copies there can be', () => {
    fc.assert(
      fc.property(
        redundancies,
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 5 }),
        fc.array(happenings, { maxLength: 60 }),
        (redundancy, partitions, count, list) => {
          const model = new Model(redundancy, partitions, ALL.slice(0, count))
          for (const happening of list) model.happen(happening)
          // From here on nothing fails any more.
          for (const node of model.members) model.living.add(node)
          let rounds = 0
          do {
            for (const node of model.living) model.copied(node)
            expect(++rounds).toBeLessThan(100)
          } while (model.plan() > 0)
          for (const partition of model.database.partitions) {
            const complete = partition.replicas.filter((replica) => replica.complete)
            // Whoever held it last is gone: it waits for them.
            if (!complete.some(({ node }) => model.living.has(node))) continue
            const wanted =
              redundancy === 'all' || partition.id === EVERYWHERE
                ? model.members.size
                : Math.min(redundancy, model.members.size)
            expect(completeCount(partition)).toBe(wanted)
            expect(partition.replicas.length).toBe(wanted)
          }
        },
      ),
      {
        numRuns: 400,
        examples: [
          // Once moved a partition to and fro for ever.
          [
            2,
            6,
            4,
            [{ type: 'joins', node: nodeId('f') }, { type: 'plan' }, { type: 'removed', node: nodeId('c') }],
          ],
          [
            3,
            12,
            4,
            [{ type: 'joins', node: nodeId('e') }, { type: 'plan' }, { type: 'removed', node: nodeId('a') }],
          ],
        ],
      },
    )
  })

  test('spreads evenly, at the start and after a node joined', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 3, max: 5 }),
        (redundancy, partitions, count) => {
          const model = new Model(redundancy, partitions, ALL.slice(0, count))
          const loads = (): number[] =>
            [...model.living].map(
              (node) =>
                model.database.partitions.filter(
                  ({ id, replicas }) =>
                    id !== EVERYWHERE && replicas.some((replica) => replica.node === node),
                ).length,
            )
          expect(Math.max(...loads()) - Math.min(...loads())).toBeLessThanOrEqual(1)
          model.happen({ type: 'joins', node: nodeId('f') })
          let moved = 0
          const before = model.database.partitions.map(({ replicas }) => replicas.map(({ node }) => node))
          for (let round = 0; model.plan() > 0; round++) {
            for (const node of model.living) model.copied(node)
            expect(round).toBeLessThan(200)
          }
          expect(Math.max(...loads()) - Math.min(...loads())).toBeLessThanOrEqual(1)
          for (const { id, replicas } of model.database.partitions)
            if (id !== EVERYWHERE) moved += replicas.filter(({ node }) => !before[id]?.includes(node)).length
          // No more than the share of the new node moves.
          expect(moved).toBeLessThanOrEqual(Math.ceil((partitions * redundancy) / (count + 1)))
        },
      ),
      { numRuns: 150 },
    )
  })
})

describe('zones and capacities', () => {
  test('copies end up in as many zones as there can be, and loads follow capacities', () => {
    const zones = fc.array(fc.constantFrom('x', 'y', 'z', null), { minLength: 6, maxLength: 6 })
    const capacities = fc.array(fc.constantFrom(50, 100, 200, 400), { minLength: 6, maxLength: 6 })
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 16 }),
        fc.integer({ min: 1, max: 6 }),
        zones,
        capacities,
        fc.array(happenings, { maxLength: 30 }),
        (redundancy, partitions, count, labels, shares, list) => {
          const model = new Model(redundancy, partitions, ALL.slice(0, count))
          for (const happening of list) model.happen(happening)
          for (const node of model.members) model.living.add(node)
          // All nodes say what they are only now, so everything is where it should not be.
          for (const [i, node] of ALL.entries())
            model.describe(node, { zone: labels[i] ?? null, capacity: shares[i] ?? 100 })
          for (let rounds = 0; ; rounds++) {
            for (const node of model.living) model.copied(node)
            if (model.plan() === 0) break
            expect(rounds).toBeLessThan(300)
          }
          const zoneOf = (node: NodeId): string => labels[ALL.indexOf(node)] ?? `alone ${node}`
          const there = new Set([...model.living].map(zoneOf)).size
          for (const { id, replicas } of model.database.partitions) {
            const complete = replicas.filter((replica) => replica.complete)
            if (id === EVERYWHERE || !complete.some(({ node }) => model.living.has(node))) continue
            const used = new Set(replicas.map(({ node }) => zoneOf(node))).size
            expect(used).toBe(Math.min(there, redundancy, model.members.size))
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  test('a node with more room gets more', () => {
    const model = new Model(1, 30, ALL.slice(0, 3))
    model.describe(nodeId('a'), { zone: null, capacity: 400 })
    for (let rounds = 0; ; rounds++) {
      for (const node of model.living) model.copied(node)
      if (model.plan() === 0) break
      expect(rounds).toBeLessThan(100)
    }
    const loads = ALL.slice(0, 3).map(
      (node) =>
        model.database.partitions.filter(
          ({ id, replicas }) => id > 0 && replicas.some((r) => r.node === node),
        ).length,
    )
    expect(loads).toEqual([20, 5, 5])
  })
})
