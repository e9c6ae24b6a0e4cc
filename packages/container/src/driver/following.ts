import type { Cancel, ChangeEvent, SubscribeOptions, WatchOptions } from '@cluster/core'
import { aborted, historyGone, optionInvalid, stopped, tokenForeign } from '../errors.ts'
import type { Change } from '../machine/feed.ts'
import type { Container } from '../machine/state.ts'
import type { Context } from './context.ts'
import type { Handle } from './handle.ts'

/** Where a follower is: behind the change of that number, in that life of the container (0: it had none yet). */
interface Position {
  container: number
  number: number
}

/** What a token says: `number.container.index.lineage`. */
function tokenOf(context: Context, container: Readonly<Container>, { number, index }: Change): string {
  return `${number}.${container.id}.${index}.${context.log.group().lineage ?? ''}`
}

/** @throws CONTAINER_TOKEN_FOREIGN */
function positionOf({ context, name }: Handle, token: string): Position {
  const [, number = '', container = '', index = '', lineage = ''] =
    /^(\d+)\.(\d+)\.(\d+)\.(.*)$/s.exec(token) ?? []
  const { lineage: current, ancestry } = context.log.group()
  const shared = ancestry.find((each) => each.lineage === lineage)
  const known = number !== '' && (lineage === (current ?? '') || (shared && Number(index) <= shared.index))
  if (!known) throw tokenForeign(name)
  return { container: Number(container), number: Number(number) }
}

/** The next change behind a position; null when there is none yet. @throws CONTAINER_HISTORY_GONE */
function step(handle: Handle, position: Position): { container: Readonly<Container>; change: Change } | null {
  const container = handle.here()
  if (container === undefined) return null
  if (position.container === 0) {
    position.container = container.id
    position.number = Math.max(position.number, container.id)
  }
  if (position.container !== container.id || container.feed.lost > position.number)
    throw historyGone(handle.name)
  const change = container.feed.after(position.number)
  if (change === undefined) return null
  position.number = change.number
  return { container, change }
}

function begin(handle: Handle, from: string | undefined): Position {
  const container = handle.here()
  if (from === 'oldest') return { container: container?.id ?? 0, number: container?.feed.lost ?? 0 }
  if (from !== undefined) return positionOf(handle, from)
  return { container: container?.id ?? 0, number: container?.feed.newest ?? 0 }
}

/** Follows the changes of a container, each in turn and once, for as long as the caller wants. */
export function follow<T>(
  handle: Handle,
  { from, signal }: SubscribeOptions,
  show: (change: Change, token: string) => T,
): AsyncIterableIterator<T> {
  const { context, name } = handle
  if (from !== undefined && typeof from !== 'string') throw optionInvalid('from', from, 'a token, or oldest')
  const position = begin(handle, from)
  let ended = false
  /** Ends the wait of the `next` under way. */
  let stir = (): void => {}
  const end = (): void => {
    ended = true
    stir()
  }
  /** Resolves when there may be something to see. */
  const waited = (): Promise<void> =>
    new Promise((resolve) => {
      const cancels: Cancel[] = []
      stir = () => {
        for (const cancel of cancels) cancel()
        signal?.removeEventListener('abort', stir)
        resolve()
      }
      cancels.push(context.listen(name, stir), context.onStop(stir))
      signal?.addEventListener('abort', stir, { once: true })
    })
  const next = async (): Promise<IteratorResult<T, undefined>> => {
    for (;;) {
      if (ended) return { done: true, value: undefined }
      if (signal?.aborted) throw aborted(signal.reason)
      if (context.stopped) throw stopped()
      const found = step(handle, position)
      if (found) {
        const token = tokenOf(context, found.container, found.change)
        return { done: false, value: show(found.change, token) }
      }
      await waited()
    }
  }
  // One after another, also for a caller who does not wait.
  let last: Promise<unknown> = Promise.resolve()
  return {
    next() {
      const result = last.then(next)
      last = result.catch(() => {
        // Its caller has the error.
      })
      return result
    },
    async return() {
      end()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

/** How changes of a container are shown. */
export type Show<K, V> = (change: Change, token: string) => ChangeEvent<K, V>

export function watch<K, V>(
  handle: Handle,
  show: Show<K, V>,
  listener: (change: ChangeEvent<K, V>) => void,
  {
    filter = () => true,
    accepts = () => true,
  }: {
    readonly filter?: (change: ChangeEvent<K, V>) => boolean
    readonly accepts?: (change: Change) => boolean
  },
): Cancel {
  const { context, name } = handle
  const position = begin(handle, undefined)
  return context.listen(name, () => {
    const container = context.container(name)
    if (container === undefined || container.kind !== handle.kind) return
    if (position.container !== container.id || container.feed.lost > position.number) {
      // A snapshot of another node came, or a new container: it goes on with what is kept.
      if (position.container === container.id)
        context.logger.log('warn', 'changes were missed by a listener', { container: name })
      position.container = container.id
      position.number = Math.max(container.feed.lost, container.id)
    }
    for (
      let change = container.feed.after(position.number);
      change;
      change = container.feed.after(position.number)
    ) {
      position.number = change.number
      if (!accepts(change)) continue
      const event = show(change, tokenOf(context, container, change))
      if (filter(event)) listener(event)
    }
  })
}

export type AnyWatchOptions<K, V> = WatchOptions<K> & {
  readonly filter?: (change: ChangeEvent<K, V>) => boolean
}
