/** What clients say, protocol 3. */
export type FrontendMessage =
  | { readonly type: 'query'; readonly text: string }
  | {
      readonly type: 'parse'
      readonly name: string
      readonly text: string
      /** 0: the server decides. */
      readonly parameterTypes: readonly number[]
    }
  | {
      readonly type: 'bind'
      readonly portal: string
      readonly statement: string
      readonly parameterFormats: readonly number[]
      readonly parameters: readonly (Uint8Array | null)[]
      readonly resultFormats: readonly number[]
    }
  | { readonly type: 'describe'; readonly what: 'statement' | 'portal'; readonly name: string }
  | {
      readonly type: 'execute'
      readonly portal: string
      /** 0: all. */
      readonly rowsMax: number
    }
  | { readonly type: 'close'; readonly what: 'statement' | 'portal'; readonly name: string }
  | { readonly type: 'sync' }
  | { readonly type: 'flush' }
  | { readonly type: 'terminate' }
  /** A password, or a step of SASL: what it is follows from what was asked. */
  | { readonly type: 'secret'; readonly bytes: Uint8Array }
  | { readonly type: 'copyData'; readonly bytes: Uint8Array }
  | { readonly type: 'copyDone' }
  | { readonly type: 'copyFail'; readonly reason: string }
  | { readonly type: 'functionCall' }

/** The first message of a connection, which has no type. */
export type StartupMessage =
  | {
      readonly type: 'startup'
      /** Of version 3. */
      readonly minor: number
      readonly parameters: ReadonlyMap<string, string>
    }
  | { readonly type: 'tlsRequest' }
  | { readonly type: 'gssRequest' }
  | { readonly type: 'cancel'; readonly process: number; readonly secret: Uint8Array }

/** The client broke the protocol: the connection cannot go on. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Reads the fields of one message. */
class Fields {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  int16(): number {
    this.#need(2)
    this.#at += 2
    return this.#view.getInt16(this.#at - 2)
  }

  int32(): number {
    this.#need(4)
    this.#at += 4
    return this.#view.getInt32(this.#at - 4)
  }

  /** A 16-bit count of items of at least `bytes` each. */
  count(bytes: number): number {
    const count = this.int16()
    // Counts are unsigned here, up to 65,535.
    const items = count < 0 ? count + 0x1_0000 : count
    if (items * bytes > this.left) throw new ProtocolError('a message counts more items than it holds')
    return items
  }

  byte(): number {
    this.#need(1)
    return this.#bytes[this.#at++] ?? 0
  }

  bytes(length: number): Uint8Array {
    if (length < 0) throw new ProtocolError('a message has a field of negative length')
    this.#need(length)
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  rest(): Uint8Array {
    return this.bytes(this.left)
  }

  /** Text up to a zero byte. */
  text(): string {
    const end = this.#bytes.indexOf(0, this.#at)
    if (end < 0) throw new ProtocolError('a message has a text without an end')
    const text = utf8(this.#bytes.subarray(this.#at, end))
    this.#at = end + 1
    return text
  }

  end(): void {
    if (this.left > 0) throw new ProtocolError('a message is longer than its fields')
  }

  #need(length: number): void {
    if (length > this.left) throw new ProtocolError('a message is shorter than its fields')
  }
}

/** @throws ProtocolError */
export function utf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new ProtocolError('a text is not in UTF-8')
  }
}

const VERSION_3 = 3
const CODES = { cancel: 80877102, tls: 80877103, gss: 80877104 } as const

/** @param body without the length @throws ProtocolError */
export function parseStartup(body: Uint8Array): StartupMessage {
  const fields = new Fields(body)
  const code = fields.int32()
  switch (code) {
    case CODES.tls:
      return { type: 'tlsRequest' }
    case CODES.gss:
      return { type: 'gssRequest' }
    case CODES.cancel:
      return { type: 'cancel', process: fields.int32(), secret: fields.rest() }
  }
  if (code >> 16 !== VERSION_3)
    throw new ProtocolError(
      `protocol ${code >> 16}.${code & 0xffff} is not supported: this server speaks 3.0 to 3.2`,
    )
  const parameters = new Map<string, string>()
  for (;;) {
    const name = fields.text()
    if (name === '') break
    parameters.set(name, fields.text())
  }
  fields.end()
  return { type: 'startup', minor: code & 0xffff, parameters }
}

/** @param type the letter of the message @param body without type and length @throws ProtocolError */
export function parseMessage(type: string, body: Uint8Array): FrontendMessage {
  const fields = new Fields(body)
  const message = parseFields(type, fields)
  fields.end()
  return message
}

function parseFields(type: string, fields: Fields): FrontendMessage {
  switch (type) {
    case 'Q':
      return { type: 'query', text: fields.text() }
    case 'P': {
      const [name, text] = [fields.text(), fields.text()]
      const count = fields.count(4)
      return {
        type: 'parse',
        name,
        text,
        parameterTypes: Array.from({ length: count }, () => fields.int32()),
      }
    }
    case 'B':
      return parseBind(fields)
    case 'D':
      return { type: 'describe', ...target(fields) }
    case 'C':
      return { type: 'close', ...target(fields) }
    case 'E': {
      const portal = fields.text()
      return { type: 'execute', portal, rowsMax: Math.max(0, fields.int32()) }
    }
    case 'S':
      return { type: 'sync' }
    case 'H':
      return { type: 'flush' }
    case 'X':
      return { type: 'terminate' }
    case 'p':
      return { type: 'secret', bytes: fields.rest() }
    case 'd':
      return { type: 'copyData', bytes: fields.rest() }
    case 'c':
      return { type: 'copyDone' }
    case 'f':
      return { type: 'copyFail', reason: fields.text() }
    case 'F':
      fields.rest()
      return { type: 'functionCall' }
    default:
      throw new ProtocolError(`there is no message of type ${JSON.stringify(type)}`)
  }
}

function parseBind(fields: Fields): FrontendMessage {
  const [portal, statement] = [fields.text(), fields.text()]
  const formats = (): number[] => Array.from({ length: fields.count(2) }, () => format(fields.int16()))
  const parameterFormats = formats()
  const parameters = Array.from({ length: fields.count(4) }, () => {
    const length = fields.int32()
    return length === -1 ? null : fields.bytes(length)
  })
  return { type: 'bind', portal, statement, parameterFormats, parameters, resultFormats: formats() }
}

function format(code: number): number {
  if (code !== 0 && code !== 1) throw new ProtocolError(`there is no format ${code}: 0 is text, 1 is binary`)
  return code
}

function target(fields: Fields): { readonly what: 'statement' | 'portal'; readonly name: string } {
  const what = String.fromCharCode(fields.byte())
  if (what !== 'S' && what !== 'P') throw new ProtocolError('neither a statement nor a portal is meant')
  return { what: what === 'S' ? 'statement' : 'portal', name: fields.text() }
}
