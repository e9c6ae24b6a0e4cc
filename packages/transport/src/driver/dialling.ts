import { lookup } from 'node:dns/promises'
import type { Address, CallOptions, Clock, ClusterError } from '@cluster/core'
import { aborted, admissionRefused, deadlinePassed, dialFailed, dialRefused } from '../errors.ts'
import { parseTcpAddress, servedWithoutSecret } from '../machine/addresses.ts'

/** Where a dial goes: an address with an IP in it. */
export interface Target {
  readonly text: string
  readonly address: Address
  readonly host: string
}

/**
 * Finds the IP address behind an address.
 * @throws DIAL_FAILED, ADMISSION_REFUSED for a public host when there is no secret
 */
export async function resolveTarget(address: Address, hasSecret: boolean): Promise<Target> {
  const parsed = parseTcpAddress(address)
  if (!parsed)
    throw dialFailed(address, 'that is no address of a TCP port; write /ip4/192.168.1.5/tcp/4100 or the like')
  let { host } = parsed
  let text: string = address
  if (parsed.kind === 'dns') {
    try {
      const found = await lookup(host)
      host = found.address
      const peer = parsed.peer === null ? '' : `/p2p/${parsed.peer}`
      text = `/ip${found.family}/${host}/tcp/${parsed.port}${peer}`
    } catch (error) {
      throw dialFailed(address, `the name ${host} cannot be resolved`, error)
    }
  }
  if (!hasSecret && !servedWithoutSecret(host)) throw admissionRefused(address, 'public-address')
  return { text, address, host }
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
