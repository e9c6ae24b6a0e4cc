import { randomBytes } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { CliPlace, type CliProcess, freePorts, TEST_MS_MAX } from './cli-process.ts'

jest.setTimeout(TEST_MS_MAX)

let place: CliPlace
beforeEach(async () => {
  place = await CliPlace.open()
})
afterEach(() => place.stop())

const ROWS = 30
const FILL = [
  'create table t (id integer primary key, text text);',
  ...Array.from({ length: ROWS }, (_, i) => `insert into t values (${i}, 'row ${i}');`),
].join('\n')
const COUNT = 'select count(*) as rows, sum(id) as sum from t;'
const ALL = new RegExp(`${ROWS} \\| ${(ROWS * (ROWS - 1)) / 2}`)

/** Turns a byte in the middle of every file below the folder whose name fits; at least one does. */
async function damage(folder: string, name: RegExp): Promise<void> {
  const paths = (await readdir(join(place.folder, folder), { recursive: true })).filter((path) =>
    name.test(path),
  )
  expect(paths).not.toHaveLength(0)
  for (const path of paths) {
    const file = join(place.folder, folder, path)
    const bytes = await readFile(file)
    const middle = bytes.length >> 1
    bytes[middle] = (bytes[middle] ?? 0) ^ 0x55
    await writeFile(file, bytes)
  }
}

describe('a damaged disk', () => {
  test('of the only node: a damaged log waits for the operator, a damaged checkpoint is made anew from the log', async () => {
    const args = ['--data', 'only', '--redundancy', '1']
    const made = place.node(args, { input: FILL })
    expect((await made.exited).code).toBe(0)

    await damage('only/data', /base-\d+$/)
    const again = place.node(args, { input: COUNT })
    expect((await again.exited).code).toBe(0)
    expect(again.stderr).toMatch(/a copy on disk is damaged and is replaced/)
    expect(again.stdout).toMatch(ALL)

    await damage('only/log', /^log-\d+$/)
    const stuck = place.node(args, { input: COUNT })
    expect((await stuck.exited).code).toBe(1)
    expect(stuck.stderr).toMatch(/The log file log-\d+ is damaged at byte \d+: .*start the node once with/)
    expect(stuck.stderr).toMatch(/\(LOG_DAMAGED\)\n$/)
    expect(stuck.stdout).toBe('')

    // The operator's word: the node serves again, without what was lost, and the files are still there.
    const empty = place.node([...args, '--give-up-damaged'], { input: 'create table t (id integer);' })
    expect((await empty.exited).code).toBe(0)
    const kept = await readdir(join(place.folder, 'only', 'log'), { recursive: true })
    expect(kept.some((path) => /^damaged-\w+.log-\d+$/.test(path))).toBe(true)
  })

  test('of one of two: it takes a fresh copy from the other, and nothing is lost', async () => {
    const [one = 0, two = 0] = await freePorts(2)
    const node = (data: string, own: number, other: number, ...more: readonly string[]): CliProcess =>
      place.node(['--data', data, '--listen', `127.0.0.1:${own}`, '--seed', `127.0.0.1:${other}`, ...more], {
        input: 'open',
      })
    const first = await node('first', one, two, '--alone').serving()
    await first.run(FILL)
    let second = await node('second', two, one, '--expect', '2').serving()
    await first.settled(2)
    await second.stop()

    await damage('second/data', /base-\d+$/)
    second = await node('second', two, one, '--expect', '2').serving()
    expect(await second.run(COUNT)).toMatch(ALL)
    expect(second.stderr).toContain('a copy on disk is damaged and is replaced')
    await first.settled(2)
    await second.stop()

    await damage('second/log', /^log-\d+$/)
    second = await node('second', two, one, '--expect', '2').serving()
    expect(second.stderr).toContain('the log is damaged: this node renounces its vote')
    expect(await second.run(COUNT)).toMatch(ALL)
    await first.settled(2)
    // The fresh copy is one to rely on.
    await first.stop()
    expect(await second.run(COUNT)).toMatch(ALL)
    expect(await second.run("insert into t values (1000, 'more');")).toContain('INSERT 0 1')
    await second.stop()
  })
})

describe('a stranger at the port', () => {
  /** Sends the bytes and waits for the end that the node makes of it. */
  async function send(address: string, bytes: Uint8Array | string): Promise<void> {
    const [host, port] = address.split(':')
    const socket = connect(Number(port), host)
    // The node may close while bytes are still on their way.
    socket.on('error', () => {})
    socket.resume()
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.write(bytes)
    await closed
  }

  test('sends garbage: it is cut off, and the node keeps serving', async () => {
    const node = await place.node(['--redundancy', '1'], { input: 'open' }).serving()
    const address = await node.address()
    const garbage: readonly (Uint8Array | string)[] = [
      'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n',
      new Uint8Array(64),
      randomBytes(1024 * 1024),
      `\u0013/multistream/1.0.0\n\u0007/noise\n${'x'.repeat(5000)}`,
      '\u0013/multistream/1.0.0\n\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff',
    ]
    await node.run('create table t (id integer primary key);')
    await Promise.all([
      ...garbage.map((bytes) => send(address, bytes)),
      ...garbage.map((_, i) => node.run(`insert into t values (${i});`)),
    ])
    expect(await node.run('select count(*) from t;')).toContain(`     ${garbage.length}\n`)
    expect(node.stderr).not.toContain('cannot go on')
    expect(await node.stop()).toBeLessThan(5000)
    expect((await node.exited).code).toBe(0)
  })
})
