import type { CallExpr, Expr } from '../plan/expression.ts'
import type { TypeId } from '../types/type.ts'
import type { ExpressionEmitter } from './expression-emitter.ts'
import type { FunctionWriter } from './function-writer.ts'

const signs: ReadonlyMap<string, string> = new Map([
  ['=', '==='],
  ['<>', '!=='],
  ['<', '<'],
  ['<=', '<='],
  ['>', '>'],
  ['>=', '>='],
])
/** Types whose values JavaScript compares exactly as SQL does. */
const compared: ReadonlySet<TypeId> = new Set(['smallint', 'integer', 'date'])

/** The numbers of the rows that were chosen: one list for all batches that a function sees. */
class ChosenRows {
  #rows = new Int32Array(1_024)

  /** Room for `count` rows; what was in it is gone. */
  of(count: number): Int32Array {
    if (count > this.#rows.length) this.#rows = new Int32Array(count * 2)
    return this.#rows
  }
}

/**
 * Writes a loop over the rows `i` of a batch, `n` of them, for which the filter is true. `continue` in the body goes on with the next row.
 *
 * Comparisons of whole numbers are tried in a loop of their own, which has no branch that depends on them and notes the rows that are
 * left: a processor that guesses wrong for every other row would lose more time by that than the whole rest takes.
 * @param chosen writes what comes between the two loops, where `m` rows are left; it is told whether that is final
 */
export function filteredRows(
  writer: FunctionWriter,
  emitter: ExpressionEmitter,
  filter: Expr | null,
  body: () => void,
  chosen: (final: boolean) => void = () => {},
): void {
  const conditions = filter === null ? [] : filter.kind === 'and' ? filter.operands : [filter]
  const quick = conditions.filter(isQuick)
  const rest = conditions.filter((condition) => !isQuick(condition))
  if (quick.length === 0) {
    emitter.block('rows: for (let i = 0; i < n; i++)', () => {
      if (filter !== null) emitter.require(filter)
      body()
    })
    return
  }
  writer.line(`const rows = ${writer.capture(new ChosenRows())}.of(n)`)
  writer.line('let m = 0')
  emitter.block('for (let i = 0; i < n; i++)', () => {
    const tests = quick.map((condition) => test(emitter, condition))
    writer.line('rows[m] = i')
    writer.line(`m += ${tests.join(' & ')}`)
  })
  chosen(rest.length === 0)
  emitter.block('rows: for (let j = 0; j < m; j++)', () => {
    writer.line('const i = rows[j]')
    for (const condition of rest) emitter.require(condition)
    body()
  })
}

function isQuick(condition: Expr): condition is CallExpr {
  return (
    condition.kind === 'call' &&
    condition.form === 'infix' &&
    condition.fn.js !== null &&
    signs.has(condition.fn.name) &&
    condition.args.length === 2 &&
    condition.args.every(
      ({ kind, type }) =>
        (kind === 'column' || kind === 'constant' || kind === 'parameter') && compared.has(type.id),
    )
  )
}

/** 1 where the comparison is true, else 0. */
function test(emitter: ExpressionEmitter, { fn, args }: CallExpr): string {
  const values = args.map((arg) => emitter.emit(arg))
  const known = values.flatMap(({ code, nullable }) => (nullable ? [`${code} !== null && `] : []))
  const [left, right] = values.map(({ code }) => code)
  return `((${known.join('')}${left} ${signs.get(fn.name)} ${right}) | 0)`
}
