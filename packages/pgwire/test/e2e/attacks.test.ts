import { SimRandom, wire, wireAttack } from '@cluster/testkit'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { scramVerifier } from '../../src/index.ts'
import { ToyServer } from './support/toy-server.ts'

const { Body, frame, query, startup } = wire
const STARTUP = { user: 'tester', database: 'shop' }
const ATTACKS = 150
const AT_ONCE = 8
const LOGINS = 100

let toy: ToyServer

beforeEach(async () => {
  toy = await ToyServer.start({ messageBytesMax: 100_000, portalBytesMax: 200_000 })
})
afterEach(() => toy.close())

describe('clients that do bad things', () => {
  test('get an error or lose their connection, and another one notices nothing', async () => {
    const problems: string[] = []
    let next = 0
    const attacker = async (): Promise<void> => {
      const bystander = await toy.ready(STARTUP)
      while (next < ATTACKS) {
        const seed = next++
        const { kind, problem } = await wireAttack({
          port: toy.port,
          random: new SimRandom(seed),
          startup: STARTUP,
          statements: [
            'rows 3',
            'echo 23 25',
            'begin',
            'commit',
            'rollback',
            'fail',
            'nonsense',
            '',
            'rows 2;rows 1',
            'insert',
          ],
          large: 'rows 3000000',
          closeMsMax: 10_000,
        })
        if (problem !== null) problems.push(`seed ${seed} (${kind}): ${problem}`)
        bystander.send(query('rows 1'))
        const lines = await bystander.untilReady()
        if (lines.join() !== 'columns n:23,row 0,complete SELECT 1,ready I') problems.push(lines.join())
      }
      bystander.close()
    }
    await Promise.all(Array.from({ length: AT_ONCE }, attacker))
    expect(problems).toEqual([])
  })

  test('guess passwords in bulk and learn nothing', async () => {
    toy.backend.admission = {
      how: 'scram',
      verifier: await scramVerifier('secret', Uint8Array.of(1, 2, 3, 4)),
    }
    const guess = async (i: number): Promise<string> => {
      const client = await toy.connected()
      client.send(startup(STARTUP))
      const [offer = ''] = await client.lines(1)
      if (offer.startsWith('error')) return offer
      const first = new TextEncoder().encode(`n,,n=,r=nonce${i}`)
      client.send(frame('p', new Body().text('SCRAM-SHA-256').int32(first.length).bytes(first).done()))
      const reply = await client.next()
      const [, nonce = ''] = /r=([^,]+)/.exec(new TextDecoder().decode(reply?.body)) ?? []
      const proof = Buffer.alloc(32, i).toString('base64')
      client.send(frame('p', new TextEncoder().encode(`c=biws,r=${nonce},p=${proof}`)))
      const [answer = ''] = await client.lines(1)
      client.close()
      return answer
    }
    const answers = await Promise.all(Array.from({ length: LOGINS }, (_, i) => guess(i)))
    const wrong = answers.filter((answer) => answer.includes('28P01'))
    expect(new Set(wrong)).toEqual(
      new Set(['error FATAL 28P01 password authentication failed for user "tester"']),
    )
    // One address has so many tries under way and no more.
    const others = answers.filter((answer) => !answer.includes('28P01'))
    expect(new Set(others)).toEqual(
      new Set(['error FATAL 53300 too many logins of this address are under way']),
    )
    expect(wrong.length).toBeLessThan(LOGINS)
    expect(toy.backend.sessions).toEqual([])
  })
})
