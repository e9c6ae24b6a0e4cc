import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import type { Address, CallOptions, Clock, ClusterError } from '@cluster/core'
import type { Connection } from '@libp2p/interface'
import { aborted, admissionRefused, deadlinePassed, dialFailed, dialRefused } from '../errors.ts'
import { parseTcpAddress, servedWithoutSecret } from '../machine/addresses.ts'

/** Where a dial goes: an address with an IP in it. */
export interface Target {
  readonly text: string
  readonly address: Address
  readonly host: string
}

/**
 * Finds the IP addresses behind an address, IPv4 first.
 * @returns at least one
 * @throws DIAL_FAILED, ADMISSION_REFUSED for a public host when there is no secret
 */
export async function resolveTargets(address: Address, hasSecret: boolean): Promise<readonly Target[]> {
  const parsed = parseTcpAddress(address)
  if (!parsed)
    throw dialFailed(address, 'that is no address of a TCP port; write /ip4/192.168.1.5/tcp/4100 or the like')
  const { host, port, peer } = parsed
  const found = parsed.kind === 'dns' ? await lookUp(address, host) : null
  const targets: readonly Target[] = found
    ? found.map((ip) => {
        const id = peer === null ? '' : `/p2p/${peer}`
        return { text: `/ip${ip.family}/${ip.address}/tcp/${port}${id}`, address, host: ip.address }
      })
    : [{ text: address, address, host }]
  const served = targets.filter((target) => hasSecret || servedWithoutSecret(target.host))
  if (served.length === 0) throw admissionRefused(address, 'public-address')
  return served
}

async function lookUp(address: Address, host: string): Promise<readonly LookupAddress[]> {
  try {
    const found = await lookup(host, { all: true, order: 'ipv4first' })
    if (found.length > 0) return found
  } catch (error) {
    throw dialFailed(address, `the name ${host} cannot be resolved`, error)
  }
  throw dialFailed(address, `the name ${host} has no address`)
}

/** Tries one address after the other. @throws what the last one failed with */
export async function dialOneOf(
  targets: readonly Target[],
  dial: (target: Target) => Promise<Connection>,
  attempt: Attempt,
): Promise<{ readonly connection: Connection; readonly target: Target }> {
  let failure: unknown = null
  for (const target of targets) {
    try {
      return { connection: await dial(target), target }
    } catch (error) {
      failure = error
      if (attempt.error()) break
    }
  }
  throw failure
}

/** A dial's limits: its deadline and the caller's signal, as one signal. */
export class Attempt {
  readonly #controller = new AbortController()
  readonly #address: Address
  readonly #afterMs: number
  readonly #release: () => void
  #reason: 'deadline' | 'signal' | null = null

  constructor(address: Address, options: CallOptions, afterMsDefault: number, clock: Clock) {
    this.#address = address
    this.#afterMs = options.deadlineMs ?? afterMsDefault
    const cancel = clock.after(this.#afterMs, () => this.#abort('deadline'))
    const { signal } = options
    const onAbort = (): void => this.#abort('signal')
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#release = () => {
      cancel()
      signal?.removeEventListener('abort', onAbort)
    }
    if (signal?.aborted) onAbort()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Waits for `promise`, but no longer than allowed. @throws DEADLINE, ABORTED, or what it rejects with */
  race<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const { signal } = this
      const onAbort = (): void => reject(this.error() ?? new Error('aborted'))
      if (signal.aborted) onAbort()
      signal.addEventListener('abort', onAbort, { once: true })
      promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
    })
  }

  /** Why it was given up, if it was. */
  error(): ClusterError | null {
    if (this.#reason === 'deadline') return deadlinePassed(this.#address, this.#afterMs, 'rejected')
    return this.#reason === 'signal' ? aborted(`Dialling ${this.#address} was cancelled`, 'rejected') : null
  }

  /** What a failed dial means. */
  failure(error: unknown): ClusterError {
    const given = this.error()
    if (given) return given
    if (isOwnKey(error))
      return dialFailed(this.#address, 'it is this very node, or one with a copy of its identity', error)
    const { code, message } = error as { readonly code?: unknown; readonly message?: unknown }
    if (code === 'ECONNREFUSED') return dialRefused(this.#address, error)
    return dialFailed(this.#address, String(message ?? error), error)
  }

  done(): void {
    this.#release()
  }

  #abort(reason: 'deadline' | 'signal'): void {
    this.#reason ??= reason
    this.#controller.abort(this.error())
  }
}

/** True when libp2p found this node's own key at the other end. */
export function isOwnKey(error: unknown): boolean {
  return error instanceof Error && error.name === 'InvalidPeerIdError'
}
