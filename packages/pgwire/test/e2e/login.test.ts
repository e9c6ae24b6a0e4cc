import type { Clock } from '@cluster/core'
import { scramLogin, wire } from '@cluster/testkit'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { ByteStream } from '../../src/driver/byte-stream.ts'
import { Incoming } from '../../src/driver/incoming.ts'
import { authenticate } from '../../src/driver/login.ts'
import { LoginGate } from '../../src/driver/login-gate.ts'
import { Outgoing } from '../../src/driver/outgoing.ts'
import { nodeCrypto, scramVerifier } from '../../src/index.ts'
import { MessageReader } from '../../src/machine/message-reader.ts'
import { realClock } from './support/real-clock.ts'
import { ToyBackend } from './support/toy-backend.ts'
import { ToyServer } from './support/toy-server.ts'

const nonce = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(5)

/** Time that passes only in waits, which are over at once. */
class WaitingClock implements Clock {
  #now = 0
  readonly waits: number[] = []
  now = (): number => this.#now
  wall = (): number => this.#now
  turn = async (): Promise<void> => {}

  after(delayMs: number, run: () => void): () => void {
    this.waits.push(delayMs)
    this.#now += delayMs
    queueMicrotask(run)
    return () => {}
  }

  pass(ms: number): void {
    this.#now += ms
  }
}

describe('the gate', () => {
  test('each wrong password of an address is answered later than the one before, up to a bound', async () => {
    const clock = new WaitingClock()
    const gate = new LoginGate(4, clock)
    for (let i = 0; i < 8; i++) await gate.failed('1.2.3.4')
    await gate.failed('5.6.7.8')
    expect(clock.waits).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 100])
    gate.passed('1.2.3.4')
    await gate.failed('1.2.3.4')
    clock.pass(60_000)
    await gate.failed('1.2.3.4')
    expect(clock.waits.slice(9)).toEqual([100, 100])
  })

  const waits = new AbortController().signal

  test('an address has only so many logins under way; more wait for their turn', async () => {
    const gate = new LoginGate(2, new WaitingClock())
    const [one] = await Promise.all([gate.enter('a', waits), gate.enter('a', waits)])
    const order: string[] = []
    const third = gate.enter('a', waits).then((leave) => order.push(`third ${leave !== null}`))
    const impatient = new AbortController()
    const fourth = gate.enter('a', impatient.signal).then((leave) => order.push(`fourth ${leave !== null}`))
    expect(await gate.enter('b', waits)).not.toBeNull()
    expect(order).toEqual([])
    impatient.abort()
    await fourth
    one?.()
    one?.()
    await third
    expect(order).toEqual(['fourth false', 'third true'])
    const fifth = gate.enter('a', waits).then((leave) => order.push(`fifth ${leave !== null}`))
    await gate.failed('a')
    await fifth
    expect(order.at(-1)).toBe('fifth false')
    // An address that is known for wrong passwords has nobody waiting.
    expect(await gate.enter('a', waits)).toBeNull()
  })
})

describe('who comes from elsewhere', () => {
  async function told(origin: { readonly local: boolean; readonly encrypted: boolean }): Promise<string[]> {
    const written: Uint8Array[] = []
    const stream = {
      ...origin,
      write: async (bytes: Uint8Array) => void written.push(bytes),
    } as unknown as ByteStream
    const out = new Outgoing(stream)
    const gate = new LoginGate(1, realClock)
    const ports = { backend: new ToyBackend(), crypto: nodeCrypto, gate, nonce }
    const login = { user: 'me', database: 'shop', settings: new Map<string, string>() }
    await authenticate(login, stream, new Incoming(stream, new MessageReader(1_000)), out, ports)
    await out.flush()
    const bytes = Buffer.concat(written)
    const lines: string[] = []
    for (let at = 0; at < bytes.length; at += bytes.readInt32BE(at + 1) + 1)
      lines.push(
        wire.show({
          type: String.fromCharCode(bytes[at] ?? 0),
          body: new Uint8Array(bytes.subarray(at + 5, at + 1 + bytes.readInt32BE(at + 1))),
        }),
      )
    return lines
  }

  test('is told when the connection is not encrypted', async () => {
    expect(await told({ local: true, encrypted: false })).toEqual(['authentication 0'])
    expect(await told({ local: false, encrypted: true })).toEqual(['authentication 0'])
    expect(await told({ local: false, encrypted: false })).toEqual([
      'authentication 0',
      expect.stringMatching(/^notice NOTICE 01000 this connection is not encrypted/),
    ])
  })
})

describe('wrong passwords in bulk', () => {
  let toy: ToyServer
  afterEach(() => toy.close())

  test('are turned away beyond a bound, and whoever is in notices nothing', async () => {
    // No answer to a wrong password comes due before all others were turned away.
    const held = new Set<() => void>()
    let holding = true
    const clock: Clock = {
      ...realClock,
      after(delayMs, run) {
        // The whole login takes longer than any answer waits here.
        if (!holding || delayMs > 1_000) return realClock.after(delayMs, run)
        held.add(run)
        return () => void held.delete(run)
      },
    }
    toy = await ToyServer.start({ loginsMax: 3, connectionsMax: 50, clock })
    const inside = await toy.ready()
    toy.backend.admission = { how: 'scram', verifier: await scramVerifier('secret', Uint8Array.of(1)) }
    const turnedAway = 'error FATAL 53300 too many logins of this address are under way'
    let away = 0
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        const client = await toy.connected()
        const [line] = await scramLogin(client, { user: 'tester', database: 'shop', password: `guess ${i}` })
        if (line === turnedAway) away++
        if (away === 9 && holding) {
          holding = false
          for (const run of held) run()
        }
        return line
      }),
    )
    const refused = 'error FATAL 28P01 password authentication failed for user "tester"'
    expect(outcomes.filter((line) => line === turnedAway)).toHaveLength(9)
    expect(outcomes.filter((line) => line === refused)).toHaveLength(3)
    inside.send(wire.query('insert'))
    expect(await inside.untilReady()).toEqual(['complete INSERT 0 1', 'ready I'])
    const right = await toy.connected()
    const lines = await scramLogin(right, { user: 'tester', database: 'shop', password: 'secret' })
    expect(lines.at(-1)).toBe('ready I')
  })
})
