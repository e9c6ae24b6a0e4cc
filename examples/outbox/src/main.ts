import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { join } from '@cluster/node'
import { type Order, placeOrder, relay } from './shop.ts'

// One node, for brevity; with more of them any could place orders, and any could send letters.

const folder = await mkdtemp(path(tmpdir(), 'cluster-outbox-'))
try {
  await using cluster = await join({
    name: 'outbox',
    data: path(folder, 'data'),
    listen: ['127.0.0.1:0'],
    mdns: false,
    alone: true,
  })
  await cluster.map<string, number>('stock').set('tea', 10)

  // Twelve customers at once want a pound each of ten: two of them are told that there is none left.
  const orders = await Promise.all(Array.from({ length: 12 }, () => placeOrder(cluster, 'tea', 1)))
  console.log(`${orders.filter((order) => order !== null).length} of 12 orders were placed`)

  const sent = new Map<number, number>()
  const controller = new AbortController()
  const relaying = relay(
    cluster,
    async (number, { order, text }) => {
      sent.set(number, (sent.get(number) ?? 0) + 1)
      if (order <= 2) console.log(`letter ${number}: ${text}`)
    },
    controller.signal,
  )
  const all = cluster.map<number, Order>('orders')
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if ([...all.local.values()].every(({ state }) => state === 'confirmed')) resolve()
    }
    all.watch(look)
    look()
  })
  controller.abort()
  await relaying
  console.log(`${sent.size} letters were sent, ${await all.size()} orders are confirmed`)
  console.log(`left in stock: ${await cluster.map<string, number>('stock').get('tea')}`)
  if (sent.size !== 10) throw new Error('an order without its letter, or a letter without its order')
} finally {
  await rm(folder, { recursive: true, force: true })
}
