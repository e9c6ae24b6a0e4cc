import { isClusterError, type LogFields } from '@cluster/core'
import type { Operation } from '../check/linearizability.ts'
import type { SimNode } from '../sim/sim-node.ts'
import type { World } from '../sim/world.ts'
import type { Told } from './load.ts'

export interface OperationCounts {
  called: number
  acknowledged: number
  rejected: number
  unknown: number
  /** Performed again after nobody knew what had come of it. */
  repeated: number
}

/** How an operation ended for its client. */
export type Ending<Output> =
  | { readonly how: 'acknowledged'; readonly output: Output }
  | { readonly how: 'rejected'; readonly error: unknown }
  | { readonly how: 'unknown'; readonly error: unknown }

/** Runs operations for clients and writes down what each was told. */
export class Recorder<Input, Output> {
  readonly counts: OperationCounts = { called: 0, acknowledged: 0, rejected: 0, unknown: 0, repeated: 0 }
  /** How often each error code was met. */
  readonly errors: Record<string, number> = {}
  readonly #world: World
  readonly #operations: Operation<Input, Output>[] = []
  readonly #rejected: Input[] = []
  readonly #open = new Map<number, Operation<Input, Output>>()

  constructor(world: World) {
    this.#world = world
  }

  /** What is known by now: operations that still run count as unknown. */
  history(): Operation<Input, Output>[] {
    return [...this.#operations, ...this.#open.values()]
  }

  told(): Told<Input, Output> {
    return { history: this.history(), rejected: this.#rejected }
  }

  /** Writes down one operation: when it was called, and how `run` says that it ended. */
  async perform(
    client: string,
    input: Input,
    run: () => Promise<Ending<Output>>,
    describe: () => LogFields = () => ({}),
  ): Promise<Ending<Output>> {
    const id = this.counts.called++
    const called = { client, input, callTime: this.#world.now, end: null }
    this.#open.set(id, called)
    const ending = await run()
    this.#open.delete(id)
    this.counts[ending.how]++
    if (ending.how === 'acknowledged')
      this.#operations.push({ ...called, end: { time: this.#world.now, output: ending.output } })
    else if (ending.how === 'unknown') this.#operations.push(called)
    else this.#rejected.push(input)
    this.#world.trace.frame(client, ending.how, { id, ...describe() })
    return ending
  }

  /**
   * Tries something on a node. When the node dies first, the client never hears what came of it. An error
   * that is no `ClusterError` is a bug and fails the world.
   */
  async attempt(node: SimNode<unknown>, run: () => Promise<Output>): Promise<Ending<Output>> {
    let cancelDeath = (): void => {}
    const died = new Promise<Ending<Output>>((resolve) => {
      cancelDeath = node.onDeath(() => resolve({ how: 'unknown', error: new Error(`${node.id} died`) }))
    })
    const ending = await Promise.race([died, this.#ending(run)])
    cancelDeath()
    return ending
  }

  async #ending(run: () => Promise<Output>): Promise<Ending<Output>> {
    try {
      return { how: 'acknowledged', output: await run() }
    } catch (error) {
      if (!isClusterError(error)) {
        this.#world.fail(error)
        return { how: 'unknown', error }
      }
      this.errors[error.code] = (this.errors[error.code] ?? 0) + 1
      return { how: error.outcome, error }
    }
  }
}
