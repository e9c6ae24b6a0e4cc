import { nodeId, type Transport } from '@cluster/core'
import { transportSuite } from '@cluster/testkit'
import { describe, expect, jest, test } from '@jest/globals'
import { memoryNetwork } from '../../src/index.ts'
import { realPorts } from './real-ports.ts'

// A busy machine may take seconds for what needs milliseconds.
jest.setTimeout(60_000)

transportSuite({ describe, test, expect }, async () => {
  const network = memoryNetwork(realPorts)
  const made: Transport[] = []
  return {
    make: async () => {
      const id = nodeId(`node-${made.length + 1}`)
      const transport = network.transport({ id, name: 'suite', start: 1, secret: 'shared by both' })
      made.push(transport)
      return transport
    },
    settle: (promise) => promise,
    close: async () => {
      await Promise.all(made.map((transport) => transport.stop()))
    },
  }
})
