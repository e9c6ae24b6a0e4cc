import {
  END,
  type Operation,
  type Status,
  type Targeted,
  type WantedSettings,
  type When,
} from '../../src/machine/codec.ts'
import type { Stored } from '../../src/machine/stored.ts'

interface NaiveEntry {
  readonly key: string
  readonly value: Stored
  readonly version: number
  readonly until: number
}

interface NaiveMessage {
  readonly id: number
  readonly value: Uint8Array
  readonly priority: number
  receipt: string
  /** When its lease is over, or when it may be taken. */
  until: number
  deliveries: number
  aside: boolean
}

interface NaiveContainer {
  readonly kind: string
  readonly bytesMax: number
  /** In the order they were written. */
  entries: NaiveEntry[]
  values: { readonly value: Uint8Array; readonly version: number }[]
  messages: NaiveMessage[]
}

const same = (a: Stored, b: Stored): boolean => String(a) === String(b) && typeof a === typeof b
const size = (stored: Stored): number => (typeof stored === 'number' ? 8 : stored.length)

/** Containers as one would write them on a napkin: lists that are searched from the start. It counts versions as the machine says. */
export class NaiveContainers {
  readonly #containers = new Map<string, NaiveContainer>()
  #number = 0

  run(
    { name, kind, operation }: Extract<Targeted, { name: string }>,
    time: number,
    wanted: WantedSettings,
  ): Status {
    const container = this.#containers.get(name)
    if (operation.type === 'open') {
      if (!container) {
        this.#number++
        this.#containers.set(name, { kind, bytesMax: wanted.bytesMax, entries: [], values: [], messages: [] })
      }
      return 'done'
    }
    if (!container) return 'absent'
    if (operation.type === 'destroy') {
      this.#containers.delete(name)
      return 'done'
    }
    if (kind === 'list') return this.#list(container, operation)
    if (kind === 'priorityQueue') return this.#queue(container, operation, time, wanted.deliveriesMax)
    if (kind === 'ring') {
      if (operation.type !== 'publish') return 'malformed'
      this.#number++
      return 'done'
    }
    return this.#keyed(container, operation, time, wanted)
  }

  sweep(time: number): void {
    for (const container of this.#containers.values())
      for (const message of container.messages)
        if (message.receipt === '' && message.until <= time) message.until = 0
    for (const container of this.#containers.values())
      for (const entry of container.entries.filter(({ until }) => until > 0 && until <= time)) {
        container.entries = container.entries.filter((each) => each !== entry)
        this.#number++
      }
  }

  /** What is there, for comparing. */
  look(name: string) {
    const { entries = [], values = [], messages = [] } = this.#containers.get(name) ?? {}
    const waiting = messages.filter(waits).sort((a, b) => a.priority - b.priority || a.id - b.id)
    return {
      delayed: messages.filter(({ receipt, until, aside }) => receipt === '' && until > 0 && !aside).length,
      aside: messages.filter(({ aside }) => aside).length,
      keys: entries.map(({ key }) => key).sort(),
      values: values.map(({ value }) => value),
      waiting: waiting.map(({ value }) => value),
    }
  }

  #used({ entries, values, messages }: NaiveContainer): number {
    let sum = 0
    for (const { key, value } of entries) sum += 64 + key.length + size(value)
    for (const { value } of [...values, ...messages]) sum += 64 + value.length
    return sum
  }

  #keyed(container: NaiveContainer, operation: Operation, time: number, { sizeMax }: WantedSettings): Status {
    const { kind } = container
    const find = (key: string): NaiveEntry | undefined => container.entries.find((each) => each.key === key)
    const without = (key: string): NaiveEntry[] => container.entries.filter((each) => each.key !== key)
    const until = (ttl: number): number => (ttl > 1 ? time + ttl - 1 : 0)
    switch (operation.type) {
      case 'put': {
        if (kind === 'multiset') return 'malformed'
        const { key, value, ttl, when } = operation
        if (!holds(when, find(key))) return 'no'
        const before = container.entries
        const entry = { key, value, version: this.#number + 1, until: until(ttl) }
        container.entries = [...without(key), entry]
        if (kind !== 'cache' && this.#used(container) > container.bytesMax) {
          container.entries = before
          return 'full'
        }
        this.#number++
        while (kind === 'cache' && container.entries.length > sizeMax) {
          container.entries.shift()
          this.#number++
        }
        return 'done'
      }
      case 'remove': {
        const entry = find(operation.key)
        if (!entry || !holds(operation.when, entry)) return 'no'
        container.entries = without(operation.key)
        this.#number++
        return 'done'
      }
      case 'touch': {
        const entry = find(operation.key)
        if (!entry) return 'no'
        container.entries = container.entries.map((each) =>
          each === entry ? { ...entry, until: until(operation.ttl) } : each,
        )
        return 'done'
      }
      case 'add': {
        if (kind !== 'multiset') return 'malformed'
        const { key, by } = operation
        const entry = find(key)
        const after = Number(entry?.value ?? 0) + by
        if (after < 0) return 'no'
        if (after > 0 || entry) this.#number++
        container.entries = without(key)
        if (after > 0) container.entries.push({ key, value: after, version: this.#number, until: 0 })
        return 'done'
      }
      case 'clear':
        if (container.entries.length > 0) this.#number++
        container.entries = []
        return 'done'
      default:
        return 'malformed'
    }
  }

  #list(container: NaiveContainer, operation: Operation): Status {
    const { values } = container
    switch (operation.type) {
      case 'insert':
      case 'place': {
        const inserts = operation.type === 'insert'
        const at = operation.at === END ? values.length : operation.at
        if (at > values.length || (!inserts && at === values.length)) return 'no'
        const before = [...values]
        values.splice(at, inserts ? 0 : 1, { value: operation.value, version: this.#number + 1 })
        if (this.#used(container) > container.bytesMax) {
          container.values = before
          return 'full'
        }
        this.#number++
        return 'done'
      }
      case 'cut': {
        const at = operation.at === END ? values.length - 1 : operation.at
        const found = values[at]
        if (!found || (operation.version !== 0 && operation.version !== found.version)) return 'no'
        values.splice(at, 1)
        this.#number++
        return 'done'
      }
      case 'clear':
        if (values.length > 0) this.#number++
        container.values = []
        return 'done'
      default:
        return 'malformed'
    }
  }

  #queue(container: NaiveContainer, operation: Operation, time: number, deliveriesMax: number): Status {
    const { messages } = container
    switch (operation.type) {
      case 'push':
      case 'pushLater': {
        const { value, priority } = operation
        if (this.#used(container) + 64 + value.length > container.bytesMax) return 'full'
        // The wall stands still at 0.
        const later = operation.type === 'push' ? 0 : Math.max(operation.delayMs, operation.wall)
        const until = later === 0 ? 0 : time + later
        const message = { value, priority, receipt: '', until, deliveries: 0, aside: false }
        messages.push({ id: ++this.#number, ...message })
        return 'done'
      }
      case 'take': {
        if (messages.some(({ receipt }) => receipt === operation.receipt)) return 'done'
        const [first] = messages.filter(waits).sort((a, b) => a.priority - b.priority || a.id - b.id)
        if (!first) return 'no'
        first.receipt = operation.receipt
        first.deliveries++
        first.until = time + operation.leaseMs
        return 'done'
      }
      case 'acknowledge':
      case 'release':
      case 'postpone':
      case 'redeliver': {
        const message = messages.find(
          ({ id, receipt }) => id === operation.id && receipt === operation.receipt,
        )
        if (!message || (operation.type === 'redeliver' && message.until > time)) return 'no'
        message.receipt = ''
        message.aside = message.deliveries >= deliveriesMax
        const later = operation.type === 'postpone' ? operation.delayMs : 0
        message.until = later > 0 && !message.aside ? time + later : 0
        if (operation.type === 'acknowledge') container.messages = messages.filter((each) => each !== message)
        return 'done'
      }
      case 'putBack': {
        const back = messages.filter(({ id, aside }) => aside && (operation.id === 0 || id === operation.id))
        for (const message of back) Object.assign(message, { aside: false, deliveries: 0 })
        return back.length > 0 ? 'done' : 'no'
      }
      case 'discard': {
        const found = messages.find(({ id, aside }) => aside && id === operation.id)
        container.messages = messages.filter((each) => each !== found)
        return found ? 'done' : 'no'
      }
      case 'clear':
        container.messages = []
        return 'done'
      default:
        return 'malformed'
    }
  }
}

const waits = ({ receipt, until, aside }: NaiveMessage): boolean => receipt === '' && until === 0 && !aside

function holds(when: When, entry: NaiveEntry | undefined): boolean {
  switch (when.is) {
    case 'any':
      return true
    case 'absent':
      return !entry
    case 'present':
      return entry !== undefined
    case 'version':
      return when.version === (entry?.version ?? 0)
    case 'equal':
      return entry !== undefined && same(entry.value, when.value)
  }
}
