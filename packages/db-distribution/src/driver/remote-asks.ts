import type { NodeId } from '@cluster/core'
import type { Context } from './context.ts'
import { SERVICE } from './wire.ts'

/** Questions in one message at most. */
const QUESTIONS_MAX = 256

/** How questions of one kind travel. What is asked of one node for one `Group` in one turn goes in one message. */
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
  readonly asked: Asked<Question, Answer>[]
}

/** Asks other nodes many small things. */
export class RemoteAsks<Group, Question, Answer> {
  readonly #context: Context
  readonly #format: AskFormat<Group, Question, Answer>
  readonly #batches = new Map<string, Batch<Group, Question, Answer>>()

  constructor(context: Context, format: AskFormat<Group, Question, Answer>) {
    this.#context = context
    this.#format = format
  }

  ask(holder: NodeId, group: Group, question: Question): Promise<Answer> {
    const key = `${holder} ${this.#format.nameOf(group)}`
    let batch = this.#batches.get(key)
    if (batch === undefined) {
      batch = { holder, group, asked: [] }
      this.#batches.set(key, batch)
      queueMicrotask(() => this.#flush(key))
    }
    const { asked } = batch
    const answer = new Promise<Answer>((resolve, reject) => asked.push({ question, resolve, reject }))
    if (asked.length >= QUESTIONS_MAX) this.#flush(key)
    return answer
  }

  #flush(key: string): void {
    const batch = this.#batches.get(key)
    if (batch === undefined) return
    this.#batches.delete(key)
    this.#send(batch)
  }

  #send({ holder, group, asked }: Batch<Group, Question, Answer>): void {
    const { ports, settings } = this.#context
    const frame = this.#format.encode(
      group,
      asked.map(({ question }) => question),
    )
    ports.peers
      .request(holder, SERVICE, frame, { deadlineMs: settings.attemptMs })
      .then((reply) => this.#format.decode(reply, asked.length))
      .then(
        (answers) => {
          for (const [i, answer] of answers.entries()) asked[i]?.resolve(answer)
          if (answers.length < asked.length) this.#send({ holder, group, asked: asked.slice(answers.length) })
        },
        (error: unknown) => {
          for (const { reject } of asked) reject(error)
        },
      )
  }
}
