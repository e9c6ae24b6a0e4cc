import {
  assert,
  type CallOptions,
  type ContainerKind,
  type LogIndex,
  type ReadOptions,
  type SharedObject,
  unreachable,
} from '@cluster/core'
import {
  answerLost,
  kindDiffers,
  optionInvalid,
  optionsDiffer,
  overflow,
  tooFull,
  tooMany,
} from '../errors.ts'
import {
  LIMIT_NAMES,
  type Operation,
  type Result,
  type Targeted,
  type WantedSettings,
} from '../machine/codec.ts'
import type { Container } from '../machine/state.ts'
import { type AnyOptions, wantedOf } from '../options.ts'
import { type Context, callOptions } from './context.ts'

/** It was gone between looking and writing so often: somebody destroys it again and again. */
const ATTEMPTS_MAX = 10

export interface Answer {
  /** False when the condition did not hold, or there was nothing like that. */
  readonly done: boolean
  readonly value: number
  readonly index: LogIndex
}

export interface Subject {
  readonly name: string
  readonly kind: ContainerKind
  readonly wanted: WantedSettings
}

/** The operations, with what makes the container before them. */
export function withOpening({ name, kind, wanted }: Subject, operations: readonly Operation[]): Targeted[] {
  const open: Operation = { type: 'open', wanted }
  return [open, ...operations].map((operation) => ({ name, kind, operation }))
}

/** An answer that says that something is wrong, as an error; null for the others. */
export function errorOf(context: Context, name: string, { status, value }: Result): Error | null {
  switch (status) {
    case 'done':
    case 'no':
    case 'absent':
      return null
    case 'kindDiffers':
      return kindDiffers(name)
    case 'optionsDiffer':
      return optionsDiffer(name)
    case 'full':
      return tooFull(name, value)
    case 'overflow':
      return overflow(name)
    case 'limit': {
      const limit = LIMIT_NAMES[value]
      assert(limit !== undefined, 'the limit has a name')
      return tooMany(limit, context.settings.limits[limit])
    }
    case 'malformed':
      return new TypeError(`the machine of containers does not understand an operation on ${name}`)
    default:
      return unreachable(status)
  }
}

/** What the handles of all kinds have in common. */
export class Handle implements SharedObject, Subject {
  readonly name: string
  readonly kind: ContainerKind
  readonly wanted: WantedSettings
  readonly context: Context
  /** The container that was as this handle wants it. */
  #opened = 0

  constructor(context: Context, name: string, kind: ContainerKind, options: AnyOptions) {
    if (typeof name !== 'string' || name === '' || !name.isWellFormed())
      throw optionInvalid('name', name, 'a text that is not empty and well-formed')
    this.context = context
    this.name = name
    this.kind = kind
    this.wanted = wantedOf(options)
  }

  /** The container as this node has it, if there is one. @throws CONTAINER_KIND_DIFFERS */
  here(): Readonly<Container> | undefined {
    const container = this.context.container(this.name)
    if (container !== undefined && container.kind !== this.kind) throw kindDiffers(this.name)
    return container
  }

  /** The same, after what was acknowledged before the call; at once where that need not be. */
  read(options?: ReadOptions): Readonly<Container> | undefined | Promise<Readonly<Container> | undefined> {
    if (options?.read !== 'local') return this.context.sync(options).then(() => this.here())
    this.context.checkRunning()
    return this.here()
  }

  /** Submits an operation. @throws what the machine and the log say */
  async write(operation: Operation, options: CallOptions = {}): Promise<Answer> {
    const { context, name, kind } = this
    if (!context.supports()) await context.demandVersion()
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const isOpen = this.#opened !== 0 && context.container(name)?.id === this.#opened
      const operations =
        isOpen && attempt === 0 ? [{ name, kind, operation }] : withOpening(this, [operation])
      const { results, index } = await context.batcher.submit(operations, callOptions(options))
      if (results === null) throw answerLost(name)
      for (const result of results) {
        const error = errorOf(context, name, result)
        if (error !== null) throw error
      }
      const [first] = results
      const last = results.at(-1)
      assert(first && last, 'each operation is answered')
      if (operations.length > 1) this.#opened = first.value
      if (last.status !== 'absent') return { done: last.status === 'done', value: last.value, index }
    }
    throw new TypeError(`the container ${name} is destroyed faster than it can be made`)
  }

  syncedTo(index: LogIndex, options?: CallOptions): Promise<void> {
    return this.context.log.applied(index, options)
  }

  bytes(): number {
    return this.here()?.bytes ?? 0
  }

  async destroy(options?: CallOptions): Promise<void> {
    await this.write({ type: 'destroy' }, options)
  }

  async clear(options?: CallOptions): Promise<void> {
    await this.write({ type: 'clear' }, options)
  }
}
