import { boundIndex, isPlainIndex } from '../binder/write/stored-index.ts'
import type { IndexSchema, TableSchema } from '../catalog/schema.ts'
import type { Column, ConstantExpr, Expr } from '../plan/expression.ts'
import { conjunctsOf } from '../plan/traverse.ts'
import { compareValues } from '../types/compare.ts'
import { sameKind, typeName } from '../types/type.ts'

/**
 * Tells an expression over the columns of one table from all others; columns go by their positions. Queries inside
 * are not told apart: an index holds none, so what has one matches no part of it anyway.
 */
export type Canonical = (expr: Expr) => string

/** @param positionOf the position of a column in the table; null: it is another table's */
export function canonicalOver(positionOf: (column: Column) => number | null): Canonical {
  const replace = (key: string, value: unknown): unknown => {
    if (key === 'column') {
      const column = value as Column
      return positionOf(column) ?? `outside ${column.id}`
    }
    if (key === 'plan') return 'query'
    if (key === 'fn') {
      const { name, args } = value as { name: string; args: Parameters<typeof typeName>[0][] }
      return `${name}(${args.map(typeName).join()})`
    }
    return typeof value === 'bigint' ? `${value}n` : value
  }
  return (expr) => JSON.stringify(expr, replace)
}

/** What an index is on, in the form of `canonicalOver`: a position for a plain column. */
export interface IndexShape {
  readonly keys: readonly (number | string)[]
  /** The conjuncts of its condition; none for an index on all rows. */
  readonly where: readonly Expr[]
  readonly canonical: Canonical
  readonly positionOf: (column: Column) => number | null
}

const shapes = new WeakMap<
  IndexSchema,
  { readonly columns: TableSchema['columns']; readonly shape: IndexShape }
>()

export function shapeOf(table: TableSchema, index: IndexSchema): IndexShape {
  const known = shapes.get(index)
  if (known?.columns === table.columns) return known.shape
  const shape = isPlainIndex(index) ? plainShape(index) : makeShape(table, index)
  shapes.set(index, { columns: table.columns, shape })
  return shape
}

const plainShape = ({ columns }: IndexSchema): IndexShape => ({
  keys: columns,
  where: [],
  canonical: () => '',
  positionOf: () => null,
})

function makeShape(table: TableSchema, index: IndexSchema): IndexShape {
  const { row, keys, where } = boundIndex(table, index)
  const positions = new Map(row.map(({ id }, position) => [id, position]))
  const positionOf = ({ id }: Column): number | null => positions.get(id) ?? null
  const canonical = canonicalOver(positionOf)
  return {
    keys: index.columns.map((position, i) => (position >= 0 ? position : canonical(keys[i] as Expr))),
    where: where === null ? [] : conjunctsOf(where),
    canonical,
    positionOf,
  }
}

/** True when rows that meet the conditions are all in the index. */
export function covers(
  { where, canonical }: IndexShape,
  conditions: readonly Expr[],
  canonicalOfScan: Canonical,
): boolean {
  if (where.length === 0) return true
  const given = conditions.map((condition) => ({ condition, text: canonicalOfScan(condition) }))
  return where.every((wanted) => {
    const text = canonical(wanted)
    return given.some(
      (one) => one.text === text || implies(one.condition, canonicalOfScan, wanted, canonical),
    )
  })
}

/** `operand sign constant` */
interface Comparison {
  readonly operand: string
  readonly sign: string
  readonly constant: ConstantExpr
}

const mirrored: Readonly<Record<string, string>> = {
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
  '=': '=',
  '<>': '<>',
}

function comparisonOf(expr: Expr, canonical: Canonical): Comparison | null {
  if (expr.kind !== 'call' || expr.form !== 'infix' || mirrored[expr.fn.name] === undefined) return null
  const [left, right] = expr.args
  if (left === undefined || right === undefined) return null
  if (right.kind === 'constant') return { operand: canonical(left), sign: expr.fn.name, constant: right }
  if (left.kind !== 'constant') return null
  return { operand: canonical(right), sign: mirrored[expr.fn.name] as string, constant: left }
}

/** True when a row for which `given` is true is one for which `wanted` is true. */
function implies(given: Expr, canonicalOfGiven: Canonical, wanted: Expr, canonical: Canonical): boolean {
  if (wanted.kind === 'is' && wanted.test === 'null' && wanted.negated)
    return isStrictIn(given, canonical(wanted.operand), canonicalOfGiven)
  const [one, other] = [comparisonOf(given, canonicalOfGiven), comparisonOf(wanted, canonical)]
  if (one === null || other === null || one.operand !== other.operand) return false
  const [known, asked] = [one.constant, other.constant]
  if (known.value === null || asked.value === null || !sameKind(known.type, asked.type)) return false
  const order = compareValues(known.type, known.value, asked.value)
  switch (other.sign) {
    case '=':
      return one.sign === '=' && order === 0
    case '<>':
      return (
        (one.sign === '=' && order !== 0) ||
        (one.sign === '>' && order >= 0) ||
        (one.sign === '>=' && order > 0) ||
        (one.sign === '<' && order <= 0) ||
        (one.sign === '<=' && order < 0)
      )
    case '>':
      return (one.sign === '>' && order >= 0) || (['>=', '='].includes(one.sign) && order > 0)
    case '>=':
      return ['>', '>=', '='].includes(one.sign) && order >= 0
    case '<':
      return (one.sign === '<' && order <= 0) || (['<=', '='].includes(one.sign) && order < 0)
    default:
      return ['<', '<=', '='].includes(one.sign) && order <= 0
  }
}

/** True for a condition that is not true when the operand is NULL. */
function isStrictIn(given: Expr, operand: string, canonical: Canonical): boolean {
  if (given.kind === 'inList') return canonical(given.operand) === operand
  return given.kind === 'call' && given.fn.strict && given.args.some((arg) => canonical(arg) === operand)
}
