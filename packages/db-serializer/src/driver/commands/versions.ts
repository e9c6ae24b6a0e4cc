import type { CallOptions, ClusterVersion } from '@cluster/core'
import { versionTooLow } from '../../errors.ts'
import type { Applier } from './applier.ts'

export interface VersionsPorts {
  readonly applier: Applier
  /** Waits as long as the call may take for `begin` to call back. */
  wait(options: CallOptions, begin: (done: () => void) => void): Promise<void>
}

/** Holds back what not every member understands. */
export class Versions {
  readonly #ports: VersionsPorts
  /** Who waits for the first word of the version. */
  readonly #waiters: (() => void)[] = []

  constructor(ports: VersionsPorts) {
    this.#ports = ports
  }

  raised(): void {
    for (const resolve of this.#waiters.splice(0)) resolve()
  }

  /** @throws LOG_VERSION_TOO_LOW; what `wait` throws when the version stays unknown */
  async demand(what: string, needs: ClusterVersion, options: CallOptions): Promise<void> {
    const { applier, wait } = this.#ports
    if (applier.version === 0) await wait(options, (done) => this.#waiters.push(done))
    const { version } = applier
    if (version < needs) throw versionTooLow(what, version, needs, applier.behind(needs))
  }
}
