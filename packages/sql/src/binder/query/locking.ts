import { writtenName } from '../../catalog/names.ts'
import { SQLSTATE } from '../../errors.ts'
import type { LockingClause, Query, Select, TableReference } from '../../syntax/ast.ts'
import { type BindContext, errorAt } from '../context.ts'

/**
 * Checks FOR UPDATE and its like. Every read of a transaction that may write is certified when it commits, so the
 * clause needs no work of its own: it makes the transaction one that may write.
 * @throws 0A000, 42P01, 42601
 */
export function checkLocking(context: BindContext, query: Query): void {
  for (const clause of query.locking) checkClause(context, query, clause)
}

function checkClause(context: BindContext, query: Query, clause: LockingClause): void {
  const word = `FOR ${clause.strength.toUpperCase()}`
  const refuse = (what: string) =>
    errorAt(context, clause, SQLSTATE.featureNotSupported, `${word} is not allowed with ${what}`)
  const { body } = query
  if (body.kind === 'query') return
  if (body.kind === 'setOperation') throw refuse('UNION/INTERSECT/EXCEPT')
  if (body.kind === 'values')
    throw errorAt(context, clause, SQLSTATE.featureNotSupported, `${word} cannot be applied to VALUES`)
  if (body.distinct !== 'all') throw refuse('DISTINCT clause')
  if (body.groupBy.length > 0) throw refuse('GROUP BY clause')
  if (body.having !== null) throw refuse('HAVING clause')
  for (const { parts, span } of clause.of) {
    const [name, more] = parts
    if (more !== undefined)
      throw errorAt(
        context,
        { span },
        SQLSTATE.syntaxError,
        `${word} must specify unqualified relation names`,
      )
    if (name !== undefined && !namesIn(body).includes(name.name))
      throw errorAt(
        context,
        { span },
        SQLSTATE.undefinedTable,
        `relation "${name.name}" in ${word} clause not found in FROM clause`,
      )
  }
  const named = new Set(clause.of.map(({ parts }) => parts[0]?.name))
  const nullable = body.from.flatMap((reference) => nullableNames(reference, false))
  if (nullable.some((name) => named.size === 0 || named.has(name)))
    throw errorAt(
      context,
      clause,
      SQLSTATE.featureNotSupported,
      `${word} cannot be applied to the nullable side of an outer join`,
    )
  for (const reference of body.from) {
    if (reference.kind !== 'table' || (named.size > 0 && !namesOf(reference).some((one) => named.has(one))))
      continue
    const entry = context.names.entry(writtenName(reference.name))
    if (entry?.kind === 'table' || entry?.kind === 'view') context.access.use(context, entry, 'w')
  }
}

/** The clause that the query has, for what stands in its select list. */
export const lockingWord = (query: Query): string | null => {
  const [first] = query.locking
  return first === undefined ? null : `FOR ${first.strength.toUpperCase()}`
}

const namesIn = ({ from }: Select): readonly string[] => from.flatMap(namesOf)

/** Tables whose rows an outer join may leave out. Those of a join that has an alias are known by that alone. */
function nullableNames(reference: TableReference, optional: boolean): readonly string[] {
  if (reference.kind === 'join' && reference.alias === null) {
    const { type, left, right } = reference
    return [
      ...nullableNames(left, optional || type === 'right' || type === 'full'),
      ...nullableNames(right, optional || type === 'left' || type === 'full'),
    ]
  }
  return optional && (reference.kind === 'table' || reference.kind === 'derived') ? namesOf(reference) : []
}

function namesOf(reference: TableReference): readonly string[] {
  if (reference.alias !== null) return [reference.alias.name.name]
  switch (reference.kind) {
    case 'table':
      return [reference.name.parts.at(-1)?.name ?? '']
    case 'functionTable':
      return [reference.call.name.parts.at(-1)?.name ?? '']
    case 'join':
      return [...namesOf(reference.left), ...namesOf(reference.right)]
    default:
      return []
  }
}
