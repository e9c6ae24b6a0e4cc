import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Random } from '@cluster/core'
import * as wire from './wire-client.ts'

/** What a client does that means no good, or is broken. */
export type AttackKind =
  | 'garbage'
  | 'badStart'
  | 'mutated'
  | 'shuffled'
  | 'truncated'
  | 'oversized'
  | 'vanishing'
  | 'unread'
  | 'flood'

export interface AttackOptions {
  readonly port: number
  readonly random: Random
  /** What a proper client says first. */
  readonly startup: Readonly<Record<string, string>>
  /** Statements that the server understands, some of which fail. */
  readonly statements: readonly string[]
  /** A statement with more rows than any buffer holds. */
  readonly large: string
  /** How long the server may take to let go of a client that has said all. */
  readonly closeMsMax: number
}

export interface AttackReport {
  readonly kind: AttackKind
  /** Null when the server did as it should: answered in messages that can be read, or closed. */
  readonly problem: string | null
  /** Messages of the server, by their letter. */
  readonly answers: Readonly<Record<string, number>>
}

const kinds: readonly AttackKind[] = [
  'garbage',
  'badStart',
  'mutated',
  'mutated',
  'shuffled',
  'shuffled',
  'truncated',
  'oversized',
  'vanishing',
  'unread',
  'flood',
]
const LETTERS = new Set('RSKZCEDTtnsI123vNAGHWVcd')
const MESSAGES_MAX = 12
const SIZES = [0, 3, 4, 5, 7, 64, 65_535, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]

/** Chance with a few more words. */
class Dice {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  below(n: number): number {
    return this.#random.uint32() % n
  }

  of<T>(items: readonly [T, ...T[]] | readonly T[]): T {
    return items[this.below(items.length)] as T
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#random.uint32() >>> 24)
  }
}

/** One client that does one bad thing, chosen by chance, and looks at what comes back. Never rejects for what the server does. */
export async function wireAttack(options: AttackOptions): Promise<AttackReport> {
  const dice = new Dice(options.random)
  const kind = dice.of(kinds)
  const socket = connect(options.port, '127.0.0.1')
  // A reset is one of the ways to be shown out.
  socket.on('error', () => {})
  const listener = new Listener(socket)
  await Promise.race([once(socket, 'connect'), once(socket, 'close')])
  if (kind === 'garbage') {
    socket.write(dice.bytes(1 + dice.below(2_000)))
    return listener.end(kind, options.closeMsMax)
  }
  if (kind === 'badStart') {
    socket.write(badStart(dice, options))
    return listener.end(kind, options.closeMsMax)
  }
  socket.write(wire.startup(options.startup))
  await listener.ready()
  switch (kind) {
    case 'vanishing':
      socket.write(Buffer.concat([wire.query('BEGIN'), ...messages(dice, options)]))
      if (dice.below(2) === 0) await listener.something()
      socket.destroy()
      return { kind, problem: listener.problem, answers: listener.answers }
    case 'unread': {
      socket.pause()
      for (let i = 0; i < 3; i++) socket.write(wire.query(options.large))
      await new Promise((resolve) => {
        setTimeout(resolve, 50 + dice.below(200))
      })
      socket.destroy()
      return { kind, problem: listener.problem, answers: listener.answers }
    }
    case 'flood':
      for (let i = 0; i < 300; i++) socket.write(wire.query(dice.of(options.statements)))
      break
    case 'truncated': {
      const all = Buffer.concat(messages(dice, options))
      socket.write(all.subarray(0, dice.below(all.length)))
      break
    }
    case 'oversized':
      socket.write(withLength(dice.of(messages(dice, options)), dice.of(SIZES)))
      break
    case 'shuffled':
      socket.write(Buffer.concat(shuffled(dice, messages(dice, options))))
      break
    default:
      socket.write(Buffer.concat(messages(dice, options).map((message) => mutated(dice, message))))
  }
  return listener.end(kind, options.closeMsMax)
}

/** What a client that means well might say, in an order that makes no sense. */
function messages(dice: Dice, { statements }: AttackOptions): Uint8Array[] {
  const name = (): string => dice.of(['', 'a', 'b'])
  const one = (): Uint8Array => {
    switch (dice.below(14)) {
      case 0:
        return wire.query(dice.of(statements))
      case 1:
      case 2:
        return wire.parse(name(), dice.of(statements), dice.of([[], [23], [0, 25]]))
      case 3:
      case 4:
        return wire.bind(name(), name(), dice.of([[], ['1'], ['x', null], [dice.bytes(4)]]), {
          formats: dice.of([[], [1], [0, 1], [7]]),
          results: dice.of([[], [1], [1, 0, 1]]),
        })
      case 5:
        return wire.describeMessage(dice.of(['S', 'P'] as const), name())
      case 6:
      case 7:
        return wire.execute(name(), dice.of([0, 1, 3, 0x7fff_ffff]))
      case 8:
        return wire.closeMessage(dice.of(['S', 'P'] as const), name())
      case 9:
        return wire.flush()
      case 10:
        return wire.frame(dice.of(['d', 'c', 'f', 'p', 'F']), dice.bytes(dice.below(40)))
      default:
        return wire.sync()
    }
  }
  return Array.from({ length: 1 + dice.below(MESSAGES_MAX) }, one)
}

function badStart(dice: Dice, { startup }: AttackOptions): Uint8Array {
  const good = wire.startup(startup)
  switch (dice.below(5)) {
    case 0:
      return good.subarray(0, dice.below(good.length))
    case 1:
      return mutated(dice, good)
    case 2:
      return wire.untyped(
        new wire.Body().int32(dice.of([80877102, 80877103, 80877104, 2 << 16, 9 << 16])).done(),
      )
    case 3:
      return wire.untyped(
        new wire.Body()
          .int32(3 << 16)
          .bytes(dice.bytes(dice.below(500)))
          .done(),
      )
    default:
      return new wire.Body()
        .int32(dice.of([-1, 0, 4, 8, 0x7fff_ffff]))
        .bytes(dice.bytes(8))
        .done()
  }
}

/** One byte, the length, or the letter is another one; or something is added or cut off. */
function mutated(dice: Dice, message: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(message)
  switch (dice.below(7)) {
    case 0:
      return copy
    case 1:
      copy[0] = 32 + dice.below(96)
      return copy
    case 2:
      return withLength(copy, dice.of(SIZES))
    case 3:
      return copy.subarray(0, dice.below(copy.length))
    case 4:
      return Uint8Array.from([...copy, ...dice.bytes(1 + dice.below(20))])
    default:
      copy[dice.below(copy.length)] = dice.below(256)
      return copy
  }
}

function withLength(message: Uint8Array, length: number): Uint8Array {
  const copy = Uint8Array.from(message)
  if (copy.length >= 5) new DataView(copy.buffer).setUint32(1, length)
  return copy
}

function shuffled<T>(dice: Dice, items: readonly T[]): T[] {
  const all = [...items]
  for (let i = all.length - 1; i > 0; i--) {
    const j = dice.below(i + 1)
    const [a, b] = [all[i] as T, all[j] as T]
    all[i] = b
    all[j] = a
  }
  return all
}

/** Reads what the server says, as far as it can be read. */
class Listener {
  readonly answers: Record<string, number> = {}
  problem: string | null = null
  readonly #socket: Socket
  readonly #closed: Promise<unknown>
  #bytes = Buffer.alloc(0)
  #heard: () => void = () => {}
  #first = true

  constructor(socket: Socket) {
    this.#socket = socket
    this.#closed = new Promise((resolve) => {
      socket.once('close', resolve)
    })
    socket.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      this.#read()
      this.#heard()
    })
  }

  #read(): void {
    // The answer to a request for encryption is a letter without a frame.
    if (this.#first && (this.#bytes[0] === 78 || this.#bytes[0] === 83) && this.#bytes.length === 1) {
      this.#bytes = this.#bytes.subarray(1)
      return
    }
    while (this.#bytes.length >= 5 && this.problem === null) {
      this.#first = false
      const letter = String.fromCharCode(this.#bytes[0] ?? 0)
      const length = this.#bytes.readUInt32BE(1)
      if (!LETTERS.has(letter) || length < 4 || length > 0x4000_0000)
        this.problem = `the server said something unreadable: ${this.#bytes.subarray(0, 16).toString('hex')}`
      if (this.#bytes.length < length + 1) return
      this.answers[letter] = (this.answers[letter] ?? 0) + 1
      this.#bytes = this.#bytes.subarray(length + 1)
    }
  }

  /** Resolves at ReadyForQuery, or when the server has closed. */
  async ready(): Promise<void> {
    while (!this.answers['Z'] && !this.#socket.destroyed && this.problem === null) await this.something()
  }

  /** Resolves when anything comes, or the server closes. */
  async something(): Promise<void> {
    const heard = new Promise<void>((resolve) => {
      this.#heard = resolve
    })
    await Promise.race([heard, this.#closed])
  }

  /** Says that the client is through, and waits to be let go. */
  async end(kind: AttackKind, closeMsMax: number): Promise<AttackReport> {
    this.#socket.end()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), closeMsMax)
    })
    const result = await Promise.race([this.#closed, late])
    clearTimeout(timer)
    if (result === 'late') this.problem ??= `the server held on to the client for ${closeMsMax} ms`
    this.#socket.destroy()
    return { kind, problem: this.problem, answers: this.answers }
  }
}
