import { ClusterError } from '../errors.ts'
import type { Version } from '../ids.ts'
import type { DatabaseErrorDetail } from './database.ts'

/** Which versions of a store can be read: from the oldest that is kept to the newest applied. Pins hold old ones. */
export class VersionHorizon {
  readonly #pins = new Map<Version, number>()
  #applied: Version
  #oldest: Version

  constructor(version: Version) {
    this.#applied = version
    this.#oldest = version
  }

  get applied(): Version {
    return this.#applied
  }

  get oldest(): Version {
    return this.#oldest
  }

  advance(version: Version): void {
    this.#applied = version
  }

  /** Keeps `version` readable until released; releasing twice is once. @throws STORAGE_VERSION_GONE */
  pin(version: Version): { release(): void } {
    this.check(version)
    this.#pins.set(version, (this.#pins.get(version) ?? 0) + 1)
    let held = true
    return {
      release: () => {
        if (!held) return
        held = false
        const count = (this.#pins.get(version) ?? 1) - 1
        if (count > 0) this.#pins.set(version, count)
        else this.#pins.delete(version)
      },
    }
  }

  /** Lets go of versions below `version`, as far as no pin needs them. @returns true when the oldest version moved */
  trim(version: Version): boolean {
    let until = version < this.#applied ? version : this.#applied
    for (const pinned of this.#pins.keys()) if (pinned < until) until = pinned
    if (until <= this.#oldest) return false
    this.#oldest = until
    return true
  }

  /** @throws STORAGE_VERSION_GONE when the version cannot be read any more */
  check(version: Version): void {
    if (version >= this.#oldest) return
    throw new ClusterError<DatabaseErrorDetail>(
      { code: 'STORAGE_VERSION_GONE', outcome: 'rejected', version, oldest: this.#oldest },
      `version ${version} is no longer kept here: the oldest that can be read is ${this.#oldest}; begin a new transaction`,
    )
  }
}
