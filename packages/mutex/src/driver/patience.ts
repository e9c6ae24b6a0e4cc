import type { AcquireOptions, Clock } from '@cluster/core'
import { aborted, optionInvalid, timedOut } from '../errors.ts'

/** How long a caller waits. */
export interface Waiting {
  readonly timeoutMs: AcquireOptions['timeoutMs']
  readonly signal: AcquireOptions['signal']
}

/** @throws MUTEX_OPTION_INVALID, ABORTED */
export function checkPatience({ timeoutMs, signal }: Waiting): void {
  if (timeoutMs !== undefined && !(timeoutMs >= 0))
    throw optionInvalid('timeoutMs', timeoutMs, 'a number of at least 0')
  if (signal?.aborted) throw aborted(signal.reason)
}

/** @throws MUTEX_OPTION_INVALID */
export function checkText(option: string, text: unknown): void {
  const holds = typeof text === 'string' && text !== '' && text.isWellFormed()
  if (!holds) throw optionInvalid(option, text, 'a text that is not empty and well-formed')
}

/** Waits for what comes, the end of the patience, or the caller's word. @throws MUTEX_TIMEOUT, ABORTED */
export function within<T>(
  clock: Clock,
  name: string,
  getting: Promise<T>,
  { timeoutMs, signal }: Waiting,
): Promise<T> {
  if (timeoutMs === undefined && signal === undefined) return getting
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(aborted(signal?.reason))
    const cancel =
      timeoutMs === undefined ? () => {} : clock.after(timeoutMs, () => reject(timedOut(name, timeoutMs)))
    signal?.addEventListener('abort', abort, { once: true })
    getting.then(resolve, reject).finally(() => {
      cancel()
      signal?.removeEventListener('abort', abort)
    })
  })
}
