import type { IToken } from 'chevrotain'
import { SQLSTATE, sqlError } from '../../errors.ts'
import type { Expression, Identifier, QuantifiedExpression, Query, SelectItem, SortItem } from '../ast.ts'
import { checkCollation } from '../collations.ts'
import type {
  ExpressionCst,
  IsTestCst,
  MembershipCst,
  OperandCst,
  PlainExpressionCst,
  QuantifiedCst,
  SelectItemsCst,
  SortListCst,
  SubqueryCst,
  SuffixCst,
  TailCst,
} from '../cst/expression.ts'
import type { QueryCst } from '../cst/query.ts'
import { tooDeep } from '../retag.ts'
import { positionAt } from '../scanner.ts'
import { call, HEIGHT_MAX, OperandBuilder } from './operand-builder.ts'
import { infixRank, isNonAssociative, RANK } from './precedence.ts'
import { has, identifier, join, only, qualifiedName, scanned, spanOf, tokenSpan } from './tree.ts'

export { literalOf } from './operand-builder.ts'

/** The flat row of one expression while it is being ranked. */
interface Row {
  readonly tails: readonly TailCst[]
  at: number
}

/** Turns the concrete tree of expressions into the abstract one, ranking operators by precedence. */
export abstract class ExpressionBuilder extends OperandBuilder {
  abstract query(node: QueryCst): Query

  expression(node: ExpressionCst | PlainExpressionCst): Expression {
    const { operand, tail, plainTail } = node.children as {
      readonly operand: readonly OperandCst[]
      readonly tail?: readonly TailCst[]
      readonly plainTail?: readonly TailCst[]
    }
    const tails = tail ?? plainTail
    const before = this.height
    this.height = 0
    const first = only(operand)
    const row: Row = { tails: tails ?? [], at: 0 }
    const result = this.#climb(first, row, 0, 0)
    const rest = row.tails[row.at]
    if (rest !== undefined) throw this.unexpected(spanOf(rest).start)
    this.grow(result.span)
    // Siblings do not stand on each other: only the highest counts.
    this.height = Math.max(before, this.height)
    return result
  }

  subquery(node: SubqueryCst): Query {
    const before = this.height
    this.height = 0
    const query = this.query(only(node.children.query) as unknown as QueryCst)
    this.grow(query.span)
    this.height = Math.max(before, this.height)
    return query
  }

  sortItems(node: SortListCst): SortItem[] {
    return node.children.sortItem.map((item) => {
      const { expression, Desc, InfixOperator: signs, First, Last } = item.children
      const sign = signs?.[0]
      const word = sign === undefined ? '' : scanned(sign).value
      if (sign !== undefined && word !== '<' && word !== '>')
        throw sqlError(SQLSTATE.wrongObjectType, `operator ${word} is not a valid ordering operator`, {
          hint: 'Ordering operators must be "<" or ">" members of btree operator families.',
          position: positionAt(this.source, sign.startOffset),
        })
      const descending = has(Desc) || word === '>'
      const nulls = has(First) ? 'first' : has(Last) ? 'last' : descending ? 'first' : 'last'
      return { expression: this.expression(only(expression)), descending, nulls, span: spanOf(item) }
    })
  }

  selectItems(node: SelectItemsCst): SelectItem[] {
    return node.children.selectItem.map((item) => {
      const { expression, alias } = item.children
      const span = spanOf(item)
      const inner = expression?.[0]
      if (inner === undefined) return { kind: 'star', qualifier: [], span }
      const qualifier = starQualifier(inner)
      if (qualifier !== null) {
        if (has(alias)) throw this.unexpected(qualifier.end)
        return { kind: 'star', qualifier: qualifier.parts, span }
      }
      const label = alias?.[0]
      return {
        kind: 'item',
        expression: this.expression(inner),
        alias: label === undefined ? null : identifier(label),
        span,
      }
    })
  }

  /** Precedence climbing: `operand` and as many tails as bind at least as tightly as `least`. */
  #climb(operand: OperandCst, row: Row, least: number, prefixes: number): Expression {
    let left = this.#prefixed(operand, row, prefixes)
    // The rank of the last operator that must not stand beside one of its own rank.
    let barred = -1
    // The operands of the AND or OR chain that `left` is, when this loop made it: it grows in place.
    let chain: Expression[] | null = null
    let connective = ''
    for (;;) {
      const tail = row.tails[row.at]
      if (tail === undefined) return left
      const rank = tailRank(tail)
      if (rank < least) return left
      if (rank === barred) throw this.unexpected(spanOf(tail).start)
      row.at++
      const leftHeight = this.height
      this.height = 0
      if (rank <= RANK.and) {
        const sign = scanned(only(tail.children.InfixOperator))
        const right = this.#connected(tail, row, rank)
        if (chain === null || connective !== sign.value) chain = operandsOf(left, sign.value)
        connective = sign.value
        for (const operand of operandsOf(right, sign.value)) chain.push(operand)
        left = { kind: rank === RANK.or ? 'or' : 'and', operands: chain, span: join(left.span, right.span) }
        this.height = Math.max(leftHeight, this.height + 1)
        continue
      }
      chain = null
      const { infix, ranked } = this.#apply(left, tail, row, rank)
      left = ranked
      barred = infix && isNonAssociative(rank) ? rank : -1
      this.height = Math.max(leftHeight, this.height)
      this.grow(left.span)
    }
  }

  /** The right side of AND or OR. */
  #connected(tail: TailCst, row: Row, rank: number): Expression {
    const { operand, quantified } = tail.children
    const wrong = quantified?.[0]
    if (wrong !== undefined) throw this.unexpected(spanOf(wrong).start)
    return this.#climb(only(operand), row, rank + 1, 0)
  }

  #prefixed(operand: OperandCst, row: Row, from: number): Expression {
    const { PrefixOperator = [] } = operand.children
    const token = PrefixOperator[from]
    if (token === undefined) return this.#operand(operand)
    if (from > HEIGHT_MAX) throw tooDeep(this.source, token.startOffset)
    const operator = scanned(token).value
    const start = tokenSpan(token)
    if (operator === 'not') {
      const inner = this.#climb(operand, row, RANK.not, from + 1)
      this.grow(start)
      return { kind: 'not', operand: inner, span: join(start, inner.span) }
    }
    const rank = operator === '-' || operator === '+' ? RANK.sign : RANK.other + 1
    const inner = this.#climb(operand, row, rank, from + 1)
    this.grow(start)
    const span = join(start, inner.span)
    if (operator === '-' && inner.kind === 'number') {
      const text = inner.text.startsWith('-') ? inner.text.slice(1) : `-${inner.text}`
      return { kind: 'number', text, span }
    }
    return { kind: 'unary', operator, operand: inner, span }
  }

  /** One tail on its left side. `infix`: its right side is open, so its rank can clash with the next. */
  #apply(left: Expression, tail: TailCst, row: Row, rank: number): { infix: boolean; ranked: Expression } {
    const { InfixOperator, operand, quantified, isTest, Isnull, Notnull, membership, AtTimeZone } =
      tail.children
    const sign = InfixOperator?.[0]
    if (sign !== undefined) {
      const operator = scanned(sign).value
      if (operator === 'escape') throw this.unexpected(sign.startOffset)
      const quantifiedTail = quantified?.[0]
      if (quantifiedTail !== undefined) {
        const span = join(left.span, spanOf(tail))
        const operatorSpan = tokenSpan(sign)
        const ranked = this.#quantified(quantifiedTail, { left, operator, operatorSpan, span })
        return { infix: false, ranked }
      }
      const right = this.#climb(only(operand), row, rank + 1, 0)
      const span = join(left.span, right.span)
      const operatorSpan = tokenSpan(sign)
      return { infix: true, ranked: { kind: 'binary', operator, left, right, operatorSpan, span } }
    }
    if (has(AtTimeZone)) {
      const zone = this.#climb(only(operand), row, RANK.zone + 1, 0)
      const span = join(left.span, zone.span)
      return { infix: true, ranked: call(only(AtTimeZone), 'timezone', [zone, left], span) }
    }
    if (has(Isnull) || has(Notnull)) {
      const span = join(left.span, spanOf(tail))
      return {
        infix: false,
        ranked: { kind: 'is', test: 'null', operand: left, negated: has(Notnull), span },
      }
    }
    const test = isTest?.[0]
    if (test !== undefined) return this.#isTest(left, test, row)
    return this.#membership(left, only(membership), row)
  }

  #quantified(
    { children }: QuantifiedCst,
    common: Pick<QuantifiedExpression, 'left' | 'operator' | 'operatorSpan' | 'span'>,
  ): Expression {
    const quantifier = has(children.All) ? 'all' : 'any'
    const query = children.subquery?.[0]
    if (query !== undefined) return { kind: 'quantified', ...common, quantifier, query: this.subquery(query) }
    const array = this.expression(only(children.expression))
    return { kind: 'quantifiedArray', ...common, quantifier, array }
  }

  /** The offset behind the tails taken so far. */
  #behind(row: Row): number {
    const tail = row.tails[row.at - 1]
    return tail === undefined ? this.source.length : spanOf(tail).end
  }

  #isTest(left: Expression, test: IsTestCst, row: Row): { infix: boolean; ranked: Expression } {
    const { Not, Null, True, False, Identifier: words, operand } = test.children
    const negated = has(Not)
    if (words !== undefined) return { infix: false, ranked: this.#isNormalized(left, test, words, negated) }
    const right = operand?.[0]
    if (right !== undefined) {
      const other = this.#climb(right, row, RANK.is + 1, 0)
      const span = join(left.span, other.span)
      return { infix: true, ranked: { kind: 'distinctFrom', left, right: other, negated, span } }
    }
    const word = has(Null) ? 'null' : has(True) ? 'true' : has(False) ? 'false' : 'unknown'
    const span = join(left.span, spanOf(test))
    return { infix: false, ranked: { kind: 'is', test: word, operand: left, negated, span } }
  }

  #isNormalized(left: Expression, test: IsTestCst, words: readonly IToken[], negated: boolean): Expression {
    const [first, second] = words.map((word) => scanned(word).value)
    const form = second === undefined ? 'nfc' : first
    const last = words.at(-1)
    if ((second ?? first) !== 'normalized' || form === undefined || last === undefined)
      throw this.unexpected(only(words).startOffset)
    const span = join(left.span, spanOf(test))
    const text: Expression = { kind: 'string', value: form, span }
    const made = call(last, 'is_normalized', [left, text], span)
    return negated ? { kind: 'not', operand: made, span } : made
  }

  #membership(left: Expression, node: MembershipCst, row: Row): { infix: boolean; ranked: Expression } {
    const {
      NotBefore,
      Between,
      Symmetric,
      In,
      subquery,
      expressionList,
      Ilike,
      operand,
      quantified,
      Similar,
      To,
    } = node.children
    const negated = has(NotBefore)
    if (has(In)) {
      const span = join(left.span, spanOf(node))
      const inner = subquery?.[0]
      if (inner !== undefined)
        return {
          infix: false,
          ranked: { kind: 'inQuery', operand: left, query: this.subquery(inner), negated, span },
        }
      const list = this.expressions(only(expressionList))
      return { infix: false, ranked: { kind: 'in', operand: left, list, negated, span } }
    }
    const each = quantified?.[0]
    if (each !== undefined) {
      const sign = `${negated ? '!' : ''}~~${has(Ilike) ? '*' : ''}`
      const span = join(left.span, spanOf(node))
      const common = { left, operator: sign, operatorSpan: spanOf(node), span }
      return { infix: false, ranked: this.#quantified(each, common) }
    }
    const first = only(operand)
    if (has(Between)) {
      const low = this.#climb(first, row, RANK.is, 0)
      const and = row.tails[row.at]
      if (and === undefined || tailRank(and) !== RANK.and) throw this.unexpected(this.#behind(row))
      row.at++
      const high = this.#climb(only(and.children.operand), row, RANK.membership + 1, 0)
      const span = join(left.span, high.span)
      return {
        infix: true,
        ranked: { kind: 'between', operand: left, low, high, symmetric: has(Symmetric), negated, span },
      }
    }
    const pattern = this.#climb(first, row, RANK.membership + 1 + 1, 0)
    const next = row.tails[row.at]
    const escapes = next !== undefined && tailRank(next) === RANK.escape
    let sign: Expression | null = null
    if (escapes) {
      row.at++
      sign = this.#climb(only(next.children.operand), row, RANK.escape + 1, 0)
    }
    const span = join(left.span, (sign ?? pattern).span)
    const word = Similar?.[0]
    if (word !== undefined) {
      if (has(To) === this.bareSimilar) throw this.unexpected(spanOf(first).start)
      // What PostgreSQL makes of SIMILAR TO: a regular expression.
      const right = call(word, 'similar_to_escape', sign === null ? [pattern] : [pattern, sign], span)
      const operator = negated ? '!~' : '~'
      return {
        infix: true,
        ranked: { kind: 'binary', operator, left, right, operatorSpan: tokenSpan(word), span },
      }
    }
    return {
      infix: true,
      ranked: {
        kind: 'like',
        operand: left,
        pattern,
        escape: sign,
        caseInsensitive: has(Ilike),
        negated,
        span,
      },
    }
  }

  #operand(node: OperandCst): Expression {
    const { suffix = [] } = node.children
    let operand = this.primary(node)
    // A field is taken of what stands in parentheses, or behind a subscript or another field.
    let fields = has(node.children.parenthesised) || has(node.children.subquery)
    for (const one of suffix) {
      const { Dot, subscript } = one.children
      if (has(Dot)) {
        if (!fields) throw this.unexpected(only(Dot).startOffset)
        operand = this.#field(operand, one)
      } else operand = this.#suffixed(operand, one)
      fields = has(Dot) || has(subscript)
    }
    return operand
  }

  #field(operand: Expression, node: SuffixCst): Expression {
    this.grow(operand.span)
    const span = join(operand.span, spanOf(node))
    const label = node.children.Label?.[0]
    if (label === undefined) return { kind: 'fields', operand, span }
    return { kind: 'field', operand, field: identifier(label), span }
  }

  #suffixed(operand: Expression, node: SuffixCst): Expression {
    this.grow(operand.span)
    const { typeName, subscript, qualifiedName: collation } = node.children
    const type = typeName?.[0]
    const span = join(operand.span, spanOf(node))
    if (collation !== undefined) {
      // There is one order of texts, so a collation is only looked at.
      const name = qualifiedName(only(collation))
      checkCollation(name, positionAt(this.source, name.span.start))
      return operand
    }
    if (type !== undefined) return { kind: 'cast', operand, type: this.typeName(type), span }
    const { lower, Colon, upper, LBracket } = only(subscript).children
    const from = lower?.[0]
    const to = upper?.[0]
    const slice = has(Colon)
    if (!slice && from === undefined) throw this.unexpected(only(LBracket).startOffset + 1)
    return {
      kind: 'subscript',
      operand,
      slice,
      lower: from === undefined ? null : this.expression(from),
      upper: to === undefined ? null : this.expression(to),
      span,
    }
  }
}

function tailRank(tail: TailCst): number {
  const { InfixOperator, membership, AtTimeZone } = tail.children
  if (has(AtTimeZone)) return RANK.zone
  const sign = InfixOperator?.[0]
  if (sign !== undefined) return infixRank(scanned(sign).value)
  return has(membership) ? RANK.membership : RANK.is
}

/** A chain stays flat, as PostgreSQL keeps it; parentheses around its parts do not matter. */
const operandsOf = (side: Expression, connective: string): Expression[] =>
  (side.kind === 'and' || side.kind === 'or') && side.kind === connective ? [...side.operands] : [side]

/** The parts before `.*` when the expression is nothing else. */
function starQualifier(
  node: ExpressionCst,
): { readonly parts: readonly Identifier[]; readonly end: number } | null {
  const { operand, tail } = node.children
  if (has(tail)) return null
  const { reference, PrefixOperator, suffix } = only(operand).children
  const star = reference?.[0]
  if (star === undefined || has(PrefixOperator) || has(suffix)) return null
  const { ColumnId, Label = [], Star, callArguments, StringLiteral } = star.children
  if (!has(Star) || has(callArguments) || has(StringLiteral)) return null
  return { parts: [...ColumnId, ...Label].map(identifier), end: spanOf(star).end }
}
