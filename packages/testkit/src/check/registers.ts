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

/** An output may say under this name whether the condition held: `yes`, or `no`, and then it says nothing of registers. */
export const MET = '?met'

export type RegistersOutput = Readonly<Record<string, string | null>>

type State = Readonly<Record<string, string | null>>

/** Registers, read, written and compared and set in groups. */
export const registers: SequentialModel<State, RegistersInput, RegistersOutput> = {
  initial: {},
  partOf: ({ group }) => group,
  step(state, { reads, writes, onlyIf }, output) {
    const met = output?.value[MET] ?? null
    if (output !== null && met !== 'no')
      for (const name of reads) if ((state[name] ?? null) !== (output.value[name] ?? null)) return null
    const holds = Object.entries(onlyIf ?? {}).every(([name, value]) => (state[name] ?? null) === value)
    if (met !== null && met !== (holds ? 'yes' : 'no')) return null
    return holds ? { ...state, ...writes } : state
  },
  print: (state) =>
    Object.keys(state)
      .sort()
      .map((name) => `${name}=${state[name] ?? ''}`)
      .join(';'),
}

type RegistersOperation = Operation<RegistersInput, RegistersOutput>

const NEVER = Number.POSITIVE_INFINITY

/**
 * Narrows what is unknown, without changing the verdict, when every value is written by one operation at most:
 * an unknown operation whose values nobody saw is dropped, one whose value was seen must have happened before
 * the first one that saw it returned. Without this, unknown operations make the search exponential. Who was only told
 * that a condition did not hold may have met what nobody else saw: then that is dropped, too.
 */
export function narrowUnknown(history: readonly RegistersOperation[]): RegistersOperation[] {
  const seenBy = firstSeen(history)
  /** When the first operation that was dropped, and may have written the register, was called. */
  const maybeWritten = new Map<string, number>()
  for (const { input, end, callTime } of history) {
    if (end !== null || seenAt(input, seenBy) !== NEVER) continue
    for (const register of Object.keys(input.writes)) {
      const at = `${input.group}\0${register}`
      maybeWritten.set(at, Math.min(maybeWritten.get(at) ?? NEVER, callTime))
    }
  }
  const mayHaveMet = ({ group, onlyIf = {} }: RegistersInput, time: number): boolean =>
    Object.keys(onlyIf).some((register) => (maybeWritten.get(`${group}\0${register}`) ?? NEVER) <= time)
  return history.flatMap((operation) => {
    const { input, end } = operation
    if (end) return end.output[MET] === 'no' && mayHaveMet(input, end.time) ? [] : [operation]
    const time = seenAt(input, seenBy)
    if (time === NEVER) return []
    return [{ ...operation, input: { ...input, reads: [] }, end: { time, output: {} } }]
  })
}

const mark = (group: string, name: string, value: string): string => `${group}\0${name}\0${value}`

/** When one of the values that it writes was known to be there; `NEVER` when nobody saw one. */
function seenAt({ group, writes }: RegistersInput, seenBy: ReadonlyMap<string, number>): number {
  return Math.min(
    NEVER,
    ...Object.entries(writes).map(([name, value]) => seenBy.get(mark(group, name, value)) ?? NEVER),
  )
}

/** For each value the earliest return of an operation that proves that it was there. */
function firstSeen(history: readonly RegistersOperation[]): Map<string, number> {
  const seenBy = new Map<string, number>()
  let changed = false
  const see = (group: string, name: string, value: string | null, time: number): void => {
    if (value === null) return
    const at = mark(group, name, value)
    if (time >= (seenBy.get(at) ?? NEVER)) return
    seenBy.set(at, time)
    changed = true
  }
  for (const { input, end } of history)
    if (end) for (const name of input.reads) see(input.group, name, end.output[name] ?? null, end.time)
  const conditional = history.filter(({ input }) => input.onlyIf !== undefined)
  do {
    changed = false
    // Who wrote under a condition saw that it held, as soon as somebody saw what was written.
    for (const { input, end } of conditional) {
      const time = seenAt(input, seenBy)
      if (time === NEVER) continue
      const by = end === null ? time : Math.min(time, end.time)
      for (const [name, value] of Object.entries(input.onlyIf ?? {})) see(input.group, name, value, by)
    }
  } while (changed)
  return seenBy
}
