import type { WireBackend, WireError, WireLogin } from '../backend.ts'
import { ProtocolError, type StartupMessage } from '../machine/frontend-messages.ts'
import { SCRAM, SCRAM_PLUS, type ScramCrypto, ScramExchange, type ScramVerifier } from '../machine/scram.ts'
import type { ByteStream } from './byte-stream.ts'
import type { Incoming } from './incoming.ts'
import type { LoginGate } from './login-gate.ts'
import type { Outgoing } from './outgoing.ts'

/** The newest minor version of protocol 3 that is spoken here. */
export const MINOR = 2
const NONCE_BYTES = 18

/** The client is not let in. */
export class LoginRefused extends Error {
  override readonly name = 'LoginRefused'
  readonly wire: WireError

  constructor(wire: WireError) {
    super(wire.message)
    this.wire = wire
  }
}

/** The password was wrong, or nobody has that name. */
export class WrongPassword extends LoginRefused {
  constructor(user: string) {
    super({ sqlstate: '28P01', message: `password authentication failed for user "${user}"` })
  }
}

const NOT_ENCRYPTED: WireError = {
  sqlstate: '01000',
  message: 'this connection is not encrypted: whoever is between can read and change what is said',
  hint: 'Connect with sslmode=require; the node needs a certificate for it.',
}

const DOWNGRADED: WireError = {
  sqlstate: '28000',
  message: 'SCRAM channel binding negotiation error',
  detail:
    'The client supports channel binding and was told that the server does not; it does. Somebody may be in between.',
}

export interface LoginPorts {
  readonly backend: WireBackend
  readonly crypto: ScramCrypto
  readonly gate: LoginGate
  nonce(bytes: number): Uint8Array
}

/** What the first message asks for. @throws LoginRefused */
export function readLogin({ parameters }: Extract<StartupMessage, { type: 'startup' }>): WireLogin {
  const user = parameters.get('user') ?? ''
  if (user === '')
    throw new LoginRefused({
      sqlstate: '28000',
      message: 'no PostgreSQL user name specified in startup packet',
    })
  if (parameters.has('replication') && !['off', 'false', '0'].includes(parameters.get('replication') ?? ''))
    throw new LoginRefused({ sqlstate: '0A000', message: 'the replication protocol is not supported' })
  const settings = new Map<string, string>()
  for (const [name, value] of parameters) {
    if (['user', 'database', 'replication', 'options'].includes(name) || name.startsWith('_pq_.')) continue
    settings.set(name, value)
  }
  for (const [name, value] of commandLineSettings(parameters.get('options') ?? '')) settings.set(name, value)
  return { user, database: parameters.get('database') ?? user, settings }
}

/** Settings in the form `-c name=value`, or `--name=value`; a backslash keeps a space from ending a word. */
function commandLineSettings(options: string): [string, string][] {
  const words = options.match(/(?:\\.|[^\\\s])+/g)?.map((word) => word.replace(/\\(.)/g, '$1')) ?? []
  const settings: [string, string][] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    const text = word === '-c' ? (words[++i] ?? '') : word.replace(/^(?:-c|--)/, '')
    const equals = text.indexOf('=')
    if (equals > 0) settings.push([text.slice(0, equals).replaceAll('-', '_'), text.slice(equals + 1)])
  }
  return settings
}

/** Tells a client that asked for more than there is what it gets. */
export function negotiate(
  { minor, parameters }: Extract<StartupMessage, { type: 'startup' }>,
  out: Outgoing,
): void {
  const unknown = [...parameters.keys()].filter((name) => name.startsWith('_pq_.'))
  if (minor > MINOR || unknown.length > 0) out.writer.negotiateVersion(Math.min(minor, MINOR), unknown)
}

/** Has the client show who it is. @throws LoginRefused, ProtocolError */
export async function authenticate(
  login: WireLogin,
  stream: ByteStream,
  incoming: Incoming,
  out: Outgoing,
  ports: LoginPorts,
): Promise<void> {
  const { local, encrypted, address } = stream
  const admission = await ports.backend.admit(login, { local, encrypted })
  if (admission.how === 'refuse') throw new LoginRefused(admission.error)
  if (admission.how === 'scram') {
    const leave = await ports.gate.enter(address, stream.gone)
    if (leave === null)
      throw new LoginRefused({ sqlstate: '53300', message: 'too many logins of this address are under way' })
    try {
      out.writer.saslFinal(await proofFor(login, admission.verifier, stream, incoming, out, ports))
      ports.gate.passed(address)
    } catch (error) {
      if (error instanceof WrongPassword) await ports.gate.failed(address)
      throw error
    } finally {
      leave()
    }
  }
  out.writer.authenticationOk()
  if (!local && !encrypted) out.writer.notice(NOT_ENCRYPTED, 'NOTICE')
}

/** Has the client prove that it knows the password. @returns our proof for it @throws LoginRefused, ProtocolError */
async function proofFor(
  login: WireLogin,
  verifier: ScramVerifier,
  { endPoint }: ByteStream,
  incoming: Incoming,
  out: Outgoing,
  { crypto, nonce }: LoginPorts,
): Promise<string> {
  const offered = endPoint === null ? [SCRAM] : [SCRAM_PLUS, SCRAM]
  out.writer.saslMechanisms(offered)
  await out.flush()
  const { mechanism, data } = initialResponse(await secret(incoming), offered)
  const channel = { endPoint, bound: mechanism === SCRAM_PLUS }
  const exchange = new ScramExchange(crypto, verifier, nonce(NONCE_BYTES), channel)
  const first = exchange.first(data)
  if (first.type === 'malformed') throw new ProtocolError('the first message of SCRAM is malformed')
  if (first.type === 'downgraded') throw new LoginRefused(DOWNGRADED)
  out.writer.saslContinue(first.text)
  await out.flush()
  const proof = exchange.final(await secret(incoming))
  if (proof === null) throw new WrongPassword(login.user)
  return proof
}

async function secret(incoming: Incoming): Promise<Uint8Array> {
  const message = await incoming.next()
  if (message?.type !== 'secret') throw new ProtocolError('a step of SASL was expected')
  return message.bytes
}

/** The mechanism's name, then the message with its length. */
function initialResponse(
  bytes: Uint8Array,
  offered: readonly string[],
): { readonly mechanism: string; readonly data: Uint8Array } {
  const end = bytes.indexOf(0)
  const mechanism = end < 0 ? '' : new TextDecoder().decode(bytes.subarray(0, end))
  if (!offered.includes(mechanism))
    throw new LoginRefused({
      sqlstate: '28000',
      message: `the mechanism ${mechanism || '""'} is not offered`,
    })
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < end + 5 || view.getInt32(end + 1) !== bytes.length - end - 5)
    throw new ProtocolError('the first message of SASL has an impossible length')
  return { mechanism, data: bytes.subarray(end + 5) }
}
