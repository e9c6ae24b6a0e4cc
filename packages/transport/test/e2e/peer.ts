import { address } from '@cluster/core'
import { libp2pTransport } from '../../src/index.ts'
import { realPorts } from './real-ports.ts'

/** A node of its own process: echoes requests, prints its address, and dials those that it is given. */
const { identity, start, dial } = JSON.parse(process.argv[2] ?? '{}') as {
  readonly identity: string
  readonly start: number
  readonly dial?: string
}
const transport = libp2pTransport({
  identity: Buffer.from(identity, 'base64'),
  name: 'faults',
  start,
  listen: [address('/ip4/127.0.0.1/tcp/0')],
})(realPorts)
transport.handle('echo', { request: async (_peer, frame) => frame })
await transport.start()
console.log(transport.addresses()[0])
if (dial !== undefined) await transport.connect(address(dial))
process.stdin.on('end', () => process.exit()).resume()
