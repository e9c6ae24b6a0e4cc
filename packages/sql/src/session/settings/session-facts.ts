import type { Value } from '@cluster/core'
import type { Notification } from '../../notify/notification.ts'
import { formatValue } from '../../types/format.ts'
import type { SqlType } from '../../types/type.ts'
import type { SessionState } from '../session-state.ts'

/** What a session tells without running a statement. */
export abstract class SessionFacts {
  readonly #state: SessionState

  constructor(state: SessionState) {
    this.#state = state
  }

  abstract get inTransaction(): boolean

  settings(): ReadonlyMap<string, string> {
    return this.#state.settings.shown()
  }

  configure(name: string, value: string): void {
    this.#state.settings.begin(name, value)
  }

  format(type: SqlType, value: Value): string {
    return formatValue(type, value, this.#state.settings.zone())
  }

  get user(): string {
    return this.#state.identity.current
  }

  get pid(): number {
    return this.#state.pid
  }

  takeNotifications(): readonly Notification[] {
    return this.inTransaction ? [] : this.#state.channels.take()
  }

  onNotification(listener: () => void): void {
    this.#state.channels.onArrival(listener)
  }
}
