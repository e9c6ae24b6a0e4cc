import type { Value } from '@cluster/core'
import type { QuantifiedTest } from '../executor/join/apply.ts'
import type { PairFilter } from '../executor/join/join.ts'
import { type Mapper, sameBatch } from '../executor/pipeline.ts'
import type { RowKeys } from '../executor/rows/distinct.ts'
import type { RowsBefore } from '../executor/rows/sort.ts'
import type { RowComparator } from '../executor/rows/sorted-rows.ts'
import type { Column, Expr, QuantifiedExpr } from '../plan/expression.ts'
import type { SortKey } from '../plan/logical.ts'
import { comparatorOf } from '../types/compare.ts'
import type { SqlType } from '../types/type.ts'
import type { Batch, Frame } from './batch.ts'
import { ExpressionEmitter } from './expression-emitter.ts'
import { FunctionWriter } from './function-writer.ts'
import { hashableAsIs, hashKeyCode } from './hash-key.ts'
import { filteredRows } from './selection.ts'

/** Hands out the slots of `Frame.outer`, one a column, for a whole statement. */
export class Slots {
  readonly #slots = new Map<number, number>()

  of(column: number): number {
    let slot = this.#slots.get(column)
    if (slot === undefined) {
      slot = this.#slots.size
      this.#slots.set(column, slot)
    }
    return slot
  }

  get count(): number {
    return this.#slots.size
  }
}

/** Which column stands where in a batch. */
export class Layout {
  readonly columns: readonly Column[]
  readonly #positions: ReadonlyMap<number, number>

  constructor(columns: readonly Column[]) {
    this.columns = columns
    this.#positions = new Map(columns.map(({ id }, position) => [id, position]))
  }

  position(column: number): number | null {
    return this.#positions.get(column) ?? null
  }

  get width(): number {
    return this.columns.length
  }
}

/** An emitter for a loop over the rows `i` of a batch. */
export function rowEmitter(writer: FunctionWriter, layout: Layout, slots: Slots): ExpressionEmitter {
  return new ExpressionEmitter(writer, {
    read(column) {
      const position = layout.position(column)
      return position === null ? null : `${writer.hoist(`batch.columns[${position}]`)}[i]`
    },
    list(column) {
      const position = layout.position(column)
      return position === null ? null : { column: `batch.columns[${position}]`, row: 'i' }
    },
    slot: (column) => slots.of(column),
  })
}

const rowLoop = 'for (let i = 0; i < n; i++)'

/** One loop that drops rows for which `filter` is not true and computes the outputs of the others. */
export function compileMap(
  layout: Layout,
  slots: Slots,
  filter: Expr | null,
  outputs: readonly Expr[],
): Mapper {
  const plain = outputs.map((expr) => (expr.kind === 'column' ? layout.position(expr.column.id) : null))
  if (filter === null && plain.every((position) => position !== null)) {
    const positions = plain as readonly number[]
    if (positions.length === layout.width && positions.every((position, i) => position === i))
      return sameBatch
    return (batch) => ({
      length: batch.length,
      columns: positions.map((position) => batch.columns[position] as readonly Value[]),
    })
  }
  const writer = new FunctionWriter()
  const emitter = rowEmitter(writer, layout, slots)
  writer.line('const n = batch.length')
  // Without a filter a column goes on as it is; only what is computed is written.
  const written = outputs.map((_, o) => filter !== null || plain[o] === null)
  const names = outputs.map((_, o) => (written[o] ? writer.declare('[]', 'o') : null))
  writer.line('let length = 0')
  const body = (): void => {
    outputs.forEach((expr, o) => {
      const name = names[o]
      if (name !== null) writer.line(`${name}.push(${emitter.emit(expr).code})`)
    })
    writer.line('length++')
  }
  filteredRows(writer, emitter, filter, body, (final) => {
    if (!final || !plain.every((position) => position !== null)) return
    // Where all rows are left, their columns go on as they are.
    const whole = plain.map((position) => `batch.columns[${position}]`)
    writer.line(`if (m === n) return { length: n, columns: [${whole.join(', ')}] }`)
  })
  const columns = outputs.map((_, o) => names[o] ?? `batch.columns[${plain[o]}]`)
  writer.line(`return { length, columns: [${columns.join(', ')}] }`)
  return writer.build<Mapper>(['batch', 'frame'])
}

/** The values of expressions that depend on no row. */
export function compileScalars(exprs: readonly Expr[], slots: Slots): (frame: Frame) => Value[] {
  const direct = exprs.map(directly)
  if (direct.every((read) => read !== null)) return (frame) => direct.map((read) => read(frame))
  const writer = new FunctionWriter()
  const emitter = rowEmitter(writer, new Layout([]), slots)
  const codes = exprs.map((expr) => emitter.emit(expr).code)
  writer.line(`return [${codes.join(', ')}]`)
  return writer.build(['frame'])
}

/** Constants and parameters need no code of their own: an INSERT of many rows has thousands. */
function directly(expr: Expr): ((frame: Frame) => Value) | null {
  if (expr.kind === 'constant') return () => expr.value
  if (expr.kind === 'parameter') return (frame) => frame.parameters[expr.index - 1] as Value
  return null
}

/**
 * @param nullKey what a key with a NULL in it is: `same`, NULLs are equal to each other (grouping, DISTINCT);
 *   `none`, the key is undefined and matches nothing (joins, IN)
 */
export function compileKeys(
  layout: Layout,
  slots: Slots,
  exprs: readonly Expr[],
  nullKey: 'same' | 'none',
): RowKeys {
  const writer = new FunctionWriter()
  const emitter = rowEmitter(writer, layout, slots)
  writer.line('const n = batch.length')
  writer.line('const keys = []')
  emitter.block(rowLoop, () => {
    const parts = exprs.map((expr) => ({ type: expr.type, ...emitter.emit(expr) }))
    const tests = parts.filter(({ nullable }) => nullable).map(({ code }) => `${code} === null`)
    if (nullKey === 'none' && tests.length > 0) {
      writer.block(`if (${tests.join(' || ')})`, () => {
        writer.line('keys.push(undefined)')
        writer.line('continue')
      })
      const sure = parts.map((part) => ({ ...part, nullable: false }))
      writer.line(`keys.push(${hashKeyCode(writer, sure)})`)
    } else writer.line(`keys.push(${hashKeyCode(writer, parts)})`)
  })
  writer.line('return keys')
  return writer.build<RowKeys>(['batch', 'frame'])
}

/** Keys that a join matches by: a column that is its own key is not copied, NULLs in it stay NULL and match nothing either. */
export function compileJoinKeys(layout: Layout, slots: Slots, exprs: readonly Expr[]): RowKeys {
  const [only] = exprs
  const position =
    exprs.length === 1 && only?.kind === 'column' && hashableAsIs(only.type)
      ? layout.position(only.column.id)
      : null
  if (position === null) return compileKeys(layout, slots, exprs, 'none')
  return ({ columns }) => columns[position] as readonly unknown[]
}

/** Judges pairs of rows of two batches. */
export function compilePairFilter(left: Layout, right: Layout, slots: Slots, condition: Expr): PairFilter {
  const writer = new FunctionWriter()
  const emitter = new ExpressionEmitter(writer, {
    read(column) {
      const leftPosition = left.position(column)
      if (leftPosition !== null) return `${writer.hoist(`left[${leftPosition}]`)}[l]`
      const rightPosition = right.position(column)
      return rightPosition === null ? null : `${writer.hoist(`right[${rightPosition}]`)}[r]`
    },
    slot: (column) => slots.of(column),
  })
  writer.line('let kept = 0')
  emitter.block('for (let p = 0; p < count; p++)', () => {
    writer.line('const l = leftRows[p], r = rightRows[p]')
    emitter.require(condition)
    writer.line('leftRows[kept] = l')
    writer.line('rightRows[kept++] = r')
  })
  writer.line('return kept')
  return writer.build<PairFilter>(['left', 'right', 'leftRows', 'rightRows', 'count', 'frame'])
}

/** One left row against all rows of a subquery: any true gives true, else any NULL gives NULL. */
export function compileQuantified(
  left: ReadonlyMap<number, number>,
  right: Layout,
  quantifier: QuantifiedExpr['quantifier'],
  condition: Expr,
): QuantifiedTest {
  const writer = new FunctionWriter()
  const emitter = new ExpressionEmitter(writer, {
    read(column) {
      const leftPosition = left.get(column)
      if (leftPosition !== undefined) return `left[${leftPosition}][row]`
      return `${writer.hoist(`right[${right.position(column)}]`)}[r]`
    },
    slot: () => 0,
  })
  if (quantifier === 'row') {
    // There is at most one row: the operator has seen to it.
    writer.line('if (count === 0) return null')
    writer.line('const r = 0')
    writer.line(`return ${emitter.emit(condition).code}`)
    return writer.build<QuantifiedTest>(['left', 'row', 'right', 'count', 'frame'])
  }
  const decides = quantifier === 'any'
  writer.line(`let result = ${!decides}`)
  emitter.block('for (let r = 0; r < count; r++)', () => {
    const { code } = emitter.emit(condition)
    writer.line(`if (${code} === ${decides}) return ${decides}`)
    writer.line(`if (${code} === null) result = null`)
  })
  writer.line('return result')
  return writer.build<QuantifiedTest>(['left', 'row', 'right', 'count', 'frame'])
}

/** Compares rows by columns that hold the sort keys. */
export function compileComparator(
  keys: readonly (Pick<SortKey, 'descending' | 'nulls'> & {
    readonly type: SqlType
    readonly position: number
    /** Where the second row's key stands; absent: in the same column. */
    readonly other?: number
  })[],
): RowComparator {
  const writer = new FunctionWriter()
  for (const { type, position, other = position, descending, nulls } of keys) {
    const a = writer.declare(`columns[${position}][a]`, 'a')
    const b = writer.declare(`columns[${other}][b]`, 'b')
    const first = nulls === 'first'
    writer.block(`if (${a} === null || ${b} === null)`, () => {
      writer.line(`if (${a} !== ${b}) return ${a} === null ? ${first ? -1 : 1} : ${first ? 1 : -1}`)
    })
    writer.block('else', () => compareCode(writer, type, a, b, descending))
  }
  writer.line('return 0')
  return writer.build<RowComparator>(['columns', 'a', 'b'])
}

/** Finds the rows that come before one row of other columns in sort order. */
export function compileBefore(
  keys: readonly (Pick<SortKey, 'descending' | 'nulls'> & {
    readonly type: SqlType
    readonly position: number
  })[],
): RowsBefore {
  const writer = new FunctionWriter()
  writer.line('const rows = []')
  writer.block('rows: for (let i = 0; i < length; i++)', () => {
    for (const { type, position, descending, nulls } of keys) {
      const a = writer.declare(`${writer.hoist(`columns[${position}]`)}[i]`, 'a')
      const b = writer.hoist(`others[${position}][other]`)
      const first = nulls === 'first'
      writer.block(`if (${a} === null || ${b} === null)`, () => {
        writer.block(`if (${a} !== ${b})`, () => {
          writer.line(`if ((${a} === null) === ${first}) rows.push(i)`)
          writer.line('continue rows')
        })
      })
      writer.block('else', () => {
        const order = orderCode(writer, type, a, b)
        writer.block(`if (${order.differ})`, () => {
          writer.line(`if (${descending ? order.greater : order.less}) rows.push(i)`)
          writer.line('continue rows')
        })
      })
    }
  })
  writer.line('return rows')
  return writer.build<RowsBefore>(['columns', 'length', 'others', 'other'])
}

/** Code for how two values that are not NULL stand to each other. */
function orderCode(
  writer: FunctionWriter,
  type: SqlType,
  a: string,
  b: string,
): { readonly differ: string; readonly less: string; readonly greater: string } {
  switch (type.id) {
    case 'boolean':
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'timestamp':
    case 'date':
      return { differ: `${a} !== ${b}`, less: `${a} < ${b}`, greater: `${a} > ${b}` }
    default: {
      const compare = writer.capture(comparatorOf(type), 'f')
      const order = writer.declare(`${compare}(${a}, ${b})`, 'r')
      return { differ: `${order} !== 0`, less: `${order} < 0`, greater: `${order} > 0` }
    }
  }
}

function compareCode(writer: FunctionWriter, type: SqlType, a: string, b: string, descending: boolean): void {
  const less = descending ? 1 : -1
  const order = orderCode(writer, type, a, b)
  writer.line(`if (${order.differ}) return ${order.less} ? ${less} : ${-less}`)
}

/** For each row the position of the first condition that is false; −1 when none is. */
export function compileRowChecks(
  layout: Layout,
  slots: Slots,
  conditions: readonly Expr[],
): (batch: Batch, frame: Frame) => readonly number[] {
  const writer = new FunctionWriter()
  const emitter = rowEmitter(writer, layout, slots)
  writer.line('const n = batch.length')
  writer.line('const broken = []')
  emitter.block('for (let i = 0; i < n; i++)', () => {
    conditions.forEach((condition, at) => {
      const { code } = emitter.emit(condition)
      writer.block(`if (${code} === false)`, () => {
        writer.line(`broken.push(${at})`)
        writer.line('continue')
      })
    })
    writer.line('broken.push(-1)')
  })
  writer.line('return broken')
  return writer.build(['batch', 'frame'])
}
