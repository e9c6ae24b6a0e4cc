import type { wire } from '@cluster/testkit'
import { realClock } from './real-clock.ts'

/** Resolves when the server asks for no more rows: the buffers between it and a client that does not read are full. */
export async function stalled(session: { readonly taken: number } | undefined): Promise<number> {
  for (let before = -1; ; ) {
    const taken = session?.taken ?? 0
    if (taken === before) return taken
    before = taken
    await new Promise((resolve) => setImmediate(resolve))
    for (let i = 0; i < 50; i++) await realClock.turn()
  }
}

/** Reads to the end of what was asked for. @returns how many messages were of that type */
export async function countUntilReady(client: Pick<wire.WireClient, 'next'>, type: string): Promise<number> {
  let count = 0
  for (let message = await client.next(); message?.type !== 'Z'; message = await client.next())
    if (message?.type === type) count++
  return count
}
