import { type Cancel, errorCode } from '@cluster/core'
import { encodeCommand, type Targeted } from '../machine/codec.ts'
import { CONTAINER_MACHINE } from '../machine/machine.ts'
import type { Context } from './context.ts'

/** A note that did not get through, or came too early, is sent again after so long. */
const AGAIN_MS = 500
/** A note is sent so much later than it seems to be due, as the log's time is known only roughly here. */
const MARGIN_MS = 5

/**
 * The leader's part: notes in the log that time has come to where entries end, and that leases of messages are over. The
 * machine compares with the log time of the note itself, so that one too early does nothing. A lease has its full term
 * under a new leader, as nobody could acknowledge while there was none.
 */
export class Expiry {
  readonly #context: Context
  readonly #cancel: Cancel
  #leads = false
  /** Since when, by the clock of this node. */
  #officeAt = 0
  /** Log time of the newest entry, and when it was applied here. */
  #time = 0
  #heardAt: number
  #cancelTimer: Cancel = () => {}
  #timerAt = Number.POSITIVE_INFINITY
  /** Notes that were sent and not answered. */
  #waiting = 0

  constructor(context: Context) {
    this.#context = context
    this.#heardAt = context.clock.now()
    this.#cancel = context.log.on('group', ({ role }) => this.#office(role === 'leader'))
  }

  /** Something was applied. */
  hear(): void {
    const { clock, machine } = this.#context
    if (machine.time !== this.#time) {
      this.#time = machine.time
      this.#heardAt = clock.now()
    }
    this.#plan()
  }

  stop(): void {
    this.#cancel()
    this.#leads = false
    this.#cancelTimer()
  }

  #office(leads: boolean): void {
    if (leads === this.#leads) return
    this.#leads = leads
    this.#cancelTimer()
    this.#timerAt = Number.POSITIVE_INFINITY
    if (!leads) return
    this.#officeAt = this.#context.clock.now()
    // What log time it is by now shows with the first note.
    if (this.#context.machine.nextDeadline || this.#context.machine.nextLease())
      void this.#send([{ sweep: true }])
    this.#plan()
  }

  /** When log time will have come there, by the clock of this node. */
  #when(logTime: number): number {
    return this.#heardAt + Math.max(0, logTime - this.#time) + MARGIN_MS
  }

  #leaseOver(): number {
    const { machine } = this.#context
    const lease = machine.nextLease()
    if (lease === undefined) return Number.POSITIVE_INFINITY
    const message = machine.containers.get(lease.container)?.queue.messages.get(lease.number)
    return Math.max(this.#when(lease.deadline), this.#officeAt + (message?.leaseMs ?? 0))
  }

  #plan(): void {
    if (!this.#leads || this.#waiting > 0) return
    const { clock, machine } = this.#context
    const { nextDeadline } = machine
    const entryOver = nextDeadline ? this.#when(nextDeadline.deadline) : Number.POSITIVE_INFINITY
    this.#wakeAt(Math.min(entryOver, this.#leaseOver()), clock.now())
  }

  #wakeAt(at: number, now: number): void {
    if (at === Number.POSITIVE_INFINITY || at >= this.#timerAt) return
    this.#cancelTimer()
    this.#timerAt = at
    this.#cancelTimer = this.#context.clock.after(Math.max(1, at - now), () => {
      this.#timerAt = Number.POSITIVE_INFINITY
      this.#tellWhatIsOver()
    })
  }

  #tellWhatIsOver(): void {
    const { clock, machine } = this.#context
    if (!this.#leads) return
    const now = clock.now()
    const notes: Targeted[] = []
    const { nextDeadline } = machine
    if (nextDeadline && this.#when(nextDeadline.deadline) <= now) notes.push({ sweep: true })
    if (this.#leaseOver() <= now) {
      const lease = machine.nextLease()
      const container = lease && machine.containers.get(lease.container)
      if (lease && container)
        notes.push({
          name: container.name,
          kind: container.kind,
          operation: { type: 'redeliver', id: lease.number, receipt: lease.key },
        })
    }
    if (notes.length > 0) void this.#send(notes)
    else this.#plan()
  }

  async #send(notes: readonly Targeted[]): Promise<void> {
    const { log, clock, logger } = this.#context
    this.#waiting++
    let failed = false
    try {
      await log.submit(CONTAINER_MACHINE, encodeCommand(notes))
    } catch (error) {
      failed = true
      // It is sent again, by the next leader if not by this one.
      logger.log('debug', 'note about containers not taken', { code: errorCode(error), error: String(error) })
    }
    this.#waiting--
    if (failed && this.#leads) this.#wakeAt(clock.now() + AGAIN_MS, clock.now())
    else this.#plan()
  }
}
