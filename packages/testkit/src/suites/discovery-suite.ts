import type { Address, DiscoveredPeer, Discovery } from '@cluster/core'
import type { SuiteRunner } from './runner.ts'

export interface DiscoveryFixture {
  readonly discovery: Discovery
  /** The address to give as this node's own. */
  readonly own: Address
  /** An address that is to be found, of somebody else. */
  readonly expected: Address
  /** Waits until it holds. */
  until(done: () => boolean): Promise<void>
}

/** What every `Discovery` does. */
export function discoverySuite(
  { describe, test, expect }: SuiteRunner,
  make: () => Promise<DiscoveryFixture>,
): void {
  describe('a discovery', () => {
    test('finds what is there, each time with an address', async () => {
      const { discovery, own, expected, until } = await make()
      const found: DiscoveredPeer[] = []
      await discovery.start([own], (peer) => found.push(peer))
      await until(() => found.some(({ addresses }) => addresses.includes(expected)))
      for (const { addresses } of found) expect(addresses.length).toBeGreaterThan(0)
      await discovery.stop()
    })

    test('finds nothing more once it stopped, and may be stopped again', async () => {
      const { discovery, own, expected, until } = await make()
      const found: DiscoveredPeer[] = []
      await discovery.start([own], (peer) => found.push(peer))
      await until(() => found.some(({ addresses }) => addresses.includes(expected)))
      await discovery.stop()
      const before = found.length
      await discovery.stop()
      expect(found.length).toBe(before)
    })

    test('may be stopped without having started', async () => {
      const { discovery } = await make()
      await discovery.stop()
    })
  })
}
