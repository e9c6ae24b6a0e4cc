import { errorAt } from '../binder/context.ts'
import type { CheckConstraint, ColumnSchema, IndexSchema } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { LikeClause } from '../syntax/ast.ts'
import { type ColumnOwner, withIdentity } from './columns.ts'
import { type DdlContext, lookUp, noRelation } from './context.ts'

/** What a LIKE clause brings into a new table. */
export interface LikeCopy {
  readonly columns: readonly ColumnSchema[]
  /** Positions in the new table. */
  readonly primaryKey: readonly number[] | null
  readonly indexes: readonly IndexSchema[]
  readonly checks: readonly CheckConstraint[]
}

const words = [
  'comments',
  'compression',
  'constraints',
  'defaults',
  'generated',
  'identity',
  'indexes',
  'statistics',
  'storage',
]

/** @param first the position of its first column in the new table. @throws 42P01, 42809 */
export async function copiedFrom(
  context: DdlContext,
  owner: ColumnOwner,
  { table: name, options }: LikeClause,
  first: number,
): Promise<LikeCopy> {
  const source = await lookUp(context, name)
  if (source === null) throw await noRelation(context, name)
  if (source.kind !== 'table' && source.kind !== 'view')
    throw sqlError(SQLSTATE.wrongObjectType, `"${source.name}" is not a table or view`)
  const wanted = new Set<string>()
  for (const { including, what } of options) {
    const named = what.name === 'all' ? words : [what.name]
    if (what.name !== 'all' && !words.includes(what.name))
      throw errorAt(context.bind, what, SQLSTATE.syntaxError, `syntax error at or near "${what.name}"`)
    for (const one of named) {
      if (including) wanted.add(one)
      else wanted.delete(one)
    }
  }
  if (source.kind === 'view')
    return {
      columns: source.result.map((column, i) => plainColumn(column, first + i)),
      primaryKey: null,
      indexes: [],
      checks: [],
    }
  const columns: ColumnSchema[] = []
  for (const [i, column] of source.columns.entries()) {
    const slot = first + i
    const generated = wanted.has('generated') ? column.generated : null
    const copy: ColumnSchema = {
      ...plainColumn(column, slot),
      notNull: column.notNull,
      domain: column.domain,
      defaultText: wanted.has('defaults') ? column.defaultText : null,
      generated,
      comment: wanted.has('comments') ? column.comment : null,
    }
    const { identity } = column
    columns.push(
      identity !== null && wanted.has('identity')
        ? await withIdentity(context, owner, copy, identity === 'always', [])
        : copy,
    )
  }
  const moved = (positions: readonly number[]): number[] =>
    positions.map((position) => (position < 0 ? position : position + first))
  return {
    columns,
    primaryKey: wanted.has('indexes') && source.primaryKey !== null ? moved(source.primaryKey.columns) : null,
    indexes: wanted.has('indexes')
      ? source.indexes.map((index) => ({ ...index, columns: moved(index.columns) }))
      : [],
    checks: wanted.has('constraints') ? source.checks : [],
  }
}

const plainColumn = ({ name, type }: Pick<ColumnSchema, 'name' | 'type'>, slot: number): ColumnSchema => ({
  name,
  type,
  notNull: false,
  defaultText: null,
  slot,
  missing: null,
  generated: null,
  identity: null,
  sequence: null,
  domain: null,
  comment: null,
})

export { plainColumn }
