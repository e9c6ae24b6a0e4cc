import type { IToken } from 'chevrotain'
import { SQLSTATE, type SqlError, sqlError } from '../../errors.ts'
import type {
  ArrayExpression,
  CallExpression,
  CaseExpression,
  Expression,
  Identifier,
  Query,
  SortItem,
  Span,
  TypeName,
} from '../ast.ts'
import type {
  ArrayItemsCst,
  CallArgumentsCst,
  CaseExpressionCst,
  ExpressionCst,
  ExpressionListCst,
  OperandCst,
  OverClauseCst,
  ParenthesisedCst,
  PlacingCst,
  PlainExpressionCst,
  ReferenceCst,
  SortListCst,
  SubqueryCst,
  SubstringCallCst,
  TrimCallCst,
} from '../cst/expression.ts'
import { tooDeep } from '../retag.ts'
import { positionAt, syntaxErrorNear, type Token } from '../scanner.ts'
import { has, identifier, join, only, scanned, spanOf, tokenSpan } from './tree.ts'
import { intervalName, typedLiteralType, typeNameOf } from './type-names.ts'
import { windowOf } from './window.ts'

/** How high an expression may grow. Everything behind the parser recurses over it. */
export const HEIGHT_MAX = 1_200

/** Turns operands into abstract ones: literals, names, calls, and what stands in parentheses. */
export abstract class OperandBuilder {
  protected readonly source: string
  readonly #tokens: readonly Token[]
  /** Height of the highest expression made since it was last set back. */
  protected height = 0

  constructor(source: string, tokens: readonly Token[]) {
    this.source = source
    this.#tokens = tokens
  }

  abstract expression(node: ExpressionCst | PlainExpressionCst): Expression
  abstract subquery(node: SubqueryCst): Query
  abstract sortItems(node: SortListCst): SortItem[]

  /** True while the one argument of SUBSTRING is built, where SIMILAR stands without TO. */
  protected bareSimilar = false

  expressions(node: ExpressionListCst): Expression[] {
    const variadic = node.children.Variadic?.[0]
    if (variadic !== undefined) throw this.unexpected(variadic.startOffset)
    return node.children.expression.map((item) => this.expression(item))
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

  protected grow(span: Span): void {
    if (++this.height > HEIGHT_MAX) throw tooDeep(this.source, span.start)
  }

  typeName(node: Parameters<typeof typeNameOf>[0]): TypeName {
    return typeNameOf(node, (offset) => this.unexpected(offset))
  }

  protected primary(node: OperandCst): Expression {
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
    const array = children.arrayConstructor?.[0]
    if (array !== undefined) {
      const { subquery: rows, arrayItems } = array.children
      const query = rows?.[0]
      const span = spanOf(array)
      if (query !== undefined) return { kind: 'arrayQuery', query: this.subquery(query), span }
      return this.#array(only(arrayItems), span)
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
    if (further.length === 0 && from === undefined && count === undefined)
      return call(only(Substring), 'substring', this.#similarParts(only(expression)), spanOf(node))
    const args = [this.expression(only(expression)), ...further.map((item) => this.expression(item))]
    const start = from?.[0]
    const length = count?.[0]
    if (start !== undefined) args.push(this.expression(start))
    else if (length !== undefined) args.push({ kind: 'number', text: '1', span: spanOf(length) })
    if (length !== undefined) args.push(this.expression(length))
    return call(only(Substring), 'substring', args, spanOf(node))
  }

  /** `text SIMILAR pattern ESCAPE sign` as three arguments; anything else is one. */
  #similarParts(node: ExpressionCst): Expression[] {
    this.bareSimilar = true
    const built = this.expression(node)
    this.bareSimilar = false
    if (built.kind !== 'binary' || built.operator !== '~' || built.right.kind !== 'call') return [built]
    return [built.left, ...built.right.args]
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
      overClause,
      timeZone,
      StringLiteral,
      intervalSpan,
      NumberLiteral,
    } = node.children
    const star = Star?.[0]
    const parts = [...ColumnId, ...Label].map(identifier)
    if (star !== undefined) {
      const last = parts.at(-1)
      if (last === undefined || star.startOffset < last.span.start || callArguments !== undefined)
        throw this.unexpected(star.startOffset)
      const span = spanOf(node)
      return { kind: 'fields', operand: { kind: 'column', parts, span }, span }
    }
    const args = callArguments?.[0]
    const over = overClause?.[0]
    if (args !== undefined && StringLiteral !== undefined)
      return this.#modifiedLiteral(node, parts, args, literalOf(only(StringLiteral)))
    if (args !== undefined) {
      const called = this.callOf(parts, args, spanOf(node))
      return over === undefined ? called : { ...called, over: this.#over(over) }
    }
    const text = StringLiteral?.[0]
    if (text === undefined) return { kind: 'column', parts, span: spanOf(node) }
    const [type, second] = parts
    if (type === undefined || second !== undefined) throw this.unexpected(text.startOffset)
    const zone = timeZone?.[0]
    const span = intervalSpan?.[0]
    const digits = NumberLiteral?.[0]
    if (span !== undefined && type.name !== 'interval') throw this.unexpected(spanOf(span).start)
    const unexpected = (offset: number): Error => this.unexpected(offset)
    const plain = typedLiteralType(type, zone, unexpected)
    return {
      kind: 'cast',
      operand: literalOf(text),
      type: {
        ...plain,
        ...(span === undefined ? {} : { name: intervalName(span, digits !== undefined, unexpected) }),
        ...(digits === undefined ? {} : { modifiers: [Number(digits.image)] }),
      },
      span: spanOf(node),
    }
  }

  /** `numeric(5, 2) '1.25'` */
  #modifiedLiteral(
    node: ReferenceCst,
    parts: readonly Identifier[],
    args: CallArgumentsCst,
    operand: Expression,
  ): Expression {
    const [type, second] = parts
    if (type === undefined || second !== undefined) throw this.unexpected(operand.span.start)
    const called = this.callOf(parts, args, spanOf(node))
    const modifiers = called.args.map((arg) => {
      if (arg.kind !== 'number' || !/^\d+$/.test(arg.text)) throw this.unexpected(arg.span.start)
      return Number(arg.text)
    })
    const zone = node.children.timeZone?.[0]
    const plain = typedLiteralType(type, zone, (offset) => this.unexpected(offset))
    return { kind: 'cast', operand, type: { ...plain, modifiers }, span: spanOf(node) }
  }

  /** Arguments of a call, of which the last one may be VARIADIC. */
  #arguments(list: ExpressionListCst): Expression[] {
    const { Variadic = [], Comma = [], expression } = list.children
    const [word, more] = Variadic
    if (more !== undefined) throw this.unexpected(more.startOffset)
    if (word !== undefined && word.startOffset < (Comma.at(-1)?.startOffset ?? -1))
      throw this.unexpected(
        (Comma.find(({ startOffset }) => startOffset > word.startOffset) ?? word).startOffset,
      )
    return expression.map((item) => this.expression(item))
  }

  /** PLACING, FROM and FOR of OVERLAY as arguments. */
  #placed(node: PlacingCst | undefined): Expression[] {
    if (node === undefined) return []
    const { expression, from, count = [] } = node.children
    return [...expression, ...from, ...count].map((part) => this.expression(part))
  }

  callOf(parts: readonly Identifier[], node: CallArgumentsCst, span: Span): CallExpression {
    const { Star, Distinct, expressionList, sortList, placing, withinGroup, expression } = node.children
    const list = expressionList?.[0]
    const order = sortList?.[0]
    const within = withinGroup?.[0]
    const filter = expression?.[0]
    const first = only(parts)
    return {
      kind: 'call',
      name: { kind: 'name', parts, span: join(first.span, parts[parts.length - 1]?.span ?? first.span) },
      args: [...(list === undefined ? [] : this.#arguments(list)), ...this.#placed(placing?.[0])],
      ...(list?.children.Variadic === undefined ? {} : { variadic: true }),
      star: has(Star),
      distinct: has(Distinct),
      orderBy: order === undefined ? [] : this.sortItems(order),
      withinGroup: within === undefined ? [] : this.sortItems(within),
      filter: filter === undefined ? null : this.expression(filter),
      over: null,
      span,
    }
  }

  #array(node: ArrayItemsCst, span: Span): ArrayExpression {
    const { arrayItems = [], expression = [] } = node.children
    const items: Expression[] = [
      ...arrayItems.map((inner) => this.#array(inner, spanOf(inner))),
      ...expression.map((item) => this.expression(item)),
    ]
    // The tree keeps the two kinds apart; the source tells their order.
    items.sort((a, b) => a.span.start - b.span.start)
    this.grow(span)
    return { kind: 'array', items, span }
  }

  #over(node: OverClauseCst): CallExpression['over'] {
    const { windowName, windowSpec } = node.children
    const name = windowName?.[0]
    return name === undefined ? windowOf(only(windowSpec), this) : identifier(name)
  }
}

/** A call that the source spells in another way. */
export function call(word: IToken, name: string, args: readonly Expression[], span: Span): CallExpression {
  const part: Identifier = { kind: 'identifier', name, span: tokenSpan(word) }
  return {
    kind: 'call',
    name: { kind: 'name', parts: [part], span: part.span },
    args,
    star: false,
    distinct: false,
    orderBy: [],
    withinGroup: [],
    filter: null,
    over: null,
    span,
  }
}

/** Its length is that of its digits. */
function bitLiteral(value: string, span: Span): Expression {
  const length = (value.length - 1) * (value.startsWith('x') ? 4 : 1)
  const name = length === 0 ? 'bit varying' : 'bit'
  const modifiers = length === 0 ? [] : [length]
  const type: TypeName = { kind: 'typeName', name, modifiers, array: false, span }
  return { kind: 'cast', operand: { kind: 'string', value, span }, type, span }
}

export function literalOf(token: IToken): Expression {
  const { value, tokenType } = scanned(token)
  const span = tokenSpan(token)
  switch (tokenType.name) {
    case 'StringLiteral':
      return { kind: 'string', value, span }
    case 'BitLiteral':
      return bitLiteral(value, span)
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
