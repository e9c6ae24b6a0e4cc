import { once } from 'node:events'
import { wire } from '@cluster/testkit'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { ToyServer } from './support/toy-server.ts'
import { countUntilReady, stalled } from './support/unread.ts'

const { bind, copyData, copyDone, copyFail, describeMessage, execute, flush, parse, query, sync } = wire

let toy: ToyServer
let client: wire.WireClient

beforeEach(async () => {
  toy = await ToyServer.start()
  client = await toy.ready()
})
afterEach(() => toy.close())

describe('rows from the client', () => {
  test('are asked for, taken, and counted', async () => {
    client.send(query('copyin'))
    expect(await client.lines(1)).toEqual(['copy in 0 0,0'])
    client.send(copyData('a\nb'), flush(), copyData('c\n'), sync(), copyDone())
    expect(await client.untilReady()).toEqual(['complete COPY 2', 'ready I'])
    expect(toy.backend.done).toEqual(['copyin', 'copied "a\\nbc\\n"'])
  })

  test('may come before they are asked for', async () => {
    client.send(query('copyin'), copyData('a\n'), copyDone(), query('insert'))
    expect(await client.untilReady()).toEqual(['copy in 0 0,0', 'complete COPY 1', 'ready I'])
    expect(await client.untilReady()).toEqual(['complete INSERT 0 1', 'ready I'])
  })

  test('are given up with a reason', async () => {
    client.send(query('copyin'), copyData('a\n'), copyFail('no more paper'))
    expect(await client.untilReady()).toEqual([
      'copy in 0 0,0',
      'error ERROR 57014 COPY from stdin failed: no more paper',
      'ready I',
    ])
    expect(toy.backend.done).toEqual(['copyin', 'copy failed'])
  })

  test('an error ends it, and what the client still sends is nobody’s', async () => {
    client.send(query('copyin'), copyData('bad\n'))
    expect(await client.untilReady()).toEqual(['copy in 0 0,0', 'error ERROR 22P02 a bad line', 'ready I'])
    client.send(copyData('more\n'), copyDone(), query('insert'))
    expect(await client.untilReady()).toEqual(['complete INSERT 0 1', 'ready I'])
  })

  test('another message in between is refused, and the connection goes on', async () => {
    client.send(query('copyin'), copyData('a\n'), query('insert'))
    expect(await client.untilReady()).toEqual([
      'copy in 0 0,0',
      'error ERROR 08P01 unexpected message type 0x51 during COPY from stdin',
      'ready I',
    ])
    client.send(query('insert'))
    expect(await client.untilReady()).toEqual(['complete INSERT 0 1', 'ready I'])
  })

  test('by an extended query: the Sync behind Execute means nothing, the one behind CopyDone does', async () => {
    client.send(parse('', 'copyin'), bind('', ''), describeMessage('P', ''), execute(''), sync())
    expect(await client.lines(4)).toEqual(['parsed', 'bound', 'no rows', 'copy in 0 0,0'])
    client.send(copyData('a\n'), copyDone(), sync())
    expect(await client.untilReady()).toEqual(['complete COPY 1', 'ready I'])
    client.send(parse('', 'copyin'), bind('', ''), execute(''), sync(), copyData('bad'))
    client.send(copyData('more'), copyDone(), sync())
    expect(await client.untilReady()).toEqual([
      'parsed',
      'bound',
      'copy in 0 0,0',
      'error ERROR 22P02 a bad line',
      'ready I',
    ])
  })

  test('a client that vanishes leaves nothing behind', async () => {
    client.send(query('begin'), query('copyin'), copyData('a\n'))
    await client.untilReady()
    expect(await client.lines(1)).toEqual(['copy in 0 0,0'])
    client.socket.end()
    await once(client.socket, 'close')
    expect(toy.backend.done).toEqual(['begin', 'copyin', 'copy failed'])
    expect(toy.backend.sessions[0]?.closed).toBe(true)
  })
})

describe('rows to the client', () => {
  test('are one message each', async () => {
    client.send(query('copyout 2'))
    expect(await client.untilReady()).toEqual([
      'copy out 1 1',
      'data "0\\n"',
      'data "1\\n"',
      'copied',
      'complete COPY 2',
      'ready I',
    ])
    client.send(parse('', 'copyout 1'), bind('', ''), execute(''), sync())
    expect(await client.untilReady()).toEqual([
      'parsed',
      'bound',
      'copy out 1 1',
      'data "0\\n"',
      'copied',
      'complete COPY 1',
      'ready I',
    ])
  })

  test('no more are made than a client that does not read can be sent', async () => {
    client.socket.pause()
    client.send(query('copyout 1000000'))
    const [session] = toy.backend.sessions
    expect(await stalled(session)).toBeLessThan(1_000_000)
    client.socket.resume()
    expect(await countUntilReady(client, 'd')).toBe(1_000_000)
  })
})

describe('among other statements', () => {
  test('all are one transaction, and the last is complete when it is committed', async () => {
    client.send(query('insert; copyin; copyout 1; insert'), copyData('a\n'), copyDone())
    expect(await client.untilReady()).toEqual([
      'complete INSERT 0 1',
      'copy in 0 0,0',
      'complete COPY 1',
      'copy out 1 1',
      'data "0\\n"',
      'copied',
      'complete COPY 1',
      'complete INSERT 0 1',
      'ready I',
    ])
    expect(toy.backend.done).toEqual([
      'BEGIN',
      'insert',
      'copyin',
      'copied "a\\n"',
      'copyout 1',
      'insert',
      'COMMIT',
    ])
  })

  test('one that fails undoes those before it', async () => {
    client.send(query('copyin; fail; insert'), copyData('a\n'), copyDone())
    expect(await client.untilReady()).toEqual([
      'copy in 0 0,0',
      'complete COPY 1',
      'error ERROR 22012 fail failed',
      'ready I',
    ])
    expect(toy.backend.done.at(-1)).toBe('ROLLBACK')
  })
})
