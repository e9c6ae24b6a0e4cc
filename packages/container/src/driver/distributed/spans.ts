import type { CallOptions, Clock, Key } from '@cluster/core'
import type { Operation } from '../../machine/codec.ts'
import type { Container } from '../../machine/state.ts'
import { encodeKey } from '../keys.ts'

/** A span takes new entries for this part of its time. */
const SLICES = 16
/** Times to live are rounded up to so many binary digits, so that there are few different ones. */
const DIGITS = 5
const NOTHING = new Uint8Array(0)

/** What writes to the container of a map. */
export interface SpanMap {
  readonly name: string
  write(operation: Operation, options?: CallOptions): Promise<unknown>
}

/** Entries that end together: an entry of the map's container in the log, which ends by the log's time as any other. */
export interface Span {
  /** As it is in rows. */
  readonly text: string
  /** Lets it last for the whole time to live from where the log has it; refused once it is over. */
  readonly lasts: Operation
}

interface Open extends Span {
  /** By the clock of this node, which decides no more than how many entries share a span. */
  readonly closesAt: number
  /** The container that it is of. */
  readonly container: number
}

/** The key of a span in the container of its map. */
export const spanKey = (text: string): Key => encodeKey(text)

/** At most a sixteenth more than what was asked for. */
export function rounded(ttlMs: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(ttlMs)) - DIGITS + 1)
  return Math.ceil(ttlMs / step) * step
}

/**
 * When entries of distributed maps end. A row cannot say a time of the log, as its writer does not know where the log will
 * have it; so it names a span. Each write lets its span last for its own whole time, in one bundle: no entry of it ends early,
 * and all end where the log says that the span is over.
 */
export class Spans {
  readonly #clock: Clock
  /** Names spans that nobody else names. */
  readonly #name: () => string
  readonly #open = new Map<string, Open>()

  constructor(clock: Clock, name: () => string) {
    this.#clock = clock
    this.#name = name
  }

  /** The span for an entry that is written now. @throws what the log throws */
  async of(map: SpanMap, container: number, ttlMs: number, call: CallOptions): Promise<Span> {
    const ttl = rounded(ttlMs)
    const at = `${ttl} ${map.name}`
    const known = this.#open.get(at)
    if (known !== undefined && known.container === container && this.#clock.now() < known.closesAt)
      return known
    const text = this.#name()
    const key = spanKey(text)
    await map.write({ type: 'put', key, value: NOTHING, ttl: ttl + 1, when: { is: 'absent' } }, call)
    const span: Open = {
      text,
      container,
      lasts: { type: 'touch', key, ttl: ttl + 1 },
      closesAt: this.#clock.now() + ttl / SLICES,
    }
    for (const [name, { closesAt }] of this.#open) if (closesAt <= this.#clock.now()) this.#open.delete(name)
    this.#open.set(at, span)
    return span
  }

  /** It is over: nobody here names it any more. */
  forget({ text }: Span): void {
    for (const [name, open] of this.#open) if (open.text === text) this.#open.delete(name)
  }
}

/** Says of each span whether it lasts, as of now. */
export function lastingNow(container: Readonly<Container> | undefined): (text: string) => boolean {
  // The one entry of a map without spans says where the map is.
  if (container === undefined || container.entries.size <= 1) return () => false
  const { entries } = container
  return (text) => entries.get(spanKey(text)) !== undefined
}

/** The same, whatever happens later. */
export function lastingThen(container: Readonly<Container> | undefined): (text: string) => boolean {
  if (container === undefined || container.entries.size <= 1) return () => false
  const keys = new Set<Key>()
  container.entries.ascend(undefined, (key) => {
    keys.add(key)
    return true
  })
  return (text) => keys.has(spanKey(text))
}
