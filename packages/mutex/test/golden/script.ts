import { logIndex, nodeId } from '@cluster/core'
import { decodeResult, encodeCommand, encodeRequirement, type MutexCommand } from '../../src/machine/codec.ts'
import { MutexMachine } from '../../src/machine/machine.ts'
import type { Claim, MutexEffect } from '../../src/machine/state.ts'

const LEASE_MS = 100

const shown = (effect: MutexEffect): string =>
  Object.values(effect)
    .map((value) => String(value))
    .join(' ')

const claim = ({ session, request, mode, permits, token, owner, broken }: Claim): string =>
  `s${session}.${request}${owner > 0 ? ` as${owner}` : ''} ${mode}${mode === 'permits' ? ` ${permits}` : ''}${token > 0 ? ` #${token}` : ''}${
    broken === null ? '' : ` broken: ${broken}`
  }`

/**
 * Runs one command after another on a machine. Nodes are letters; a node's session is the one it opened last; `at 50` sets the
 * log time. `begin`, `commit` and `rollback` are those of bundles.
 */
export class Script {
  #effects: MutexEffect[] = []
  #machine = this.#make()
  readonly #sessions = new Map<string, number>()
  #index = 0
  #time = 0

  #make(): MutexMachine {
    return new MutexMachine(
      { sessions: 3, locks: 3, queue: 2, requests: 4, nameBytes: 8 },
      (effects) => this.#effects.push(...effects),
    )
  }

  run(line: string): string {
    const [word = '', ...rest] = line.split(' ')
    const { bundles } = this.#machine
    const [first = '', second = '', third = ''] = rest
    switch (word) {
      case 'at':
        this.#time = Number(first)
        return '  ok'
      case 'begin':
      case 'commit':
      case 'rollback':
        bundles[word]()
        return this.#said('ok')
      case 'holds': {
        const requirement = { name: first, token: Number(second), uid: third }
        return `  ${bundles.check(encodeRequirement(requirement))}`
      }
      case 'restart': {
        const state = this.#machine.snapshot()
        this.#machine = this.#make()
        this.#machine.restore(state, logIndex(this.#index))
        return this.#said(`snapshot of ${state.length} bytes`)
      }
      case 'state':
        return this.#state()
      default: {
        const command = this.#command(word, rest)
        const { status, value, cycle = [] } = decodeResult(
          this.#machine.apply({
            index: logIndex(++this.#index),
            time: this.#time,
            wall: 1_000 + this.#time,
            origin: nodeId(word),
            command: encodeCommand(command),
          }),
        )
        if (command.type === 'open' && status === 'done') this.#sessions.set(word, value)
        const way = cycle.map(({ node: waits, lock }) => `; ${waits} waits for ${lock}`).join('')
        return this.#said(`${this.#index}: ${status} ${value}${way}`)
      }
    }
  }

  #command(node: string, [word = '', ...rest]: readonly string[]): MutexCommand {
    const session = this.#sessions.get(node) ?? 0
    const [first = '', second = '', third = '', fourth = ''] = rest
    switch (word) {
      case 'open':
        return {
          type: 'open',
          uid: `uid-${node}`,
          known: first === '' ? this.#machine.counter : Number(first),
          leaseMs: LEASE_MS,
        }
      case 'renew':
      case 'close':
        return { type: word, session }
      case 'acquire':
      case 'try': {
        const semaphore = /^(\d+)of(\d+)$/.exec(third)
        const barrier = /^by(\d+)$/.exec(third)
        const owner = /^as(\d+)$/.exec(fourth)
        return {
          type: 'acquire',
          session,
          request: Number(first),
          name: second,
          mode: semaphore ? 'permits' : barrier ? 'barrier' : third === 'shared' ? 'shared' : 'exclusive',
          permits: Number(semaphore?.[1] ?? 1),
          limit: Number(semaphore?.[2] ?? barrier?.[1] ?? 0),
          wait: word === 'acquire',
          ...(owner && { owner: Number(owner[1]) }),
        }
      }
      case 'release':
        return { type: 'release', session, request: Number(first) }
      case 'expire':
        return { type: 'expire', session: this.#sessions.get(first) ?? 0 }
      case 'gone':
        return { type: 'gone', node: nodeId(first), upTo: this.#machine.counter }
      case 'set':
      case 'down':
        return { type: 'latch', name: first, set: word === 'set', count: Number(second) }
      case 'break':
        return { type: 'break', name: first, reason: rest.slice(1).join(' ') }
      default:
        throw new Error(`the script knows no ${word}`)
    }
  }

  #said(text: string): string {
    const effects = this.#effects.map((effect) => `    ${shown(effect)}`)
    this.#effects = []
    return [`  ${text}`, ...effects].join('\n')
  }

  #state(): string {
    const sessions = [...this.#machine.sessions.values()].map(
      ({ id, node, renewedAt }) => `  s${id} of ${node}, renewed at ${renewedAt}`,
    )
    const locks = [...this.#machine.locks.values()].map(
      ({ name, limit, holders, queue }) =>
        `  ${name}${limit > 0 ? ` of ${limit}` : ''}: [${holders.map(claim).join(', ')}] then [${queue.map(claim).join(', ')}]`,
    )
    const latches = [...this.#machine.latches].map(([name, count]) => `  ${name} has ${count} to go`)
    return [...sessions, ...locks, ...latches].join('\n') || '  nothing'
  }
}
