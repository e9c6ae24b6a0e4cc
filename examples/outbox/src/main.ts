import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { join } from '@cluster/node'
import { openShop, placeOrder, relay } from './shop.ts'

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
  const db = await cluster.database('shop')
  await openShop(db)
  await db.sql`INSERT INTO stock VALUES ('tea', 10)`

  // Twelve customers at once want a pound each of ten: two of them are told that there is none left.
  const orders = await Promise.all(Array.from({ length: 12 }, () => placeOrder(cluster, db, 'tea', 1)))
  const placed = orders.filter((order) => order !== null)
  console.log(`${placed.length} of 12 orders were placed`)

  const sent = new Map<number, number>()
  const controller = new AbortController()
  const relaying = relay(
    cluster,
    db,
    async (number, { order, text }) => {
      sent.set(number, (sent.get(number) ?? 0) + 1)
      if (sent.size <= 2) console.log(`letter ${number} about order ${order}: ${text}`)
    },
    controller.signal,
  )
  const outbox = cluster.queue('outbox')
  for (;;) {
    const { ready, taken } = await outbox.size()
    if (ready + taken === 0) break
    await new Promise((resolve) => {
      setTimeout(resolve, 20)
    })
  }
  controller.abort()
  await relaying
  const [row] = await db.sql`SELECT count(*) AS confirmed FROM orders WHERE state = 'confirmed'`
  const [stock] = await db.sql`SELECT available FROM stock WHERE item = 'tea'`
  const confirmed = Number(row?.['confirmed'])
  console.log(`${sent.size} letters were sent, ${confirmed} orders are confirmed`)
  console.log(`left in stock: ${stock?.['available']}`)
  if (placed.length !== 10 || sent.size !== 10 || confirmed !== 10 || Number(stock?.['available']) !== 0)
    throw new Error('an order without its letter, or a letter without its order')
} finally {
  await rm(folder, { recursive: true, force: true })
}
