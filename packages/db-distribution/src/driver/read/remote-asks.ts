import type { NodeId } from '@cluster/core'
import type { Context } from '../context.ts'
import { SERVICE } from '../wire.ts'

/** Questions in one message at most. */
const QUESTIONS_MAX = 256

/** How questions of one kind travel. What is asked of one node for one `Group` at a time goes in one message. */
export interface AskFormat<Group, Question, Answer> {
  nameOf(group: Group): string
  encode(group: Group, questions: readonly Question[]): Uint8Array
  /** Answers to the first questions, at least one: large ones do not all fit into one reply. */
  decode(reply: Uint8Array, questions: number): readonly Answer[]
}

interface Asked<Question, Answer> {
  readonly question: Question
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

interface Batch<Group, Question, Answer> {
  readonly holder: NodeId
  readonly group: Group
  /** Of the holder and the group. */
  readonly name: string
  readonly asked: Asked<Question, Answer>[]
}

/**
 * Asks other nodes many small things. While a message to a node is under way, what is asked of it for the same group gathers, so
 * that many callers cost few messages; one caller alone never waits for another.
 */
export class RemoteAsks<Group, Question, Answer> {
  readonly #context: Context
  readonly #format: AskFormat<Group, Question, Answer>
  /** What is to be sent. */
  readonly #gathering = new Map<string, Batch<Group, Question, Answer>>()
  /** Messages under way. */
  readonly #underWay = new Map<string, number>()

  constructor(context: Context, format: AskFormat<Group, Question, Answer>) {
    this.#context = context
    this.#format = format
  }

  ask(holder: NodeId, group: Group, question: Question): Promise<Answer> {
    const name = `${holder} ${this.#format.nameOf(group)}`
    let batch = this.#gathering.get(name)
    if (batch === undefined) {
      batch = { holder, group, name, asked: [] }
      this.#gathering.set(name, batch)
      if (!this.#underWay.has(name)) queueMicrotask(() => this.#flush(name))
    }
    const { asked } = batch
    const answer = new Promise<Answer>((resolve, reject) => asked.push({ question, resolve, reject }))
    if (asked.length >= QUESTIONS_MAX) this.#flush(name)
    return answer
  }

  #flush(name: string): void {
    const batch = this.#gathering.get(name)
    if (batch === undefined) return
    this.#gathering.delete(name)
    this.#send(batch)
  }

  #send(batch: Batch<Group, Question, Answer>): void {
    const { holder, group, name, asked } = batch
    this.#underWay.set(name, (this.#underWay.get(name) ?? 0) + 1)
    this.#request(batch).then(
      (answers) => {
        for (const [i, answer] of answers.entries()) asked[i]?.resolve(answer)
        if (answers.length < asked.length)
          this.#send({ holder, group, name, asked: asked.slice(answers.length) })
        this.#arrived(name)
      },
      (error: unknown) => {
        // Whoever waits behind it would only wait for the same failure.
        const waiting = this.#gathering.get(name)?.asked ?? []
        this.#gathering.delete(name)
        for (const { reject } of [...asked, ...waiting]) reject(error)
        this.#arrived(name)
      },
    )
  }

  async #request({ holder, group, asked }: Batch<Group, Question, Answer>): Promise<readonly Answer[]> {
    const { ports, settings } = this.#context
    const frame = this.#format.encode(
      group,
      asked.map(({ question }) => question),
    )
    const reply = await ports.peers.request(holder, SERVICE, frame, { deadlineMs: settings.attemptMs })
    return this.#format.decode(reply, asked.length)
  }

  #arrived(name: string): void {
    const left = (this.#underWay.get(name) ?? 1) - 1
    if (left > 0) this.#underWay.set(name, left)
    else {
      this.#underWay.delete(name)
      this.#flush(name)
    }
  }
}
