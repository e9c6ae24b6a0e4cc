import {
  type Cancel,
  type Change,
  type ChangeEvent,
  type ContainerKey,
  type DatabaseErrorDetail,
  isClusterError,
  logIndex,
  type SubscribeOptions,
  type Version,
  type WatchOptions,
} from '@cluster/core'
import { aborted, historyGone, optionInvalid, stopped, tokenForeign } from '../../errors.ts'
import type { Context } from '../context.ts'
import { decodeKey, encodeKey } from '../keys.ts'
import type { Values } from '../values.ts'
import { ENTRIES, heldOf, isLifeText, lifeText, mapPrefix, partsOf } from './entries.ts'
import type { Place, PlaceHandle } from './place.ts'

/** A map that can be followed. */
export interface Followed<V> {
  readonly name: string
  readonly context: Context
  readonly place: PlaceHandle
  readonly codec: Values<V>
}

/** Where a follower begins. */
interface Start {
  /** The oldest life whose changes are told. */
  readonly life: string
  readonly from: string | Version | 'oldest'
}

function startOf({ context, name, place }: Followed<unknown>, from: string | undefined): Start {
  // A map that is still to be made will have a number behind the newest one.
  const life = lifeText(place.place()?.life ?? context.machine.counter + 1)
  if (from === undefined) return { life, from: logIndex(context.log.appliedIndex()) }
  if (typeof from !== 'string') throw optionInvalid('from', from, 'a token, or oldest')
  if (from === 'oldest') return { life, from }
  return resumed(name, from)
}

/** @throws CONTAINER_TOKEN_FOREIGN */
function resumed(name: string, from: string): Start {
  const [life = '', ...token] = from.split('|')
  if (!isLifeText(life) || token.length === 0) throw tokenForeign(name)
  return { life, from: token.join('|') }
}

/** Follows the changes of a map, each in turn and once, for as long as the caller wants. */
export function followMap<K extends ContainerKey, V>(
  map: Followed<V>,
  { from, signal }: SubscribeOptions,
): AsyncIterableIterator<ChangeEvent<K, V>> {
  const { context, name } = map
  const start = startOf(map, from)
  const end = new AbortController()
  let ended = false
  const close = (): void => end.abort(signal?.reason)
  if (signal?.aborted) close()
  signal?.addEventListener('abort', close, { once: true })
  const release = context.onStop(close)
  const steps = new Follower<K, V>(map, start, end.signal).steps()
  const done = { done: true, value: undefined } as const
  const finish = (): void => {
    ended = true
    release()
    signal?.removeEventListener('abort', close)
    end.abort()
  }
  return {
    async next() {
      try {
        if (ended) return done
        if (context.stopped) throw stopped()
        return await steps.next()
      } catch (error) {
        if (ended) return done
        finish()
        if (context.stopped) throw stopped()
        throw signal?.aborted ? aborted(signal.reason) : errorOf(name, error)
      }
    },
    async return() {
      finish()
      return done
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

/** What the database says, as it is said of containers. */
function errorOf(name: string, error: unknown): unknown {
  if (!isClusterError(error)) return error
  const detail = error.detail as DatabaseErrorDetail
  if (detail.code === 'DB_OPTION_INVALID') return tokenForeign(name)
  if (detail.code !== 'DB_CHANGES_GONE') return error
  return detail.reason === 'history' ? tokenForeign(name) : historyGone(name)
}

class Follower<K extends ContainerKey, V> {
  readonly #map: Followed<V>
  readonly #signal: AbortSignal
  readonly #prefix: string
  /** Changes of lives before it are of what was cleared. */
  #life: string
  #from: Start['from']

  constructor(map: Followed<V>, { life, from }: Start, signal: AbortSignal) {
    this.#map = map
    this.#signal = signal
    this.#prefix = mapPrefix(map.name)
    this.#life = life
    this.#from = from
  }

  async *steps(): AsyncGenerator<ChangeEvent<K, V>, undefined> {
    const { context } = this.#map
    const place = await this.#there()
    const { database } = await context.stores.open(place.redundancy)
    const isAll = this.#from === 'oldest'
    let from = typeof this.#from === 'string' && !isAll ? this.#from : logIndex(this.#first(place))
    for (;;) {
      let told = false
      try {
        for await (const change of database.changes({ relations: [ENTRIES], from, signal: this.#signal })) {
          const event = this.#eventOf(change)
          if (event === null) continue
          told = true
          yield event
        }
        return undefined
      } catch (error) {
        // Whoever wants all that is kept begins with the oldest that is.
        const oldest = isAll && !told ? oldestOf(error) : null
        if (oldest === null || oldest === from) throw error
        from = oldest
      }
    }
  }

  /** Behind this version is what is to be told. */
  #first({ since }: Place): number {
    return typeof this.#from === 'number' ? Math.max(this.#from, since) : since
  }

  #eventOf({ key, before, after, version, token }: Change): ChangeEvent<K, V> | null {
    const parts = partsOf(this.#prefix, key)
    if (parts === null || parts.life < this.#life) return null
    const at = (): string => `${this.#life}|${token}`
    if (parts.entry === '') {
      if (after === null) return null
      this.#life = lifeText(Number.parseInt(parts.life, 16) + 1)
      return { type: 'cleared', key: undefined, before: undefined, after: undefined, version, token: at() }
    }
    this.#life = parts.life
    const { codec } = this.#map
    const [old, now] = [heldOf(before), heldOf(after)]
    // What is left of a deleted entry goes without news, and so does a longer life.
    if (old === null && now === null) return null
    if (old !== null && old.version === now?.version) return null
    const ended = after === null && (old?.span ?? null) !== null
    return {
      type: now !== null ? 'set' : ended ? 'expired' : 'removed',
      key: decodeKey(parts.entry) as K,
      before: old === null ? undefined : codec.decode(old.value),
      after: now === null ? undefined : codec.decode(now.value),
      version,
      token: at(),
    }
  }

  /** Where the map is, once there is one. */
  async #there(): Promise<Place> {
    const { context, name, place } = this.#map
    for (;;) {
      const found = place.place()
      if (found !== undefined) return found
      await new Promise<void>((resolve, reject) => {
        const refuse = (): void => settle(() => reject(aborted(this.#signal.reason)))
        const settle = (then: () => void): void => {
          cancel()
          this.#signal.removeEventListener('abort', refuse)
          then()
        }
        const cancel = context.listen(name, () => settle(resolve))
        this.#signal.addEventListener('abort', refuse, { once: true })
        if (this.#signal.aborted) refuse()
      })
    }
  }
}

function oldestOf(error: unknown): Version | null {
  if (!isClusterError(error)) return null
  const detail = error.detail as DatabaseErrorDetail
  return detail.code === 'DB_CHANGES_GONE' && detail.reason !== 'history' ? detail.oldest : null
}

/** Calls `listener` with what is committed from now on, as it becomes known here. */
export function watchMap<K extends ContainerKey, V>(
  map: Followed<V>,
  listener: (change: ChangeEvent<K, V>) => void,
  options: WatchOptions<K> & { readonly filter?: (change: ChangeEvent<K, V>) => boolean },
): Cancel {
  const { context, name } = map
  const { filter = () => true } = options
  const wanted = options.key === undefined ? null : encodeKey(options.key)
  const concerns = ({ type, key }: ChangeEvent<K, V>): boolean =>
    wanted === null || type === 'cleared' || (key !== undefined && encodeKey(key) === wanted)
  let over = false
  const run = async (from: string | undefined): Promise<void> => {
    const feed = followMap<K, V>(map, from === undefined ? {} : { from })
    cancel = () => void feed.return?.()
    for await (const change of feed) {
      if (over) return
      if (concerns(change) && filter(change)) listener(change)
    }
  }
  let cancel: Cancel = () => {}
  run(undefined).catch((error: unknown) => {
    if (over || context.stopped) return
    context.logger.log('error', 'a listener of a map hears nothing any more', {
      container: name,
      error: String(error),
    })
  })
  return () => {
    over = true
    cancel()
  }
}
