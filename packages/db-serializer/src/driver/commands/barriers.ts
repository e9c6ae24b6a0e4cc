import type { Clock, LogIndex, NodeId } from '@cluster/core'

export interface BarrierPorts {
  readonly clock: Clock
  /** The leader as far as this node knows. */
  leader(): NodeId | null
  readonly self: NodeId
  /** No other node votes, so that this one answers itself at once. */
  sole(): boolean
  /** Puts a read into the own machine; `answer` will be called with its ref. */
  read(ref: number): void
  /** Sends the question to the leader; false when there is no way. */
  ask(leader: NodeId, ask: number): boolean
}

/** A question without an answer after this long is asked again. */
const ASK_AGAIN_MS = 250
/** For so long callers whose answer needs no other node get it within the turn that they ask in. */
const WITHOUT_TURN_MS = 2
/** … and so many of them, whatever the clock says. */
const WITHOUT_TURN_MAX = 256

type Caller = (index: LogIndex) => void

/**
 * Barriers of this node. One question is on its way at a time; who comes meanwhile waits for the next one, as
 * an answer covers only what was acknowledged before its question.
 */
export class Barriers {
  readonly #ports: BarrierPorts
  #waiting: Caller[] = []
  #asked: { readonly ask: number; readonly callers: Caller[]; readonly at: number } | null = null
  #nextAsk = 1
  #starting = false
  #stopped = false
  #turnedAt = Number.NEGATIVE_INFINITY
  #sinceTurn = 0

  constructor(ports: BarrierPorts) {
    this.#ports = ports
  }

  /** Callers without an answer. */
  get open(): number {
    return this.#waiting.length + (this.#asked?.callers.length ?? 0)
  }

  add(caller: Caller): void {
    this.#waiting.push(caller)
    this.#start()
  }

  /** The answer to a question of this node; null when whom it asked does not lead. */
  answer(ask: number, index: LogIndex | null): void {
    if (this.#asked?.ask !== ask) return
    const { callers } = this.#asked
    this.#asked = null
    if (index === null) this.#waiting = [...callers, ...this.#waiting]
    else for (const caller of callers) caller(index)
    // Without an answer there is no use in asking at once again: a new leader or the clock does it.
    if (index !== null) this.#start()
  }

  /** The leader is another one, or the way to it is new. */
  restart(): void {
    this.#takeBack()
    this.#start()
  }

  tick(): void {
    const late = this.#asked !== null && this.#ports.clock.now() - this.#asked.at >= ASK_AGAIN_MS
    if (late) this.#takeBack()
    this.#start()
  }

  stop(): void {
    this.#stopped = true
    this.#asked = null
    this.#waiting = []
  }

  #takeBack(): void {
    if (!this.#asked) return
    this.#waiting = [...this.#asked.callers, ...this.#waiting]
    this.#asked = null
  }

  #start(): void {
    if (this.#starting || this.#asked || this.#waiting.length === 0 || this.#stopped) return
    if (this.#answersItself()) {
      this.#sinceTurn++
      this.#ask()
      return
    }
    this.#starting = true
    // Who calls in the same turn shares the question.
    void this.#ports.clock.turn().then(() => {
      this.#starting = false
      this.#turnedAt = this.#ports.clock.now()
      this.#sinceTurn = 0
      this.#ask()
    })
  }

  /** There is nobody to share a question with. Whoever asks on and on still gives others their turn from time to time. */
  #answersItself(): boolean {
    const { clock, self, leader, sole } = this.#ports
    if (!sole() || leader() !== self || this.#sinceTurn >= WITHOUT_TURN_MAX) return false
    return clock.now() - this.#turnedAt < WITHOUT_TURN_MS
  }

  #ask(): void {
    const leader = this.#ports.leader()
    if (this.#asked || this.#waiting.length === 0 || this.#stopped || leader === null) return
    const ask = this.#nextAsk++
    this.#asked = { ask, callers: this.#waiting, at: this.#ports.clock.now() }
    this.#waiting = []
    if (leader === this.#ports.self) this.#ports.read(ask)
    else if (!this.#ports.ask(leader, ask)) this.#takeBack()
  }
}
