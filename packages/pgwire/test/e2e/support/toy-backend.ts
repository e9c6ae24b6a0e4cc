import type { Value } from '@cluster/core'
import type {
  WireAdmission,
  WireBackend,
  WireCall,
  WireColumn,
  WireError,
  WireNotification,
  WireNotifications,
  WireOrigin,
  WireParameter,
  WireResult,
  WireRow,
  WireSession,
} from '../../../src/index.ts'

export class ToyError extends Error {
  readonly wire: WireError

  constructor(sqlstate: string, message: string) {
    super(message)
    this.wire = { sqlstate, message }
  }
}

export const column = (name: string, typeOid: number): WireColumn => ({
  name,
  typeOid,
  typeBytes: -1,
  typeModifier: -1,
  text: (value: Value) => String(value),
})

/**
 * A language of a few words: `rows N` gives N rows, `echo TYPES` gives its parameters back, `fail`, `wait` until
 * cancelled, `begin`, `commit`, `rollback`, `set NAME VALUE`. Statements are parted by semicolons.
 */
export class ToySession implements WireSession {
  transactionState: WireSession['transactionState'] = 'idle'
  #settings: ReadonlyMap<string, string> = new Map([['server_version', '15.0']])
  /** What was run, in order. */
  readonly done: string[]
  closed = false
  /** What came and was not taken. */
  readonly waiting: WireNotification[] = []
  /** Set: what taking says. */
  lost: Error | null = null
  #arrived: () => void = () => {}
  readonly notifications: WireNotifications = {
    take: () => {
      if (this.lost !== null) throw this.lost
      return this.transactionState === 'idle' ? this.waiting.splice(0) : []
    },
    onArrival: (listener) => {
      this.#arrived = listener
    },
  }
  /** Rows that a reader has taken of each statement. */
  taken = 0

  constructor(done: string[]) {
    this.done = done
  }

  tell(...payloads: readonly string[]): void {
    this.waiting.push(...payloads.map((payload) => ({ channel: 'news', payload, process: 7 })))
    this.#arrived()
  }

  lose(error: Error): void {
    this.lost = error
    this.#arrived()
  }

  settings(): ReadonlyMap<string, string> {
    return this.#settings
  }

  count(text: string): number {
    return split(text).length
  }

  apart(text: string): readonly string[] | null {
    const parts = split(text)
    return parts.length > 1 && parts.some((part) => part.startsWith('copy')) ? parts : null
  }

  async describe(text: string) {
    const [word = '', ...rest] = (split(text)[0] ?? '').split(' ')
    if (word === 'nonsense') throw new ToyError('42601', 'syntax error')
    if (word === 'rows') return { parameterTypes: [], columns: [column('n', 23)] }
    if (word === 'echo')
      return {
        parameterTypes: rest.map(Number),
        columns: rest.map((oid, i) => column(`p${i + 1}`, Number(oid))),
      }
    return { parameterTypes: [], columns: null }
  }

  async execute(
    text: string,
    parameters: readonly WireParameter[],
    { signal, copyIn }: WireCall,
  ): Promise<WireResult> {
    const [word = '', ...rest] = (split(text)[0] ?? '').split(' ')
    this.done.push(split(text)[0] ?? '')
    if (this.transactionState === 'failed' && word !== 'rollback' && word !== 'ROLLBACK')
      throw new ToyError('25P02', 'current transaction is aborted')
    switch (word) {
      case 'rows':
        return {
          columns: [column('n', 23)],
          rows: [],
          rest: this.#rows(Number(rest[0])),
          tag: (n) => `SELECT ${n}`,
        }
      case 'echo':
        return {
          columns: rest.map((oid, i) => column(`p${i + 1}`, Number(oid))),
          rows: [parameters],
          rest: null,
          tag: (n) => `SELECT ${n}`,
        }
      case 'begin':
      case 'BEGIN':
        this.transactionState = 'open'
        return done('BEGIN')
      case 'commit':
      case 'COMMIT':
        this.transactionState = 'idle'
        return done('COMMIT')
      case 'rollback':
      case 'ROLLBACK':
        this.transactionState = 'idle'
        return done('ROLLBACK')
      case 'set':
        this.#settings = new Map(this.#settings).set(rest[0] ?? '', rest[1] ?? '')
        return done('SET')
      case 'wait':
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        throw new ToyError('57014', 'canceling statement due to user request')
      case 'copyin':
        return this.#copyIn(copyIn({ binary: false, columns: 2 }))
      case 'copyout':
        return {
          ...done(`COPY ${rest[0]}`),
          copyOut: { binary: true, columns: 1, rows: this.#lines(Number(rest[0])) },
        }
      case 'insert':
        return done('INSERT 0 1')
    }
    if (this.transactionState === 'open') this.transactionState = 'failed'
    throw new ToyError(word === 'fail' ? '22012' : '42601', `${word} failed`)
  }

  async executeAll(text: string, call: WireCall): Promise<readonly WireResult[]> {
    const results: WireResult[] = []
    for (const statement of split(text)) results.push(await this.execute(statement, [], call))
    return results
  }

  close(): void {
    this.closed = true
  }

  /** Lines; one that says `bad` is refused. */
  async #copyIn(pieces: AsyncIterable<Uint8Array>): Promise<WireResult> {
    const decoder = new TextDecoder()
    let text = ''
    try {
      for await (const piece of pieces) {
        text += decoder.decode(piece)
        if (text.includes('bad')) throw new ToyError('22P02', 'a bad line')
      }
    } catch (error) {
      if (this.transactionState === 'open') this.transactionState = 'failed'
      this.done.push('copy failed')
      throw error
    }
    this.done.push(`copied ${JSON.stringify(text)}`)
    return done(`COPY ${text.split('\n').length - 1}`)
  }

  async *#lines(count: number): AsyncGenerator<readonly Uint8Array[]> {
    for (let i = 0; i < count; i++) {
      this.taken++
      yield [new TextEncoder().encode(`${i}\n`)]
    }
  }

  async *#rows(count: number): AsyncGenerator<readonly WireRow[]> {
    for (let from = 0; from < count; from += 100) {
      const rows = Array.from({ length: Math.min(100, count - from) }, (_, i) => [from + i])
      this.taken += rows.length
      yield rows
    }
  }
}

function split(text: string): string[] {
  return text
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

const done = (tag: string): WireResult => ({ columns: null, rows: [], rest: null, tag: () => tag })

/** A backend of toy sessions. */
export class ToyBackend implements WireBackend {
  readonly done: string[] = []
  readonly sessions: ToySession[] = []
  admission: WireAdmission = { how: 'trust' }
  /** Where clients came from, in order. */
  readonly origins: WireOrigin[] = []

  async admit(_login: unknown, origin: WireOrigin): Promise<WireAdmission> {
    this.origins.push(origin)
    return this.admission
  }

  async connect({ database }: { readonly database: string }): Promise<WireSession> {
    if (database !== 'shop') throw new ToyError('3D000', `database "${database}" does not exist`)
    const session = new ToySession(this.done)
    this.sessions.push(session)
    return session
  }

  describeError(error: unknown): WireError {
    return error instanceof ToyError ? error.wire : { sqlstate: 'XX000', message: String(error) }
  }
}
