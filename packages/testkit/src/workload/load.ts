import type { Operation } from '../check/linearizability.ts'
import type { SimRandom } from '../sim/sim-random.ts'

/** Every operation has a name of its own; a write enters the journal of what took effect under it. */
export interface Named {
  readonly name: string
}

/** What clients were told, all of it. */
export interface Told<Input, Output> {
  /** Acknowledged, or nobody knows. */
  readonly history: readonly Operation<Input, Output>[]
  /** Certainly not done. */
  readonly rejected: readonly Input[]
}

/** What clients do, how it is done on a program, and how it is judged. */
export interface Load<App, Input extends Named, Output> {
  /** The next operation of a client. */
  next(name: string, client: string, random: SimRandom): Input
  /** A write that no other operation has to do with. */
  last(name: string): Input
  /** What is read in the end, when all is well: everything. Names begin with `name`. Default: nothing. */
  closing?(name: string): readonly Input[]
  /** True when the name enters the journal of what took effect. */
  writes(input: Input): boolean
  /** False when the answer says that nothing was written. Default: something was. */
  took?(input: Input, output: Output): boolean
  /** True when it may be performed again while nobody knows what came of it. Default: it may not. */
  mayRepeat?(input: Input): boolean
  perform(app: App, input: Input): Promise<Output>
  /** Null when there is an explanation for what clients were told, else what is wrong with it. */
  judge(told: Told<Input, Output>): string | null
}
