import type { Named, Told } from './load.ts'

/** Adds to a counter that only grows. */
export interface CounterInput extends Named {
  readonly counter: string
  /** 0 reads. */
  readonly add: number
}

/** The count before; null when it was not looked at. */
export type CounterOutput = number | null

type Counted = Told<CounterInput, CounterOutput>['history']

/** Every output is the count before, if any, and no two increments begin at or within the same one. */
export function judgeCounters({
  history,
}: Pick<Told<CounterInput, CounterOutput>, 'history'>): string | null {
  return outOfBounds(history) ?? twice(history)
}

function outOfBounds(history: Counted): string | null {
  for (const { input, callTime, end } of history) {
    if (end === null || end.output === null) continue
    let least = 0
    let most = 0
    for (const other of history) {
      if (other.input.counter !== input.counter || other.input.add === 0 || other.input === input) continue
      if (other.end !== null && other.end.time < callTime) least += other.input.add
      if (other.callTime <= end.time) most += other.input.add
    }
    if (end.output < least || end.output > most)
      return `${input.name} read ${end.output} of counter ${input.counter}, which was from ${least} to ${most}`
  }
  return null
}

function twice(history: Counted): string | null {
  const last = new Map<string, { readonly input: CounterInput; readonly before: number }>()
  const steps = history
    .map(({ input, end }) => ({ input, before: end?.output ?? null }))
    .filter(
      (step): step is { input: CounterInput; before: number } => step.before !== null && step.input.add > 0,
    )
    .sort((a, b) => a.before - b.before)
  for (const step of steps) {
    const { counter, name } = step.input
    const earlier = last.get(counter)
    if (earlier !== undefined && earlier.before + earlier.input.add > step.before)
      return `${name} found ${step.before} in counter ${counter}, where ${earlier.input.name} added ${earlier.input.add} to ${earlier.before}`
    last.set(counter, step)
  }
  return null
}
