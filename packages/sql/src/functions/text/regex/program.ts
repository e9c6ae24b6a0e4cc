import { type Assertion, type CharacterSet, invalid, type Regex, type RegexNode } from './syntax.ts'

/** One step of a machine that is in many places at once. */
export type Step =
  | { readonly op: 'set'; readonly test: (code: number) => boolean }
  | { readonly op: 'split'; readonly first: number; readonly second: number }
  | { readonly op: 'jump'; readonly to: number }
  | { readonly op: 'save'; readonly slot: number }
  | { readonly op: 'assert'; readonly assertion: Assertion }
  | { readonly op: 'look'; readonly program: Program; readonly behind: boolean; readonly negated: boolean }
  | { readonly op: 'back'; readonly index: number }
  | { readonly op: 'match' }

export interface Program {
  readonly steps: readonly Step[]
  readonly groups: number
  /** True: of the matches from one place the shortest is taken. */
  readonly shortest: boolean
  readonly hasBack: boolean
  readonly ignoreCase: boolean
}

const STEPS_MAX = 50_000

const variants = (code: number): readonly number[] => {
  const sign = String.fromCodePoint(code)
  return [sign.toLowerCase(), sign.toUpperCase()].flatMap((other) =>
    [...other].length === 1 ? [other.codePointAt(0) ?? code] : [],
  )
}

/** Tells whether a character belongs to a set; what ASCII has is looked up. */
function testOf({ ranges, tests, negated }: CharacterSet, ignoreCase: boolean): (code: number) => boolean {
  const plain = (code: number): boolean =>
    ranges.some(([from, to]) => code >= from && code <= to) ||
    (tests.length > 0 && tests.some((test) => test(String.fromCodePoint(code))))
  const full = (code: number): boolean =>
    (plain(code) || (ignoreCase && variants(code).some(plain))) !== negated
  const ascii = Uint8Array.from({ length: 128 }, (_, code) => (full(code) ? 1 : 0))
  return (code) => (code < 128 ? ascii[code] === 1 : full(code))
}

class Compiler {
  readonly steps: Step[] = []
  readonly #regex: Regex

  constructor(regex: Regex) {
    this.#regex = regex
  }

  push(step: Step): number {
    if (this.steps.length >= STEPS_MAX) throw invalid('regular expression is too complex')
    this.steps.push(step)
    return this.steps.length - 1
  }

  compile(node: RegexNode): void {
    switch (node.kind) {
      case 'set':
        this.push({ op: 'set', test: testOf(node.set, this.#regex.ignoreCase) })
        return
      case 'sequence':
        for (const part of node.parts) this.compile(part)
        return
      case 'choice':
        this.#choice(node.options)
        return
      case 'repeat':
        this.#repeat(node)
        return
      case 'group':
        if (node.index !== null) this.push({ op: 'save', slot: node.index * 2 })
        this.compile(node.part)
        if (node.index !== null) this.push({ op: 'save', slot: node.index * 2 + 1 })
        return
      case 'assert':
        this.push({ op: 'assert', assertion: node.assertion })
        return
      case 'look': {
        const program = compileNode(node.part, this.#regex)
        this.push({ op: 'look', program, behind: node.behind, negated: node.negated })
        return
      }
      case 'back':
        this.push({ op: 'back', index: node.index })
    }
  }

  #choice(options: readonly RegexNode[]): void {
    const ends: number[] = []
    options.forEach((option, i) => {
      if (i === options.length - 1) {
        this.compile(option)
        return
      }
      const split = this.push({ op: 'match' })
      this.compile(option)
      ends.push(this.push({ op: 'match' }))
      this.steps[split] = { op: 'split', first: split + 1, second: this.steps.length }
    })
    for (const end of ends) this.steps[end] = { op: 'jump', to: this.steps.length }
  }

  #repeat({ part, least, most, greedy, fixed }: RegexNode & { kind: 'repeat' }): void {
    // What is taken once, as `{1,1}?` says it, is as short as can be within, too.
    const once = least === 1 && most === 1 && !fixed && !greedy
    for (let i = 0; i < least; i++) this.compile(once ? shortened(part) : part)
    const split = (at: number, into: number, past: number): void => {
      this.steps[at] = greedy
        ? { op: 'split', first: into, second: past }
        : { op: 'split', first: past, second: into }
    }
    if (most === null) {
      const at = this.push({ op: 'match' })
      this.compile(part)
      this.push({ op: 'jump', to: at })
      split(at, at + 1, this.steps.length)
      return
    }
    const splits: number[] = []
    for (let i = least; i < most; i++) {
      splits.push(this.push({ op: 'match' }))
      this.compile(part)
    }
    for (const at of splits) split(at, at + 1, this.steps.length)
  }
}

/** The same where all repetitions are as short as can be. */
function shortened(node: RegexNode): RegexNode {
  switch (node.kind) {
    case 'repeat':
      return { ...node, part: shortened(node.part), greedy: false }
    case 'group':
      return { ...node, part: shortened(node.part) }
    case 'sequence':
      return { ...node, parts: node.parts.map(shortened) }
    default:
      return node
  }
}

/** PostgreSQL's rule: the first quantified part decides for a branch; a choice is greedy. */
function preference(node: RegexNode): 'long' | 'short' | null {
  switch (node.kind) {
    case 'repeat':
      if (node.fixed) return preference(node.part)
      return node.greedy ? 'long' : 'short'
    case 'group':
      return preference(node.part)
    case 'sequence':
      for (const part of node.parts) {
        const own = preference(part)
        if (own !== null) return own
      }
      return null
    default:
      return node.kind === 'choice' ? 'long' : null
  }
}

function compileNode(node: RegexNode, regex: Regex): Program {
  const compiler = new Compiler(regex)
  compiler.compile(node)
  compiler.push({ op: 'match' })
  return {
    steps: compiler.steps,
    groups: regex.groups,
    shortest: preference(node) === 'short',
    hasBack: regex.hasBack,
    ignoreCase: regex.ignoreCase,
  }
}

/** @throws 2201B when it is too large */
export const compileRegex = (regex: Regex): Program => compileNode(regex.root, regex)
