import type { Operation, SequentialModel } from './linearizability.ts'

/**
 * One operation on a group of registers, atomically: what every register held before is the output. Registers
 * hold text; `null` is a register never written.
 */
export interface RegistersInput {
  /** Groups are independent of each other. */
  readonly group: string
  /** Registers whose value before the operation is part of the output. */
  readonly reads: readonly string[]
  /** New values. */
  readonly writes: Readonly<Record<string, string>>
  /** The writes are made only if these registers hold these values; else it only reads. */
  readonly onlyIf?: Readonly<Record<string, string | null>>
}

export type RegistersOutput = Readonly<Record<string, string | null>>

type State = Readonly<Record<string, string | null>>

/** Registers, read, written and compared and set in groups. */
export const registers: SequentialModel<State, RegistersInput, RegistersOutput> = {
  initial: {},
  partOf: ({ group }) => group,
  step(state, { reads, writes, onlyIf }, output) {
    if (output !== null)
      for (const name of reads) if ((state[name] ?? null) !== (output.value[name] ?? null)) return null
    if (onlyIf)
      for (const name of Object.keys(onlyIf)) if ((state[name] ?? null) !== onlyIf[name]) return state
    return { ...state, ...writes }
  },
  print: (state) =>
    Object.keys(state)
      .sort()
      .map((name) => `${name}=${state[name] ?? ''}`)
      .join(';'),
}

/**
 * Narrows what is unknown, without changing the verdict, when every value is written by one operation at most:
 * an unknown operation whose values nobody saw is dropped, one whose value was seen must have happened before
 * the first one that saw it returned. Without this, unknown operations make the search exponential.
 */
export function narrowUnknown(
  history: readonly Operation<RegistersInput, RegistersOutput>[],
): Operation<RegistersInput, RegistersOutput>[] {
  const seenBy = new Map<string, number>()
  const mark = (group: string, name: string, value: string): string => `${group}\0${name}\0${value}`
  for (const { input, end } of history)
    if (end)
      for (const name of input.reads) {
        const value = end.output[name] ?? null
        if (value === null) continue
        const at = mark(input.group, name, value)
        seenBy.set(at, Math.min(seenBy.get(at) ?? Number.POSITIVE_INFINITY, end.time))
      }
  return history.flatMap((operation) => {
    if (operation.end) return [operation]
    const { group, writes } = operation.input
    const seen = Object.entries(writes).map(
      ([name, value]) => seenBy.get(mark(group, name, value)) ?? Number.POSITIVE_INFINITY,
    )
    const time = Math.min(...seen)
    if (time === Number.POSITIVE_INFINITY) return []
    return [{ ...operation, input: { ...operation.input, reads: [] }, end: { time, output: {} } }]
  })
}
