import {
  address,
  ClusterError,
  type CommonErrorDetail,
  crc32c,
  logIndex,
  type NodeId,
  nodeId,
} from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import {
  Clients,
  checkAcknowledged,
  checkLinearizable,
  decodeOutput,
  encodeCommand,
  type NamedInput,
  Nemesis,
  type NodePorts,
  narrowUnknown,
  type Program,
  Recorder,
  RegisterMachine,
  type RegistersOutput,
  registerLoad,
  registers,
  World,
} from '../src/index.ts'

interface Server {
  readonly machine: RegisterMachine
  perform(input: NamedInput): Promise<RegistersOutput>
}

const SERVER = nodeId('n1')
const entry = (command: Uint8Array, index: number) => ({
  index: logIndex(index),
  time: 0,
  wall: 0,
  origin: SERVER,
  command,
})

/** One node keeps the registers, in a file of commands; the others send it their requests. */
function serverProgram({ sync }: { readonly sync: boolean }): Program<Server> {
  return {
    async start({ self, transport, disk }: NodePorts): Promise<Server> {
      const machine = new RegisterMachine()
      const file = await disk.open('commands')
      // A record is the checksum and the length of a command, and the command; a torn one ends the file.
      let size = 0
      let index = 0
      for (;;) {
        const head = new DataView((await file.read(size, 8)).buffer)
        if (head.byteLength < 8) break
        const command = await file.read(size + 8, head.getUint32(4))
        if (command.length === 0 || crc32c(command) !== head.getUint32(0)) break
        machine.apply(entry(command, ++index))
        size += 8 + command.length
      }
      await file.truncate(size)
      const work = async (command: Uint8Array): Promise<Uint8Array> => {
        const head = new DataView(new ArrayBuffer(8))
        head.setUint32(0, crc32c(command))
        head.setUint32(4, command.length)
        await file.append([new Uint8Array(head.buffer), command])
        if (sync) await file.sync()
        return machine.apply(entry(command, ++index))
      }
      transport.handle('registers', { request: (_peer: NodeId, frame) => work(frame) })
      await transport.start()
      const ask = async (command: Uint8Array): Promise<Uint8Array> => {
        if (self === SERVER) return work(command)
        await transport.connect(address('/sim/n1'))
        return transport.request(SERVER, 'registers', command, { deadlineMs: 500 })
      }
      return {
        machine,
        perform: async (input) => decodeOutput(await ask(encodeCommand(input))),
      }
    },
    stop: async () => {},
  }
}

async function play(seed: number, sync: boolean) {
  const world = new World({ seed })
  const nodes = ['n1', 'n2', 'n3'].map((name) => world.node(name, serverProgram({ sync })))
  await world.settle(Promise.all(nodes.map((node) => node.start())), 1_000)
  const clients = new Clients(world, nodes, {
    clients: 5,
    thinkMs: [5, 100],
    load: registerLoad<Server>({
      groups: 3,
      registersPerGroup: 2,
      perform: (app, input) => app.perform(input),
    }),
  })
  const nemesis = new Nemesis(world, nodes, () => 'n1', {
    weights: {
      kill: 2,
      killLeader: 1,
      powerAll: 2,
      split: 1,
      isolate: 1,
      oneWay: 1,
      reset: 1,
      loss: 1,
      slowDisk: 1,
    },
    pauseMs: [200, 800],
    downMs: [20, 500],
    lastMs: [50, 1_000],
  })
  clients.start()
  nemesis.start()
  await world.run(20_000)
  nemesis.stop()
  clients.stop()
  world.heal()
  for (const node of nodes) if (!node.running) await world.settle(node.start(), 1_000)
  expect(await world.until(() => clients.idle && nodes.every((node) => node.app !== null), 20_000)).toBe(true)
  const journal = nodes[0]?.app?.machine.journal ?? []
  return {
    problems: checkAcknowledged(clients.book(), journal),
    verdict: checkLinearizable(registers, narrowUnknown(clients.recorder.history())).verdict,
    counts: clients.recorder.counts,
    faults: nemesis.counts,
    hash: world.trace.hash,
  }
}

describe('clients and nemesis', () => {
  test('a server that syncs loses nothing and stays linearizable, whatever happens', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { problems, verdict, counts, faults } = await play(seed, true)
      expect(problems).toEqual([])
      expect(verdict).toBe('linearizable')
      expect(counts.acknowledged).toBeGreaterThan(150)
      expect(counts.unknown).toBeGreaterThan(0)
      expect(Object.keys(faults).length).toBeGreaterThan(5)
    }
  })

  test('a server that does not sync is found out', async () => {
    let found = 0
    for (let seed = 1; seed <= 5; seed++) {
      const { problems, verdict } = await play(seed, false)
      if (problems.length > 0 || verdict === 'violated') found++
    }
    expect(found).toBeGreaterThan(1)
  })

  test('one seed gives one history', async () => {
    expect((await play(9, true)).hash).toBe((await play(9, true)).hash)
  })
})

describe('Recorder', () => {
  test('tells rejected from unknown, and takes other errors for bugs', async () => {
    const world = new World({ seed: 1 })
    const node = world.node<object>('a', { start: async () => ({}), stop: async () => {} })
    await node.start()
    const recorder = new Recorder<NamedInput, RegistersOutput>(world)
    const input: NamedInput = { name: 'x', group: 'g', reads: [], writes: { a: 'x' } }
    const error = (outcome: 'rejected' | 'unknown') =>
      new ClusterError<CommonErrorDetail>({ code: 'STOPPED', outcome }, 'stopped')
    const end = (run: () => Promise<RegistersOutput>) =>
      recorder.perform('c', input, () => recorder.attempt(node, run))
    expect((await end(() => Promise.reject(error('rejected')))).how).toBe('rejected')
    expect((await end(() => Promise.reject(error('unknown')))).how).toBe('unknown')
    const waiting = end(() => new Promise(() => {}))
    node.crash('kill')
    expect((await waiting).how).toBe('unknown')
    expect(recorder.counts).toEqual({ called: 3, acknowledged: 0, rejected: 1, unknown: 2, repeated: 0 })
    expect(recorder.told().rejected).toEqual([input])
    expect(recorder.history().every(({ end: at }) => at === null)).toBe(true)
    await end(() => Promise.reject(new TypeError('planted')))
    await expect(world.run(1)).rejects.toThrow('planted')
  })
})
