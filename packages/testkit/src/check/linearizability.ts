/** One operation of a history. Times come from one clock. */
export interface Operation<Input, Output> {
  readonly client: string
  readonly input: Input
  readonly callTime: number
  /**
   * How it ended: with an output at a time; or `null`, if nobody knows whether it took effect, then or at any
   * later time. Operations that certainly did not happen do not belong into a history.
   */
  readonly end: { readonly time: number; readonly output: Output } | null
}

/** The sequential object that the operations are said to act on. */
export interface SequentialModel<State, Input, Output> {
  readonly initial: State
  /** Operations of different parts are independent and are judged apart. */
  partOf(input: Input): string
  /** The state after the operation, or null if it could not have given this output. `output` is null when unknown. */
  step(state: State, input: Input, output: { readonly value: Output } | null): State | null
  /** Equal for equal states. */
  print(state: State): string
}

export type LinearizabilityVerdict<Input, Output> =
  | { readonly verdict: 'linearizable'; readonly steps: number }
  | {
      readonly verdict: 'violated'
      readonly part: string
      /** The operation that no order explains, given those that ended before it. */
      readonly stuck: Operation<Input, Output>
      /** All operations of the part, by the time of their call. */
      readonly operations: readonly Operation<Input, Output>[]
    }
  | { readonly verdict: 'undecided'; readonly part: string; readonly steps: number }

interface Entry<Input, Output> {
  readonly id: number
  readonly operation: Operation<Input, Output>
  readonly kind: 'call' | 'return' | 'head'
  /** The return of a call; null when its end is unknown. */
  match: Entry<Input, Output> | null
  before: Entry<Input, Output> | null
  after: Entry<Input, Output> | null
}

/**
 * Decides whether there is an order of the operations that the model allows and in which each takes effect
 * between its call and its return.
 * @param stepsMax model steps a part after which it gives up as `undecided`
 * @see Wing & Gong 1993; Lowe 2017, testing for linearizability (the memory of what was tried)
 */
export function checkLinearizable<State, Input, Output>(
  model: SequentialModel<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
  { stepsMax = 2_000_000 }: { readonly stepsMax?: number } = {},
): LinearizabilityVerdict<Input, Output> {
  const parts = new Map<string, Operation<Input, Output>[]>()
  for (const operation of history) {
    const part = model.partOf(operation.input)
    const operations = parts.get(part) ?? []
    parts.set(part, operations)
    operations.push(operation)
  }
  let steps = 0
  for (const part of [...parts.keys()].sort()) {
    const operations = (parts.get(part) ?? []).sort((a, b) => a.callTime - b.callTime)
    const result = checkPart(model, operations, stepsMax)
    steps += result.steps
    if (result.gaveUp) return { verdict: 'undecided', part, steps }
    if (result.stuck) return { verdict: 'violated', part, stuck: result.stuck, operations }
  }
  return { verdict: 'linearizable', steps }
}

function timeline<Input, Output>(operations: readonly Operation<Input, Output>[]): Entry<Input, Output> {
  const entries: { time: number; entry: Entry<Input, Output> }[] = []
  for (const [id, operation] of operations.entries()) {
    const call: Entry<Input, Output> = { id, operation, kind: 'call', match: null, before: null, after: null }
    entries.push({ time: operation.callTime, entry: call })
    if (operation.end === null) continue
    call.match = { id, operation, kind: 'return', match: null, before: null, after: null }
    entries.push({ time: operation.end.time, entry: call.match })
  }
  // At one time calls come before returns: the two operations may have overlapped.
  const rank = ({ entry }: (typeof entries)[number]): number => (entry.kind === 'call' ? 0 : 1)
  entries.sort((a, b) => a.time - b.time || rank(a) - rank(b))
  const first = operations[0] as Operation<Input, Output>
  const head: Entry<Input, Output> = {
    id: -1,
    operation: first,
    kind: 'head',
    match: null,
    before: null,
    after: null,
  }
  let last = head
  for (const { entry } of entries) {
    last.after = entry
    entry.before = last
    last = entry
  }
  return head
}

function unlink<Input, Output>(entry: Entry<Input, Output>): void {
  if (entry.before) entry.before.after = entry.after
  if (entry.after) entry.after.before = entry.before
}

function relink<Input, Output>(entry: Entry<Input, Output>): void {
  if (entry.before) entry.before.after = entry
  if (entry.after) entry.after.before = entry
}

function checkPart<State, Input, Output>(
  model: SequentialModel<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
  stepsMax: number,
): { steps: number; gaveUp: boolean; stuck: Operation<Input, Output> | null } {
  const head = timeline(operations)
  const taken = new Uint16Array(Math.ceil(operations.length / 16))
  const flip = (id: number): void => {
    taken[id >> 4] = (taken[id >> 4] ?? 0) ^ (1 << (id & 15))
  }
  const tried = new Set<string>()
  const path: { entry: Entry<Input, Output>; state: State }[] = []
  let state = model.initial
  let steps = 0
  let deepest = -1
  let stuck: Operation<Input, Output> | null = null
  let entry = head.after
  while (entry !== null) {
    if (entry.kind === 'call') {
      if (++steps > stepsMax) return { steps, gaveUp: true, stuck: null }
      const { end, input } = entry.operation
      const next = model.step(state, input, end === null ? null : { value: end.output })
      if (next !== null) {
        flip(entry.id)
        const mark = `${String.fromCharCode(...taken)}|${model.print(next)}`
        if (!tried.has(mark)) {
          tried.add(mark)
          path.push({ entry, state })
          state = next
          unlink(entry)
          if (entry.match) unlink(entry.match)
          entry = head.after
          continue
        }
        flip(entry.id)
      }
      entry = entry.after
      continue
    }
    // Something that has returned was not placed yet: what was chosen last must be chosen otherwise.
    if (path.length > deepest) {
      deepest = path.length
      stuck = entry.operation
    }
    const last = path.pop()
    if (last === undefined) return { steps, gaveUp: false, stuck }
    state = last.state
    flip(last.entry.id)
    if (last.entry.match) relink(last.entry.match)
    relink(last.entry)
    entry = last.entry.after
  }
  // Nothing that has returned is left; the unknown ones that are left never took effect.
  return { steps, gaveUp: false, stuck: null }
}
