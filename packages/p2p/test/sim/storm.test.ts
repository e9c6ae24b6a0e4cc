import {
  type Cancel,
  type LinkDownCause,
  type MemberState,
  type NodeId,
  type Peers,
  pick,
} from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import { simPeers } from '../sim-peers.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e']
const SEEDS = Array.from({ length: 25 }, (_, seed) => seed)
const STORM_MS = 30_000

/** What the storms did and saw, so that none of it is rare. */
const totals = { kills: 0, stops: 0, powerCuts: 0, isolations: 0, breaks: 0, refused: 0, restarted: 0 }

async function storm(seed: number): Promise<void> {
  const sim = simPeers(seed)
  const { world } = sim
  const random = world.random.fork('storm')
  const stopping = new Set<string>()
  const states = new Map<string, MemberState>()
  const causes = new Map<string, LinkDownCause>()
  const problems: string[] = []
  const node = (name: string) => world.nodes.find(({ id }) => id === name)

  const watch =
    (self: string): ((peers: Peers) => void) =>
    (peers) => {
      for (const key of [...states.keys()]) if (key.startsWith(`${self}>`)) states.delete(key)
      peers.on('linkDown', ({ peer, start, cause }) => causes.set(`${self}>${peer}/${start}`, cause))
      peers.on('deathProved', ({ peer, start, by }) => {
        totals[by]++
        const cause = causes.get(`${self}>${peer}/${start}`)
        if (cause !== 'closed-by-host') problems.push(`${self} proved ${peer}/${start} dead, but it ${cause}`)
        const victim = node(peer)
        // Safety: what is proved dead is dead. One that closes its door in good order counts as dead.
        if (victim?.running && victim.starts === start && !stopping.has(peer))
          problems.push(`${self} proved ${peer}/${start} dead (${by}) at ${world.now} ms, and it lives`)
      })
      peers.on('member', ({ member, before }) => {
        const key = `${self}>${member.id}`
        const was = states.get(key) ?? null
        if (before !== null && was !== before) problems.push(`${key} was ${was}, said to have been ${before}`)
        states.set(key, member.state)
      })
      peers.on('failed', ({ error }) => problems.push(`${self} failed: ${error.message}`))
    }
  const begin = (name: string): Promise<Peers> => sim.start(name, NAMES, watch(name))
  const check = (): void => {
    if (problems.length > 0) throw new Error(`seed ${seed}: ${problems.join('; ')}`)
  }

  for (const name of NAMES) await begin(name)
  const { faults } = world.network
  Object.assign(faults, { loss: 0.02, reorder: 0.05, reorderMsMax: 50, duplicate: 0.02 })
  const endings: Cancel[] = []
  while (world.now < STORM_MS) {
    await world.run(50 + random.between(0, 1_500), check)
    const name = pick(random, NAMES)
    const target = node(name)
    if (!target) continue
    const luck = random.between(0, 1)
    if (!target.running) await begin(name)
    else if (luck < 0.25) {
      target.crash('kill')
      totals.kills++
    } else if (luck < 0.4) {
      target.crash('power')
      totals.powerCuts++
    } else if (luck < 0.5) {
      stopping.add(name)
      await sim.settle(sim.stop(name, 'away'))
      stopping.delete(name)
      totals.stops++
    } else if (luck < 0.7) {
      sim.isolate(name)
      endings.push(world.schedule(random.between(100, 6_000), () => world.network.mend()))
      totals.isolations++
    } else {
      sim.breakLink(name, pick(random, NAMES))
      totals.breaks++
    }
  }

  // Liveness: once the faults stop, all that run see each other.
  for (const cancel of endings) cancel()
  sim.heal()
  for (const name of NAMES) if (!node(name)?.running) await begin(name)
  const ids = NAMES as NodeId[]
  const met = (): boolean =>
    world.nodes.every(({ app }) => ids.every((id) => (app as Peers | null)?.member(id)?.state === 'alive'))
  if (!(await world.until(met, 40_000, check))) {
    const seen = world.nodes.map(
      ({ id, app }) =>
        `${id}: ${(app as Peers | null)?.members().map((member) => `${member.id} ${member.state}`)}`,
    )
    throw new Error(
      `seed ${seed}: they do not meet again\n${seen.join('\n')}\n${world.trace.tail(60).join('\n')}`,
    )
  }
  for (const { app } of world.nodes)
    for (const id of ids) {
      const start = node(id)?.starts ?? 0
      expect((app as Peers | null)?.member(id)?.start).toBe(start)
    }
}

describe('five nodes in a storm', () => {
  for (const seed of SEEDS) test(`seed ${seed}`, () => storm(seed))

  test('no kind of fault or proof was rare', () => {
    for (const [kind, count] of Object.entries(totals)) expect([kind, count > 10]).toEqual([kind, true])
  })
})
