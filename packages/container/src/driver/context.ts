import {
  type CallOptions,
  type Cancel,
  type Clock,
  type ClusterVersion,
  type Databases,
  type Logger,
  type OrderedLog,
  type Random,
  type ReadOptions,
  randomId,
  VERSION_OF,
} from '@cluster/core'
import { stopped, versionTooLow } from '../errors.ts'
import type { ContainerMachine } from '../machine/machine.ts'
import type { Container, ContainerEffect } from '../machine/state.ts'
import type { Settings } from '../options.ts'
import { Batcher } from './batcher.ts'
import { Spans } from './distributed/spans.ts'
import { Stores } from './distributed/stores.ts'

export interface ContainerPorts {
  readonly log: OrderedLog
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Where the entries of distributed maps are. Without it there are none. */
  readonly databases?: Pick<Databases, 'open'>
}

/** What the handles share. */
export class Context {
  readonly log: OrderedLog
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly machine: ContainerMachine
  readonly settings: Settings
  readonly batcher: Batcher
  readonly stores: Stores
  readonly spans: Spans
  /** Unique to this process. */
  readonly uid: string
  readonly #listeners = new Map<string, Set<() => void>>()
  readonly #endings = new Set<() => void>()
  #stopped = false
  /** That of the cluster, as far as this node was told. */
  #version: ClusterVersion = 0
  #numbers = 0

  constructor(ports: ContainerPorts, machine: ContainerMachine, settings: Settings) {
    this.log = ports.log
    this.clock = ports.clock
    this.random = ports.random
    this.logger = ports.logger
    this.machine = machine
    this.settings = settings
    this.batcher = new Batcher(ports.log, ports.clock)
    this.spans = new Spans(ports.clock, () => `${this.uid}.${this.number()}`)
    this.stores = new Stores(ports.databases ?? null, ports.log)
    this.uid = randomId(ports.random)
    ports.log.on('group', ({ version }) => {
      this.#version = version
    })
  }

  get stopped(): boolean {
    return this.#stopped
  }

  /** A number that was not given in this process before. */
  number(): number {
    return ++this.#numbers
  }

  container(name: string): Readonly<Container> | undefined {
    return this.machine.containers.get(name)
  }

  /** @throws STOPPED */
  checkRunning(): void {
    if (this.#stopped) throw stopped()
  }

  /** Waits until reads of this node cover what was acknowledged anywhere, unless they need not. */
  async sync({ read = 'linearizable', deadlineMs, signal }: ReadOptions = {}): Promise<void> {
    this.checkRunning()
    if (read === 'local') return
    const options = callOptions({ deadlineMs, signal })
    await this.log.applied(await this.log.barrier(options), options)
  }

  /** True when it is known that all members support it: then nothing has to be waited for. @throws STOPPED */
  supports(needs: ClusterVersion = VERSION_OF.containers): boolean {
    this.checkRunning()
    return this.#version >= needs
  }

  /** Waits until it is known what the members support. @throws LOG_VERSION_TOO_LOW */
  async demandVersion(needs: ClusterVersion = VERSION_OF.containers): Promise<void> {
    if (this.supports(needs)) return
    const { log } = this
    if (log.group().version >= needs) return
    if (log.group().version === 0) {
      // The first member says so when it has joined.
      await log.ready()
      await new Promise<void>((resolve) => {
        const done = (): void => {
          if (log.group().version === 0) return
          cancel()
          resolve()
        }
        const cancel = log.on('group', done)
        queueMicrotask(done)
      })
    }
    const { version } = log.group()
    if (version < needs) throw versionTooLow(version, needs)
  }

  hear(effect: ContainerEffect): void {
    const names = effect.type === 'changed' ? effect.names : [...this.#listeners.keys()]
    for (const name of names) this.wake(name)
  }

  /** Those who follow the container look at it again. */
  wake(name: string): void {
    const listeners = this.#listeners.get(name)
    if (listeners) for (const listener of [...listeners]) listener()
  }

  /** Calls `listener` whenever the container changed here. */
  listen(name: string, listener: () => void): Cancel {
    // A wrapper makes two registrations of one function independent.
    const entry = (): void => listener()
    const known = this.#listeners.get(name)
    if (known) known.add(entry)
    else this.#listeners.set(name, new Set([entry]))
    return () => {
      const all = this.#listeners.get(name)
      all?.delete(entry)
      if (all?.size === 0) this.#listeners.delete(name)
    }
  }

  /** Calls `listener` when the containers of this node are stopped. */
  onStop(listener: () => void): Cancel {
    this.#endings.add(listener)
    return () => void this.#endings.delete(listener)
  }

  stop(): void {
    this.#stopped = true
    for (const ending of [...this.#endings]) ending()
  }
}

/** The same without what is undefined. */
export function callOptions({
  deadlineMs,
  signal,
}: {
  readonly deadlineMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}): CallOptions {
  return {
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(signal === undefined ? {} : { signal }),
  }
}
