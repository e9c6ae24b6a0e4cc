import type { ProgramNumber, RowExpression, Value } from '@cluster/core'
import type { CallExpr, Expr } from '../plan/expression.ts'
import { columnsIn, hasSubquery, isVolatile } from '../plan/traverse.ts'
import type { TypeId } from '../types/type.ts'

/** What is known when a program is made: constants of the statement, and the row that an INSERT proposes. */
export interface Known {
  readonly constants: readonly Value[]
  readonly proposed: readonly Value[]
}

/** A row expression but for what is known only when the program is made. */
export interface LoweredExpression {
  readonly make: (known: Known) => RowExpression
  /** Expressions that it will have. */
  readonly size: number
  /** Levels that it will have. */
  readonly depth: number
}

/** Where a column of a plan comes from: the stored row, or the proposed one. */
export type ColumnSource =
  | { readonly kind: 'stored'; readonly position: number }
  | { readonly kind: 'proposed'; readonly position: number }

const numbers: ReadonlySet<TypeId> = new Set(['smallint', 'integer', 'bigint', 'numeric'])
const arithmetic = { '+': 'add', '-': 'subtract', '*': 'multiply' } as const
/** Types whose values JavaScript compares as SQL does, each with its like. */
const plain: ReadonlyMap<TypeId, string> = new Map([
  ['boolean', 'boolean'],
  ['smallint', 'number'],
  ['integer', 'number'],
  ['bigint', 'bigint'],
  ['timestamp', 'bigint'],
])
const texts: ReadonlySet<TypeId> = new Set(['text', 'varchar'])

/**
 * Brings SQL expressions into the closed set that replicas compute when the log applies them. Parts that depend on no
 * row are left to be computed by the node that submits; what has no counterpart gives null.
 */
export class ExpressionLowering {
  readonly #sources: ReadonlyMap<number, ColumnSource>
  /** Parts that depend on no row, in the order in which `Known.constants` has their values. */
  readonly constants: Expr[] = []

  constructor(sources: ReadonlyMap<number, ColumnSource>) {
    this.#sources = sources
  }

  /** The value's place in `Known.constants`; null when it depends on a row, or is another one each time. */
  constant(expr: Expr): number | null {
    if (hasSubquery(expr) || isVolatile(expr) || columnsIn(expr).size > 0) return null
    this.constants.push(expr)
    return this.constants.length - 1
  }

  lower(expr: Expr): LoweredExpression | null {
    const constant = this.constant(expr)
    if (constant !== null)
      return leaf(({ constants }) => ({ op: 'value', value: constants[constant] as Value }))
    switch (expr.kind) {
      case 'column':
        return this.#column(expr.column.id)
      case 'call':
        return this.#call(expr)
      case 'and':
      case 'or': {
        const { kind } = expr
        return this.#with(expr.operands, (operands) => ({ op: kind, operands }))
      }
      case 'not':
        return this.#with([expr.operand], ([operand]) => ({ op: 'not', operand: operand as RowExpression }))
      case 'is':
        return expr.test === 'null' ? this.#isNull(expr.operand, expr.negated) : null
      case 'coalesce':
        return this.#with(expr.args, (operands) => ({ op: 'coalesce', operands }))
      case 'inList': {
        const equals = expr.list.map((item): Expr => ({ ...expr.equal, args: [expr.operand, item] }))
        const any: Expr = { kind: 'or', type: expr.type, operands: equals }
        return this.lower(expr.negated ? { kind: 'not', type: expr.type, operand: any } : any)
      }
      default:
        return null
    }
  }

  #column(id: number): LoweredExpression | null {
    const source = this.#sources.get(id)
    if (source === undefined || source.position < 0) return null
    const { kind, position } = source
    if (kind === 'stored') return leaf(() => ({ op: 'column', position }))
    return leaf(({ proposed }) => ({ op: 'value', value: proposed[position] ?? null }))
  }

  #isNull(tested: Expr, negated: boolean): LoweredExpression | null {
    return this.#with([tested], ([operand]) => {
      const isNull: RowExpression = { op: 'isNull', operand: operand as RowExpression }
      return negated ? { op: 'not', operand: isNull } : isNull
    })
  }

  #call({ fn, args, type }: CallExpr): LoweredExpression | null {
    if (fn.name === 'cast') return this.#cast(args[0] as Expr, type)
    const [left, right] = args
    if (left === undefined || args.length > 2) return null
    const operator = Object.hasOwn(arithmetic, fn.name)
      ? arithmetic[fn.name as keyof typeof arithmetic]
      : null
    if (operator !== null && numbers.has(type.id)) {
      const number = type.id as ProgramNumber
      if (args.some((arg) => arg.type.id !== number)) return null
      if (right !== undefined)
        return this.#pair(args, (a, b) => ({ op: operator, type: number, left: a, right: b }))
      if (operator !== 'subtract') return operator === 'add' ? this.lower(left) : null
      const zero: RowExpression = {
        op: 'value',
        value: number === 'bigint' ? 0n : number === 'numeric' ? '0' : 0,
      }
      return this.#with([left], ([operand]) => ({
        op: 'subtract',
        type: number,
        left: zero,
        right: operand as RowExpression,
      }))
    }
    if (right === undefined) return null
    if (fn.name === '||' && texts.has(type.id) && args.every((arg) => texts.has(arg.type.id)))
      return this.#pair(args, (a, b) => ({ op: 'concat', left: a, right: b }))
    return this.#comparison(fn.name, left, right)
  }

  #comparison(sign: string, left: Expr, right: Expr): LoweredExpression | null {
    const type = comparedAs(left.type.id, right.type.id)
    if (type === null || (type === 'text' && sign !== '=' && sign !== '<>')) return null
    const pair = [left, right]
    switch (sign) {
      case '=':
        return this.#pair(pair, (a, b) => ({ op: 'equal', type, left: a, right: b }))
      case '<>':
        return this.#pair(pair, (a, b) => ({ op: 'not', operand: { op: 'equal', type, left: a, right: b } }))
      case '<':
        return this.#pair(pair, (a, b) => ({ op: 'less', type, left: a, right: b }))
      case '<=':
        return this.#pair(pair, (a, b) => ({ op: 'lessOrEqual', type, left: a, right: b }))
      case '>':
        return this.#pair(pair, (a, b) => ({ op: 'less', type, left: b, right: a }))
      case '>=':
        return this.#pair(pair, (a, b) => ({ op: 'lessOrEqual', type, left: b, right: a }))
      default:
        return null
    }
  }

  #cast(operand: Expr, to: Expr['type']): LoweredExpression | null {
    const from = operand.type.id
    if (to.id === 'numeric' && from === 'numeric') {
      const { precision } = to
      const scale = to.scale ?? 0
      if (precision === null) return this.lower(operand)
      return this.#with([operand], ([value]) => ({
        op: 'fit',
        precision,
        scale,
        operand: value as RowExpression,
      }))
    }
    if (from === 'smallint' && to.id === 'integer') return this.lower(operand)
    if (texts.has(from) && texts.has(to.id) && to.length === null) return this.lower(operand)
    return null
  }

  #pair(
    operands: readonly Expr[],
    make: (left: RowExpression, right: RowExpression) => RowExpression,
  ): LoweredExpression | null {
    return this.#with(operands, ([left, right]) => make(left as RowExpression, right as RowExpression))
  }

  #with(
    operands: readonly Expr[],
    make: (operands: readonly RowExpression[]) => RowExpression,
  ): LoweredExpression | null {
    const lowered: LoweredExpression[] = []
    for (const operand of operands) {
      const one = this.lower(operand)
      if (one === null) return null
      lowered.push(one)
    }
    return {
      make: (known) => make(lowered.map((one) => one.make(known))),
      // One for what it is itself, and one for a negation around it or a zero beside it.
      size: lowered.reduce((sum, { size }) => sum + size, 2),
      depth: Math.max(0, ...lowered.map(({ depth }) => depth)) + 2,
    }
  }
}

const leaf = (make: LoweredExpression['make']): LoweredExpression => ({ make, size: 1, depth: 1 })

function comparedAs(left: TypeId, right: TypeId): 'plain' | 'numeric' | 'text' | null {
  if (left === 'numeric' && right === 'numeric') return 'numeric'
  if (texts.has(left) && texts.has(right)) return 'text'
  const kind = plain.get(left)
  return kind !== undefined && kind === plain.get(right) ? 'plain' : null
}
