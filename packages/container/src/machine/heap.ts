import { Heap } from '@cluster/core'

/** What is to be looked at when log time has come to `deadline`; it may be out of date by then. */
export interface Deadline {
  readonly deadline: number
  readonly container: string
  /** Key of an entry, or receipt of a message. */
  readonly key: string
  /** Number of the write that set it: no two of one heap are the same. */
  readonly number: number
}

/** The earliest deadline first, and of equal ones the one that was set first. */
export class DeadlineHeap extends Heap<Deadline> {
  constructor() {
    super((a, b) => a.deadline < b.deadline || (a.deadline === b.deadline && a.number < b.number))
  }

  /** Forgets what is out of date, once that may be most of it. */
  tidy(alive: number, isAlive: (item: Deadline) => boolean): void {
    if (this.length >= 1_024 && this.length >= alive * 4) this.retain(isAlive)
  }
}
