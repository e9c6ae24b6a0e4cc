import { type LineageId, nodeId } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import type { ConfigurationChange, Effect, MemberChange } from '../../src/machine/raft/types.ts'
import { TestCluster, type TestNode, TestRandom } from '../raft-cluster.ts'
import { SafetyWatch } from './safety.ts'

/** More of them on request: `RAFT_SEEDS=2000`. */
const SEEDS = Number(process.env['RAFT_SEEDS'] ?? 60)

const encoder = new TextEncoder()

interface Run {
  readonly cluster: TestCluster
  readonly watch: SafetyWatch
  readonly chaos: TestRandom
  /** Index that a read must reach, by its ref. */
  readonly reads: Map<number, number>
  readonly slowDisks: boolean
  commands: number
  answeredReads: number
}

function begin(
  seed: number,
  voters: readonly string[],
  learners: readonly string[] = [],
  witnesses: readonly string[] = [],
): Run {
  const cluster = new TestCluster(seed, {
    appendBytesMax: 300,
    inflightMessagesMax: 3,
    electionTimeoutMs: 100,
    heartbeatMs: 20,
  })
  const watch = new SafetyWatch(cluster)
  const run: Run = {
    cluster,
    watch,
    chaos: new TestRandom(seed + 7777),
    reads: new Map(),
    slowDisks: seed % 4 === 1,
    commands: 0,
    answeredReads: 0,
  }
  const watched = cluster.onStep
  cluster.onStep = (node, input, effects) => {
    watched(node, input, effects)
    settle(run, node, effects)
  }
  cluster.formed(voters, learners, witnesses)
  return run
}

/** What a driver does with the effects that the harness leaves alone. */
function settle(run: Run, node: TestNode, effects: readonly Effect[]): void {
  for (const effect of effects) {
    if (effect.type === 'readReady') {
      const atLeast = run.reads.get(effect.ref)
      if (atLeast === undefined) throw new Error('a read was answered twice')
      if (effect.index < atLeast) throw new Error(`a read saw ${effect.index}, ${atLeast} was acknowledged`)
      run.reads.delete(effect.ref)
      run.answeredReads++
    } else if (effect.type === 'readFailed') run.reads.delete(effect.ref)
    else if (effect.type === 'forked') throw new Error('nobody forked here')
    else if (effect.type === 'sendSnapshot')
      snapshotsDue.push({ run, node, to: effect.to, term: effect.term })
  }
}

const snapshotsDue: {
  readonly run: Run
  readonly node: TestNode
  readonly to: string
  readonly term: number
}[] = []

/** Carries out the snapshot streams that were asked for, or lets them fail. */
function streamSnapshots(run: Run, alwaysOk: boolean): void {
  for (const { node, to, term } of snapshotsDue.splice(0)) {
    const snapshot = node.disk.snapshot
    if (node.machine === null || snapshot === null) continue
    const target = run.cluster.node(to)
    // A witness has none to give.
    const witness = node.raft.view().configuration?.witnesses?.includes(node.id) === true
    const ok = !witness && target.machine !== null && (alwaysOk || run.chaos.below(3) > 0)
    if (ok) {
      const ref = run.cluster.ref()
      target.received.set(ref, snapshot)
      const from = node.id
      target.step({ type: 'snapshotReceived', ref, from, term: term as never, meta: snapshot.meta })
    }
    if (node.machine !== null)
      node.step({ type: 'snapshotSent', to: nodeId(to), index: snapshot.meta.index, ok })
  }
}

function disturb(run: Run): void {
  const { cluster, chaos, watch } = run
  const nodes = [...cluster.nodes.values()]
  const node = nodes[chaos.below(nodes.length)] as TestNode
  // Some runs have slow disks, so that several writes are under way at once.
  const dice = run.slowDisks && chaos.below(3) > 0 ? 67 + chaos.below(33) : chaos.below(100)
  if (dice < 45) {
    // Letters come in any order, some twice, some never.
    const at = chaos.below(3) === 0 ? chaos.below(Math.max(1, cluster.letters.length)) : 0
    const letter = chaos.below(12) === 0 ? cluster.letters[at] : cluster.letters.splice(at, 1)[0]
    if (letter !== undefined && chaos.below(15) > 0) cluster.deliver(letter)
  } else if (dice < 65) node.sync()
  else if (dice < 78) cluster.tick(1 + chaos.below(15))
  else if (dice < 88) {
    if (node.machine === null) return
    const data = Array.from({ length: 1 + chaos.below(3) }, () => {
      run.commands++
      return encoder.encode(`c${run.commands}`)
    })
    node.step({ type: 'propose', ref: cluster.ref(), now: cluster.now, wall: 0, data })
  } else if (dice < 92) {
    if (node.machine === null) return
    const ref = cluster.ref()
    run.reads.set(ref, watch.committedIndex)
    node.step({ type: 'read', ref })
  } else if (dice < 94) {
    if (node.machine !== null) node.compact(chaos.below(4))
  } else if (dice < 96) {
    if (node.machine === null) node.start()
    else if (chaos.below(2) === 0) {
      node.tear(chaos)
      node.crash()
    }
  } else if (dice < 97) {
    const to = nodes[chaos.below(nodes.length)] as TestNode
    if (node.machine !== null) node.step({ type: 'transfer', to: to.id })
  } else if (dice < 98) {
    cluster.letters = cluster.letters.filter(() => chaos.below(4) === 0)
  } else {
    const other = nodes[chaos.below(nodes.length)] as TestNode
    if (other === node) return
    const type = chaos.below(2) === 0 ? 'linkDown' : 'linkUp'
    if (node.machine !== null) node.step({ type, peer: other.id })
    if (other.machine !== null && chaos.below(3) > 0) other.step({ type, peer: node.id })
  }
  if (chaos.below(8) === 0) streamSnapshots(run, false)
}

/** A crash may have taken the admission of a node back, or it was never admitted. */
function joinFresh(run: Run): void {
  const nodes = [...run.cluster.nodes.values()].filter((node) => node.machine !== null)
  const history = nodes.map((node) => node.raft.view().history).find((found) => found !== null)
  if (history === undefined) return
  for (const node of nodes) if (node.raft.view().history === null) node.step({ type: 'join', history })
}

/** Faults end: everybody runs, every letter and write arrives, until all agree. */
function converge(run: Run): void {
  const { cluster } = run
  for (const node of cluster.nodes.values()) if (node.machine === null) node.start()
  joinFresh(run)
  for (const node of cluster.nodes.values())
    for (const other of cluster.nodes.values())
      if (node !== other) node.step({ type: 'linkUp', peer: other.id })
  for (let round = 0; round < 400; round++) {
    cluster.tick(5)
    for (let i = 0; i < 40; i++) {
      const letters = cluster.letters.splice(0)
      for (const letter of letters) cluster.deliver(letter)
      let wrote = false
      for (const node of cluster.nodes.values()) while (node.sync()) wrote = true
      streamSnapshots(run, true)
      if (letters.length === 0 && !wrote) break
    }
  }
}

function demandAgreement(run: Run, among: readonly TestNode[]): void {
  const leader = run.cluster.leaders()[0]
  expect(run.cluster.leaders().length).toBe(1)
  if (leader === undefined) return
  for (const node of among) {
    expect([node.id, node.state.length]).toEqual([node.id, leader.state.length])
    expect(node.state).toEqual(leader.state)
  }
  expect(leader.state.length).toBeGreaterThanOrEqual(run.watch.committedIndex)
}

function withSeed(seed: number, body: () => void): void {
  try {
    body()
  } catch (error) {
    throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  } finally {
    snapshotsDue.length = 0
  }
}

describe('Raft under loss, reordering, doubling, crashes and lost writes', () => {
  test('keeps its laws, and agrees once the faults end', () => {
    let elections = 0
    let commands = 0
    let reads = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      withSeed(seed, () => {
        const run = begin(seed, seed % 3 === 0 ? ['a', 'b', 'c', 'd', 'e'] : ['a', 'b', 'c'], ['x'])
        for (let i = 0; i < 3000; i++) disturb(run)
        converge(run)
        demandAgreement(run, [...run.cluster.nodes.values()])
        elections += run.watch.elections
        commands += run.watch.committedIndex
        reads += run.answeredReads
      })
    }
    // The runs are worth something only when a lot happens in them.
    expect(elections).toBeGreaterThan(3 * SEEDS)
    expect(commands).toBeGreaterThan(25 * SEEDS)
    expect(reads).toBeGreaterThan(3 * SEEDS)
  })

  test('keeps its laws with a witness that stores only what somebody may need', () => {
    let led = 0
    let cut = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      withSeed(seed, () => {
        const run = begin(seed, ['a', 'b', 'w'], [], ['w'])
        const watched = run.cluster.onStep
        run.cluster.onStep = (node, input, effects) => {
          watched(node, input, effects)
          for (const effect of effects)
            if (node.id === 'w' && effect.type === 'role' && effect.role === 'leader') led++
        }
        for (let i = 0; i < 3000; i++) {
          disturb(run)
          if (run.chaos.below(40) > 0) continue
          for (const leader of run.cluster.leaders()) {
            const type = run.chaos.below(2) === 0 ? 'demote' : 'promote'
            leader.step({ type: 'change', ref: run.cluster.ref(), change: { type, node: nodeId('w') } })
          }
        }
        const w = run.cluster.node('w')
        if (w.disk.snapshot !== null) cut++
        converge(run)
        demandAgreement(run, [...run.cluster.nodes.values()])
        expect(run.cluster.leaders()[0]?.id).not.toBe('w')
      })
    }
    // It takes office now and then, because nobody else can, and gives it back.
    expect(led).toBeGreaterThan(SEEDS / 10)
    expect(cut).toBeGreaterThan(SEEDS / 4)
  })

  test('keeps its laws while members come and go', () => {
    let changes = 0
    let joint = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      withSeed(seed, () => {
        const run = begin(seed, ['a', 'b', 'c'])
        for (const id of ['d', 'e']) {
          const node = run.cluster.add(id)
          node.start()
        }
        for (let i = 0; i < 4000; i++) {
          disturb(run)
          if (run.chaos.below(25) > 0) continue
          joinFresh(run)
          const ids = ['a', 'b', 'c', 'd', 'e']
          const types = ['addLearner', 'promote', 'promote', 'demote', 'away', 'remove'] as const
          const node = nodeId(ids[run.chaos.below(5)] as string)
          const type = types[run.chaos.below(types.length)] as (typeof types)[number]
          const one: MemberChange = { type, node }
          // A voter for another, or two at once.
          const seen = run.cluster.leaders()[0]?.raft.view().configuration
          const due: MemberChange[] = [
            ...(seen?.learners ?? []).map((each): MemberChange => ({ type: 'promote', node: each })),
            ...(seen?.voters ?? []).map((each): MemberChange => ({ type: 'remove', node: each })),
          ].slice(0, 2 + run.chaos.below(2))
          const together = due.length > 1 && run.chaos.below(2) === 0
          const change: ConfigurationChange = together ? { type: 'several', changes: due } : one
          for (const leader of run.cluster.leaders()) {
            const effects = leader.step({ type: 'change', ref: run.cluster.ref(), change })
            if (!effects.some((effect) => effect.type === 'accepted')) continue
            changes++
            if (leader.raft.view().configuration?.outgoing !== undefined) joint++
          }
        }
        converge(run)
        const leader = run.cluster.leaders()[0]
        const configuration = leader?.raft.view().configuration
        const members = [...(configuration?.voters ?? []), ...(configuration?.learners ?? [])]
        demandAgreement(
          run,
          members.map((id) => run.cluster.node(id)),
        )
      })
    }
    expect(changes).toBeGreaterThan(2 * SEEDS)
    expect(joint).toBeGreaterThan(SEEDS / 10)
  })

  test('a group grows and shrinks while its nodes die, and survivors of two go on alone', () => {
    let alone = 0
    let grown = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      withSeed(seed, () => {
        const run = begin(seed, ['a', 'b'], ['c'])
        const { chaos, cluster } = run
        const watched = cluster.onStep
        cluster.onStep = (node, input, effects) => {
          watched(node, input, effects)
          for (const effect of effects) if (effect.type === 'lineage' && effect.alone) alone++
        }
        const all = [...cluster.nodes.values()]
        for (const node of all) for (const other of all) if (node.id < other.id) connect(node, other)
        for (let life = 0; life < 8; life++) {
          // Over a link that is up, one node may hear nothing of another for a while.
          const deaf = all[chaos.below(3)] as TestNode
          for (let i = 0; i < 250; i++) {
            if (life % 2 === 0) cluster.letters = cluster.letters.filter(({ to }) => to !== deaf.id)
            calm(run)
            if (chaos.below(20) > 0) continue
            const node = (all[chaos.below(3)] as TestNode).id
            const type = (['addLearner', 'addLearner', 'promote', 'promote', 'remove'] as const)[
              chaos.below(5)
            ]
            for (const leader of cluster.leaders()) {
              if (type === undefined) continue
              const effects = leader.step({ type: 'change', ref: cluster.ref(), change: { type, node } })
              if (type === 'promote' && effects.some((effect) => effect.type === 'accepted')) grown++
            }
          }
          const victim = all[chaos.below(3)] as TestNode
          victim.tear(chaos)
          victim.crash()
          cluster.letters = cluster.letters.filter(({ from, to }) => from !== victim.id && to !== victim.id)
          const survivors = all.filter((node) => node !== victim)
          for (const node of survivors) node.step({ type: 'linkDown', peer: victim.id })
          for (let i = chaos.below(30); i > 0; i--) calm(run)
          for (const node of survivors) {
            const lineage = `L${seed}-${life}-${node.id}` as LineageId
            node.step({ type: 'goAlone', peer: victim.id, lineage })
          }
          for (let i = chaos.below(200); i > 0; i--) calm(run)
          victim.start()
          for (const node of survivors) connect(node, victim)
          for (let i = 0; i < 200; i++) calm(run)
          for (const node of all) {
            for (const leader of cluster.leaders()) {
              for (const type of ['addLearner', 'promote'] as const) {
                leader.step({ type: 'change', ref: cluster.ref(), change: { type, node: node.id } })
                for (let i = 0; i < 100; i++) calm(run)
              }
            }
          }
        }
      })
    }
    expect(alone).toBeGreaterThan(SEEDS / 2)
    expect(grown).toBeGreaterThan(SEEDS / 4)
  })

  test('two voters, one proved dead again and again: nothing acknowledged is lost', () => {
    let alone = 0
    let adopted = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      withSeed(seed, () => {
        const run = begin(seed, ['a', 'b'])
        const watched = run.cluster.onStep
        run.cluster.onStep = (node, input, effects) => {
          watched(node, input, effects)
          for (const effect of effects) {
            if (effect.type !== 'lineage') continue
            if (effect.alone) alone++
            else adopted++
          }
        }
        const [a, b] = [run.cluster.node('a'), run.cluster.node('b')]
        connect(a, b)
        for (let life = 0; life < 6; life++) {
          for (let i = 0; i < 400; i++) calm(run)
          const [victim, survivor] = run.chaos.below(2) === 0 ? [a, b] : [b, a]
          // The process dies: what was on its way to and from it is gone.
          victim.tear(run.chaos)
          victim.crash()
          run.cluster.letters = []
          survivor.step({ type: 'linkDown', peer: victim.id })
          for (let i = run.chaos.below(30); i > 0; i--) calm(run)
          const lineage = `L${seed}-${life}` as LineageId
          survivor.step({ type: 'goAlone', peer: victim.id, lineage })
          if (run.chaos.below(4) === 0) {
            survivor.tear(run.chaos)
            survivor.crash()
            survivor.start()
          }
          for (let i = run.chaos.below(200); i > 0; i--) calm(run)
          victim.start()
          connect(a, b)
          for (let i = 0; i < 300; i++) calm(run)
          rejoin(run, survivor, victim)
        }
        converge(run)
        demandAgreement(run, [a, b])
      })
    }
    expect(alone).toBeGreaterThan(SEEDS)
    expect(adopted).toBeGreaterThan(SEEDS)
  })
})

function connect(a: TestNode, b: TestNode): void {
  a.step({ type: 'linkUp', peer: b.id })
  b.step({ type: 'linkUp', peer: a.id })
}

/** Both run, nothing is lost; clients write. */
function calm(run: Run): void {
  const { cluster, chaos } = run
  const dice = chaos.below(10)
  if (dice < 5) {
    const letter = cluster.letters.shift()
    if (letter !== undefined) cluster.deliver(letter)
  } else if (dice < 8) {
    for (const node of cluster.nodes.values()) node.sync()
  } else if (dice < 9) cluster.tick(1 + chaos.below(10))
  else {
    for (const leader of cluster.leaders()) {
      run.commands++
      const data = [encoder.encode(`c${run.commands}`)]
      leader.step({ type: 'propose', ref: cluster.ref(), now: cluster.now, wall: 0, data })
    }
  }
}

/** The survivor's group takes the other back as a voter. */
function rejoin(run: Run, survivor: TestNode, victim: TestNode): void {
  for (const type of ['addLearner', 'promote'] as const) {
    if (survivor.raft.view().role !== 'leader') return
    survivor.step({ type: 'change', ref: run.cluster.ref(), change: { type, node: victim.id } })
    for (let i = 0; i < 300; i++) calm(run)
  }
}
