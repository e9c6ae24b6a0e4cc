import type { Cluster } from '@cluster/node'

export interface Order {
  readonly item: string
  readonly quantity: number
  readonly state: 'placed' | 'confirmed'
}

export interface Letter {
  readonly order: number
  readonly text: string
}

/** Sends letters; a real one would talk to a mail server, which knows a letter by its number. */
export type Post = (number: number, letter: Letter) => Promise<void>

/**
 * Places an order. The stock, the order and the letter about it are one transaction: nobody gets a letter about an order that
 * is not there, and no order is without its letter, whoever dies when.
 * @returns the number of the order, or null when there is not enough in stock
 */
export function placeOrder(cluster: Cluster, item: string, quantity: number): Promise<number | null> {
  return cluster.transaction(async (tx) => {
    const stock = tx.map<string, number>('stock')
    const left = ((await stock.get(item)) ?? 0) - quantity
    if (left < 0) return null
    const numbers = tx.map<string, number>('numbers')
    const order = ((await numbers.get('order')) ?? 0) + 1
    await numbers.set('order', order)
    await stock.set(item, left)
    await tx.map<number, Order>('orders').set(order, { item, quantity, state: 'placed' })
    await tx.push<Letter>('outbox', { order, text: `We have got your order of ${quantity} × ${item}.` })
    return order
  })
}

/** Sends what is in the outbox until the signal ends it. A letter may be sent again after a failure, under the same number. */
export async function relay(cluster: Cluster, post: Post, signal: AbortSignal): Promise<void> {
  const outbox = cluster.queue<Letter>('outbox')
  while (!signal.aborted) {
    const message = await outbox.take({ signal }).catch((error: unknown) => {
      if (signal.aborted) return null
      throw error
    })
    if (message === null) continue
    await post(message.id, message.value)
    await cluster.transaction(async (tx) => {
      const orders = tx.map<number, Order>('orders')
      const order = await orders.get(message.value.order)
      if (order) await orders.set(message.value.order, { ...order, state: 'confirmed' })
      tx.acknowledge(message)
    })
  }
}
