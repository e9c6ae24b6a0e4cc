import type { IToken } from 'chevrotain'
import { SQLSTATE, type SqlError, sqlError } from '../../errors.ts'
import type {
  CallExpression,
  CaseExpression,
  Expression,
  Identifier,
  Query,
  SelectItem,
  SortItem,
  Span,
  TypeName,
} from '../ast.ts'
import type {
  CallArgumentsCst,
  CaseExpressionCst,
  ExpressionCst,
  ExpressionListCst,
  IsTestCst,
  MembershipCst,
  OperandCst,
  ParenthesisedCst,
  PlainExpressionCst,
  QueryCst,
  ReferenceCst,
  SelectItemsCst,
  SortListCst,
  SubqueryCst,
  SubstringCallCst,
  TailCst,
  TrimCallCst,
} from '../cst/query.ts'
import { tooDeep } from '../retag.ts'
import { positionAt, syntaxErrorNear, type Token } from '../scanner.ts'
import { infixRank, isNonAssociative, RANK } from './precedence.ts'
import { has, identifier, join, only, scanned, spanOf, tokenSpan } from './tree.ts'
import { typedLiteralType, typeNameOf } from './type-names.ts'

/** How high an expression may grow. Everything behind the parser recurses over it. */
export const HEIGHT_MAX = 1_200

/** The flat row of one expression while it is being ranked. */
interface Row {
  readonly tails: readonly TailCst[]
  at: number
}

/** Turns the concrete tree of expressions into the abstract one, ranking operators by precedence. */
export abstract class ExpressionBuilder {
  protected readonly source: string
  readonly #tokens: readonly Token[]
  /** Height of the highest expression made since it was last set back. */
  #height = 0

  constructor(source: string, tokens: readonly Token[]) {
    this.source = source
    this.#tokens = tokens
  }

  abstract query(node: QueryCst): Query

  expression(node: ExpressionCst | PlainExpressionCst): Expression {
    const { operand, tail, plainTail } = node.children as {
      readonly operand: readonly OperandCst[]
      readonly tail?: readonly TailCst[]
      readonly plainTail?: readonly TailCst[]
    }
    const tails = tail ?? plainTail
    const before = this.#height
    this.#height = 0
    const first = only(operand)
    const row: Row = { tails: tails ?? [], at: 0 }
    const result = this.#climb(first, row, 0, 0)
    const rest = row.tails[row.at]
    if (rest !== undefined) throw this.unexpected(spanOf(rest).start)
    this.#grow(result.span)
    // Siblings do not stand on each other: only the highest counts.
    this.#height = Math.max(before, this.#height)
    return result
  }

  expressions(node: ExpressionListCst): Expression[] {
    return node.children.expression.map((item) => this.expression(item))
  }

  subquery(node: SubqueryCst): Query {
    const before = this.#height
    this.#height = 0
    const query = this.query(only(node.children.query))
    this.#grow(query.span)
    this.#height = Math.max(before, this.#height)
    return query
  }

  sortItems(node: SortListCst): SortItem[] {
    return node.children.sortItem.map((item) => {
      const { expression, Desc, First, Last } = item.children
      const descending = has(Desc)
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

  /** The syntax error at the first token from `offset` on. */
  unexpected(offset: number): SqlError {
    const token = this.#tokens.find((candidate) => candidate.startOffset >= offset)
    if (token !== undefined) return syntaxErrorNear(this.source, token.startOffset, token.end)
    return sqlError(SQLSTATE.syntaxError, 'syntax error at end of input', {
      position: positionAt(this.source, this.source.length),
    })
  }

  protected unsupported(what: string, { start }: Span, hint?: string): SqlError {
    return sqlError(SQLSTATE.featureNotSupported, `${what} is not supported`, {
      position: positionAt(this.source, start),
      hint,
    })
  }

  #grow(span: Span): void {
    if (++this.#height > HEIGHT_MAX) throw tooDeep(this.source, span.start)
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
      const leftHeight = this.#height
      this.#height = 0
      if (rank <= RANK.and) {
        const sign = scanned(only(tail.children.InfixOperator))
        const right = this.#connected(tail, row, rank)
        if (chain === null || connective !== sign.value) chain = operandsOf(left, sign.value)
        connective = sign.value
        for (const operand of operandsOf(right, sign.value)) chain.push(operand)
        left = { kind: rank === RANK.or ? 'or' : 'and', operands: chain, span: join(left.span, right.span) }
        this.#height = Math.max(leftHeight, this.#height + 1)
        continue
      }
      chain = null
      const { infix, ranked } = this.#apply(left, tail, row, rank)
      left = ranked
      barred = infix && isNonAssociative(rank) ? rank : -1
      this.#height = Math.max(leftHeight, this.#height)
      this.#grow(left.span)
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
      this.#grow(start)
      return { kind: 'not', operand: inner, span: join(start, inner.span) }
    }
    const rank = operator === '-' || operator === '+' ? RANK.sign : RANK.other + 1
    const inner = this.#climb(operand, row, rank, from + 1)
    this.#grow(start)
    const span = join(start, inner.span)
    if (operator === '-' && inner.kind === 'number') {
      const text = inner.text.startsWith('-') ? inner.text.slice(1) : `-${inner.text}`
      return { kind: 'number', text, span }
    }
    return { kind: 'unary', operator, operand: inner, span }
  }

  /** One tail on its left side. `infix`: its right side is open, so its rank can clash with the next. */
  #apply(left: Expression, tail: TailCst, row: Row, rank: number): { infix: boolean; ranked: Expression } {
    const { InfixOperator, operand, quantified, isTest, Isnull, Notnull, membership } = tail.children
    const sign = InfixOperator?.[0]
    if (sign !== undefined) {
      const operator = scanned(sign).value
      if (operator === 'escape') throw this.unexpected(sign.startOffset)
      const quantifiedTail = quantified?.[0]
      if (quantifiedTail !== undefined) {
        const query = this.subquery(only(quantifiedTail.children.subquery))
        const span = join(left.span, spanOf(tail))
        const quantifier = has(quantifiedTail.children.All) ? 'all' : 'any'
        const operatorSpan = tokenSpan(sign)
        return {
          infix: false,
          ranked: { kind: 'quantified', left, operator, quantifier, query, operatorSpan, span },
        }
      }
      const right = this.#climb(only(operand), row, rank + 1, 0)
      const span = join(left.span, right.span)
      const operatorSpan = tokenSpan(sign)
      return { infix: true, ranked: { kind: 'binary', operator, left, right, operatorSpan, span } }
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

  /** The offset behind the tails taken so far. */
  #behind(row: Row): number {
    const tail = row.tails[row.at - 1]
    return tail === undefined ? this.source.length : spanOf(tail).end
  }

  #isTest(left: Expression, test: IsTestCst, row: Row): { infix: boolean; ranked: Expression } {
    const { Not, Null, True, False, operand } = test.children
    const negated = has(Not)
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

  #membership(left: Expression, node: MembershipCst, row: Row): { infix: boolean; ranked: Expression } {
    const { NotBefore, Between, Symmetric, In, subquery, expressionList, Ilike, operand } = node.children
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
    const { typeName, DoubleColon = [] } = node.children
    let result = this.#primary(node)
    typeName?.forEach((type, i) => {
      this.#grow(result.span)
      const name = this.typeName(type)
      const sign = DoubleColon[i]
      const start = sign === undefined ? result.span.start : Math.min(result.span.start, sign.startOffset)
      result = { kind: 'cast', operand: result, type: name, span: { start, end: name.span.end } }
    })
    return result
  }

  typeName(node: Parameters<typeof typeNameOf>[0]): TypeName {
    return typeNameOf(node, (offset) => this.unexpected(offset))
  }

  #primary(node: OperandCst): Expression {
    const { children } = node
    const literal = children.Literal?.[0]
    if (literal !== undefined) return literalOf(literal)
    const reference = children.reference?.[0]
    if (reference !== undefined) return this.#reference(reference)
    const parenthesised = children.parenthesised?.[0]
    if (parenthesised !== undefined) return this.#parenthesised(parenthesised)
    const subquery = children.subquery?.[0]
    if (subquery !== undefined)
      return { kind: 'subquery', query: this.subquery(subquery), span: spanOf(subquery) }
    const cases = children.caseExpression?.[0]
    if (cases !== undefined) return this.#case(cases)
    const cast = children.castCall?.[0]
    if (cast !== undefined) {
      const { expression, typeName } = cast.children
      const operand = this.expression(only(expression))
      return { kind: 'cast', operand, type: this.typeName(only(typeName)), span: spanOf(cast) }
    }
    const exists = children.existsTest?.[0]
    if (exists !== undefined)
      return { kind: 'exists', query: this.subquery(only(exists.children.subquery)), span: spanOf(exists) }
    const list = children.listCall?.[0]
    if (list !== undefined) {
      const { ListFunction, expressionList } = list.children
      return this.#listCall(scanned(only(ListFunction)), this.expressions(only(expressionList)), spanOf(list))
    }
    return this.#standardCall(node)
  }

  #listCall(word: Token, args: readonly Expression[], span: Span): Expression {
    if (word.value === 'coalesce') return { kind: 'coalesce', args, span }
    if (word.value === 'greatest' || word.value === 'least') return { kind: word.value, args, span }
    const [left, right, more] = args
    if (left === undefined || right === undefined) throw this.unexpected(span.end - 1)
    if (more !== undefined) throw this.unexpected(right.span.end)
    return { kind: 'nullif', left, right, span }
  }

  /** The functions for which the standard has a grammar of its own. */
  #standardCall(node: OperandCst): Expression {
    const { extractCall, positionCall, substringCall, trimCall, currentValue, doubleLiteral } = node.children
    const extract = extractCall?.[0]
    if (extract !== undefined) {
      const { Extract, ColumnId, StringLiteral, expression } = extract.children
      const field = scanned(only(ColumnId ?? StringLiteral))
      const name: Expression = { kind: 'string', value: field.value.toLowerCase(), span: tokenSpan(field) }
      return call(only(Extract), 'extract', [name, this.expression(only(expression))], spanOf(extract))
    }
    const position = positionCall?.[0]
    if (position !== undefined) {
      const { Position, plainExpression, text } = position.children
      const wanted = this.expression(only(plainExpression))
      return call(only(Position), 'position', [this.expression(only(text)), wanted], spanOf(position))
    }
    const substring = substringCall?.[0]
    if (substring !== undefined) return this.#substring(substring)
    const trim = trimCall?.[0]
    if (trim !== undefined) return this.#trim(trim)
    const current = currentValue?.[0]
    if (current !== undefined) {
      const word = only(current.children.CurrentValue)
      const digits = current.children.NumberLiteral?.[0]
      const args = digits === undefined ? [] : [literalOf(digits)]
      return call(word, scanned(word).value, args, spanOf(current))
    }
    const double = only(doubleLiteral)
    const text = only(double.children.StringLiteral)
    const type: TypeName = {
      kind: 'typeName',
      name: 'double precision',
      modifiers: [],
      array: false,
      span: join(tokenSpan(only(double.children.Double)), tokenSpan(only(double.children.Precision))),
    }
    return { kind: 'cast', operand: literalOf(text), type, span: spanOf(double) }
  }

  #substring(node: SubstringCallCst): CallExpression {
    const { Substring, expression, further = [], from, count } = node.children
    const args = [this.expression(only(expression)), ...further.map((item) => this.expression(item))]
    const start = from?.[0]
    const length = count?.[0]
    if (start !== undefined) args.push(this.expression(start))
    else if (length !== undefined) args.push({ kind: 'number', text: '1', span: spanOf(length) })
    if (length !== undefined) args.push(this.expression(length))
    return call(only(Substring), 'substring', args, spanOf(node))
  }

  #trim(node: TrimCallCst): CallExpression {
    const { Trim, Leading, Trailing, first, source, further } = node.children
    const name = has(Leading) ? 'ltrim' : has(Trailing) ? 'rtrim' : 'btrim'
    const leading = first?.[0]
    const text = source?.[0]
    const more = further?.[0]
    const args: Expression[] = []
    // TRIM(what FROM text): the text goes first.
    if (text !== undefined) args.push(...this.expressions(text))
    if (leading !== undefined) args.push(this.expression(leading))
    if (more !== undefined) args.push(...this.expressions(more))
    if (args.length === 0) throw this.unexpected(spanOf(node).end - 1)
    return call(only(Trim), name, args, spanOf(node))
  }

  #parenthesised(node: ParenthesisedCst): Expression {
    const { RowConstructor, expressionList } = node.children
    const list = expressionList?.[0]
    const items = list === undefined ? [] : this.expressions(list)
    const [first] = items
    const span = spanOf(node)
    if (has(RowConstructor) || items.length > 1) return { kind: 'row', items, span }
    if (first === undefined) throw this.unexpected(span.end - 1)
    return first
  }

  #case(node: CaseExpressionCst): CaseExpression {
    const { subject, caseBranch, otherwise } = node.children
    const operand = subject?.[0]
    const last = otherwise?.[0]
    return {
      kind: 'case',
      operand: operand === undefined ? null : this.expression(operand),
      branches: caseBranch.map((branch) => ({
        when: this.expression(only(branch.children.when)),
        result: this.expression(only(branch.children.outcome)),
        span: spanOf(branch),
      })),
      otherwise: last === undefined ? null : this.expression(last),
      span: spanOf(node),
    }
  }

  #reference(node: ReferenceCst): Expression {
    const {
      ColumnId,
      Label = [],
      Star,
      callArguments,
      timeZone,
      StringLiteral,
      IntervalField,
    } = node.children
    const star = Star?.[0]
    if (star !== undefined) throw this.unexpected(star.startOffset)
    const parts = [...ColumnId, ...Label].map(identifier)
    const args = callArguments?.[0]
    if (args !== undefined) return this.callOf(parts, args, spanOf(node))
    const text = StringLiteral?.[0]
    if (text === undefined) return { kind: 'column', parts, span: spanOf(node) }
    const [type, second] = parts
    if (type === undefined || second !== undefined) throw this.unexpected(text.startOffset)
    const zone = timeZone?.[0]
    const field = IntervalField?.[0]
    const literal = literalOf(text)
    if (field !== undefined && (type.name !== 'interval' || literal.kind !== 'string'))
      throw this.unexpected(field.startOffset)
    const operand: Expression =
      field !== undefined && literal.kind === 'string' && /^\s*[-+]?[\d.]+\s*$/.test(literal.value)
        ? { ...literal, value: `${literal.value.trim()} ${scanned(field).value}` }
        : literal
    return {
      kind: 'cast',
      operand,
      type: typedLiteralType(type, zone, (offset) => this.unexpected(offset)),
      span: spanOf(node),
    }
  }

  callOf(parts: readonly Identifier[], node: CallArgumentsCst, span: Span): CallExpression {
    const { Star, Distinct, expressionList, sortList, expression } = node.children
    const list = expressionList?.[0]
    const order = sortList?.[0]
    const filter = expression?.[0]
    const first = only(parts)
    return {
      kind: 'call',
      name: { kind: 'name', parts, span: join(first.span, parts[parts.length - 1]?.span ?? first.span) },
      args: list === undefined ? [] : this.expressions(list),
      star: has(Star),
      distinct: has(Distinct),
      orderBy: order === undefined ? [] : this.sortItems(order),
      filter: filter === undefined ? null : this.expression(filter),
      span,
    }
  }
}

function tailRank(tail: TailCst): number {
  const { InfixOperator, membership } = tail.children
  const sign = InfixOperator?.[0]
  if (sign !== undefined) return infixRank(scanned(sign).value)
  return has(membership) ? RANK.membership : RANK.is
}

/** A chain stays flat, as PostgreSQL keeps it; parentheses around its parts do not matter. */
const operandsOf = (side: Expression, connective: string): Expression[] =>
  (side.kind === 'and' || side.kind === 'or') && side.kind === connective ? [...side.operands] : [side]

function call(word: IToken, name: string, args: readonly Expression[], span: Span): CallExpression {
  const part: Identifier = { kind: 'identifier', name, span: tokenSpan(word) }
  return {
    kind: 'call',
    name: { kind: 'name', parts: [part], span: part.span },
    args,
    star: false,
    distinct: false,
    orderBy: [],
    filter: null,
    span,
  }
}

export function literalOf(token: IToken): Expression {
  const { value, tokenType } = scanned(token)
  const span = tokenSpan(token)
  switch (tokenType.name) {
    case 'StringLiteral':
      return { kind: 'string', value, span }
    case 'NumberLiteral':
      return { kind: 'number', text: value.toLowerCase(), span }
    case 'Parameter':
      return { kind: 'parameter', index: Number(value), span }
    case 'Null':
      return { kind: 'null', span }
    default:
      return { kind: 'boolean', value: value === 'true', span }
  }
}

/** The parts before `.*` when the expression is nothing else. */
function starQualifier(
  node: ExpressionCst,
): { readonly parts: readonly Identifier[]; readonly end: number } | null {
  const { operand, tail } = node.children
  if (has(tail)) return null
  const { reference, PrefixOperator, typeName } = only(operand).children
  const star = reference?.[0]
  if (star === undefined || has(PrefixOperator) || has(typeName)) return null
  const { ColumnId, Label = [], Star, callArguments, StringLiteral } = star.children
  if (!has(Star) || has(callArguments) || has(StringLiteral)) return null
  return { parts: [...ColumnId, ...Label].map(identifier), end: spanOf(star).end }
}
