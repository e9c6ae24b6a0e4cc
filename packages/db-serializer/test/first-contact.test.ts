import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { clusterId, lineageId, type NodeId, nodeId } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  Forming,
  type FormingEffect,
  type FormingInput,
  type GroupCard,
  type Hello,
} from '../src/machine/group/forming.ts'
import type { Configuration } from '../src/machine/raft/types.ts'

const folder = new URL('./golden-contact/', import.meta.url)
const plain = { formMs: 400, expect: null, alone: false, askMs: 200, supports: 1, witness: false }

/** `x voters=a,b learners=c index=5 leader=a full` is a card of the cluster x. */
function card(words: readonly string[]): GroupCard {
  const [cluster = '', ...rest] = words
  const field = (name: string): string | null =>
    rest.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? null
  const nodes = (name: string): NodeId[] => (field(name) ?? '').split(',').filter(Boolean).map(nodeId)
  const [name = '', lineage = 'first'] = cluster.split('/')
  const configuration: Configuration = {
    voters: nodes('voters'),
    learners: nodes('learners'),
    away: nodes('away'),
    provisional: false,
  }
  return {
    history: {
      cluster: clusterId(name),
      lineage: lineageId(`${name} ${lineage}`),
      ancestry:
        lineage === 'first'
          ? []
          : [
              {
                lineage: lineageId(`${name} first`),
                index: 1 as never,
                term: 1 as never,
                by: nodeId('a'),
                senior: null,
              },
            ],
    },
    configuration,
    configurationIndex: Number(field('index') ?? 1),
    leader: field('leader') === null ? null : nodeId(field('leader') ?? ''),
    empty: !rest.includes('full'),
    tombstones: (field('buried') ?? '').split(',').filter(Boolean),
    forked: null,
  }
}

function showHello(hello: Hello): string {
  if (hello.status === 'fresh')
    return hello.promise === null ? 'fresh' : `fresh, promised to ${hello.promise}`
  const { history, configuration, empty } = hello
  return `in ${history.lineage}${empty ? '' : ', with data'}, voters ${configuration?.voters.join(' ')}`
}

function show(effect: FormingEffect): string {
  switch (effect.type) {
    case 'hello':
      return `-> ${effect.to}: ${showHello(effect.hello)}`
    case 'promise':
      return `promise to ${effect.to}`
    case 'form':
      return `form${effect.promised.map((id) => ` ${id}`).join('')}`
    case 'askJoin':
      return `ask ${effect.via} for admission${effect.fresh ? ', fresh' : ''}`
    case 'adopt':
      return `adopt ${effect.history.lineage}`
    case 'dissolve':
      return `dissolve into ${effect.into}`
    case 'giveUp':
      return `give up for ${effect.into}`
    case 'conflict':
      return `conflict with ${effect.with}, heard from ${effect.peer}`
    case 'waiting':
      return effect.for === null ? 'waits for nothing' : `waits for ${effect.for}`
  }
}

/** `fresh NODE [witness] [PROMISE]` */
function freshHello(words: readonly string[]): Hello {
  const promise = words.find((word) => word !== 'witness')
  return {
    status: 'fresh',
    promise: promise === undefined ? null : nodeId(promise),
    supports: 1,
    witness: words.includes('witness'),
  }
}

/** One line of a script. `now` moves on by the commands alone. */
class Script {
  #forming = new Forming({ self: nodeId('b'), ...plain }, null)
  #now = 0

  run(line: string): string[] {
    const [command = '', ...words] = line.split(' ')
    const peer = nodeId(words[0] ?? '')
    const now = this.#now
    switch (command) {
      case 'node': {
        const number = words.find((word) => word.startsWith('expect='))?.slice(7)
        const promise = words.find((word) => word.startsWith('promised='))?.slice(9)
        const expected = number === undefined ? null : Number(number)
        const alone = words.includes('alone')
        const witness = words.includes('witness')
        const adopt = words.find((word) => word.startsWith('adopt='))?.slice(6)
        this.#forming = new Forming(
          { self: peer, ...plain, expect: expected, alone, witness, ...(adopt && { adopt }) },
          promise ? nodeId(promise) : null,
        )
        return []
      }
      case 'after':
        this.#now += Number(words[0])
        return this.#step({ type: 'tick', now: this.#now })
      case 'up':
        return this.#step({ type: 'linkUp', peer, now })
      case 'down':
        return this.#step({ type: 'linkDown', peer, now, gone: false })
      case 'gone':
        return this.#step({ type: 'linkDown', peer, now, gone: true })
      case 'fresh':
        return this.#step({
          type: 'hello',
          from: peer,
          hello: freshHello(words.slice(1)),
          now,
        })
      case 'grouped':
        return this.#step({
          type: 'hello',
          from: peer,
          hello: { status: 'grouped', ...card(words.slice(1)) },
          now,
        })
      case 'promised':
        return this.#step({ type: 'promised', to: peer })
      case 'group':
        return this.#step({ type: 'group', card: words[0] === 'none' ? null : card(words), now })
      default:
        throw new Error(`unknown command ${command}`)
    }
  }

  #step(input: FormingInput): string[] {
    return this.#forming.step(input).map(show)
  }
}

function replay(text: string): string {
  const script = new Script()
  const blocks = text.trim().split(/\n\n+/)
  return `${blocks
    .map((block) => {
      const lines = (block.split(/^---$/m)[0] ?? '').trim().split('\n')
      const output = lines.flatMap((line) => (line.startsWith('#') ? [] : script.run(line)))
      return lines.every((line) => line.startsWith('#'))
        ? lines.join('\n')
        : [...lines, '---', ...output].join('\n')
    })
    .join('\n\n')}\n`
}

describe('golden scripts of first contact', () => {
  const names = readdirSync(folder).filter((name) => name.endsWith('.txt'))
  test.each(names.sort())('%s', (name) => {
    const file = new URL(name, folder)
    const recorded = readFileSync(file, 'utf8')
    const replayed = replay(recorded)
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, replayed)
    else expect(replayed).toBe(recorded)
  })
})

describe('first contact', () => {
  // Fresh nodes that all see each other in the end, whatever the order and delay of links and hellos.
  test('no node is ever counted by two formers', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 5 }), fc.infiniteStream(fc.nat(1_000)), (count, chance) => {
        const draw = (bound: number): number => (chance.next().value ?? 0) % bound
        const names = Array.from({ length: count }, (_, i) => nodeId(String.fromCharCode(97 + i)))
        const nodes = new Map(names.map((self) => [self, new Forming({ self, ...plain }, null)]))
        const formed = new Map<NodeId, readonly NodeId[]>()
        const wire: { at: number; to: NodeId; input: (now: number) => FormingInput }[] = []
        const arrived = new Map<string, number>()
        let now = 0
        const give = (self: NodeId, input: FormingInput): void => {
          for (const effect of nodes.get(self)?.step(input) ?? []) {
            if (effect.type === 'hello') {
              const { to, hello } = effect
              // What one node says to another arrives in the order in which it was said.
              const link = `${self} ${to}`
              const at = Math.max(arrived.get(link) ?? 0, now + 1 + draw(80))
              arrived.set(link, at)
              wire.push({
                at,
                to,
                input: (when) => ({ type: 'hello', from: self, hello, now: when }),
              })
            } else if (effect.type === 'promise') {
              wire.push({ at: now + draw(20), to: self, input: () => ({ type: 'promised', to: effect.to }) })
            } else if (effect.type === 'form') formed.set(self, effect.promised)
          }
        }
        for (const [i, one] of names.entries()) {
          for (const other of names.slice(i + 1)) {
            const at = draw(500)
            wire.push({ at, to: one, input: (when) => ({ type: 'linkUp', peer: other, now: when }) })
            wire.push({ at, to: other, input: (when) => ({ type: 'linkUp', peer: one, now: when }) })
          }
        }
        for (; now < 6_000; now += 10) {
          for (const item of wire.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at)) {
            wire.splice(wire.indexOf(item), 1)
            give(item.to, item.input(now))
          }
          for (const self of names) give(self, { type: 'tick', now })
        }
        expect(formed.size).toBeGreaterThan(0)
        const counted = [...formed].flatMap(([former, promised]) => [former, ...promised])
        expect(new Set(counted).size).toBe(counted.length)
      }),
      { numRuns: 100 },
    )
  })
})

test('a fresh node waits, but not for ever, while a first dial is not over', () => {
  const decidesAt = (exploringUntil: number): number => {
    const forming = new Forming({ self: nodeId('a'), ...plain }, null)
    for (let now = 0; now < 10_000; now += 50) {
      const effects = forming.step({ type: 'tick', now, exploring: now < exploringUntil })
      if (effects.some(({ type }) => type === 'promise')) return now
    }
    return Number.POSITIVE_INFINITY
  }
  expect(decidesAt(0)).toBe(400)
  expect(decidesAt(1_500)).toBe(1_650)
  expect(decidesAt(Number.POSITIVE_INFINITY)).toBe(3_000)
})
