import {
  AtTimeZone,
  BareLabel,
  Colon,
  ColumnId,
  Comma,
  Dot,
  DoubleColon,
  Identifier,
  InfixOperator,
  keyword,
  Label,
  LBracket,
  Literal,
  LParen,
  NotBefore,
  NumberLiteral,
  PrefixOperator,
  QueryParen,
  RBracket,
  RowConstructor,
  RParen,
  Star,
  StringLiteral,
} from '../tokens.ts'
import { CallGrammar } from './call-grammar.ts'
import type { Rule } from './rule.ts'

const ALL = keyword('all')
const ANY = keyword('any')
const ARRAY = keyword('array')
const COLLATE = keyword('collate')
const AS = keyword('as')
const ASYMMETRIC = keyword('asymmetric')
const BETWEEN = keyword('between')
const DISTINCT = keyword('distinct')
const FALSE = keyword('false')
const FROM = keyword('from')
const ILIKE = keyword('ilike')
const IN = keyword('in')
const IS = keyword('is')
const ISNULL = keyword('isnull')
const LIKE = keyword('like')
const NOT = keyword('not')
const NOTNULL = keyword('notnull')
const NULL = keyword('null')
const SIMILAR = keyword('similar')
const VARIADIC = keyword('variadic')
const SOME = keyword('some')
const SYMMETRIC = keyword('symmetric')
const TIME = keyword('time')
const TRUE = keyword('true')
const UNKNOWN = keyword('unknown')
const ZONE = keyword('zone')
const TO = keyword('to')

/**
 * An expression is a flat row of operands and what stands between them; the
 * builder ranks it by precedence. That keeps the concrete tree shallow, and precedence in one table. One token
 * of look-ahead decides everywhere (`retag` sees to it).
 */
export abstract class ExpressionGrammar extends CallGrammar {
  abstract readonly query: Rule

  readonly expression: Rule = this.RULE('expression', () => {
    this.SUBRULE(this.operand)
    this.MANY(() => {
      this.SUBRULE(this.tail)
    })
  })

  readonly operand: Rule = this.RULE('operand', () => {
    this.MANY(() => {
      this.CONSUME(PrefixOperator)
    })
    this.OR([
      { ALT: () => this.CONSUME(Literal) },
      { ALT: () => this.SUBRULE(this.caseExpression) },
      { ALT: () => this.SUBRULE(this.castCall) },
      { ALT: () => this.SUBRULE(this.existsTest) },
      { ALT: () => this.SUBRULE(this.listCall) },
      { ALT: () => this.SUBRULE(this.extractCall) },
      { ALT: () => this.SUBRULE(this.positionCall) },
      { ALT: () => this.SUBRULE(this.substringCall) },
      { ALT: () => this.SUBRULE(this.trimCall) },
      { ALT: () => this.SUBRULE(this.currentValue) },
      { ALT: () => this.SUBRULE(this.subquery) },
      { ALT: () => this.SUBRULE(this.parenthesised) },
      { ALT: () => this.SUBRULE(this.doubleLiteral) },
      { ALT: () => this.SUBRULE(this.arrayConstructor) },
      { ALT: () => this.SUBRULE(this.reference), IGNORE_AMBIGUITIES: true },
    ])
    this.MANY2(() => this.SUBRULE(this.suffix))
  })

  /** What binds most tightly behind an operand. */
  readonly suffix: Rule = this.RULE('suffix', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(DoubleColon)
          this.SUBRULE(this.typeName)
        },
      },
      { ALT: () => this.SUBRULE(this.subscript) },
      {
        ALT: () => {
          this.CONSUME(Dot)
          this.OR2([{ ALT: () => this.CONSUME(Label) }, { ALT: () => this.CONSUME(Star) }])
        },
      },
      {
        ALT: () => {
          this.CONSUME(COLLATE)
          this.SUBRULE(this.qualifiedName)
        },
      },
    ])
  })

  /** `[1]`, `[1:2]`, `[:2]`, `[1:]`, `[:]`. */
  readonly subscript: Rule = this.RULE('subscript', () => {
    this.CONSUME(LBracket)
    this.OPTION(() => this.SUBRULE(this.expression, { LABEL: 'lower' }))
    this.OPTION2(() => {
      this.CONSUME(Colon)
      this.OPTION3(() => this.SUBRULE2(this.expression, { LABEL: 'upper' }))
    })
    this.CONSUME(RBracket)
  })

  readonly arrayConstructor: Rule = this.RULE('arrayConstructor', () => {
    this.CONSUME(ARRAY)
    this.OR([{ ALT: () => this.SUBRULE(this.subquery) }, { ALT: () => this.SUBRULE(this.arrayItems) }])
  })

  /** Inside another array the word ARRAY may be left out. */
  readonly arrayItems: Rule = this.RULE('arrayItems', () => {
    this.CONSUME(LBracket)
    this.MANY_SEP({
      SEP: Comma,
      DEF: () => {
        this.OR([{ ALT: () => this.SUBRULE(this.arrayItems) }, { ALT: () => this.SUBRULE(this.expression) }])
      },
    })
    this.CONSUME(RBracket)
  })

  readonly tail: Rule = this.RULE('tail', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(InfixOperator)
          this.OR2([
            { ALT: () => this.SUBRULE(this.quantified) },
            { ALT: () => this.SUBRULE(this.operand), IGNORE_AMBIGUITIES: true },
          ])
        },
      },
      { ALT: () => this.SUBRULE(this.isTest) },
      {
        ALT: () => {
          this.CONSUME(AtTimeZone)
          this.CONSUME(TIME)
          this.CONSUME(ZONE)
          this.SUBRULE2(this.operand)
        },
      },
      { ALT: () => this.CONSUME(ISNULL) },
      { ALT: () => this.CONSUME(NOTNULL) },
      { ALT: () => this.SUBRULE(this.membership) },
    ])
  })

  readonly quantified: Rule = this.RULE('quantified', () => {
    this.OR([
      { ALT: () => this.CONSUME(ANY) },
      { ALT: () => this.CONSUME(SOME) },
      { ALT: () => this.CONSUME(ALL) },
    ])
    this.OR2([
      { ALT: () => this.SUBRULE(this.subquery) },
      {
        ALT: () => {
          this.CONSUME(LParen)
          this.SUBRULE(this.expression)
          this.CONSUME(RParen)
        },
      },
    ])
  })

  readonly isTest: Rule = this.RULE('isTest', () => {
    this.CONSUME(IS)
    this.OPTION(() => this.CONSUME(NOT))
    this.OR([
      { ALT: () => this.CONSUME(NULL) },
      { ALT: () => this.CONSUME(TRUE) },
      { ALT: () => this.CONSUME(FALSE) },
      { ALT: () => this.CONSUME(UNKNOWN) },
      {
        ALT: () => {
          // NORMALIZED, or a form before it.
          this.CONSUME(Identifier)
          this.OPTION2({
            GATE: () => /^nfk?[cd]$/i.test(this.LA(0).image),
            DEF: () => this.CONSUME2(Identifier),
          })
        },
      },
      {
        ALT: () => {
          this.CONSUME(DISTINCT)
          this.CONSUME(FROM)
          this.SUBRULE(this.operand)
        },
      },
    ])
  })

  /** BETWEEN, IN, LIKE and SIMILAR TO. The AND of BETWEEN and the ESCAPE of LIKE follow as tails of their own. */
  readonly membership: Rule = this.RULE('membership', () => {
    this.OPTION(() => this.CONSUME(NotBefore))
    this.OR([
      {
        ALT: () => {
          this.CONSUME(BETWEEN)
          this.OPTION2(() => {
            this.OR2([{ ALT: () => this.CONSUME(SYMMETRIC) }, { ALT: () => this.CONSUME(ASYMMETRIC) }])
          })
          this.SUBRULE(this.operand)
        },
      },
      {
        ALT: () => {
          this.CONSUME(IN)
          this.OR3([
            { ALT: () => this.SUBRULE(this.subquery) },
            {
              ALT: () => {
                this.CONSUME(LParen)
                this.SUBRULE(this.expressionList)
                this.CONSUME(RParen)
              },
            },
          ])
        },
      },
      {
        ALT: () => {
          this.OR4([{ ALT: () => this.CONSUME(LIKE) }, { ALT: () => this.CONSUME(ILIKE) }])
          this.OR5([
            { ALT: () => this.SUBRULE(this.quantified) },
            { ALT: () => this.SUBRULE2(this.operand), IGNORE_AMBIGUITIES: true },
          ])
        },
      },
      {
        ALT: () => {
          this.CONSUME(SIMILAR)
          // Without TO in SUBSTRING, and nowhere else.
          this.OPTION3(() => this.CONSUME(TO))
          this.SUBRULE3(this.operand)
        },
      },
    ])
  })

  readonly expressionList: Rule = this.RULE('expressionList', () => {
    this.AT_LEAST_ONE_SEP({
      SEP: Comma,
      DEF: () => {
        // Only in the arguments of a call; the builder refuses it elsewhere.
        this.OPTION(() => this.CONSUME(VARIADIC))
        this.SUBRULE(this.expression)
      },
    })
  })

  readonly subquery: Rule = this.RULE('subquery', () => {
    this.CONSUME(QueryParen)
    this.SUBRULE(this.query)
    this.CONSUME(RParen)
  })

  readonly parenthesised: Rule = this.RULE('parenthesised', () => {
    this.OPTION(() => this.CONSUME(RowConstructor))
    this.CONSUME(LParen)
    this.OPTION2(() => this.SUBRULE(this.expressionList))
    this.CONSUME(RParen)
  })

  /** A column, a call, or a type before its literal. */
  readonly reference: Rule = this.RULE('reference', () => {
    this.CONSUME(ColumnId)
    this.MANY(() => {
      this.CONSUME(Dot)
      this.OR([{ ALT: () => this.CONSUME(Label) }, { ALT: () => this.CONSUME(Star) }])
    })
    this.OPTION(() => {
      this.OR2([
        {
          ALT: () => {
            this.SUBRULE(this.callArguments)
            this.OPTION4(() => {
              this.OR3([
                { ALT: () => this.SUBRULE(this.overClause) },
                {
                  ALT: () => {
                    this.OPTION6(() => this.SUBRULE2(this.timeZone))
                    this.CONSUME2(StringLiteral)
                  },
                },
              ])
            })
          },
        },
        {
          ALT: () => {
            this.OPTION2(() => this.SUBRULE(this.timeZone))
            this.CONSUME(StringLiteral)
            this.OPTION3(() => {
              this.SUBRULE(this.intervalSpan)
              this.OPTION7(() => {
                this.CONSUME(LParen)
                this.CONSUME(NumberLiteral)
                this.CONSUME(RParen)
              })
            })
          },
        },
      ])
    })
  })

  readonly selectItem: Rule = this.RULE('selectItem', () => {
    this.OR([
      { ALT: () => this.CONSUME(Star) },
      {
        ALT: () => {
          this.SUBRULE(this.expression)
          this.OPTION(() => {
            this.OR2([
              {
                ALT: () => {
                  this.CONSUME(AS)
                  this.CONSUME(Label, { LABEL: 'alias' })
                },
              },
              { ALT: () => this.CONSUME(BareLabel, { LABEL: 'alias' }) },
            ])
          })
        },
      },
    ])
  })

  readonly selectItems: Rule = this.RULE('selectItems', () => {
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.selectItem) })
  })
}
