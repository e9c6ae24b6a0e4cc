import { execFile } from 'node:child_process'
import { createConnection, type Socket } from 'node:net'
import { promisify } from 'node:util'
import { type Caller, type ClosedLoop, closedLoop, type LoadAnswer } from '../closed-loop.ts'
import { freePorts, pause } from '../ports.ts'
import type { ContainerLoad, LockLoad } from '../workers/objects-worker-protocol.ts'
import { type Absent, absent } from './peer.ts'
import { Servers } from './servers.ts'

const run = promisify(execFile)
const START_MS_MAX = 10_000
/** Characters of a value. */
const VALUE_LENGTH = 100
/** What the usual recipe gives a lock before it is free by itself. */
const LOCK_MS = 30_000
/** Gives a lock back only if it is still one's own. */
const RELEASE =
  "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('del',KEYS[1]) else return 0 end"

/** What is there to measure with, or what is missing. */
export async function findRedis(): Promise<{ readonly version: string } | Absent> {
  try {
    const { stdout } = await run('redis-server', ['--version'])
    return { version: /v=(\S+)/.exec(stdout)?.[1] ?? 'unknown' }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return absent('redis', 'the program redis-server is not installed')
  }
}

/** One server, every write fsynced, nothing replicated: what one disk can do. */
export class Redis {
  readonly version: string
  readonly #servers: Servers
  readonly #port: number

  private constructor(servers: Servers, version: string, port: number) {
    this.#servers = servers
    this.version = version
    this.#port = port
  }

  static async start({ version }: { readonly version: string }): Promise<Redis> {
    const [port = 0] = await freePorts(1)
    const servers = await Servers.inFolder('redis', null)
    const redis = new Redis(servers, version, port)
    servers.start('redis', 'redis-server', [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', servers.folder],
      ...['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''],
    ])
    await servers.orStop(redis.#ready())
    return redis
  }

  get pids(): readonly number[] {
    return this.#servers.pids
  }

  async #ready(): Promise<void> {
    const deadline = performance.now() + START_MS_MAX
    for (;;) {
      try {
        const connection = await Connection.open(this.#port)
        connection.close()
        return
      } catch (error) {
        if (performance.now() > deadline) throw error
        await pause(20)
      }
    }
  }

  /**
   * Callers with a connection each. A lock that is contended is an element of a list, for which the server lets callers
   * wait in order; others are the usual `SET … NX`.
   */
  async locks({ locks, ...loop }: LockLoad): Promise<LoadAnswer> {
    const waits = loop.callers > locks
    return this.#load(
      loop,
      (ask, at) => {
        let turn = 0
        return async () => {
          const token = `${at}-${turn++}`
          const name = `lock ${Math.floor(Math.random() * locks)}`
          if (waits) {
            await ask('BLPOP', 'list 0', '0')
            await ask('RPUSH', 'list 0', 'free')
          } else {
            while ((await ask('SET', name, token, 'NX', 'PX', String(LOCK_MS))) === null) await pause(1)
            await ask('EVAL', RELEASE, '1', name, token)
          }
          return 1
        }
      },
      async (ask) => {
        if (!waits) return
        await ask('DEL', 'list 0')
        await ask('RPUSH', 'list 0', 'free')
      },
    )
  }

  /** What comes nearest to each: `SET`, `GET`, `RPUSH` with `LPOP`, `INCR`. */
  containers({ kind, keys, ...loop }: ContainerLoad): Promise<LoadAnswer> {
    const value = 'x'.repeat(VALUE_LENGTH)
    return this.#load(loop, (ask, at) => {
      let turn = 0
      return async () => {
        const name = `${at}-${turn}`
        const key = `key ${(at + turn++ * loop.callers) % keys}`
        for (const words of wordsOf(kind, name, key, value)) await ask(...words)
        return 1
      }
    })
  }

  /** Gives each caller a connection. @param first done before the callers begin */
  async #load(
    loop: ClosedLoop,
    callerOf: (ask: Connection['ask'], at: number) => Caller,
    first: (ask: Connection['ask']) => Promise<void> = async () => {},
  ): Promise<LoadAnswer> {
    const connections = await Promise.all(
      Array.from({ length: loop.callers }, () => Connection.open(this.#port)),
    )
    const asks = connections.map(
      (connection): Connection['ask'] =>
        (...words) =>
          connection.ask(...words),
    )
    for (const ask of asks.slice(0, 1)) await first(ask)
    const answer = await closedLoop(loop, (at) => callerOf(asks[at] as Connection['ask'], at))
    for (const connection of connections) connection.close()
    return answer
  }

  stop(): Promise<void> {
    return this.#servers.stop()
  }
}

function wordsOf(kind: ContainerLoad['kind'], fresh: string, known: string, value: string): string[][] {
  switch (kind) {
    case 'put':
      return [['SET', fresh, value]]
    case 'get':
    case 'local':
      return [['GET', known]]
    case 'queue':
      return [
        ['RPUSH', 'jobs', value],
        ['LPOP', 'jobs'],
      ]
    case 'counter':
      return [['INCR', 'hits']]
    case 'topic':
      return [['PUBLISH', 'news', value]]
  }
}

/** As much of Redis' protocol as locks need: one command at a time. */
class Connection {
  readonly #socket: Socket
  #received = ''
  #answer: { resolve(reply: string | null): void; reject(error: Error): void } | null = null

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (bytes) => this.#hear(bytes.toString('latin1')))
    socket.on('error', (error) => this.#answer?.reject(error))
  }

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = createConnection(port, '127.0.0.1', () => resolve(new Connection(socket)))
      socket.once('error', reject)
    })
  }

  ask(...words: readonly string[]): Promise<string | null> {
    return new Promise((resolve, reject) => {
      this.#answer = { resolve, reject }
      const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
      this.#socket.write(`*${words.length}\r\n${parts.join('')}`)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #hear(text: string): void {
    this.#received += text
    const end = endOf(this.#received, 0)
    if (end === null) return
    const reply = this.#received.slice(0, end)
    this.#received = this.#received.slice(end)
    const answer = this.#answer
    this.#answer = null
    if (reply.startsWith('-')) answer?.reject(new Error(`redis: ${reply.slice(1).trim()}`))
    else answer?.resolve(reply.startsWith('$-1') || reply.startsWith('*-1') ? null : reply)
  }
}

/** Where the reply that begins there ends; null while it is not all there. */
function endOf(text: string, from: number): number | null {
  const line = text.indexOf('\r\n', from)
  if (line < 0) return null
  const count = Number(text.slice(from + 1, line))
  let end = line + 2
  switch (text[from]) {
    case '$':
      if (count >= 0) end += count + 2
      return end <= text.length ? end : null
    case '*':
      for (let left = count; left > 0; left--) {
        const next = endOf(text, end)
        if (next === null) return null
        end = next
      }
      return end
    default:
      return end
  }
}
