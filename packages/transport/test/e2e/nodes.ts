import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import {
  type Address,
  address,
  errorCode,
  isClusterError,
  type Transport,
  type TransportEvents,
} from '@cluster/core'
import { type Libp2pOptions, libp2pTransport, newIdentity } from '../../src/index.ts'
import { realPorts } from './real-ports.ts'

const PEER = fileURLToPath(new URL('./peer.ts', import.meta.url))
const LOOPBACK = [address('/ip4/127.0.0.1/tcp/0')]

/** What a test opened, closed in the end in reverse order. */
export class Cleanup {
  readonly #tasks: (() => Promise<void> | void)[] = []

  add(task: () => Promise<void> | void): void {
    this.#tasks.push(task)
  }

  async run(): Promise<void> {
    for (const task of this.#tasks.splice(0).reverse()) await task()
  }
}

/** A transport on loopback, not started; it echoes requests on the channel `echo`. */
export async function makeNode(cleanup: Cleanup, options: Partial<Libp2pOptions> = {}): Promise<Transport> {
  const { privateKey } = await newIdentity()
  const transport = libp2pTransport({
    identity: privateKey,
    name: 'faults',
    start: 1,
    listen: LOOPBACK,
    ...options,
  })(realPorts)
  transport.handle('echo', { request: async (_peer, frame) => frame })
  cleanup.add(() => transport.stop())
  return transport
}

export async function startNode(cleanup: Cleanup, options: Partial<Libp2pOptions> = {}): Promise<Transport> {
  const transport = await makeNode(cleanup, options)
  await transport.start()
  return transport
}

export function firstAddress(transport: Transport): Address {
  const [first] = transport.addresses()
  if (first === undefined) throw new Error('it listens nowhere')
  return first
}

export function nextEvent<Type extends keyof TransportEvents>(
  transport: Transport,
  type: Type,
): Promise<TransportEvents[Type]> {
  return new Promise((resolve) => {
    const cancel = transport.on(type, (event) => {
      cancel()
      resolve(event)
    })
  })
}

/** The detail of the project error that the promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    if (isClusterError(error)) return error.detail
    throw new Error(`not a project error: ${String(error)} ${errorCode(error)}`, { cause: error })
  }
  throw new Error('it did not fail')
}

export interface PeerProcess {
  readonly process: ChildProcess
  readonly address: Address
}

/** A node in a process of its own. */
export async function startPeer(
  cleanup: Cleanup,
  options: { readonly identity: Uint8Array; readonly start: number; readonly dial?: string },
): Promise<PeerProcess> {
  const args = JSON.stringify({ ...options, identity: Buffer.from(options.identity).toString('base64') })
  const child = spawn(process.execPath, ['--conditions=source', PEER, args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  cleanup.add(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  })
  const line = await new Promise<string>((resolve) =>
    child.stdout.once('data', (data) => resolve(String(data).trim())),
  )
  return { process: child, address: address(line) }
}
