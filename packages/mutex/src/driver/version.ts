import { type OrderedLog, VERSION_OF } from '@cluster/core'
import { versionTooLow } from '../errors.ts'

/**
 * Programs of older releases have no machine for locks, so nobody may say a word to it while one of them is a member. What
 * the cluster supports is not known before the first member has said so; that is waited for.
 * @throws LOG_VERSION_TOO_LOW
 */
export async function demandLocks(log: OrderedLog): Promise<void> {
  if (log.group().version === 0)
    await new Promise<void>((resolve) => {
      const cancel = log.on('group', ({ version }) => {
        if (version === 0) return
        cancel()
        resolve()
      })
    })
  const { version } = log.group()
  if (version < VERSION_OF.locks) throw versionTooLow(version)
}
