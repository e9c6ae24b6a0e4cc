import { assert, type HeldLock, type LockMode } from '@cluster/core'
import { lost } from '../errors.ts'
import { encodeRequirement } from '../machine/codec.ts'
import { MUTEX_MACHINE } from '../machine/machine.ts'

/** What a grant needs of the session that it belongs to. */
export interface GrantOwner {
  readonly uid: string
  /** By the clock of this node. */
  valid(): boolean
  giveBack(request: number): Promise<void>
  /** A lock that nobody waits for was not given back. */
  report(name: string, error: unknown): void
}

/** One wish of this process for a lock: it waits, is held, and is over. */
export class Grant {
  readonly request: number
  readonly name: string
  readonly mode: LockMode
  readonly #owner: GrantOwner
  readonly #controller = new AbortController()
  /** Who waits to hear what becomes of it. */
  #waiting: { readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = []
  #token = 0
  /** Why it is not this process's any more. */
  #lost: { readonly error: unknown } | null = null
  /** Handles that were not released yet. */
  #handles = 0
  #over = false
  #free: Promise<void> | null = null

  constructor(owner: GrantOwner, request: number, name: string, mode: LockMode) {
    this.#owner = owner
    this.request = request
    this.name = name
    this.mode = mode
  }

  /** Resolves when it is granted. @throws why it never will be */
  granted(): Promise<void> {
    if (this.#lost !== null) return Promise.reject(this.#lost.error)
    if (this.#token !== 0) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  grant(token: number): void {
    if (this.#over || this.#token !== 0) return
    this.#token = token
    for (const { resolve } of this.#waiting.splice(0)) resolve()
  }

  /** It is not this process's any more, or never will be. */
  lose(error: unknown): void {
    if (this.#over) return
    this.#over = true
    this.#lost = { error }
    for (const { reject } of this.#waiting.splice(0)) reject(error)
    this.#controller.abort(error)
  }

  /** Lets go of it, granted or not. */
  giveBack(): Promise<void> {
    this.#over = true
    this.#free ??= this.#owner.giveBack(this.request)
    return this.#free
  }

  report(error: unknown): void {
    this.#owner.report(this.name, error)
  }

  /** One more handle. @throws MUTEX_LOST */
  handle(): HeldLock {
    if (this.#over || !this.#owner.valid()) throw lost(this.name)
    assert(this.#token > 0, 'a handle is of a lock that was granted')
    this.#handles++
    let released: Promise<void> | null = null
    const { name, mode } = this
    const token = this.#token
    const release = (): Promise<void> => {
      released ??= --this.#handles > 0 ? Promise.resolve() : this.giveBack()
      return released
    }
    const isHeld = (): boolean => released === null && !this.#over && this.#owner.valid()
    return {
      name,
      mode,
      token,
      signal: this.#controller.signal,
      get held() {
        return isHeld()
      },
      fence: { machine: MUTEX_MACHINE, condition: encodeRequirement({ name, token, uid: this.#owner.uid }) },
      again: () => {
        if (released !== null) throw lost(name)
        return this.handle()
      },
      release,
      [Symbol.asyncDispose]: async () => {
        release().catch((error: unknown) => this.report(error))
      },
    }
  }
}
