import { wire } from '@cluster/testkit'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { ToyError, type ToySession } from './support/toy-backend.ts'
import { ToyServer } from './support/toy-server.ts'

const { query } = wire

let toy: ToyServer
let client: wire.WireClient
let session: ToySession

beforeEach(async () => {
  toy = await ToyServer.start()
  client = await toy.ready()
  session = toy.backend.sessions[0] as ToySession
})
afterEach(() => toy.close())

const told = (payload: string): string => `notification from a process: news ${payload}`

describe('notifications', () => {
  test('an idle client is told at once', async () => {
    session.tell('one', 'two')
    expect(await client.lines(2)).toEqual([told('one'), told('two')])
    session.tell('three')
    expect(await client.lines(1)).toEqual([told('three')])
    client.send(query('rows 1'))
    expect(await client.untilReady()).toEqual(['columns n:23', 'row 0', 'complete SELECT 1', 'ready I'])
  })

  test('a client in a transaction is told when it is over, before it may go on', async () => {
    client.send(query('begin'))
    await client.untilReady()
    session.tell('meanwhile')
    client.send(query('rows 1'))
    expect(await client.untilReady()).toEqual(['columns n:23', 'row 0', 'complete SELECT 1', 'ready T'])
    client.send(query('commit'))
    expect(await client.untilReady()).toEqual(['complete COMMIT', told('meanwhile'), 'ready I'])
  })

  test('a statement that runs is not cut into', async () => {
    client.send(query('rows 3'), query('insert'))
    session.tell('x')
    const lines = [...(await client.untilReady()), ...(await client.untilReady())]
    const at = lines.indexOf(told('x'))
    expect(lines.filter((_, i) => i !== at)).toEqual([
      'columns n:23',
      'row 0',
      'row 1',
      'row 2',
      'complete SELECT 3',
      'ready I',
      'complete INSERT 0 1',
      'ready I',
    ])
    expect(['complete SELECT 3', 'complete INSERT 0 1', undefined]).toContain(lines[at - 1])
  })

  test('a client that takes nothing stops nobody, and then gets all of it', async () => {
    const payload = 'x'.repeat(7_000)
    client.socket.pause()
    for (let i = 0; i < 3_000; i++) session.tell(payload)
    client.socket.resume()
    const lines = await client.lines(3_000)
    expect(new Set(lines)).toEqual(new Set([told(payload)]))
  })

  test('a client whose notifications were lost is told so, and goes', async () => {
    session.lose(new ToyError('53200', 'too many'))
    expect(await client.untilReady()).toEqual(['error FATAL 53200 too many', 'closed by the server'])
  })
})
