import { address, type Transport } from '@cluster/core'
import { transportSuite } from '@cluster/testkit'
import { describe, expect, jest, test } from '@jest/globals'
import { libp2pTransport, newIdentity } from '../../src/index.ts'
import { realPorts } from './real-ports.ts'

// A busy machine may take seconds for what needs milliseconds.
jest.setTimeout(60_000)

transportSuite({ describe, test, expect }, async () => {
  const made: Transport[] = []
  return {
    make: async () => {
      const { privateKey } = await newIdentity()
      const transport = libp2pTransport({
        identity: privateKey,
        name: 'suite',
        start: 1,
        listen: [address('/ip4/127.0.0.1/tcp/0')],
        secret: 'shared by both',
      })(realPorts)
      made.push(transport)
      return transport
    },
    settle: (promise) => promise,
    close: async () => {
      await Promise.all(made.map((transport) => transport.stop()))
    },
  }
})
