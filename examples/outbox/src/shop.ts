import type { Cluster, ClusterDatabase } from '@cluster/node'

export interface Letter {
  readonly order: number
  readonly text: string
}

/** Sends letters; a real one would talk to a mail server, which knows a letter by its number. */
export type Post = (number: number, letter: Letter) => Promise<void>

export async function openShop(db: ClusterDatabase): Promise<void> {
  await db.sql`CREATE TABLE IF NOT EXISTS stock (item text PRIMARY KEY, available integer NOT NULL CHECK (available >= 0))`
  await db.sql`CREATE TABLE IF NOT EXISTS orders
    (id serial PRIMARY KEY, item text NOT NULL REFERENCES stock, quantity integer NOT NULL, state text NOT NULL DEFAULT 'placed')`
}

/**
 * Places an order. The rows of the stock and of the order, and the letter in the queue, are one transaction: nobody gets a
 * letter about an order that is not there, and no order is without its letter, whoever dies when.
 * @returns the number of the order, or null when there is not enough in stock
 */
export function placeOrder(
  cluster: Cluster,
  db: ClusterDatabase,
  item: string,
  quantity: number,
): Promise<number | null> {
  return cluster.transaction(async (tx) => {
    const { sql } = tx.database(db)
    const [stock] = await sql`SELECT available FROM stock WHERE item = ${item}`
    if (Number(stock?.['available'] ?? 0) < quantity) return null
    await sql`UPDATE stock SET available = available - ${quantity} WHERE item = ${item}`
    const [order] = await sql`INSERT INTO orders (item, quantity) VALUES (${item}, ${quantity}) RETURNING id`
    const id = Number(order?.['id'])
    await tx.push<Letter>('outbox', { order: id, text: `We have got your order of ${quantity} × ${item}.` })
    return id
  })
}

/** Sends what is in the outbox until the signal ends it. A letter may be sent again after a failure, under the same number. */
export async function relay(
  cluster: Cluster,
  db: ClusterDatabase,
  post: Post,
  signal: AbortSignal,
): Promise<void> {
  const outbox = cluster.queue<Letter>('outbox')
  while (!signal.aborted) {
    const message = await outbox.take({ signal }).catch((error: unknown) => {
      if (signal.aborted) return null
      throw error
    })
    if (message === null) continue
    await post(message.id, message.value)
    await cluster.transaction(async (tx) => {
      await tx.database(db).sql`UPDATE orders SET state = 'confirmed' WHERE id = ${message.value.order}`
      tx.acknowledge(message)
    })
  }
}
