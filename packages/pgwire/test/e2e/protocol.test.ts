import { scramLogin, wire } from '@cluster/testkit'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { scramVerifier } from '../../src/index.ts'
import { realClock } from './support/real-clock.ts'
import { ToyServer } from './support/toy-server.ts'
import { countUntilReady, stalled } from './support/unread.ts'

const {
  Body,
  bind,
  closeMessage,
  describeMessage,
  execute,
  flush,
  frame,
  parse,
  query,
  startup,
  sync,
  untyped,
} = wire

const encoder = new TextEncoder()
let toy: ToyServer

beforeEach(async () => {
  toy = await ToyServer.start({ connectionsMax: 4, messageBytesMax: 100_000, portalBytesMax: 200_000 })
})
afterEach(() => toy.close())

describe('the start', () => {
  test('requests for encryption are answered, and the login goes on', async () => {
    const client = await toy.connected()
    client.send(untyped(new Body().int32(80877104).done()))
    expect(await client.byte()).toBe('N')
    client.send(untyped(new Body().int32(80877103).done()))
    expect(await client.byte()).toBe('N')
    client.send(startup({ user: 'tester', database: 'shop' }))
    expect(await client.untilReady()).toEqual([
      'authentication 0',
      'status server_version=15.0',
      'key of 4 bytes',
      'ready I',
    ])
  })

  test('a client of protocol 3.2 gets a longer key, and one of a later version is told what there is', async () => {
    const client = await toy.connected()
    client.send(startup({ user: 'tester', database: 'shop', '_pq_.future': 'yes' }, 7))
    expect(await client.untilReady()).toEqual([
      'version 3.2 without _pq_.future',
      'authentication 0',
      'status server_version=15.0',
      'key of 32 bytes',
      'ready I',
    ])
  })

  test('a client keeps the version that it asked for, and hears of options that are not known', async () => {
    const older = await toy.connected()
    const options = { '_pq_.a': '1', '_pq_.b': '' }
    older.send(startup({ user: 'tester', database: 'shop', ...options }, 0))
    expect((await older.untilReady()).slice(0, 2)).toEqual([
      'version 3.0 without _pq_.a without _pq_.b',
      'authentication 0',
    ])
    const newer = await toy.connected()
    newer.send(startup({ user: 'tester', database: 'shop' }, 2))
    expect((await newer.untilReady())[0]).toBe('authentication 0')
  })

  test('an unknown database, no user, and another protocol are refused', async () => {
    const refused = async (...bytes: Uint8Array[]): Promise<string[]> => {
      const client = await toy.connected()
      client.send(...bytes)
      return client.untilReady()
    }
    expect(await refused(startup({ user: 'tester', database: 'nowhere' }))).toEqual([
      'authentication 0',
      'error FATAL 3D000 database "nowhere" does not exist',
      'closed by the server',
    ])
    expect(await refused(startup({ database: 'shop' }))).toContain(
      'error FATAL 28000 no PostgreSQL user name specified in startup packet',
    )
    expect(await refused(untyped(new Body().int32(2 << 16).done()))).toEqual([
      'error FATAL 08P01 protocol 2.0 is not supported: this server speaks 3.0 to 3.2',
      'closed by the server',
    ])
    expect(await refused(encoder.encode('GET / HTTP/1.1\r\n\r\n'))).toEqual([
      'error FATAL 08P01 this is not the start of the PostgreSQL protocol',
      'closed by the server',
    ])
  })

  test('one client too many is told so', async () => {
    for (let i = 0; i < 4; i++) await toy.ready()
    const client = await toy.connected()
    // Before that it would take an error for an old server's answer.
    client.send(untyped(new Body().int32(80877103).done()))
    expect(await client.byte()).toBe('N')
    client.send(startup({ user: 'tester', database: 'shop' }))
    expect(await client.untilReady()).toEqual([
      'error FATAL 53300 sorry, too many clients already',
      'closed by the server',
    ])
    expect(toy.server.connections).toBe(4)
  })

  test('many clients too many are told so at once', async () => {
    for (let i = 0; i < 4; i++) await toy.ready()
    const crowd = await Promise.all(Array.from({ length: 140 }, () => toy.connected()))
    const lines = await Promise.race(crowd.map((client) => client.untilReady()))
    expect(lines).toEqual(['error FATAL 53300 sorry, too many clients already', 'closed by the server'])
  })
})

describe('a password', () => {
  async function login(password: string): Promise<string[]> {
    const verifier = await scramVerifier('secret', Uint8Array.of(1, 2, 3, 4))
    toy.backend.admission = { how: 'scram', verifier }
    return scramLogin(await toy.connected(), { user: 'tester', database: 'shop', password })
  }

  test('the right one lets in, a wrong one does not', async () => {
    expect(await login('secret')).toEqual([
      'authentication 12',
      'authentication 0',
      'status server_version=15.0',
      'key of 4 bytes',
      'ready I',
    ])
    expect(await login('guess')).toEqual([
      'error FATAL 28P01 password authentication failed for user "tester"',
      'closed by the server',
    ])
    expect(toy.backend.sessions).toHaveLength(1)
  })

  test('whoever may not come in from there is told why', async () => {
    toy.backend.admission = { how: 'refuse', error: { sqlstate: '28000', message: 'not from there' } }
    const client = await toy.connected()
    client.send(startup({ user: 'tester', database: 'shop' }))
    expect(await client.untilReady()).toEqual(['error FATAL 28000 not from there', 'closed by the server'])
  })
})

describe('simple queries', () => {
  test('rows, several statements, errors, nothing at all, and changed settings', async () => {
    const client = await toy.ready()
    client.send(query('rows 2'))
    expect(await client.untilReady()).toEqual([
      'columns n:23',
      'row 0',
      'row 1',
      'complete SELECT 2',
      'ready I',
    ])
    client.send(query('begin; insert; rows 1'))
    expect(await client.untilReady()).toEqual([
      'complete BEGIN',
      'complete INSERT 0 1',
      'columns n:23',
      'row 0',
      'complete SELECT 1',
      'ready T',
    ])
    client.send(query('fail'))
    expect(await client.untilReady()).toEqual(['error ERROR 22012 fail failed', 'ready E'])
    client.send(query('rows 1'))
    expect(await client.untilReady()).toEqual(['error ERROR 25P02 current transaction is aborted', 'ready E'])
    client.send(query('rollback'))
    expect(await client.untilReady()).toEqual(['complete ROLLBACK', 'ready I'])
    client.send(query(' ; '))
    expect(await client.untilReady()).toEqual(['empty', 'ready I'])
    client.send(query('set application_name bench'))
    expect(await client.untilReady()).toEqual(['complete SET', 'status application_name=bench', 'ready I'])
  })

  test('a client that does not read costs bounded memory, and may still read all of it', async () => {
    const client = await toy.ready()
    client.socket.pause()
    client.send(query('rows 1000000'))
    const session = toy.backend.sessions[0]
    expect(await stalled(session)).toBeLessThan(1_000_000)
    client.socket.resume()
    expect(await countUntilReady(client, 'D')).toBe(1_000_000)
  })
})

describe('extended queries', () => {
  test('parse, bind, describe, execute, with parameters in text and binary', async () => {
    const client = await toy.ready()
    client.send(parse('s', 'echo 25 23'), describeMessage('S', 's'), flush())
    expect(await client.lines(3)).toEqual(['parsed', 'parameters 25 23', 'columns p1:25 p2:23'])
    client.send(
      bind('', 's', ['tea', Uint8Array.of(0, 0, 0, 42)], { formats: [0, 1] }),
      describeMessage('P', ''),
      execute(''),
      sync(),
    )
    expect(await client.untilReady()).toEqual([
      'bound',
      'columns p1:25 p2:23',
      'row tea 42',
      'complete SELECT 1',
      'ready I',
    ])
    client.send(closeMessage('S', 's'), bind('', 's'), sync())
    expect(await client.untilReady()).toEqual([
      'closed',
      'error ERROR 26000 prepared statement "s" does not exist',
      'ready I',
    ])
  })

  test('after an error everything up to the next Sync is left out', async () => {
    const client = await toy.ready()
    client.send(parse('', 'nonsense'), bind('', ''), execute(''), query('rows 1'), sync(), query('rows 1'))
    expect(await client.untilReady()).toEqual(['error ERROR 42601 syntax error', 'ready I'])
    expect(await client.untilReady()).toContain('row 0')
  })

  test('a portal gives its rows in portions, while other statements run in between', async () => {
    const client = await toy.ready()
    client.send(query('begin'))
    await client.untilReady()
    client.send(parse('', 'rows 250'), bind('p', ''), execute('p', 120), sync())
    const first = await client.untilReady()
    expect(first.filter((line) => line.startsWith('row'))).toHaveLength(120)
    expect(first.slice(-2)).toEqual(['suspended', 'ready T'])
    client.send(query('rows 1'))
    expect(await client.untilReady()).toContain('row 0')
    client.send(execute('p', 120), execute('p', 120), sync())
    const rest = await client.untilReady()
    expect(rest.filter((line) => line.startsWith('row'))).toHaveLength(130)
    expect(rest).toContain('row 249')
    expect(rest.slice(-2)).toEqual(['complete SELECT 250', 'ready T'])
    client.send(query('commit'))
    await client.untilReady()
    client.send(execute('p', 1), sync())
    expect(await client.untilReady()).toEqual(['error ERROR 34000 portal "p" does not exist', 'ready I'])
  })

  test('what a suspended portal keeps for others has a bound', async () => {
    const client = await toy.ready()
    client.send(parse('', 'rows 100000'), bind('p', ''), execute('p', 1), query('rows 1'))
    expect((await client.untilReady()).slice(-2)).toEqual([
      'error ERROR 53200 a suspended portal would keep more than 200000 bytes',
      'ready T',
    ])
  })

  test('several statements up to a Sync are one transaction, a single one is its own', async () => {
    const client = await toy.ready()
    client.send(parse('i', 'insert'), bind('', 'i'), execute(''), sync())
    await client.untilReady()
    expect(toy.backend.done.splice(0)).toEqual(['insert'])
    client.send(bind('', 'i'), execute(''), bind('', 'i'), execute(''), sync())
    expect(await client.untilReady()).toEqual([
      'bound',
      'complete INSERT 0 1',
      'bound',
      'complete INSERT 0 1',
      'ready I',
    ])
    expect(toy.backend.done.splice(0)).toEqual(['BEGIN', 'insert', 'insert', 'COMMIT'])
    client.send(parse('f', 'fail'), bind('', 'i'), execute(''), bind('', 'f'), execute(''), sync())
    expect((await client.untilReady()).slice(-2)).toEqual(['error ERROR 22012 fail failed', 'ready I'])
    expect(toy.backend.done.splice(0)).toEqual(['BEGIN', 'insert', 'fail', 'ROLLBACK'])
    // A transaction that was asked for stays.
    client.send(parse('b', 'begin'), bind('', 'b'), execute(''), bind('', 'i'), execute(''), sync())
    expect((await client.untilReady()).at(-1)).toBe('ready T')
  })
})

describe('cancelling', () => {
  test.each([0, 2])(
    'another connection with the right key of 3.%i ends what runs; a wrong one does nothing',
    async (minor) => {
      const client = await toy.connected()
      client.send(startup({ user: 'tester', database: 'shop' }, minor))
      let key: Uint8Array = new Uint8Array()
      for (let message = await client.next(); message?.type !== 'Z'; message = await client.next())
        if (message?.type === 'K') key = message.body
      client.send(query('wait'))
      const cancel = async (secret: Uint8Array): Promise<void> => {
        const other = await toy.connected()
        other.send(untyped(new Body().int32(80877102).bytes(secret).done()))
        expect(await other.next()).toBeNull()
      }
      await cancel(Uint8Array.from(key, (byte, i) => (i === 7 ? byte ^ 1 : byte)))
      await cancel(key.subarray(0, 7))
      await cancel(key)
      expect(await client.untilReady()).toEqual([
        'error ERROR 57014 canceling statement due to user request',
        'ready I',
      ])
      client.send(query('rows 1'))
      expect(await client.untilReady()).toContain('row 0')
    },
  )

  test('a client that vanishes takes its statement along', async () => {
    const client = await toy.ready()
    client.send(query('wait'))
    const [session] = toy.backend.sessions
    client.socket.resetAndDestroy()
    while (session?.closed !== true) await realClock.turn()
    expect(session?.closed).toBe(true)
  })
})

describe('bad input', () => {
  test.each([
    ['a message that is too long', frame('Q', new Uint8Array(100_001))],
    ['a message without an end', frame('Q', encoder.encode('rows 1'))],
    ['an impossible length', Uint8Array.of(0x51, 0, 0, 0, 1)],
    ['an unknown message', frame('!', new Uint8Array())],
    ['more than its fields', frame('S', Uint8Array.of(1))],
    ['a count that is too large', frame('P', new Body().text('').text('rows 1').int16(9_999).done())],
    ['no UTF-8', frame('Q', Uint8Array.of(0xff, 0xfe, 0))],
    ['an unknown format', bind('', '', [], { formats: [7] })],
    [
      'a length below zero',
      frame('B', new Body().text('').text('').int16(0).int16(1).int32(-5).int16(0).done()),
    ],
  ])('%s ends this connection with an error, and no other', async (_, bytes) => {
    const [bad, good] = [await toy.ready(), await toy.ready()]
    bad.send(bytes)
    const lines = await bad.untilReady()
    expect(lines[0]).toMatch(/^error FATAL 08P01 /)
    expect(lines.at(-1)).toBe('closed by the server')
    good.send(query('rows 1'))
    expect(await good.untilReady()).toContain('row 0')
  })

  test('a statement that is given too few parameters, or with too many formats', async () => {
    const client = await toy.ready()
    client.send(parse('', 'echo 25'), bind('', '', []), sync())
    expect(await client.untilReady()).toContain(
      'error ERROR 08P01 bind message supplies 0 parameters, but prepared statement unnamed requires 1',
    )
    client.send(parse('', 'echo 25'), bind('', '', ['a'], { formats: [0, 0] }), sync())
    expect((await client.untilReady())[1]).toMatch(/^error ERROR 08P01 bind message has 2 parameter formats/)
  })

  test('every client hears that the node stops', async () => {
    const client = await toy.ready()
    const closing = toy.server.close()
    expect(await client.untilReady()).toEqual([
      'error FATAL 57P01 terminating connection: this node stops',
      'closed by the server',
    ])
    await closing
  })
})
