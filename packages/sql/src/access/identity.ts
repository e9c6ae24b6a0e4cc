/** Who speaks in a session. SET ROLE and its like are undone with the transaction that they are in. */
interface Speaker {
  /** `session_user`. */
  readonly session: string
  /** What SET ROLE said; null: nothing. */
  readonly role: string | null
}

export class Identity {
  /** Who opened the session. */
  readonly login: string
  #now: Speaker
  #before: Speaker | null = null
  /** What holds when a transaction has committed in which SET LOCAL was said. */
  #afterwards: Speaker | null = null

  constructor(login: string) {
    this.login = login
    this.#now = { session: login, role: null }
  }

  get session(): string {
    return this.#now.session
  }

  /** `current_user`: whose rights count. */
  get current(): string {
    return this.#now.role ?? this.#now.session
  }

  become(role: string | null, local: boolean): void {
    this.#change({ ...this.#now, role }, local)
  }

  authorize(session: string | null, local: boolean): void {
    this.#change({ session: session ?? this.login, role: null }, local)
  }

  #change(next: Speaker, local: boolean): void {
    if (local) this.#afterwards ??= this.#now
    else this.#afterwards = null
    this.#now = next
  }

  /** A transaction block begins. */
  begin(): void {
    this.#before = this.#now
    this.#afterwards = null
  }

  /** It ends; also a statement that was its own transaction. */
  end(committed: boolean): void {
    if (!committed && this.#before !== null) this.#now = this.#before
    else if (this.#afterwards !== null) this.#now = this.#afterwards
    this.#before = null
    this.#afterwards = null
  }
}
