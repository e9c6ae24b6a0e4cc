import type { CheckConstraint, DomainSchema } from '../../catalog/schema.ts'
import { brokenDomain } from '../../errors.ts'
import type { ScalarFunction } from '../../functions/function.ts'
import type { Expr } from '../../plan/expression.ts'
import { substitute } from '../../plan/traverse.ts'
import type { Expression } from '../../syntax/ast.ts'
import { parseExpression } from '../../syntax/parse.ts'
import { BOOLEAN, type SqlType } from '../../types/type.ts'
import { type BindContext, newColumn } from '../context.ts'
import type { Place } from '../place.ts'

export type BindCondition = (place: Place, expression: Expression, word: string) => Expr

/** The condition of a domain's constraint over a value: VALUE stands for it. */
export function domainCondition(
  context: BindContext,
  domain: Pick<DomainSchema, 'name' | 'type'>,
  { text }: Pick<CheckConstraint, 'text'>,
  value: Expr,
  bindCondition: BindCondition,
): Expr {
  const inner: BindContext = { ...context, source: null }
  const column = newColumn(inner, 'value', domain.type)
  const columns = [{ name: 'value', column }]
  const scope = { tables: [{ alias: domain.name, schema: 'public', columns }], columns, outer: null }
  const place = { context: inner, scope, aggregates: null, name: 'check constraints' }
  return substitute(bindCondition(place, parseExpression(text), 'CHECK'), new Map([[column.id, value]]))
}

/** The domains that one stands on, from the bottom, and itself. */
export function domainChain(context: BindContext, domain: DomainSchema): readonly DomainSchema[] {
  const base = domain.base === undefined ? null : context.names.byKey(domain.base)
  return base?.kind === 'domain' ? [...domainChain(context, base), domain] : [domain]
}

/** A value as one of the domain: an error when it is not. */
export function asDomain(
  context: BindContext,
  domain: DomainSchema,
  value: Expr,
  bindCondition: BindCondition,
): Expr {
  const fails = (check: string): Expr => ({
    kind: 'call',
    type: domain.type,
    fn: violation(domain, check),
    form: 'function',
    args: [],
  })
  const chain = domainChain(context, domain)
  const branches = chain.flatMap((level) =>
    level.checks.map((check) => {
      const holds = domainCondition(context, level, check, value, bindCondition)
      const broken: Expr = { kind: 'is', type: BOOLEAN, test: 'false', operand: holds, negated: false }
      return { when: broken, result: fails(check.name) }
    }),
  )
  const missing: Expr = { kind: 'is', type: BOOLEAN, test: 'null', operand: value, negated: false }
  const all = chain.some(({ notNull }) => notNull)
    ? [{ when: missing, result: fails('') }, ...branches]
    : branches
  return all.length === 0 ? value : { kind: 'case', type: domain.type, branches: all, otherwise: value }
}

/** Never folded: it is reached only by a value that breaks the domain. */
function violation(domain: { readonly name: string; readonly type: SqlType }, check: string): ScalarFunction {
  const refuse = (): never => {
    throw brokenDomain(domain.name, check)
  }
  return {
    name: 'domain_violation',
    args: [],
    returns: domain.type,
    strict: false,
    volatility: 'volatile',
    impl: refuse,
    contextual: null,
    js: null,
  }
}
