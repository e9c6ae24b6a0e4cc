import { createInterface } from 'node:readline'
import { libp2pTransport, mdnsDiscovery, newIdentity } from '../../src/index.ts'
import { realPorts } from './real-ports.ts'

/** A node of its own process: finds others by mDNS, dials them, prints what happens; ends with its standard input. */
const name = process.argv[2] ?? 'lan'
const { privateKey, id } = await newIdentity()
const transport = libp2pTransport({ identity: privateKey, name, start: 1 })(realPorts)
const discovery = mdnsDiscovery({ name, self: id })(realPorts)
const print = (event: string, of: string): void => console.log(`${event} ${of}`)

transport.on('linkUp', ({ peer }) => print('link', peer))
await transport.start()
print('self', id)
await discovery.start(transport.addresses(), ({ addresses, id: found }) => {
  print('found', found ?? '?')
  const [first] = addresses
  if (first) transport.connect(first).catch((error: unknown) => print('failed', String(error)))
})
createInterface(process.stdin).on('close', async () => {
  await discovery.stop()
  await transport.stop()
})
