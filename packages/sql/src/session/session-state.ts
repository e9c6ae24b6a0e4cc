import type { SearchPath } from '../catalog/names.ts'
import { SessionSequences } from './sequences.ts'
import { Settings } from './settings.ts'

/** What a session remembers between its statements. */
export class SessionState {
  readonly settings = new Settings()
  readonly sequences = new SessionSequences()

  /** Where names without a schema are looked for. */
  get path(): SearchPath {
    return { schemas: this.settings.searchPath(), temporary: null }
  }
}
