import type { LogEntry, StateMachine } from '@cluster/core'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
export const text = (value: string): Uint8Array => encoder.encode(value)
export const read = (bytes: Uint8Array): string => decoder.decode(bytes)

/** Keeps what it was given, in order; answers with how many there are. */
export class ListMachine implements StateMachine {
  readonly name: string
  lines: string[] = []
  entries: LogEntry[] = []

  constructor(name = 'list') {
    this.name = name
  }

  apply(entry: LogEntry): Uint8Array {
    this.entries.push(entry)
    this.lines.push(`${entry.index} ${entry.origin} ${read(entry.command)}`)
    return text(`${this.lines.length}`)
  }

  snapshot(): Uint8Array {
    return text(JSON.stringify(this.lines))
  }

  restore(snapshot: Uint8Array | null): void {
    this.lines = snapshot === null ? [] : (JSON.parse(read(snapshot)) as string[])
  }

  durableIndex(): number {
    return Number.POSITIVE_INFINITY
  }
}

/**
 * Money in purses, for bundles. A command `jar -3` answers with what is there then, or `short`; a condition `jar 7` holds
 * when at least so much is there.
 */
export class PurseMachine implements StateMachine {
  readonly name: string
  purses = new Map<string, number>()
  /** What is true before the bundle under way. */
  #before: ReadonlyMap<string, number> | null = null

  constructor(name: string) {
    this.name = name
  }

  readonly bundles = {
    check: (condition: Uint8Array): boolean => {
      const [purse = '', least] = read(condition).split(' ')
      return (this.purses.get(purse) ?? 0) >= Number(least)
    },
    begin: (): void => {
      this.#before = new Map(this.purses)
    },
    commit: (): void => {
      this.#before = null
    },
    rollback: (): void => {
      this.purses = new Map(this.#before)
      this.#before = null
    },
    refuses: (result: Uint8Array): boolean => read(result) === 'short',
  }

  apply({ command }: LogEntry): Uint8Array {
    const [purse = '', change] = read(command).split(' ')
    const sum = (this.purses.get(purse) ?? 0) + Number(change)
    if (sum < 0) return text('short')
    this.purses.set(purse, sum)
    return text(`${sum}`)
  }

  snapshot(): Uint8Array {
    return text(JSON.stringify([...this.purses]))
  }

  restore(snapshot: Uint8Array | null): void {
    this.purses = new Map(snapshot === null ? [] : (JSON.parse(read(snapshot)) as [string, number][]))
  }

  durableIndex(): number {
    return Number.POSITIVE_INFINITY
  }
}

/** Keeps pages, and gives them one by one: `snapshot` must not be asked for. */
export class PageMachine implements StateMachine {
  readonly name = 'pages'
  pages: string[] = []

  readonly pieces = {
    save: (): Iterator<Uint8Array> => {
      // What is applied later must not be seen in them.
      const pages = [...this.pages]
      return pages.map((page) => text(`${page}\n`)).values()
    },
    load: (): { piece(bytes: Uint8Array): void; done(): void } => {
      const decoding = new TextDecoder()
      let all = ''
      return {
        piece: (bytes) => {
          all += decoding.decode(bytes, { stream: true })
        },
        done: () => {
          this.pages = all.split('\n').slice(0, -1)
        },
      }
    },
  }

  apply({ command }: LogEntry): Uint8Array {
    this.pages.push(read(command))
    return text(`${this.pages.length}`)
  }

  snapshot(): Uint8Array {
    throw new Error('a machine that has pieces is not asked for its state as a whole')
  }

  restore(snapshot: Uint8Array | null): void {
    if (snapshot !== null) throw new Error('a machine that has pieces is not given its state as a whole')
    this.pages = []
  }

  durableIndex(): number {
    return Number.POSITIVE_INFINITY
  }
}
