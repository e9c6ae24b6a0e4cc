import {
  EVERYWHERE,
  KeyWriter,
  type RelationId,
  type Row,
  type RowAddress,
  relationId,
  type Transaction,
  type TransactionMark,
} from '@cluster/core'
import { checkNotification, type Notification } from './notification.ts'

/** Rows `[channel, payload, pid]` under 0, 1, 2, …: each commit that notifies writes over those of the one before. */
export const NOTIFICATIONS: RelationId = relationId(5)

const addressOf = (place: number): RowAddress => ({
  relation: NOTIFICATIONS,
  partition: EVERYWHERE,
  key: new KeyWriter().double(place).finish(),
})

export const notificationOf = (row: Row): Notification => ({
  channel: String(row[0]),
  payload: String(row[1]),
  pid: Number(row[2]),
})

interface Sent {
  /** Of a channel and a payload. */
  readonly id: string
  /** Writes of the transaction when it was sent, itself included. */
  readonly writes: number
}

/**
 * What open transactions have to tell when they commit. It is written with their rows, so it is told if and only if
 * they commit, and in the order of commits. The rows are written without being read: nobody loses a race by them.
 */
export class Outbox {
  readonly #sent = new WeakMap<Transaction, { readonly list: Sent[]; readonly ids: Set<string> }>()

  /** Sends it with the transaction; the same message a second time counts once. @throws 22023 */
  add(transaction: Transaction, { channel, payload, pid }: Notification): void {
    checkNotification(channel, payload)
    const sent = this.#sent.get(transaction) ?? { list: [], ids: new Set() }
    this.#sent.set(transaction, sent)
    const id = `${channel}\u0000${payload}`
    if (sent.ids.has(id)) return
    transaction.put(addressOf(sent.list.length), [channel, payload, pid])
    sent.list.push({ id, writes: transaction.mark().writes })
    sent.ids.add(id)
  }

  /** Writes after the mark were undone. */
  undone(transaction: Transaction, { writes }: TransactionMark): void {
    const sent = this.#sent.get(transaction)
    if (sent === undefined) return
    for (let last = sent.list.at(-1); last !== undefined && last.writes > writes; last = sent.list.at(-1)) {
      sent.list.pop()
      sent.ids.delete(last.id)
    }
  }
}
