import { assert, type Key, KeyWriter } from '@cluster/core'
import { answer, charge, full, OVERHEAD, over } from './changing.ts'
import type { Operation, Result } from './codec.ts'
import { emptyQueue } from './make.ts'
import type { Container, Message, Turn } from './state.ts'

const RECEIPT_LENGTH_MAX = 128
/** Messages that one command puts back at most. */
const PUT_BACK_MAX = 1_000

const bytesOf = (value: Uint8Array): number => OVERHEAD + value.length

/** The smallest priority first, and of equal ones the one that came first. */
const readyKey = ({ priority, id }: Pick<Message, 'priority' | 'id'>): Key =>
  new KeyWriter().double(priority).double(id).finish()

export function push(
  turn: Turn,
  container: Container,
  operation: Extract<Operation, { type: 'push' | 'pushLater' }>,
): Result {
  const { value, priority } = operation
  if (!Number.isFinite(priority) || (container.kind === 'queue' && priority !== 0)) return answer('malformed')
  if (value.length > turn.limits.valueBytes) return over('valueBytes')
  const bytes = bytesOf(value)
  if (container.bytes + bytes > container.settings.bytesMax) return full(container)
  const deadline = operation.type === 'push' ? 0 : laterThan(turn, operation)
  if (!Number.isFinite(deadline)) return answer('malformed')
  const id = turn.next()
  put(turn, container, undefined, {
    id,
    priority,
    value,
    deliveries: 0,
    receipt: '',
    taker: null,
    leaseMs: 0,
    deadline,
    spared: 0,
    aside: false,
  })
  charge(turn, container, bytes)
  return answer('done', id)
}

/** When it is to be taken, in log time; 0 for at once. */
function laterThan(
  { entry }: Turn,
  { delayMs, wall }: { readonly delayMs: number; readonly wall: number },
): number {
  const later = Math.max(delayMs, wall === 0 ? 0 : wall - entry.wall)
  return later > 0 ? entry.time + later : 0
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
  operation: Extract<Operation, { type: 'acknowledge' | 'release' | 'redeliver' | 'extend' | 'postpone' }>,
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
    case 'postpone':
      if (!Number.isFinite(operation.delayMs)) return answer('malformed')
      giveBack(turn, container, message, turn.entry.time + operation.delayMs)
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

/** Its time has come: it waits for a taker, if it is still to wait for that time. */
export function becomesReady(turn: Turn, container: Container, id: number, deadline: number): boolean {
  const message = container.queue.messages.get(id)
  if (message === undefined || !isDelayed(message, deadline)) return false
  replace(turn, container, message, { ...message, deadline: 0 })
  return true
}

/** Whether that is the time which a message waits for. */
export const isDelayed = (message: Message, deadline: number): boolean =>
  message.receipt === '' && message.deadline === deadline

/** What was set aside waits again, in its old place. */
export function putBack(turn: Turn, container: Container, id: number): Result {
  const found: Message[] = []
  const { messages, aside } = container.queue
  aside.ascend(undefined, (_key, each) => {
    const message = messages.get(each)
    assert(message, 'a message that was set aside is there')
    if (id === 0 || id === each) found.push(message)
    return found.length < PUT_BACK_MAX
  })
  for (const message of found)
    replace(turn, container, message, { ...message, spared: message.deliveries, aside: false })
  return found.length > 0 ? answer('done', found.length) : answer('no')
}

export function discard(turn: Turn, container: Container, id: number): Result {
  const message = container.queue.messages.get(id)
  if (!message?.aside) return answer('no')
  replace(turn, container, message, undefined)
  charge(turn, container, -bytesOf(message.value))
  return answer('done', id)
}

/** It waits again, in its old place, unless it was delivered too often: then it is set aside. */
function giveBack(turn: Turn, container: Container, message: Message, notBefore = 0): void {
  const { deliveriesMax } = container.settings
  const aside = deliveriesMax > 0 && message.deliveries - message.spared >= deliveriesMax
  const deadline = aside || notBefore <= turn.entry.time ? 0 : notBefore
  put(turn, container, message, { ...message, receipt: '', taker: null, leaseMs: 0, deadline, aside })
}

/** Puts a message where it waits: for a taker, or for its time. */
function put(turn: Turn, container: Container, before: Message | undefined, after: Message): void {
  replace(turn, container, before, after)
  const { deadline, id } = after
  if (deadline > 0) turn.deadlines.push({ deadline, container: container.name, key: '', number: id })
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
  queue: Container['queue'],
  before: Message | undefined,
  after: Message | undefined,
): void {
  if (before) {
    queue.messages.delete(before.id)
    if (before.receipt !== '') queue.receipts.delete(before.receipt)
    else if (before.aside) queue.aside.delete(readyKey(before))
    else if (before.deadline > 0) queue.delayed.delete(before.id)
    else queue.ready.delete(readyKey(before))
  }
  if (after) {
    queue.messages.set(after.id, after)
    if (after.receipt !== '') queue.receipts.set(after.receipt, after.id)
    else if (after.aside) queue.aside.set(readyKey(after), after.id)
    else if (after.deadline > 0) queue.delayed.add(after.id)
    else queue.ready.set(readyKey(after), after.id)
  }
}
