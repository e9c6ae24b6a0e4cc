import { resolveOperator } from '../functions/resolve.ts'
import { constant } from '../plan/build.ts'
import type { CallExpr, Expr } from '../plan/expression.ts'
import type { LogicalPlan } from '../plan/logical.ts'
import { mapExprs, mapInputs, rewrite } from '../plan/traverse.ts'
import { isInfinite } from '../types/datetime.ts'
import { DATE } from '../types/type.ts'

const DAY_MICROS = 86_400_000_000n

/** The same sign with its sides changed. */
const turned: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=', '=': '=' }

/**
 * Compares dates with dates where they were to become timestamps first, as `d < date '1995-01-01' + interval '1 year'` has
 * it: no date lies between two midnights, so the day of the constant decides.
 */
export function compareDates(plan: LogicalPlan): LogicalPlan {
  const inner = mapInputs(plan, compareDates)
  return mapExprs(inner, (expr) => rewrite(expr, asDates, compareDates))
}

function asDates(expr: Expr): Expr {
  if (expr.kind !== 'call' || expr.form !== 'infix' || expr.args.length !== 2) return expr
  const [left, right] = expr.args as [Expr, Expr]
  const sign = expr.fn.name
  return compared(expr, sign, left, right) ?? compared(expr, turned[sign] ?? '', right, left) ?? expr
}

function compared(expr: CallExpr, sign: string, side: Expr, bound: Expr): Expr | null {
  if (turned[sign] === undefined || bound.kind !== 'constant' || typeof bound.value !== 'bigint') return null
  if (bound.type.id !== 'timestamp' || isInfinite(bound.value)) return null
  if (side.kind !== 'call' || side.form !== 'cast' || side.type.id !== 'timestamp') return null
  const [date] = side.args
  if (date?.type.id !== 'date') return null
  const midnight = bound.value % DAY_MICROS === 0n
  const whole = bound.value / DAY_MICROS
  const day = Number(bound.value < 0n && !midnight ? whole - 1n : whole)
  // In the middle of a day: that day itself is before it, and none is equal to it.
  if (!midnight && sign === '=') return null
  const own = midnight ? sign : sign === '<' ? '<=' : sign === '>=' ? '>' : sign
  return { ...expr, fn: resolveOperator(own, DATE, DATE), args: [date, constant(DATE, day)] }
}
