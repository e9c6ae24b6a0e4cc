import { address } from '@cluster/core'
import { discoverySuite, peersSuite } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { staticDiscovery } from '../src/index.ts'
import { simPeers } from './sim-peers.ts'

const runner = { describe, test, expect }

peersSuite(runner, async () => simPeers('peers suite'))

discoverySuite(runner, async () => {
  const [own, expected] = [address('/sim/a'), address('/sim/b')]
  return {
    discovery: staticDiscovery([own, expected]),
    own,
    expected,
    until: async (done) => expect(done()).toBe(true),
  }
})
