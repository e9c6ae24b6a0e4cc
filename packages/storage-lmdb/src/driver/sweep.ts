import type { Key, RelationId, Version } from '@cluster/core'
import type { BlockWriter } from './block-writer.ts'
import type { Files } from './files.ts'

/** Records of the history that one step looks at. */
const STEP_RECORDS = 2048

/** Goes once through the history and removes what nobody can read any more, a bounded step at a time. */
export class Sweep {
  /** Nobody reads below this version. */
  readonly oldest: Version
  done = false
  readonly #files: Files
  #from = ''

  constructor(files: Files, oldest: Version) {
    this.#files = files
    this.oldest = oldest
  }

  /** The next step; belongs inside a transaction. */
  step(): void {
    const { history, writer } = this.#files
    const { heads, next } = history.some(this.#from, STEP_RECORDS)
    const gone = new Map<RelationId, Key[]>()
    for (const head of heads) {
      if (head.until > this.oldest) continue
      history.remove(head.at)
      if (!head.gone) continue
      const keys = gone.get(head.relation)
      if (keys === undefined) gone.set(head.relation, [head.key])
      else keys.push(head.key)
    }
    for (const [relation, keys] of gone) forget(writer, relation, [...new Set(keys)].sort(), this.oldest)
    if (next === null) this.done = true
    else this.#from = next
  }
}

/** Removes the marks of deletions that no reader needs any more. */
function forget(writer: BlockWriter, relation: RelationId, keys: readonly Key[], oldest: Version): void {
  for (let done = 0; done < keys.length; )
    done = writer.rewrite(relation, keys, done, oldest, (_, stored) =>
      stored !== null && stored.row === null && stored.version <= oldest ? null : stored,
    )
}
