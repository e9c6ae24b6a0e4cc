import { SQLSTATE } from '../../errors.ts'
import { columnExpr, constant } from '../../plan/build.ts'
import type { Expr } from '../../plan/expression.ts'
import type { ColumnReference } from '../../syntax/ast.ts'
import { BOOLEAN, OID } from '../../types/type.ts'
import { type BindContext, errorAt, type Scope } from '../context.ts'
import { findTable } from '../scope.ts'

/**
 * `tableoid` of a table of FROM: its number, and NULL for a row that an outer join made up.
 * @returns null for any other name, and where no table has it
 * @throws 42702 for several tables
 */
export function systemColumn(
  context: BindContext,
  scope: Scope | null,
  reference: ColumnReference,
): Expr | null {
  const { parts } = reference
  if (parts.at(-1)?.name !== 'tableoid') return null
  const named = parts.length > 1 ? findTable(scope, parts.slice(0, -1)) : null
  const tables = named === null && parts.length === 1 ? nearestTables(scope) : [named]
  if (tables.length > 1)
    throw errorAt(context, reference, SQLSTATE.ambiguousColumn, 'column reference "tableoid" is ambiguous')
  const system = tables[0]?.system
  if (system === undefined) return null
  const oid = constant(OID, system.oid)
  if (system.present === null) return oid
  const present: Expr = {
    kind: 'is',
    type: BOOLEAN,
    test: 'null',
    operand: columnExpr(system.present),
    negated: true,
  }
  return {
    kind: 'case',
    type: OID,
    branches: [{ when: present, result: oid }],
    otherwise: constant(OID, null),
  }
}

function nearestTables(scope: Scope | null) {
  for (let level = scope; level !== null; level = level.outer) {
    const found = level.tables.filter(({ system }) => system !== undefined)
    if (found.length > 0) return found
  }
  return []
}
