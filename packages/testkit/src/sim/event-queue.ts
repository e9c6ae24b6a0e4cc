import { Heap } from '@cluster/core'

/** One thing that will happen at a virtual time. */
export interface SimEvent {
  readonly time: number
  /** Orders events of one time by when they were scheduled. */
  readonly sequence: number
  /** Null once cancelled. */
  run: (() => void) | null
}

/** Events by (time, sequence). Cancelled events stay in until their time. */
export class EventQueue extends Heap<SimEvent> {
  #sequence = 0

  constructor() {
    super((a, b) => a.time < b.time || (a.time === b.time && a.sequence < b.sequence))
  }

  schedule(time: number, run: () => void): SimEvent {
    const event: SimEvent = { time, sequence: this.#sequence++, run }
    this.push(event)
    return event
  }
}
