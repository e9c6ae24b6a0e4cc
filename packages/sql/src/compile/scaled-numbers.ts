import type { CallExpr, CaseExpr, Expr } from '../plan/expression.ts'
import { scaledColumn, scaledNumber, WHOLE_MAX } from '../types/scaled.ts'
import type { ColumnSource, Emitted } from './emitted.ts'
import type { FunctionWriter } from './function-writer.ts'

/**
 * Code for an exact number as a JavaScript number: the value is `code` × 10^−scale. NaN says that this row's value has to be
 * computed the slow way: it is NULL, special, or too large to be exact.
 */
export interface Scaled {
  readonly code: string
  readonly scale: number
  /** No value is larger, of either sign. */
  readonly max: number
  /** Code for the scale that PostgreSQL would show for this row, where it differs from row to row. */
  readonly shown: string | null
}

/** Digits of a declared type that are always exact, with room to multiply. */
const PRECISION_MAX = 15
const SCALE_MAX = 12

export interface ScaledPorts {
  readonly writer: FunctionWriter
  readonly columns: ColumnSource
  /** The ordinary code of an expression. */
  emit(expr: Expr): Emitted
  block(head: string, body: () => void): void
}

/**
 * Writes arithmetic with numerics of declared scales as arithmetic with numbers. Null where an expression is not made of
 * those alone.
 */
export function emitScaled(expr: Expr, ports: ScaledPorts): Scaled | null {
  if (scaledForm(expr, ports.columns) === null) return null
  return scaled(expr, ports)
}

export interface ScaledForm {
  readonly scale: number
  /** Rows show fewer decimals than that. */
  readonly varies: boolean
}

/** Decides before any code is written. */
export function scaledForm(expr: Expr, columns: ColumnSource): ScaledForm | null {
  if (!isScalable(expr) || !readable(expr, columns)) return null
  if (expr.kind !== 'case') return { scale: staticScale(expr), varies: false }
  const scales = resultsOf(expr).map(staticScale)
  const scale = Math.max(...scales)
  return { scale, varies: scales.some((one) => one !== scale) }
}

const resultsOf = (expr: CaseExpr): readonly Expr[] => [
  ...expr.branches.map(({ result }) => result),
  expr.otherwise,
]

function isScalable(expr: Expr): boolean {
  if (expr.type.id !== 'numeric') return false
  switch (expr.kind) {
    case 'constant':
      return typeof expr.value === 'string' && !Number.isNaN(scaledNumber(expr.value, scaleOf(expr.value)))
    case 'column':
      return declared(expr.column.type) !== null
    case 'call':
      if (expr.form === 'cast') return isWholeCast(expr)
      return isArithmetic(expr) && expr.args.every((arg) => isScalable(arg) && arg.kind !== 'case')
    case 'case':
      return resultsOf(expr).every((result) => isScalable(result) && result.kind !== 'case')
    default:
      return false
  }
}

const isArithmetic = ({ fn, args, form }: CallExpr): boolean =>
  form === 'infix' && args.length === 2 && ['+', '-', '*'].includes(fn.name)

function isWholeCast({ type, args }: CallExpr): boolean {
  const from = args[0]?.type.id
  return type.precision === null && (from === 'integer' || from === 'smallint')
}

function declared({ precision, scale }: Expr['type']): number | null {
  if (precision === null || precision > PRECISION_MAX || scale === null || scale < 0) return null
  return scale
}

const scaleOf = (text: string): number => (text.includes('.') ? text.length - text.indexOf('.') - 1 : 0)

function scaled(expr: Expr, ports: ScaledPorts): Scaled | null {
  const { writer, columns } = ports
  switch (expr.kind) {
    case 'constant': {
      const text = String(expr.value)
      const scale = scaleOf(text)
      const value = scaledNumber(text, scale)
      return { code: value < 0 ? `(${value})` : String(value), scale, max: Math.abs(value), shown: null }
    }
    case 'column': {
      const scale = declared(expr.column.type) ?? 0
      const max = 10 ** (expr.column.type.precision ?? 0)
      const list = columns.list?.(expr.column.id) ?? null
      if (list === null) return null
      const numbers = writer.hoist(`${writer.capture(scaledColumn, 'f')}(${list.column}, ${scale}, ${max})`)
      return { code: writer.declare(`${numbers}[${list.row}]`, 'm'), scale, max, shown: null }
    }
    case 'call': {
      if (expr.form === 'cast') {
        const { code, nullable } = ports.emit(expr.args[0] as Expr)
        const value = nullable ? writer.declare(`${code} === null ? NaN : ${code}`, 'm') : code
        return { code: value, scale: 0, max: 2 ** 31, shown: null }
      }
      const left = scaled(expr.args[0] as Expr, ports)
      const right = left === null ? null : scaled(expr.args[1] as Expr, ports)
      return left === null || right === null ? null : arithmetic(expr.fn.name, left, right, writer)
    }
    case 'case':
      return branches(expr, ports)
    default:
      return null
  }
}

function arithmetic(sign: string, left: Scaled, right: Scaled, writer: FunctionWriter): Scaled | null {
  if (sign === '*') {
    const scale = left.scale + right.scale
    if (scale > SCALE_MAX) return null
    return checked(`${left.code} * ${right.code}`, scale, left.max * right.max, writer)
  }
  const scale = Math.max(left.scale, right.scale)
  const [a, b] = [rescaled(left, scale, writer), rescaled(right, scale, writer)]
  return checked(`${a.code} ${sign} ${b.code}`, scale, a.max + b.max, writer)
}

/** The same value in smaller units. */
export function rescaled(value: Scaled, scale: number, writer: FunctionWriter): Scaled {
  if (scale === value.scale) return value
  const factor = 10 ** (scale - value.scale)
  return checked(`${value.code} * ${factor}`, scale, value.max * factor, writer)
}

/** A result that may be too large to be exact is none. */
function checked(code: string, scale: number, max: number, writer: FunctionWriter): Scaled {
  const value = writer.declare(code, 'm')
  if (max <= WHOLE_MAX) return { code: value, scale, max, shown: null }
  writer.line(`if (!(${value} <= ${WHOLE_MAX} && ${value} >= ${-WHOLE_MAX})) ${value} = NaN`)
  return { code: value, scale, max: WHOLE_MAX, shown: null }
}

/** Branches have scales of their own: all are brought to the largest, and the row's own is told beside it. */
function branches(expr: CaseExpr, ports: ScaledPorts): Scaled | null {
  const { writer } = ports
  const results = resultsOf(expr)
  const scale = Math.max(...results.map(staticScale))
  const uniform = results.every((result) => staticScale(result) === scale)
  const value = writer.declare('NaN', 'm')
  const shown = uniform ? null : writer.declare('0', 'd')
  let max = 0
  const set = (result: Expr): void => {
    const own = scaled(result, ports)
    if (own === null) return
    const same = rescaled(own, scale, writer)
    max = Math.max(max, same.max)
    writer.line(`${value} = ${same.code}`)
    if (shown !== null) writer.line(`${shown} = ${own.scale}`)
  }
  const end = writer.fresh('end')
  ports.block(`${end}:`, () => {
    for (const { when, result } of expr.branches) {
      const { code } = ports.emit(when)
      ports.block(`if (${code} === true)`, () => {
        set(result)
        writer.line(`break ${end}`)
      })
    }
    set(expr.otherwise)
  })
  return { code: value, scale, max, shown }
}

function staticScale(expr: Expr): number {
  if (expr.kind === 'constant') return scaleOf(String(expr.value))
  if (expr.kind === 'column') return declared(expr.column.type) ?? 0
  if (expr.kind !== 'call' || expr.form === 'cast') return 0
  const [left = 0, right = 0] = expr.args.map(staticScale)
  return expr.fn.name === '*' ? left + right : Math.max(left, right)
}

/** True when all columns of the expression can be read as lists, and no product has too many decimals. */
function readable(expr: Expr, columns: ColumnSource): boolean {
  if (expr.kind === 'column') return (columns.list?.(expr.column.id) ?? null) !== null
  if (expr.kind === 'case') return resultsOf(expr).every((one) => readable(one, columns))
  if (expr.kind !== 'call') return true
  if (staticScale(expr) > SCALE_MAX) return false
  return expr.form === 'cast' || expr.args.every((arg) => readable(arg, columns))
}
