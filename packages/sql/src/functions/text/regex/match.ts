import { sqlError } from '../../../errors.ts'
import { compileRegex, type Program, type Step } from './program.ts'
import { type Assertion, isWord, parseRegex, readFlags } from './syntax.ts'

/** Where a match and its groups begin and end, in characters; −1 for a group that took no part. */
export type Match = readonly number[]

/** Steps of an expression with back references, which cannot be matched in bounded time otherwise. */
const BACKTRACKS_MAX = 100_000

/** A text as characters. */
export class Subject {
  readonly signs: readonly string[]
  readonly codes: readonly number[]

  constructor(text: string) {
    this.signs = [...text]
    this.codes = this.signs.map((sign) => sign.codePointAt(0) ?? 0)
  }

  slice(from: number, to?: number): string {
    return this.signs.slice(from, to).join('')
  }
}

const NEWLINE = 10

function holds(assertion: Assertion, { signs, codes }: Subject, at: number): boolean {
  const before = (): boolean => at > 0 && isWord(signs[at - 1] ?? '')
  const behind = (): boolean => at < signs.length && isWord(signs[at] ?? '')
  switch (assertion) {
    case 'start':
      return at === 0
    case 'end':
      return at === signs.length
    case 'lineStart':
      return at === 0 || codes[at - 1] === NEWLINE
    case 'lineEnd':
      return at === signs.length || codes[at] === NEWLINE
    case 'word':
      return before() !== behind()
    case 'notWord':
      return before() === behind()
    case 'wordStart':
      return !before() && behind()
    case 'wordEnd':
      return before() && !behind()
  }
}

/** Runs one program over one text; the time is bounded by the product of their lengths. */
class Machine {
  readonly #steps: readonly Step[]
  readonly #program: Program
  readonly #subject: Subject
  readonly #looked = new Map<number, boolean>()

  constructor(program: Program, subject: Subject) {
    this.#program = program
    this.#steps = program.steps
    this.#subject = subject
  }

  /** Follows what takes no character; calls `arrive` for each place that does, and for the end. */
  #spread(
    start: number,
    at: number,
    seen: Uint32Array,
    round: number,
    arrive: (place: number) => void,
  ): void {
    const stack = [start]
    for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
      if (seen[place] === round) continue
      seen[place] = round
      const step = this.#steps[place] as Step
      if (step.op === 'split') stack.push(step.second, step.first)
      else if (step.op === 'jump') stack.push(step.to)
      else if (step.op === 'save') stack.push(place + 1)
      else if (step.op === 'assert') {
        if (holds(step.assertion, this.#subject, at)) stack.push(place + 1)
      } else if (step.op === 'look') {
        if (this.#look(place, step, at)) stack.push(place + 1)
      } else arrive(place)
    }
  }

  #look(place: number, { program, behind, negated }: Step & { op: 'look' }, at: number): boolean {
    const key = place * (this.#subject.codes.length + 1) + at
    let found = this.#looked.get(key)
    if (found === undefined) {
      const machine = new Machine(program, this.#subject)
      found = behind ? machine.endsAt(at) : machine.end(at) >= 0
      this.#looked.set(key, found)
    }
    return found !== negated
  }

  /** True when some match ends exactly at `at`. */
  endsAt(at: number): boolean {
    for (let from = at; from >= 0; from--) if (this.#run(from, at) === at) return true
    return false
  }

  /** The end of the match that begins at `from`, the longest or the shortest as the expression asks; −1: none. */
  end(from: number): number {
    return this.#run(from, null)
  }

  /** @param wanted end asked for; null: the best one */
  #run(from: number, wanted: number | null): number {
    const { codes } = this.#subject
    const seen = new Uint32Array(this.#steps.length)
    let round = 1
    let best = -1
    let current: number[] = []
    const collect = (into: number[], at: number) => (place: number) => {
      if (this.#steps[place]?.op !== 'match') into.push(place)
      else if (wanted === null || wanted === at) best = at
    }
    this.#spread(0, from, seen, round, collect(current, from))
    for (let at = from; at < codes.length && current.length > 0; at++) {
      if (best >= 0 && (this.#program.shortest || wanted !== null)) return best
      if (wanted !== null && at >= wanted) break
      round++
      const next: number[] = []
      const code = codes[at] as number
      const arrive = collect(next, at + 1)
      for (const place of current) {
        const step = this.#steps[place] as Step
        if (step.op === 'set' && step.test(code)) this.#spread(place + 1, at + 1, seen, round, arrive)
      }
      current = next
    }
    return best
  }

  /** The first place from `from` on where a match begins; −1: none. All places are tried in one pass. */
  start(from: number): number {
    const { codes } = this.#subject
    let starts = new Map<number, number>()
    let best = -1
    const seen = new Uint32Array(this.#steps.length)
    let round = 0
    for (let at = from; at <= codes.length; at++) {
      const next = new Map<number, number>()
      round++
      // In the order of their starts: whoever comes first to a place began first.
      const enter = (place: number, begun: number): void =>
        this.#spread(place, at, seen, round, (reached) => {
          if (this.#steps[reached]?.op !== 'match') next.set(reached, begun)
          else if (best < 0 || begun < best) best = begun
        })
      if (at > from) {
        const code = codes[at - 1] as number
        for (const [place, begun] of starts) {
          const step = this.#steps[place] as Step
          if (step.op === 'set' && step.test(code)) enter(place + 1, begun)
        }
      }
      if (best < 0) enter(0, at)
      starts = new Map([...next].filter(([, begun]) => best < 0 || begun < best).sort((a, b) => a[1] - b[1]))
      if (best >= 0 && starts.size === 0) return best
    }
    return best
  }

  /** Groups of the match from `from` to `to`: of the ways to make it the one that the expression prefers. */
  groups(from: number, to: number): Match {
    const { codes } = this.#subject
    const width = (this.#program.groups + 1) * 2
    interface Thread {
      readonly place: number
      readonly slots: readonly number[]
    }
    const seen = new Uint32Array(this.#steps.length)
    let round = 0
    let found: readonly number[] | null = null
    const spread = (start: number, at: number, slots: readonly number[], into: Thread[]): void => {
      const stack: Thread[] = [{ place: start, slots }]
      for (let thread = stack.pop(); thread !== undefined; thread = stack.pop()) {
        const { place, slots: own } = thread
        if (seen[place] === round) continue
        seen[place] = round
        const step = this.#steps[place] as Step
        if (step.op === 'split')
          stack.push({ place: step.second, slots: own }, { place: step.first, slots: own })
        else if (step.op === 'jump') stack.push({ place: step.to, slots: own })
        else if (step.op === 'save') stack.push({ place: place + 1, slots: own.with(step.slot, at) })
        else if (step.op === 'assert') {
          if (holds(step.assertion, this.#subject, at)) stack.push({ place: place + 1, slots: own })
        } else if (step.op === 'look') {
          if (this.#look(place, step, at)) stack.push({ place: place + 1, slots: own })
        } else if (step.op === 'match') {
          if (at === to) found ??= own
        } else into.push(thread)
      }
    }
    const empty = Array.from({ length: width }, () => -1)
    let current: Thread[] = []
    round++
    spread(0, from, empty, current)
    for (let at = from; at < to && current.length > 0; at++) {
      round++
      const next: Thread[] = []
      for (const { place, slots } of current) {
        const step = this.#steps[place] as Step
        if (step.op === 'set' && step.test(codes[at] as number)) spread(place + 1, at + 1, slots, next)
      }
      current = next
    }
    return (found ?? empty).with(0, from).with(1, to)
  }
}

/** Tries one way after another, for expressions with back references. @throws 54001 after too many steps */
function backtrack(
  { steps, groups, shortest, ignoreCase }: Program,
  subject: Subject,
  from: number,
): Match | null {
  let left = BACKTRACKS_MAX
  const fold = (sign: string | undefined): string | undefined => (ignoreCase ? sign?.toLowerCase() : sign)
  const empty = Array.from({ length: (groups + 1) * 2 }, () => -1)
  let best: Match | null = null
  const stack: { place: number; at: number; slots: readonly number[] }[] = [
    { place: 0, at: from, slots: empty },
  ]
  const visited = new Set<string>()
  for (let thread = stack.pop(); thread !== undefined; thread = stack.pop()) {
    if (--left < 0)
      throw sqlError('54001', 'regular expression failed: the text takes too many steps to match', {
        hint: 'Write it without back references.',
      })
    const { place, at, slots } = thread
    const step = steps[place] as Step
    const go = (next: number, position = at, own = slots): void => {
      stack.push({ place: next, at: position, slots: own })
    }
    switch (step.op) {
      case 'split': {
        const key = `${place} ${at} ${slots.join()}`
        if (visited.has(key)) break
        visited.add(key)
        go(step.second)
        go(step.first)
        break
      }
      case 'jump':
        go(step.to)
        break
      case 'save':
        go(place + 1, at, slots.with(step.slot, at))
        break
      case 'assert':
        if (holds(step.assertion, subject, at)) go(place + 1)
        break
      case 'look': {
        const machine = new Machine(step.program, subject)
        if ((step.behind ? machine.endsAt(at) : machine.end(at) >= 0) !== step.negated) go(place + 1)
        break
      }
      case 'set':
        if (at < subject.codes.length && step.test(subject.codes[at] as number)) go(place + 1, at + 1)
        break
      case 'back': {
        const [start = -1, end = -1] = slots.slice(step.index * 2, step.index * 2 + 2)
        if (start < 0 || end < 0) break
        let same = true
        for (let i = 0; same && i < end - start; i++)
          same = fold(subject.signs[start + i]) === fold(subject.signs[at + i])
        if (same && at + end - start <= subject.signs.length) go(place + 1, at + end - start)
        break
      }
      case 'match': {
        const better = best === null || (shortest ? at < (best[1] ?? 0) : at > (best[1] ?? 0))
        if (better) best = slots.with(0, from).with(1, at)
      }
    }
  }
  return best
}

/** A compiled expression. */
export class Matcher {
  readonly groups: number
  readonly #program: Program

  constructor(program: Program) {
    this.#program = program
    this.groups = program.groups
  }

  /** True when it matches anywhere. */
  test(text: string): boolean {
    const subject = new Subject(text)
    return this.#program.hasBack
      ? this.find(subject, 0) !== null
      : new Machine(this.#program, subject).start(0) >= 0
  }

  /** The first match from a character on: of those that begin there the longest, or the shortest if it asks so. */
  find(subject: Subject, from: number): Match | null {
    if (this.#program.hasBack) {
      for (let at = from; at <= subject.codes.length; at++) {
        const match = backtrack(this.#program, subject, at)
        if (match !== null) return match
      }
      return null
    }
    const machine = new Machine(this.#program, subject)
    const start = machine.start(from)
    if (start < 0) return null
    const end = machine.end(start)
    return this.groups === 0 ? [start, end] : machine.groups(start, end)
  }

  /** Matches one behind another; an empty one moves on by a character. */
  *all(subject: Subject, from = 0): Generator<Match> {
    let at = from
    while (at <= subject.codes.length) {
      const match = this.find(subject, at)
      if (match === null) return
      yield match
      const [start = 0, end = 0] = match
      at = end === start ? end + 1 : end
    }
  }
}

const matchers = new Map<string, Matcher>()
const MATCHERS_MAX = 256

/**
 * The compiled expression; the last ones are kept.
 * @param letters flags
 * @throws 2201B, 22023
 */
export function matcherOf(pattern: string, letters = ''): Matcher {
  const key = `${letters}/${pattern}`
  let matcher = matchers.get(key)
  if (matcher === undefined) {
    matcher = new Matcher(compileRegex(parseRegex(pattern, readFlags(letters).flags)))
    if (matchers.size >= MATCHERS_MAX) matchers.clear()
    matchers.set(key, matcher)
  }
  return matcher
}
