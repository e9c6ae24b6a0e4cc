import { assert, type Value } from '@cluster/core'
import type { CallExpr, CaseExpr, Expr, InListExpr, LogicalExpr } from '../plan/expression.ts'
import { scaledText } from '../types/scaled.ts'
import type { ColumnSource, Emitted } from './emitted.ts'
import type { FunctionWriter } from './function-writer.ts'
import { hashableAsIs } from './hash-key.ts'
import { emitScaled, rescaled, type Scaled, type ScaledForm, scaledForm } from './scaled-numbers.ts'

const signs: ReadonlyMap<string, string> = new Map([
  ['=', '==='],
  ['<>', '!=='],
  ['<', '<'],
  ['<=', '<='],
  ['>', '>'],
  ['>=', '>='],
])

/**
 * Turns expressions into statements of one function. SQL's NULL is JavaScript's null; a boolean is true, false
 * or null. Arguments that decide alone keep the others from being computed, as CASE, AND, OR and COALESCE ask.
 */
export class ExpressionEmitter {
  readonly #writer: FunctionWriter
  readonly #columns: ColumnSource
  /** What was computed already, by expression; an inner block's knowledge ends with it. */
  readonly #known: Map<unknown, Emitted>[] = [new Map()]
  readonly #knownScaled: Map<Expr, Scaled>[] = [new Map()]

  constructor(writer: FunctionWriter, columns: ColumnSource) {
    this.#writer = writer
    this.#columns = columns
  }

  /** Writes a block whose computations are not seen behind it. */
  block(head: string, body: () => void): void {
    this.#writer.block(head, () => {
      this.#known.push(new Map())
      this.#knownScaled.push(new Map(this.#knownScaled.at(-1)))
      body()
      this.#known.pop()
      this.#knownScaled.pop()
    })
  }

  /** Writes what computes the expression and gives the code of its value. */
  emit(expr: Expr): Emitted {
    const key = expr.kind === 'column' ? expr.column.id : expr
    for (const known of this.#known) {
      const found = known.get(key)
      if (found !== undefined) return found
    }
    const emitted = this.#emit(expr)
    this.#known.at(-1)?.set(key, emitted)
    return emitted
  }

  /** Goes on with the next row (`otherwise`) unless the condition is true. */
  require(condition: Expr, otherwise = 'continue'): void {
    if (condition.kind === 'and') {
      for (const operand of condition.operands) this.require(operand, otherwise)
      return
    }
    const { code, nullable } = this.emit(condition)
    this.#writer.line(nullable ? `if (${code} !== true) ${otherwise}` : `if (!${code}) ${otherwise}`)
  }

  /**
   * Exact numbers as JavaScript numbers; null where the expression is not made for that. What is written for a row whose
   * value is NaN must go the other way, by `emit`.
   */
  emitScaled(expr: Expr): Scaled | null {
    const known = this.#knownScaled.at(-1)?.get(expr)
    if (known !== undefined) return known
    const made = emitScaled(expr, {
      writer: this.#writer,
      columns: this.#columns,
      emit: (part) => this.emit(part),
      block: (head, body) => this.block(head, body),
    })
    if (made !== null) this.#knownScaled.at(-1)?.set(expr, made)
    return made
  }

  /** What `emitScaled` would give, without writing anything. */
  scaledForm(expr: Expr): ScaledForm | null {
    return scaledForm(expr, this.#columns)
  }

  #emit(expr: Expr): Emitted {
    const writer = this.#writer
    switch (expr.kind) {
      case 'constant':
        return { code: writer.literal(expr.value), nullable: expr.value === null }
      case 'parameter':
        return { code: writer.hoist(`frame.parameters[${expr.index - 1}]`), nullable: true }
      case 'column':
        return this.#column(expr.column.id)
      case 'call':
        return this.#call(expr)
      case 'and':
      case 'or':
        return this.#logical(expr)
      case 'not': {
        const { code, nullable } = this.emit(expr.operand)
        return nullable
          ? { code: writer.declare(`${code} === null ? null : !${code}`), nullable }
          : { code: writer.declare(`!${code}`), nullable }
      }
      case 'is': {
        const { code } = this.emit(expr.operand)
        return {
          code: writer.declare(`${code} ${expr.negated ? '!==' : '==='} ${expr.test}`),
          nullable: false,
        }
      }
      case 'distinctFrom':
        return this.#distinct(expr)
      case 'case':
        return this.#case(expr)
      case 'coalesce':
        return this.#coalesce(expr.args)
      case 'inList':
        return this.#inList(expr)
      case 'scalarQuery':
      case 'exists':
      case 'quantified':
        throw new TypeError('a subquery must have become a column before it is compiled')
    }
  }

  #column(id: number): Emitted {
    const read = this.#columns.read(id)
    if (read !== null) return { code: this.#writer.declare(read, 'c'), nullable: true }
    return { code: this.#writer.hoist(`frame.outer[${this.#columns.slot(id)}]`), nullable: true }
  }

  /** A comparison or a computation of exact numbers; the rows that do not go this way take the ordinary one. */
  #numeric(expr: CallExpr): Emitted | null {
    if (expr.form !== 'infix' || !expr.args.every(({ type }) => type.id === 'numeric')) return null
    if (expr.type.id === 'numeric') return this.#numericResult(expr)
    const sign = signs.get(expr.fn.name)
    const [left, right] = expr.args.map((arg) => this.emitScaled(arg))
    if (sign === undefined || !left || !right) return null
    const writer = this.#writer
    const scale = Math.max(left.scale, right.scale)
    const [a, b] = [rescaled(left, scale, writer).code, rescaled(right, scale, writer).code]
    const result = writer.declare(`${a} ${sign} ${b}`)
    this.block(`if (${a} !== ${a} || ${b} !== ${b})`, () => {
      writer.line(`${result} = ${this.#plainCall(expr).code}`)
    })
    return { code: result, nullable: true }
  }

  #numericResult(expr: CallExpr): Emitted | null {
    const value = this.emitScaled(expr)
    if (value === null) return null
    const writer = this.#writer
    const result = writer.declare('null')
    writer.line(
      `if (${value.code} === ${value.code}) ${result} = ${writer.capture(scaledText, 'f')}(${value.code}, ${value.scale})`,
    )
    this.block('else', () => {
      writer.line(`${result} = ${this.#plainCall(expr).code}`)
    })
    return { code: result, nullable: true }
  }

  /**
   * A column of type char(n) beside a constant: what is stored is padded, so the padded constant is equal or the values are
   * not; a value of another length goes the ordinary way.
   */
  #padded(expr: CallExpr): Emitted | null {
    if (expr.form !== 'infix' || (expr.fn.name !== '=' && expr.fn.name !== '<>')) return null
    const column = expr.args.find((arg) => arg.kind === 'column')
    const other = expr.args.find((arg) => arg !== column)
    const text = column === undefined || other === undefined ? null : paddedConstant(column, other)
    if (column === undefined || text === null) return null
    const writer = this.#writer
    const { code } = this.emit(column)
    const equal = `${code} ${expr.fn.name === '=' ? '===' : '!=='} ${writer.capture(text)}`
    const [left = '', right = ''] = expr.args.map((arg) => this.emit(arg).code)
    const slow = this.#callCode(expr, [left, right])
    const test = `${code}.length === ${text.length} ? ${equal} : ${slow}`
    return { code: writer.declare(`${code} === null ? null : ${test}`), nullable: true }
  }

  #call(expr: CallExpr): Emitted {
    return this.#numeric(expr) ?? this.#padded(expr) ?? this.#plainCall(expr)
  }

  #plainCall(expr: CallExpr): Emitted {
    const { fn } = expr
    const args = expr.args.map((arg) => this.emit(arg))
    const codes = args.map(({ code }) => code)
    const call = this.#callCode(expr, codes)
    if (!fn.strict) return { code: this.#writer.declare(call), nullable: true }
    const tests = args.filter(({ nullable }) => nullable).map(({ code }) => code)
    if (tests.some((code) => code === 'null')) return { code: 'null', nullable: true }
    // Inlined code of operators gives NULL only for NULL; a function may do as it likes.
    const nullable = tests.length > 0 || fn.js === null
    if (tests.length === 0) return { code: this.#writer.declare(call), nullable }
    const test = [...new Set(tests)].map((code) => `${code} === null`).join(' || ')
    return { code: this.#writer.declare(`${test} ? null : ${call}`), nullable }
  }

  #callCode({ fn }: CallExpr, args: readonly string[]): string {
    if (fn.js !== null) return `(${fn.js(args, (value) => this.#writer.capture(value, 'f'))})`
    if (fn.contextual !== null)
      return `${this.#writer.capture(fn.contextual, 'f')}(${['frame.functions', ...args].join(', ')})`
    return `${this.#writer.capture(fn.impl, 'f')}(${args.join(', ')})`
  }

  /** `a AND b AND …`: false as soon as one is false, else NULL when one was. */
  #logical(expr: LogicalExpr): Emitted {
    const writer = this.#writer
    const decides = expr.kind === 'or'
    const [first, ...others] = expr.operands
    assert(first !== undefined, 'a connective without operands')
    const start = this.emit(first)
    const result = writer.declare(start.code)
    let nullable = start.nullable
    for (const operand of others)
      this.block(`if (${result} !== ${decides})`, () => {
        const { code, nullable: may } = this.emit(operand)
        nullable ||= may
        writer.line(`if (${code} !== ${!decides}) ${result} = ${code}`)
      })
    return { code: result, nullable }
  }

  #case(expr: CaseExpr): Emitted {
    const writer = this.#writer
    const result = writer.declare('null')
    let nullable = false
    const set = (value: Expr): void => {
      const { code, nullable: may } = this.emit(value)
      nullable ||= may
      writer.line(`${result} = ${code}`)
    }
    const end = writer.fresh('end')
    this.block(`${end}:`, () => {
      for (const { when, result: taken } of expr.branches) {
        const { code } = this.emit(when)
        this.block(`if (${code} === true)`, () => {
          set(taken)
          writer.line(`break ${end}`)
        })
      }
      set(expr.otherwise)
    })
    return { code: result, nullable }
  }

  #coalesce(args: readonly Expr[]): Emitted {
    const writer = this.#writer
    const [first, ...others] = args
    assert(first !== undefined, 'COALESCE without arguments')
    const start = this.emit(first)
    const result = writer.declare(start.code)
    let nullable = start.nullable
    const end = writer.fresh('end')
    this.block(`${end}:`, () => {
      for (const arg of others) {
        writer.line(`if (${result} !== null) break ${end}`)
        const { code, nullable: may } = this.emit(arg)
        nullable &&= may
        writer.line(`${result} = ${code}`)
      }
    })
    return { code: result, nullable }
  }

  #distinct(expr: Expr & { kind: 'distinctFrom' }): Emitted {
    const writer = this.#writer
    const left = this.emit(expr.left)
    const right = this.emit(expr.right)
    const equal = this.#callCode(expr.equal, [left.code, right.code])
    const same = `${left.code} === null || ${right.code} === null ? ${left.code} === ${right.code} : ${equal}`
    return { code: writer.declare(expr.negated ? `(${same})` : `!(${same})`), nullable: false }
  }

  #inList(expr: InListExpr): Emitted {
    const values = constantsOf(expr)
    if (values !== null) return this.#inSet(expr, values)
    const writer = this.#writer
    const operand = this.emit(expr.operand)
    // Starts with false; every NULL comparison makes it NULL until one is true.
    const result = writer.declare('false')
    const end = writer.fresh('end')
    this.block(`${end}:`, () => {
      if (operand.nullable)
        this.block(`if (${operand.code} === null)`, () => {
          writer.line(`${result} = null`)
          writer.line(`break ${end}`)
        })
      for (const item of expr.list) {
        const { code, nullable } = this.emit(item)
        const text = paddedConstant(expr.operand, item)
        const equal = this.#callCode(expr.equal, [operand.code, code])
        const found =
          text === null
            ? `if (${equal})`
            : `if (${operand.code}.length === ${text.length} ? ${operand.code} === ${writer.capture(text)} : ${equal})`
        if (nullable) writer.line(`if (${code} === null) ${result} = null`)
        this.block(nullable ? `else ${found}` : found, () => {
          writer.line(`${result} = true`)
          writer.line(`break ${end}`)
        })
      }
    })
    return this.#negated(result, expr.negated)
  }

  #inSet(expr: InListExpr, values: readonly Value[]): Emitted {
    const writer = this.#writer
    const { code, nullable } = this.emit(expr.operand)
    const set = writer.capture(new Set(values.filter((value) => value !== null)), 's')
    const missing = values.includes(null) ? 'null' : 'false'
    const test = `(${set}.has(${code}) ? true : ${missing})`
    const result = writer.declare(nullable ? `${code} === null ? null : ${test}` : test)
    return this.#negated(result, expr.negated)
  }

  #negated(result: string, negated: boolean): Emitted {
    if (!negated) return { code: result, nullable: true }
    return { code: this.#writer.declare(`${result} === null ? null : !${result}`), nullable: true }
  }
}

/** A constant as a column of type char(n) has it; null where it is not that. */
function paddedConstant(column: Expr, constant: Expr): string | null {
  if (column.kind !== 'column' || constant.kind !== 'constant' || typeof constant.value !== 'string')
    return null
  const { id, length } = column.column.type
  if (id !== 'char' || length === null || constant.type.id !== 'char') return null
  return constant.value.padEnd(length)
}

/** Longest list that is compared item by item although a set would do. */
const ITEMS_COMPARED = 2

/** The list's values when it is all constants that a `Set` compares as SQL does; else null. */
function constantsOf({ operand, list }: InListExpr): readonly Value[] | null {
  if (list.length <= ITEMS_COMPARED || !hashableAsIs(operand.type)) return null
  const values: Value[] = []
  for (const item of list) {
    if (item.kind !== 'constant' || item.type.id !== operand.type.id) return null
    values.push(item.value)
  }
  return values
}
