import type { Key } from '@cluster/core'
import type { Files } from './files.ts'

/** Rows that one step restores. */
const STEP_KEYS = 192

/**
 * Takes back what a checkpoint that was not finished has changed: the rows are again those of the newest finished one.
 * It can be interrupted and begun anew. Nothing older than that checkpoint is read after a restart, so the history
 * goes as well.
 */
export async function takeBack(files: Files): Promise<void> {
  const { env, journal, history, head } = files
  if (journal.empty()) return
  for (const parts of journal.records()) {
    for (const { relation, keys } of parts) {
      for (let from = 0; from < keys.length; from += STEP_KEYS) {
        const some = keys.slice(from, from + STEP_KEYS)
        await env.step(() => {
          for (let done = 0; done < some.length; )
            done = files.writer.rewrite(relation, some, done, head.version, (i, stored) => {
              if (stored !== null && stored.version <= head.version) return stored
              const old = history.find(relation, some[i] as Key, head.version)
              return old?.row ? old : null
            })
        })
      }
    }
  }
  await env.step(() => {
    journal.clear()
    history.clear()
  })
}
