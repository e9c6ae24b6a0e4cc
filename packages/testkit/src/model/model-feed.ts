import {
  type Change,
  type ChangeFeed,
  type ChangesOptions,
  ClusterError,
  type DatabaseErrorDetail,
  type DatabaseEvents,
  type Events,
  logIndex,
  type RelationId,
  type Version,
} from '@cluster/core'

export type ModelChange = Omit<Change, 'version' | 'token'>

/** What a feed of the model needs of its database. */
export interface ModelFeedPorts {
  readonly name: string
  version(): Version
  keep(relations: readonly RelationId[] | undefined): Version
  keptSince(relations: readonly RelationId[] | undefined): Version | null
  changesOf(version: Version): readonly ModelChange[]
  /** Resolves with the next commit. @throws ABORTED */
  next(signal: AbortSignal | undefined): Promise<void>
}

interface Position {
  /** Everything up to this version was taken … */
  readonly version: number
  /** … and so many changes of the next one. */
  readonly taken: number
}

const fail = (detail: DatabaseErrorDetail, message: string): ClusterError<DatabaseErrorDetail> =>
  new ClusterError(detail, message)

/** Changes read off the whole history, one version after another. */
export class ModelFeed implements ChangeFeed {
  readonly #options: ChangesOptions
  readonly #ports: ModelFeedPorts
  #position: Position | null = null

  constructor(options: ChangesOptions, ports: ModelFeedPorts) {
    this.#options = options
    this.#ports = ports
    if (typeof options.from === 'string') this.#position = this.#parse(options.from)
  }

  #parse(token: string): Position {
    const match = /^model (\d+) (\d+) (.*)$/.exec(token)
    if (match === null || match[3] !== this.#ports.name)
      throw fail(
        { code: 'DB_OPTION_INVALID', outcome: 'rejected', option: 'from', given: token },
        'This is no token of this database; give one that came with a change.',
      )
    return { version: Number(match[1]), taken: Number(match[2]) }
  }

  #format({ version, taken }: Position): string {
    return `model ${version} ${taken} ${this.#ports.name}`
  }

  get token(): string | null {
    return this.#position === null ? null : this.#format(this.#position)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Change> {
    const { relations, signal, from } = this.#options
    const ports = this.#ports
    const begin = (): number => (typeof from === 'number' ? from : ports.keep(relations))
    this.#position ??= { version: begin(), taken: 0 }
    for (;;) {
      if (signal?.aborted) throw new ClusterError({ code: 'ABORTED', outcome: 'rejected' }, 'It was aborted.')
      const position: Position = this.#position
      const since = ports.keptSince(relations)
      if (since === null || position.version < since)
        throw fail(
          { code: 'DB_CHANGES_GONE', outcome: 'rejected', reason: 'notKept', oldest: since },
          'Nobody had asked for these changes to be kept; read the rows anew.',
        )
      if (position.version >= ports.version()) {
        await ports.next(signal)
        continue
      }
      const version = logIndex(position.version + 1)
      const changes = ports.changesOf(version)
      for (let taken = position.taken + 1; taken <= changes.length; taken++) {
        const change = changes[taken - 1]
        this.#position = { version: position.version, taken }
        if (change === undefined || relations?.includes(change.relation) === false) continue
        yield { ...change, version, token: this.#format(this.#position) }
      }
      this.#position = { version, taken: 0 }
    }
  }
}

/** Resolves with the next commit. @throws ABORTED */
export function nextCommit(events: Events<DatabaseEvents>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      cancel()
      reject(new ClusterError({ code: 'ABORTED', outcome: 'rejected' }, 'It was aborted.'))
    }
    const cancel = events.on('commit', () => {
      cancel()
      signal?.removeEventListener('abort', abort)
      resolve()
    })
    signal?.addEventListener('abort', abort, { once: true })
  })
}
