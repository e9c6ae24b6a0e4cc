import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type PairEffect, Pairing } from '../../src/machine/pairing.ts'

type Message = Extract<PairEffect, { readonly type: 'send' }>['message']

/** Two nodes and the connections between them; each connection delivers in order, both ends see its end. */
class TwoNodes {
  readonly sides = [new Pairing('a', 'b'), new Pairing('b', 'a')] as const
  readonly log: string[] = []
  readonly downs = [0, 0]
  /** Per connection and receiving side, what is on its way. */
  readonly #flying = new Map<string, [Message[], Message[]]>()
  readonly #up: [string | null, string | null] = [null, null]
  readonly #pending: { side: 0 | 1; link: string }[] = []
  #next = 0

  dial(start: number): void {
    const link = `link${this.#next++}`
    this.#flying.set(link, [[], []])
    for (const side of [0, 1] as const) this.run(side, this.sides[side].opened(link))
    // Admission ends at one side before the other, in either order.
    this.#pending.push({ side: 0, link }, { side: 1, link })
    this.starts.set(link, start)
  }

  readonly starts = new Map<string, number>()

  /** One of the things that may happen next, picked by a number; false when nothing can. */
  step(choice: number): boolean {
    const ready: (() => void)[] = this.#pending.map((item) => () => {
      this.#pending.splice(this.#pending.indexOf(item), 1)
      if (!this.#flying.has(item.link)) return
      this.run(item.side, this.sides[item.side].admitted(item.link, this.starts.get(item.link) ?? 1))
    })
    for (const [link, queues] of this.#flying)
      for (const side of [0, 1] as const) {
        // A side reads nothing about a connection before its own half of the admission is done.
        const waits = this.#pending.some((item) => item.side === side && item.link === link)
        if (queues[side].length > 0 && !waits) ready.push(() => this.deliver(link, side))
      }
    ready[choice % Math.max(1, ready.length)]?.()
    return ready.length > 0
  }

  /** The connection breaks; both ends notice. */
  cut(choice: number): void {
    const links = [...this.#flying.keys()]
    const link = links[choice % Math.max(1, links.length)]
    if (link !== undefined) this.close(link)
  }

  get ups(): readonly (string | null)[] {
    return this.#up
  }

  get connections(): number {
    return this.#flying.size
  }

  private deliver(link: string, side: 0 | 1): void {
    const message = this.#flying.get(link)?.[side].shift()
    if (!message) return
    const effects = this.sides[side].message(link, message)
    if (effects === null) throw new Error(`side ${side} does not understand ${message.t} on ${link}`)
    this.run(side, effects)
  }

  private close(link: string): void {
    this.#flying.delete(link)
    for (const side of [0, 1] as const) this.run(side, this.sides[side].closed(link, 'closed-by-host'))
  }

  private run(side: 0 | 1, effects: readonly PairEffect[]): void {
    for (const effect of effects) {
      this.log.push(`${side} ${effect.type} ${effect.link}`)
      if (effect.type === 'send') this.#flying.get(effect.link)?.[1 - side]?.push(effect.message)
      else if (effect.type === 'close') this.close(effect.link)
      else if (effect.type === 'down') {
        if (this.#up[side] !== effect.link) throw new Error('a link went down that was not up')
        this.#up[side] = null
        this.downs[side] = (this.downs[side] ?? 0) + 1
      } else {
        if (this.#up[side] !== null) throw new Error('a second link came up')
        this.#up[side] = effect.link
      }
    }
  }
}

function settle(nodes: TwoNodes): void {
  for (let i = 0; nodes.step(0); i++) if (i > 10_000) throw new Error('it never settles')
}

test('whoever dials whenever, both ends agree on one link and none goes down', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(fc.nat(50), { maxLength: 60 }), (dials, choices) => {
      const nodes = new TwoNodes()
      let dialled = 0
      for (const choice of choices) {
        if (dialled < dials && choice % 3 === 0) {
          dialled++
          nodes.dial(1)
        } else nodes.step(choice)
      }
      for (; dialled < dials; dialled++) nodes.dial(1)
      settle(nodes)
      const [a, b] = nodes.ups
      expect(a).not.toBeNull()
      expect(a).toBe(b)
      expect(nodes.downs).toEqual([0, 0])
      expect(nodes.connections).toBe(1)
    }),
    { numRuns: 500 },
  )
})

test('with connections that break and processes that restart, both ends agree in the end', () => {
  const event = fc.record({
    kind: fc.constantFrom('dial', 'step', 'step', 'step', 'cut'),
    choice: fc.nat(50),
  })
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), (events) => {
      const nodes = new TwoNodes()
      let start = 1
      for (const { kind, choice } of events) {
        if (kind === 'dial') nodes.dial((start += choice % 5 === 0 ? 1 : 0))
        else if (kind === 'cut') nodes.cut(choice)
        else nodes.step(choice)
      }
      settle(nodes)
      nodes.dial(start)
      settle(nodes)
      const [a, b] = nodes.ups
      expect(a).not.toBeNull()
      expect(a).toBe(b)
      expect(nodes.connections).toBe(1)
    }),
    { numRuns: 500 },
  )
})

test('a peer that lost the link gets a new one, and the old one goes down', () => {
  const pair = new Pairing('a', 'b')
  pair.opened('x')
  expect(pair.admitted('x', 1)).toEqual([
    { type: 'send', link: 'x', message: { t: 'use' } },
    { type: 'up', link: 'x' },
  ])
  pair.opened('y')
  expect(pair.admitted('y', 1)).toEqual([{ type: 'send', link: 'y', message: { t: 'have', link: 'x' } }])
  expect(pair.message('y', { t: 'no' })).toEqual([
    { type: 'send', link: 'y', message: { t: 'use' } },
    { type: 'down', link: 'x', cause: 'failed' },
    { type: 'close', link: 'x', why: 'replaced' },
    { type: 'up', link: 'y' },
  ])
  expect(pair.message('y', { t: 'use' })).toBeNull()
})

test('a process with an older start number is turned away', () => {
  const pair = new Pairing('a', 'b')
  pair.opened('x')
  pair.admitted('x', 5)
  pair.opened('y')
  expect(pair.admitted('y', 4)).toEqual([{ type: 'close', link: 'y', why: 'older-start' }])
})
