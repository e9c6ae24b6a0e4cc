import { connect, type Socket } from 'node:net'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A message of the server, read far enough for tests. */
export interface ServerMessage {
  readonly type: string
  readonly body: Uint8Array
}

/** Puts the fields of a message together. */
export class Body {
  readonly #parts: Uint8Array[] = []

  int16(value: number): this {
    const bytes = new Uint8Array(2)
    new DataView(bytes.buffer).setInt16(0, value)
    return this.bytes(bytes)
  }

  int32(value: number): this {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setInt32(0, value)
    return this.bytes(bytes)
  }

  text(value: string): this {
    return this.bytes(encoder.encode(`${value}\0`))
  }

  bytes(value: Uint8Array): this {
    this.#parts.push(value)
    return this
  }

  done(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#parts))
  }
}

export function frame(type: string, body: Uint8Array): Uint8Array {
  return new Body()
    .bytes(encoder.encode(type))
    .int32(body.length + 4)
    .bytes(body)
    .done()
}

export const query = (text: string): Uint8Array => frame('Q', new Body().text(text).done())
export const sync = (): Uint8Array => frame('S', new Uint8Array())
export const flush = (): Uint8Array => frame('H', new Uint8Array())

export function parse(name: string, text: string, types: readonly number[] = []): Uint8Array {
  const body = new Body().text(name).text(text).int16(types.length)
  for (const type of types) body.int32(type)
  return frame('P', body.done())
}

export function bind(
  portal: string,
  statement: string,
  values: readonly (string | Uint8Array | null)[] = [],
  { formats = [], results = [] }: { formats?: readonly number[]; results?: readonly number[] } = {},
): Uint8Array {
  const body = new Body().text(portal).text(statement).int16(formats.length)
  for (const format of formats) body.int16(format)
  body.int16(values.length)
  for (const value of values) {
    const bytes = typeof value === 'string' ? encoder.encode(value) : value
    body.int32(bytes?.length ?? -1)
    if (bytes) body.bytes(bytes)
  }
  body.int16(results.length)
  for (const format of results) body.int16(format)
  return frame('B', body.done())
}

export const describeMessage = (what: 'S' | 'P', name: string): Uint8Array =>
  frame('D', new Body().bytes(encoder.encode(what)).text(name).done())
export const closeMessage = (what: 'S' | 'P', name: string): Uint8Array =>
  frame('C', new Body().bytes(encoder.encode(what)).text(name).done())
export const execute = (portal: string, rowsMax = 0): Uint8Array =>
  frame('E', new Body().text(portal).int32(rowsMax).done())

export const copyData = (data: string | Uint8Array): Uint8Array =>
  frame('d', typeof data === 'string' ? encoder.encode(data) : data)
export const copyDone = (): Uint8Array => frame('c', new Uint8Array())
export const copyFail = (reason: string): Uint8Array => frame('f', new Body().text(reason).done())

export function startup(parameters: Readonly<Record<string, string>>, minor = 0): Uint8Array {
  const body = new Body().int32((3 << 16) | minor)
  for (const [name, value] of Object.entries(parameters)) body.text(name).text(value)
  body.bytes(Uint8Array.of(0))
  return untyped(body.done())
}

export function untyped(body: Uint8Array): Uint8Array {
  return new Body()
    .int32(body.length + 4)
    .bytes(body)
    .done()
}

/** What a message says, in a line. */
export function show({ type, body }: ServerMessage): string {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  const texts = (from = 0): string[] =>
    decoder
      .decode(body.subarray(from))
      .split('\0')
      .filter((text) => text !== '')
  switch (type) {
    case 'R':
      return `authentication ${view.getInt32(0)}`
    case 'S':
      return `status ${texts().join('=')}`
    case 'K':
      return `key of ${body.length - 4} bytes`
    case 'Z':
      return `ready ${decoder.decode(body)}`
    case 'C':
      return `complete ${texts().join()}`
    case 'E':
    case 'N': {
      const fields = new Map(texts().map((text) => [text[0], text.slice(1)]))
      return `${type === 'E' ? 'error' : 'notice'} ${fields.get('S')} ${fields.get('C')} ${fields.get('M')}`
    }
    case 'A':
      return `notification from ${view.getInt32(0) > 0 ? 'a process' : 'nobody'}: ${decoder.decode(body.subarray(4)).split('\0').slice(0, 2).join(' ')}`
    case 'T': {
      const names: string[] = []
      for (let at = 2, left = view.getInt16(0); left > 0; left--) {
        const end = body.indexOf(0, at)
        names.push(`${decoder.decode(body.subarray(at, end))}:${view.getInt32(end + 7)}`)
        at = end + 19
      }
      return `columns ${names.join(' ')}`
    }
    case 'D': {
      const values: string[] = []
      for (let at = 2, left = view.getInt16(0); left > 0; left--) {
        const length = view.getInt32(at)
        at += 4
        values.push(length < 0 ? 'NULL' : decoder.decode(body.subarray(at, at + length)))
        at += Math.max(0, length)
      }
      return `row ${values.join(' ')}`
    }
    case 't':
      return `parameters ${Array.from({ length: view.getInt16(0) }, (_, i) => view.getInt32(2 + i * 4)).join(' ')}`
    case 'G':
    case 'H': {
      const formats = Array.from({ length: view.getInt16(1) }, (_, i) => view.getInt16(3 + i * 2))
      return `copy ${type === 'G' ? 'in' : 'out'} ${body[0]} ${formats.join(',')}`
    }
    case 'd':
      return `data ${JSON.stringify(decoder.decode(body))}`
    case 'v':
      return [`version 3.${view.getInt32(0) & 0xffff}`, ...texts(8)].join(' without ')
    default:
      return NAMES[type] ?? type
  }
}

const NAMES: Readonly<Record<string, string>> = {
  '1': 'parsed',
  '2': 'bound',
  '3': 'closed',
  c: 'copied',
  n: 'no rows',
  s: 'suspended',
  I: 'empty',
}

/** A client that says byte for byte what the test wants. */
export class WireClient {
  readonly socket: Socket
  #bytes = Buffer.alloc(0)
  #ended = false
  #wake: () => void = () => {}

  /** @param socket connected already */
  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      this.#wake()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#ended = true
      this.#wake()
    })
  }

  static async connect(port: number): Promise<WireClient> {
    const socket = connect(port, '127.0.0.1')
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', () => resolve())
      socket.once('error', reject)
    })
    return new WireClient(socket)
  }

  /** Connected and ready. */
  static async ready(port: number, parameters: Readonly<Record<string, string>> = {}): Promise<WireClient> {
    const client = await WireClient.connect(port)
    client.send(startup({ user: 'cluster', database: 'shop', ...parameters }))
    await client.untilReady()
    return client
  }

  send(...messages: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(messages))
  }

  /** One byte, as requests for encryption are answered. */
  async byte(): Promise<string> {
    await this.#need(1)
    const byte = String.fromCharCode(this.#bytes[0] ?? 0)
    this.#bytes = this.#bytes.subarray(1)
    return byte
  }

  /** Null once the server has closed. */
  async next(): Promise<ServerMessage | null> {
    if (!(await this.#need(5))) return null
    const length = this.#bytes.readInt32BE(1) + 1
    if (!(await this.#need(length))) return null
    const message = {
      type: String.fromCharCode(this.#bytes[0] ?? 0),
      body: new Uint8Array(this.#bytes.subarray(5, length)),
    }
    this.#bytes = this.#bytes.subarray(length)
    return message
  }

  /** Everything up to the next ReadyForQuery, or the end, in lines. */
  async untilReady(): Promise<string[]> {
    const lines: string[] = []
    for (;;) {
      const message = await this.next()
      if (message === null) return [...lines, 'closed by the server']
      lines.push(show(message))
      if (message.type === 'Z') return lines
    }
  }

  /** So many messages, in lines. */
  async lines(count: number): Promise<string[]> {
    const lines: string[] = []
    while (lines.length < count) {
      const message = await this.next()
      if (message === null) return [...lines, 'closed by the server']
      lines.push(show(message))
    }
    return lines
  }

  close(): void {
    this.socket.destroy()
  }

  async #need(bytes: number): Promise<boolean> {
    while (this.#bytes.length < bytes) {
      if (this.#ended) return false
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return true
  }
}
