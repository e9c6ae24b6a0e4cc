import { logIndex, nodeId } from '@cluster/core'
import {
  decodeResults,
  encodeCommand,
  encodeRequirements,
  END,
  KINDS,
  type Operation,
  type Targeted,
  type When,
} from '../../src/machine/codec.ts'
import type { Change } from '../../src/machine/feed.ts'
import { ContainerMachine } from '../../src/machine/machine.ts'
import type { Container, ContainerEffect, Message } from '../../src/machine/state.ts'
import type { Stored } from '../../src/machine/stored.ts'

const text = new TextDecoder()
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value)
const shown = (stored: Stored | null): string =>
  stored === null ? '-' : typeof stored === 'number' ? String(stored) : text.decode(stored)

/**
 * Runs one command after another on a machine: `NODE KIND NAME OPERATION …`, several with ` ; ` between for one entry; `at 50`
 * sets the log time; `begin`, `commit` and `rollback` are those of bundles. Keys and values are words.
 */
export class Script {
  #effects: ContainerEffect[] = []
  #machine = this.#make()
  #index = 0
  #time = 0

  #make(): ContainerMachine {
    return new ContainerMachine({ containers: 3, nameBytes: 8, keyBytes: 8, valueBytes: 1_000 }, (effects) =>
      this.#effects.push(...effects),
    )
  }

  run(line: string): string {
    const [word = '', ...rest] = line.split(' ')
    const { bundles } = this.#machine
    switch (word) {
      case 'at':
        this.#time = Number(rest[0])
        return '  ok'
      case 'begin':
      case 'commit':
      case 'rollback':
        bundles[word]()
        return this.#said('ok')
      case 'holds': {
        const [name = '', key = '', version = ''] = rest
        return `  ${bundles.check(encodeRequirements([{ name, key, version: Number(version) }]))}`
      }
      case 'restart': {
        const state = this.#machine.snapshot()
        this.#machine = this.#make()
        this.#machine.restore(state, logIndex(this.#index))
        return this.#said(`snapshot of ${state.length} bytes`)
      }
      case 'state':
        return [...this.#machine.containers.values()].map(stateOf).join('\n') || '  nothing'
      default: {
        const operations = line.slice(word.length + 1).split(' ; ').map((each) => targeted(each.split(' ')))
        const result = this.#machine.apply({
          index: logIndex(++this.#index),
          time: this.#time,
          wall: 1_000 + this.#time,
          origin: nodeId(word),
          command: encodeCommand(operations),
        })
        const answers = decodeResults(result).map(({ status, value }) => `${status} ${value}`)
        return this.#said(`${this.#index}: ${answers.join(', ')}`)
      }
    }
  }

  #said(answer: string): string {
    const effects = this.#effects.map((effect) =>
      effect.type === 'changed' ? `    changed ${effect.names.join(' ')}` : `    ${effect.type}`,
    )
    this.#effects = []
    return [`  ${answer}`, ...effects].join('\n')
  }
}

function targeted([kindWord = '', name = '', ...rest]: readonly string[]): Targeted {
  if (kindWord === 'sweep') return { sweep: true }
  const kind = KINDS.find((each) => each === kindWord)
  if (kind === undefined) throw new Error(`the script knows no kind ${kindWord}`)
  return { name, kind, operation: operationOf(rest) }
}

/** `ttl 50` and `when absent`, `when version 3`, `when equal x` may stand behind a write. */
function operationOf([word = '', ...rest]: readonly string[]): Operation {
  const [first = '', second = '', third = ''] = rest
  const option = (name: string): string | undefined => {
    const at = rest.indexOf(name)
    return at < 0 ? undefined : rest[at + 1]
  }
  const number = (name: string): number => Number(option(name) ?? 0)
  const ttl = option('ttl') === 'never' ? 1 : option('ttl') === undefined ? 0 : number('ttl') + 1
  const position = (place: string): number => (place === 'end' ? END : Number(place))
  switch (word) {
    case 'open':
      return {
        type: word,
        wanted: {
          bytesMax: number('bytesMax'),
          historyMax: number('historyMax'),
          sizeMax: number('sizeMax'),
          ttlMs: number('ttlMs'),
          leaseMs: number('leaseMs'),
          deliveriesMax: number('deliveriesMax'),
        },
      }
    case 'destroy':
    case 'clear':
      return { type: word }
    case 'put':
      return {
        type: word,
        key: first,
        value: /^-?\d+$/.test(second) ? Number(second) : bytes(second),
        ttl,
        when: whenOf(rest),
      }
    case 'remove':
      return { type: word, key: first, when: whenOf(rest) }
    case 'add':
      return { type: word, key: first, by: Number(second) }
    case 'touch':
      return { type: word, key: first, ttl }
    case 'insert':
    case 'place':
      return { type: word, at: position(first), value: bytes(second) }
    case 'cut':
      return { type: word, at: position(first), version: Number(second || 0) }
    case 'push':
      return { type: word, value: bytes(first), priority: Number(second || 0) }
    case 'pushLater':
      return {
        type: word,
        value: bytes(first),
        priority: 0,
        delayMs: number('delayMs'),
        wall: number('wall'),
      }
    case 'postpone':
      return { type: word, id: Number(first), receipt: second, delayMs: Number(third) }
    case 'putBack':
    case 'discard':
      return { type: word, id: Number(first) }
    case 'take':
      return { type: word, receipt: first, leaseMs: Number(second || 0) }
    case 'acknowledge':
    case 'release':
    case 'redeliver':
      return { type: word, id: Number(first), receipt: second }
    case 'extend':
      return { type: word, id: Number(first), receipt: second, leaseMs: Number(third || 0) }
    case 'publish':
      return { type: word, value: bytes(first) }
    default:
      throw new Error(`the script knows no ${word}`)
  }
}

function whenOf(words: readonly string[]): When {
  const at = words.indexOf('when')
  const [is = 'any', value = ''] = at < 0 ? [] : words.slice(at + 1)
  if (is === 'version') return { is, version: Number(value) }
  if (is === 'equal') return { is, value: /^-?\d+$/.test(value) ? Number(value) : bytes(value) }
  if (is === 'any' || is === 'absent' || is === 'present') return { is }
  throw new Error(`the script knows no condition ${is}`)
}

const messageOf = ({ id, value, deliveries, receipt, priority, deadline, spared, aside }: Message): string =>
  `${id} ${shown(value)} priority ${priority} delivered ${deliveries}${
    receipt === '' ? (deadline > 0 ? ` not before ${deadline}` : '') : ` to ${receipt} until ${deadline}`
  }${spared > 0 ? `, ${spared} spared` : ''}${aside ? ', set aside' : ''}`

const changeOf = ({ number, type, key, before, after }: Change): string =>
  `${number} ${type} ${key} ${shown(before)} ${shown(after)}`

function stateOf(container: Readonly<Container>): string {
  const { name, kind, id, bytes: counted, entries, elements, queue, feed } = container
  const lines = [`  ${kind} ${name} #${id}, ${counted} bytes`]
  entries.ascend(undefined, (key, { value, version, deadline }) => {
    lines.push(`    ${key} = ${shown(value)} #${version}${deadline > 0 ? ` until ${deadline}` : ''}`)
    return true
  })
  for (const { value, version } of elements) lines.push(`    ${shown(value)} #${version}`)
  queue.ready.ascend(undefined, (_key, waiting) => {
    const message = queue.messages.get(waiting)
    if (message) lines.push(`    ${messageOf(message)}`)
    return true
  })
  queue.aside.ascend(undefined, (_key, aside) => {
    const message = queue.messages.get(aside)
    if (message) lines.push(`    ${messageOf(message)}`)
    return true
  })
  for (const taken of [...queue.receipts.values(), ...queue.delayed]) {
    const message = queue.messages.get(taken)
    if (message) lines.push(`    ${messageOf(message)}`)
  }
  lines.push(...feed.toArray().map((change) => `    > ${changeOf(change)}`))
  return lines.join('\n')
}
