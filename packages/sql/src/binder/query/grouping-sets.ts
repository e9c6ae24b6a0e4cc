import { SQLSTATE } from '../../errors.ts'
import type { Expr } from '../../plan/expression.ts'
import { sameExpr } from '../../plan/same-expr.ts'
import type { Expression, GroupingElement, Select } from '../../syntax/ast.ts'
import { type BindContext, errorAt } from '../context.ts'

/** Most sets that GROUP BY may come to, and most parts of a CUBE, as in PostgreSQL. */
const SETS_MAX = 4_096
const CUBE_MAX = 12

type Sets = readonly (readonly Expr[])[]

/**
 * The sets of expressions that GROUP BY means: one for a plain list, the combinations of those of each element.
 * @throws 54001, 54011 when there are too many
 */
export function groupingSets(
  context: BindContext,
  { groupBy, distinctGroups }: Select,
  bind: (expression: Expression) => Expr,
): Sets {
  let sets: Sets = [[]]
  for (const element of groupBy) {
    const own = setsOf(context, element, bind)
    if (sets.length * own.length > SETS_MAX)
      throw errorAt(
        context,
        element,
        SQLSTATE.statementTooComplex,
        `too many grouping sets present (maximum ${SETS_MAX})`,
      )
    sets = sets.flatMap((set) => own.map((more) => [...set, ...more]))
  }
  const plain = sets.map(withoutRepeats)
  return distinctGroups
    ? plain.filter((set, i) => plain.findIndex((other) => sameSet(set, other)) === i)
    : plain
}

function setsOf(
  context: BindContext,
  element: GroupingElement,
  bind: (expression: Expression) => Expr,
): Sets {
  switch (element.kind) {
    case 'plain':
      return [element.items.map(bind)]
    case 'sets':
      return element.elements.flatMap((inner) => setsOf(context, inner, bind))
    case 'rollup': {
      const lists = element.lists.map((list) => list.map(bind))
      return Array.from({ length: lists.length + 1 }, (_, i) => lists.slice(0, lists.length - i).flat())
    }
    case 'cube': {
      const { lists } = element
      if (lists.length > CUBE_MAX)
        throw errorAt(context, element, SQLSTATE.tooManyColumns, `CUBE is limited to ${CUBE_MAX} elements`)
      const bound = lists.map((list) => list.map(bind))
      return Array.from({ length: 2 ** bound.length }, (_, mask) => {
        // From all elements to none, the last one changing most often.
        const kept = 2 ** bound.length - 1 - mask
        return bound.filter((_list, i) => (kept >> (bound.length - 1 - i)) & 1).flat()
      })
    }
  }
}

const withoutRepeats = (set: readonly Expr[]): readonly Expr[] =>
  set.filter((expr, i) => set.findIndex((other) => sameExpr(expr, other)) === i)

const sameSet = (a: readonly Expr[], b: readonly Expr[]): boolean =>
  a.length === b.length && a.every((expr) => b.some((other) => sameExpr(expr, other)))
