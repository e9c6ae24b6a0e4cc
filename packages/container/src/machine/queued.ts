import { assert, type Key, KeyWriter } from '@cluster/core'
import { answer, charge, full, OVERHEAD, over } from './changing.ts'
import type { Operation, Result } from './codec.ts'
import { emptyQueue } from './make.ts'
import type { Container, Message, Turn } from './state.ts'

const RECEIPT_LENGTH_MAX = 128

const bytesOf = (value: Uint8Array): number => OVERHEAD + value.length

/** The smallest priority first, and of equal ones the one that came first. */
const readyKey = ({ priority, id }: Pick<Message, 'priority' | 'id'>): Key =>
  new KeyWriter().double(priority).double(id).finish()

export function push(
  turn: Turn,
  container: Container,
  { value, priority }: Extract<Operation, { type: 'push' }>,
): Result {
  if (!Number.isFinite(priority) || (container.kind === 'queue' && priority !== 0)) return answer('malformed')
  if (value.length > turn.limits.valueBytes) return over('valueBytes')
  const bytes = bytesOf(value)
  if (container.bytes + bytes > container.settings.bytesMax) return full(container)
  const id = turn.next()
  replace(turn, container, undefined, {
    id,
    priority,
    value,
    deliveries: 0,
    receipt: '',
    taker: null,
    leaseMs: 0,
    deadline: 0,
  })
  charge(turn, container, bytes)
  return answer('done', id)
}

export function take(
  turn: Turn,
  container: Container,
  { receipt, leaseMs }: Extract<Operation, { type: 'take' }>,
): Result {
  if (receipt === '' || receipt.length > RECEIPT_LENGTH_MAX) return answer('malformed')
  const { queue, settings } = container
  const known = queue.receipts.get(receipt)
  if (known !== undefined) return answer('done', known)
  let first: number | null = null
  queue.ready.ascend(undefined, (_key, id) => {
    first = id
    return false
  })
  if (first === null) return answer('no')
  const message = queue.messages.get(first)
  assert(message, 'a message that waits is there')
  const lease = leaseMs || settings.leaseMs
  lend(turn, container, message, {
    ...message,
    deliveries: message.deliveries + 1,
    receipt,
    taker: turn.entry.origin,
    leaseMs: lease,
    deadline: turn.entry.time + lease,
  })
  return answer('done', first)
}

/** What may be done with a message by the one who has it, and the note that its lease is over. */
export function handle(
  turn: Turn,
  container: Container,
  operation: Extract<Operation, { type: 'acknowledge' | 'release' | 'redeliver' | 'extend' }>,
): Result {
  const { id, receipt, type } = operation
  const message = container.queue.messages.get(id)
  if (message === undefined || receipt === '' || message.receipt !== receipt) return answer('no')
  switch (type) {
    case 'acknowledge':
      replace(turn, container, message, undefined)
      charge(turn, container, -bytesOf(message.value))
      break
    case 'extend': {
      const leaseMs = operation.leaseMs || message.leaseMs
      lend(turn, container, message, { ...message, leaseMs, deadline: turn.entry.time + leaseMs })
      break
    }
    case 'redeliver':
      // The note was right when it was sent; the lease may have begun anew before it came.
      if (message.deadline > turn.entry.time) return answer('no')
      giveBack(turn, container, message)
      break
    case 'release':
      giveBack(turn, container, message)
  }
  return answer('done', id)
}

export function clearQueue(turn: Turn, container: Container): Result {
  const { queue } = container
  container.queue = emptyQueue()
  turn.did(() => {
    container.queue = queue
  })
  charge(turn, container, -container.bytes)
  turn.touch(container)
  return answer('done', queue.messages.size)
}

/** It waits again, in its old place. */
function giveBack(turn: Turn, container: Container, message: Message): void {
  replace(turn, container, message, { ...message, receipt: '', taker: null, leaseMs: 0, deadline: 0 })
}

function lend(turn: Turn, container: Container, before: Message, after: Message): void {
  replace(turn, container, before, after)
  const { deadline, receipt, id } = after
  turn.leases.push({ deadline, container: container.name, key: receipt, number: id })
}

function replace(
  turn: Turn,
  container: Container,
  before: Message | undefined,
  after: Message | undefined,
): void {
  const { queue } = container
  exchange(queue, before, after)
  turn.did(() => exchange(queue, after, before))
  turn.touch(container)
}

/** Puts one message in the place of another, in all lists. */
export function exchange(
  { messages, ready, receipts }: Container['queue'],
  before: Message | undefined,
  after: Message | undefined,
): void {
  if (before) {
    messages.delete(before.id)
    if (before.receipt === '') ready.delete(readyKey(before))
    else receipts.delete(before.receipt)
  }
  if (after) {
    messages.set(after.id, after)
    if (after.receipt === '') ready.set(readyKey(after), after.id)
    else receipts.set(after.receipt, after.id)
  }
}
