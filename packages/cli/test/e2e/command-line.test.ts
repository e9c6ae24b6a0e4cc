import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { CliPlace, type CliProcess, TEST_MS_MAX } from './cli-process.ts'

jest.setTimeout(TEST_MS_MAX)

let place: CliPlace
beforeEach(async () => {
  place = await CliPlace.open()
})
afterEach(() => place.stop())

async function refusal(cli: CliProcess): Promise<string> {
  expect((await cli.exited).code).toBe(1)
  expect(cli.stdout).toBe('')
  // A person reads it: no stack of calls.
  expect(cli.stderr).not.toMatch(/^\s+at /m)
  return cli.stderr
}

describe('the command line', () => {
  test('tells its version', async () => {
    const cli = place.cli(['--version'])
    expect((await cli.exited).code).toBe(0)
    expect(cli.stdout).toMatch(
      /^cluster \d+\.\d+\.\d+, for clusters up to version \d+, on Node \d+\.\d+\.\d+\n$/,
    )
  })

  test('lists every option', async () => {
    const cli = place.cli(['--help'])
    expect((await cli.exited).code).toBe(0)
    for (const option of [
      'name',
      'data',
      'database',
      'redundancy',
      'listen',
      'seed',
      'expect',
      'alone',
      'storage',
      'secret',
      'give-up-damaged',
      'no-mdns',
      'no-shell',
      'log',
      'help',
    ])
      expect(cli.stdout).toContain(`--${option}`)
    expect(cli.stdout).not.toMatch(/default: (\[\]|false)/)
    expect(cli.stderr).toBe('')
  })

  test.each([
    [['--redundnacy', '2'], "unknown option '--redundnacy'\n(Did you mean --redundancy?)"],
    [['--redundancy', '0'], 'argument \'0\' is invalid. It must be a whole number from 1 to 1024, or "all".'],
    [['--redundancy', '2.5'], "argument '2.5' is invalid"],
    [['--redundancy', '5000'], "argument '5000' is invalid"],
    [['--expect', 'three'], "argument 'three' is invalid. It must be a whole number"],
    [['--name', 'a/b'], 'Use 1 to 63 letters'],
    [['--data', ''], 'It must not be empty'],
    [['--secret', ''], 'It must not be empty'],
    [['--log', 'loud'], 'Allowed choices are debug, info, warn, error'],
    [['--listen'], 'argument missing'],
    [['sql'], "unknown command 'sql'; there are export and import, and without one a node runs"],
    [['--postgres-connections', 'many'], "argument 'many' is invalid. It must be a whole number"],
    [['--postgres', '127.0.0.1:70000'], 'postgres "127.0.0.1:70000" is not an address'],
    [['--postgres-cert', 'no-such.crt'], 'it goes with --postgres-cert'],
    [['--listen', 'my host'], 'listen "my host" is not an address: write host:port'],
    [['--listen', '127.0.0.1:70000'], 'listen "127.0.0.1:70000" is not an address'],
    [['--seed', 'x'], 'seed "x" is not an address: write host:port'],
  ])('%j is refused with what to do', async (args, text) => {
    const said = await refusal(place.cli(['--no-mdns', ...args]))
    expect(said).toContain(text)
    expect(said).toMatch(/--help lists the options|\(OPTION_INVALID\)/)
    // Nothing was made.
    expect(await readdir(place.folder)).toEqual([])
  })
})

describe('a node that cannot start', () => {
  test('because its port is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const bound = server.address()
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0
    try {
      const said = await refusal(place.node(['--listen', `127.0.0.1:${port}`]))
      expect(said).toContain(`The port of /ip4/127.0.0.1/tcp/${port} is in use by another process`)
      expect(said).toContain('(PORT_IN_USE)')
    } finally {
      await new Promise((resolve) => server.close(resolve))
    }
    // Nothing of the attempt is in the way of the next one.
    const node = await place.node(['--listen', `127.0.0.1:${port}`]).serving()
    expect(node.stderr).toContain(join('.cluster', 'cluster', '1'))
    await node.stop()
  })

  test('because its address is not of this host', async () => {
    expect(await refusal(place.node(['--listen', '/ip4/127.0.0.1/udp/7000']))).toContain(
      '(ADDRESS_NOT_USABLE)',
    )
    expect(await refusal(place.node(['--listen', 'no-such-host.invalid:0']))).toContain(
      'Cannot listen on /dns/no-such-host.invalid/tcp/0',
    )
  })

  test('because another process uses the data folder', async () => {
    const first = await place.node(['--data', 'mine']).serving()
    const said = await refusal(place.node(['--data', 'mine']))
    expect(said).toContain(`${join(place.folder, 'mine')} is in use by process ${first.pid}; stop that node`)
    expect(said).toContain('(DATA_IN_USE)')
    await first.stop()
  })

  test('because the data folder is a file, foreign or of another cluster', async () => {
    await writeFile(join(place.folder, 'file'), 'a file')
    expect(await refusal(place.node(['--data', 'file']))).toMatch(
      /cannot use the data folder .*file: a file stands where a folder is wanted .*choose another with --data \(DISK_DENIED\)/,
    )

    await mkdir(join(place.folder, 'photos'))
    await writeFile(join(place.folder, 'photos', 'cat.jpg'), 'meow')
    expect(await refusal(place.node(['--data', 'photos']))).toMatch(
      /photos .*it holds other files \("cat.jpg"\); choose an empty folder with --data.*\(DATA_FOREIGN\)/,
    )
    expect(await readdir(join(place.folder, 'photos'))).toEqual(['cat.jpg'])

    const shop = await place.node(['--data', 'shop', '--name', 'shop']).serving()
    await shop.stop()
    expect(await refusal(place.node(['--data', 'shop', '--name', 'bank']))).toMatch(
      /it belongs to the cluster "shop"; choose .* or the right --name \(DATA_FOREIGN\)/,
    )
  })
})

test('nodes in one folder take slots of their own, and a restart takes the lowest free one and prints it', async () => {
  const slot = (number: number): string => `data in ${join(place.folder, '.cluster', 'shop', String(number))}`
  const first = await place.node(['--name', 'shop']).serving()
  const second = await place.node(['--name', 'shop', '--seed', await first.address()]).serving()
  expect(first.stderr).toContain(`${slot(1)} (new)`)
  expect(second.stderr).toContain(`${slot(2)} (new)`)
  await first.stop()
  const again = await place.node(['--name', 'shop', '--seed', await second.address()]).serving()
  expect(again.stderr).toContain(`${slot(1)}\n`)
  await Promise.all([again.stop(), second.stop()])
})
