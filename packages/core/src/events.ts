import type { Cancel } from './host/clock.ts'

/** A typed source of events: `Map` names each event and the shape it carries. */
export interface Events<Map> {
  /** Calls `listener` for every `type` event from now on, in order of registration, until cancelled. */
  on<Type extends keyof Map>(type: Type, listener: (event: Map[Type]) => void): Cancel
}

/** The sending half of `Events`. A listener that throws is a bug of the listener and reaches the emitter. */
export class EventHub<Map> implements Events<Map> {
  readonly #listeners = new globalThis.Map<keyof Map, Set<(event: never) => void>>()

  on<Type extends keyof Map>(type: Type, listener: (event: Map[Type]) => void): Cancel {
    let set = this.#listeners.get(type)
    if (!set) {
      set = new Set()
      this.#listeners.set(type, set)
    }
    // A wrapper makes two registrations of one function independent.
    const entry = (event: Map[Type]): void => listener(event)
    set.add(entry)
    return () => void set.delete(entry)
  }

  emit<Type extends keyof Map>(type: Type, event: Map[Type]): void {
    const set = this.#listeners.get(type)
    if (!set) return
    for (const listener of [...set]) (listener as (event: Map[Type]) => void)(event)
  }

  /** Resolves with the next `type` event that passes `accept`. */
  next<Type extends keyof Map>(
    type: Type,
    accept: (event: Map[Type]) => boolean = () => true,
  ): Promise<Map[Type]> {
    return new Promise((resolve) => {
      const cancel = this.on(type, (event) => {
        if (!accept(event)) return
        cancel()
        resolve(event)
      })
    })
  }
}
