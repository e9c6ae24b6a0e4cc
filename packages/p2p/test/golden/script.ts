import { type Address, address, type LinkDownCause, type MemberState, nodeId } from '@cluster/core'
import { SimRandom } from '@cluster/testkit'
import type { Effect, Input } from '../../src/machine/io.ts'
import { Membership } from '../../src/machine/membership.ts'
import type { MemberNews, MembershipMessage } from '../../src/machine/messages.ts'
import { membershipConfig } from '../../src/options.ts'

/**
 * Plays commands on the machine of node `m`, start number 5, and gives what it does. One command a line:
 *
 *     started ADDRESS...               up PEER START ADDRESS...      down PEER CAUSE
 *     found [lasting] [PEER=]ADDRESS.. dialled ADDRESS PEER          undialled ADDRESS [refused]
 *     answer PROBE ADDRESS refused|silent|PEER/START [identity]
 *     alive PEER                       bye PEER away|left            garbage PEER WHY...
 *     news PEER [ID/START/STATE/ADDRESS]...                          stop away|left
 *     wait MS    lets time pass, with a tick whenever the machine asks for one
 *     sleep MS   lets time pass without any tick, as a process that does not run
 *     members    prints what it thinks of whom
 *
 * Heartbeats that it sends are left out. `set` lines before all others change the configuration.
 */
export function playScript(commands: string): string {
  const lines = commands.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))
  const settings: Record<string, number> = {}
  while (lines[0]?.startsWith('set ')) {
    const [, key = '', value = ''] = (lines.shift() ?? '').split(' ')
    settings[key] = Number(value)
  }
  const config = membershipConfig(nodeId('m'), { start: 5, heartbeatMs: 100, silentMs: 600, ...settings })
  const machine = new Membership(config, new SimRandom('golden'))
  const output: string[] = []
  let now = 1_000

  const step = (input: Input): void => {
    for (const effect of machine.step(input, now)) {
      const line = lineOf(effect)
      if (line !== null) output.push(`  ${(now - 1_000).toFixed(0).padStart(6)}  ${line}`)
    }
  }

  for (const line of lines) {
    output.push(line)
    const [verb = '', ...words] = line.trim().split(/\s+/)
    const ms = Number(words[0])
    if (verb === 'members')
      for (const { id, state, start, self } of machine.members(now))
        output.push(`          ${id}/${start} ${state}${self ? ' (self)' : ''}`)
    else if (verb === 'sleep') now += ms
    else if (verb === 'wait') {
      const end = now + ms
      while (machine.nextAt() <= end) {
        now = Math.max(now, machine.nextAt())
        step({ type: 'tick' })
      }
      now = end
    } else step(inputOf(verb, words))
  }
  return `${output.join('\n')}\n`
}

function inputOf(verb: string, words: readonly string[]): Input {
  const [first = '', second = '', third = ''] = words
  const peer = nodeId(first)
  const from = peer
  switch (verb) {
    case 'started':
      return { type: 'started', own: words.map(address) }
    case 'up':
      return {
        type: 'linkUp',
        info: { peer, start: Number(second), listening: words.slice(2).map(address), inbound: false },
      }
    case 'down':
      return { type: 'linkDown', peer, cause: second as LinkDownCause }
    case 'alive':
      return { type: 'message', from, message: { type: 'heartbeat' } }
    case 'bye':
      return { type: 'message', from, message: { type: 'goodbye', reason: second as 'away' | 'left' } }
    case 'news':
      return { type: 'message', from, message: { type: 'members', members: words.slice(1).map(newsOf) } }
    case 'garbage':
      return { type: 'malformed', from, why: words.slice(1).join(' ') }
    case 'found': {
      const lasting = first === 'lasting'
      const [named = '', at] = (lasting ? second : first).split('=')
      const addresses = [at ?? named, ...words.slice(lasting ? 2 : 1)].map(address)
      return { type: 'discovered', found: { addresses, lasting, ...(at && { id: nodeId(named) }) } }
    }
    case 'dialled':
      return { type: 'dialled', address: address(first), peer: nodeId(second) }
    case 'undialled':
      return {
        type: 'dialFailed',
        address: address(first),
        why: 'scripted',
        refused: second === 'refused',
        turnedAway: second === 'unwanted',
      }
    case 'answer': {
      const [id = '', start] = third.split('/')
      return {
        type: 'probeResult',
        probe: Number(first),
        address: address(second),
        purpose: words[3] === 'identity' ? 'identity' : 'death',
        result:
          start === undefined
            ? { answer: id === 'refused' ? 'refused' : 'silent' }
            : { answer: 'node', peer: nodeId(id), start: Number(start) },
      }
    }
    case 'stop':
      return { type: 'stop', reason: first as 'away' | 'left' }
    default:
      throw new Error(`no such command: ${verb}`)
  }
}

function newsOf(text: string): MemberNews {
  const [id = '', start = '', state = '', at] = text.split('/')
  const addresses: Address[] = at === undefined ? [] : [address(at)]
  return { id: nodeId(id), start: Number(start), state: state as MemberState, addresses }
}

function lineOf(effect: Effect): string | null {
  switch (effect.type) {
    case 'send':
      return effect.message.type === 'heartbeat' ? null : `to ${effect.to}: ${messageText(effect.message)}`
    case 'dial':
      return `dial ${effect.address}`
    case 'probe':
      return `probe ${effect.probe} at ${effect.address} (${effect.purpose})`
    case 'disconnect':
      return `disconnect ${effect.peer}`
    case 'log':
      return effect.level === 'debug' ? null : `${effect.level}: ${effect.event} ${JSON.stringify(effect.fields)}`
    case 'emit':
      return `event ${eventText(effect)}`
  }
}

function messageText(message: MembershipMessage): string {
  if (message.type === 'goodbye') return `goodbye, ${message.reason}`
  if (message.type === 'heartbeat') return 'heartbeat'
  return `members ${message.members.map(({ id, start, state, addresses }) => `${id}/${start}/${state}/${addresses.join('+')}`).join(' ')}`
}

function eventText(effect: Effect & { readonly type: 'emit' }): string {
  switch (effect.event) {
    case 'member':
      return `member ${effect.detail.member.id} ${effect.detail.before ?? 'new'} > ${effect.detail.member.state}`
    case 'linkUp':
      return `linkUp ${effect.detail.peer}/${effect.detail.start}`
    case 'linkDown': {
      const { peer, start, cause, silentMs } = effect.detail
      return `linkDown ${peer}/${start} ${cause}, silent ${silentMs.toFixed(0)} ms`
    }
    case 'deathProved': {
      const { peer, start, by, silentMs } = effect.detail
      return `deathProved ${peer}/${start} ${by}, silent ${silentMs.toFixed(0)} ms`
    }
    case 'refused':
      return `refused ${effect.detail.from}: ${effect.detail.reason}`
    case 'turnedAway':
      return `turnedAway by ${effect.detail.by}: ${effect.detail.reason}`
    case 'failed':
      return `failed ${effect.detail.error.code}: ${effect.detail.error.message}`
  }
}
