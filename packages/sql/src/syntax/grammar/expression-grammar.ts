import { CstParser } from 'chevrotain'
import {
  BareLabel,
  ColumnId,
  Comma,
  CurrentValue,
  Dot,
  DoubleColon,
  InfixOperator,
  IntervalField,
  keyword,
  Label,
  LBracket,
  ListFunction,
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
  vocabulary,
  WithTime,
} from '../tokens.ts'
import type { Rule } from './rule.ts'

const ALL = keyword('all')
const ANY = keyword('any')
const AS = keyword('as')
const ASC = keyword('asc')
const ASYMMETRIC = keyword('asymmetric')
const BETWEEN = keyword('between')
const BOTH = keyword('both')
const BY = keyword('by')
const CASE = keyword('case')
const CAST = keyword('cast')
const CHAR = keyword('char')
const CHARACTER = keyword('character')
const DESC = keyword('desc')
const DISTINCT = keyword('distinct')
const DOUBLE = keyword('double')
const ELSE = keyword('else')
const END = keyword('end')
const EXISTS = keyword('exists')
const EXTRACT = keyword('extract')
const FALSE = keyword('false')
const FILTER = keyword('filter')
const FIRST = keyword('first')
const FOR = keyword('for')
const FROM = keyword('from')
const ILIKE = keyword('ilike')
const IN = keyword('in')
const INTERVAL = keyword('interval')
const IS = keyword('is')
const ISNULL = keyword('isnull')
const LAST = keyword('last')
const LEADING = keyword('leading')
const LIKE = keyword('like')
const NOT = keyword('not')
const NOTNULL = keyword('notnull')
const NULL = keyword('null')
const NULLS = keyword('nulls')
const ORDER = keyword('order')
const POSITION = keyword('position')
const PRECISION = keyword('precision')
const SOME = keyword('some')
const SUBSTRING = keyword('substring')
const SYMMETRIC = keyword('symmetric')
const THEN = keyword('then')
const TIME = keyword('time')
const TRAILING = keyword('trailing')
const TRIM = keyword('trim')
const TRUE = keyword('true')
const UNKNOWN = keyword('unknown')
const VARYING = keyword('varying')
const WHEN = keyword('when')
const WHERE = keyword('where')
const WITHOUT = keyword('without')
const ZONE = keyword('zone')

/**
 * Expressions, names and types. An expression is a flat row of operands and what stands between them; the
 * builder ranks it by precedence. That keeps the concrete tree shallow, and precedence in one table. One token
 * of look-ahead decides everywhere (`retag` sees to it).
 */
export abstract class ExpressionGrammar extends CstParser {
  abstract readonly query: Rule

  constructor() {
    super(vocabulary, { maxLookahead: 1, recoveryEnabled: false, nodeLocationTracking: 'onlyOffset' })
  }

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
      { ALT: () => this.SUBRULE(this.reference), IGNORE_AMBIGUITIES: true },
    ])
    this.MANY2(() => {
      this.CONSUME(DoubleColon)
      this.SUBRULE(this.typeName)
    })
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
    this.SUBRULE(this.subquery)
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
          this.CONSUME(DISTINCT)
          this.CONSUME(FROM)
          this.SUBRULE(this.operand)
        },
      },
    ])
  })

  /** BETWEEN, IN and LIKE. The AND of BETWEEN and the ESCAPE of LIKE follow as tails of their own. */
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
          this.SUBRULE2(this.operand)
        },
      },
    ])
  })

  readonly expressionList: Rule = this.RULE('expressionList', () => {
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.expression) })
  })

  readonly caseExpression: Rule = this.RULE('caseExpression', () => {
    this.CONSUME(CASE)
    this.OPTION(() => this.SUBRULE(this.expression, { LABEL: 'subject' }))
    this.AT_LEAST_ONE(() => this.SUBRULE(this.caseBranch))
    this.OPTION2(() => {
      this.CONSUME(ELSE)
      this.SUBRULE2(this.expression, { LABEL: 'otherwise' })
    })
    this.CONSUME(END)
  })

  readonly caseBranch: Rule = this.RULE('caseBranch', () => {
    this.CONSUME(WHEN)
    this.SUBRULE(this.expression, { LABEL: 'when' })
    this.CONSUME(THEN)
    this.SUBRULE2(this.expression, { LABEL: 'outcome' })
  })

  readonly castCall: Rule = this.RULE('castCall', () => {
    this.CONSUME(CAST)
    this.CONSUME(LParen)
    this.SUBRULE(this.expression)
    this.CONSUME(AS)
    this.SUBRULE(this.typeName)
    this.CONSUME(RParen)
  })

  readonly existsTest: Rule = this.RULE('existsTest', () => {
    this.CONSUME(EXISTS)
    this.SUBRULE(this.subquery)
  })

  readonly listCall: Rule = this.RULE('listCall', () => {
    this.CONSUME(ListFunction)
    this.CONSUME(LParen)
    this.SUBRULE(this.expressionList)
    this.CONSUME(RParen)
  })

  readonly extractCall: Rule = this.RULE('extractCall', () => {
    this.CONSUME(EXTRACT)
    this.CONSUME(LParen)
    this.OR([{ ALT: () => this.CONSUME(ColumnId) }, { ALT: () => this.CONSUME(StringLiteral) }])
    this.CONSUME(FROM)
    this.SUBRULE(this.expression)
    this.CONSUME(RParen)
  })

  readonly positionCall: Rule = this.RULE('positionCall', () => {
    this.CONSUME(POSITION)
    this.CONSUME(LParen)
    // IN is no operator here, so this is an operand with plain operators only.
    this.SUBRULE(this.plainExpression)
    this.CONSUME(IN)
    this.SUBRULE2(this.plainExpression, { LABEL: 'text' })
    this.CONSUME(RParen)
  })

  readonly plainExpression: Rule = this.RULE('plainExpression', () => {
    this.SUBRULE(this.operand)
    this.MANY(() => this.SUBRULE(this.plainTail))
  })

  readonly plainTail: Rule = this.RULE('plainTail', () => {
    this.CONSUME(InfixOperator)
    this.SUBRULE(this.operand)
  })

  readonly substringCall: Rule = this.RULE('substringCall', () => {
    this.CONSUME(SUBSTRING)
    this.CONSUME(LParen)
    this.SUBRULE(this.expression)
    this.OR([
      {
        ALT: () => {
          this.AT_LEAST_ONE(() => {
            this.CONSUME(Comma)
            this.SUBRULE2(this.expression, { LABEL: 'further' })
          })
        },
      },
      {
        ALT: () => {
          this.CONSUME(FROM)
          this.SUBRULE3(this.expression, { LABEL: 'from' })
          this.OPTION(() => {
            this.CONSUME(FOR)
            this.SUBRULE4(this.expression, { LABEL: 'count' })
          })
        },
      },
      {
        ALT: () => {
          this.CONSUME2(FOR)
          this.SUBRULE5(this.expression, { LABEL: 'count' })
          this.OPTION2(() => {
            this.CONSUME2(FROM)
            this.SUBRULE6(this.expression, { LABEL: 'from' })
          })
        },
      },
    ])
    this.CONSUME(RParen)
  })

  readonly trimCall: Rule = this.RULE('trimCall', () => {
    this.CONSUME(TRIM)
    this.CONSUME(LParen)
    this.OPTION(() => {
      this.OR([
        { ALT: () => this.CONSUME(BOTH) },
        { ALT: () => this.CONSUME(LEADING) },
        { ALT: () => this.CONSUME(TRAILING) },
      ])
    })
    this.OPTION2(() => this.SUBRULE(this.expression, { LABEL: 'first' }))
    this.OPTION3(() => {
      this.CONSUME(FROM)
      this.SUBRULE(this.expressionList, { LABEL: 'source' })
    })
    this.OPTION4(() => {
      this.CONSUME(Comma)
      this.SUBRULE2(this.expressionList, { LABEL: 'further' })
    })
    this.CONSUME(RParen)
  })

  readonly currentValue: Rule = this.RULE('currentValue', () => {
    this.CONSUME(CurrentValue)
    this.OPTION(() => {
      this.CONSUME(LParen)
      this.CONSUME(NumberLiteral)
      this.CONSUME(RParen)
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

  readonly doubleLiteral: Rule = this.RULE('doubleLiteral', () => {
    this.CONSUME(DOUBLE)
    this.CONSUME(PRECISION)
    this.CONSUME(StringLiteral)
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
        { ALT: () => this.SUBRULE(this.callArguments) },
        {
          ALT: () => {
            this.OPTION2(() => this.SUBRULE(this.timeZone))
            this.CONSUME(StringLiteral)
            this.OPTION3(() => this.CONSUME(IntervalField))
          },
        },
      ])
    })
  })

  readonly timeZone: Rule = this.RULE('timeZone', () => {
    this.OR([{ ALT: () => this.CONSUME(WITHOUT) }, { ALT: () => this.CONSUME(WithTime) }])
    this.CONSUME(TIME)
    this.CONSUME(ZONE)
  })

  readonly callArguments: Rule = this.RULE('callArguments', () => {
    this.CONSUME(LParen)
    this.OPTION(() => {
      this.OR([
        { ALT: () => this.CONSUME(Star) },
        {
          ALT: () => {
            this.OPTION2(() => {
              this.OR2([{ ALT: () => this.CONSUME(DISTINCT) }, { ALT: () => this.CONSUME(ALL) }])
            })
            this.SUBRULE(this.expressionList)
            this.OPTION3(() => {
              this.CONSUME(ORDER)
              this.CONSUME(BY)
              this.SUBRULE(this.sortList)
            })
          },
        },
      ])
    })
    this.CONSUME(RParen)
    this.OPTION4(() => {
      this.CONSUME(FILTER)
      this.CONSUME2(LParen)
      this.CONSUME(WHERE)
      this.SUBRULE(this.expression)
      this.CONSUME2(RParen)
    })
  })

  readonly sortList: Rule = this.RULE('sortList', () => {
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.sortItem) })
  })

  readonly sortItem: Rule = this.RULE('sortItem', () => {
    this.SUBRULE(this.expression)
    this.OPTION(() => {
      this.OR([{ ALT: () => this.CONSUME(ASC) }, { ALT: () => this.CONSUME(DESC) }])
    })
    this.OPTION2(() => {
      this.CONSUME(NULLS)
      this.OR2([{ ALT: () => this.CONSUME(FIRST) }, { ALT: () => this.CONSUME(LAST) }])
    })
  })

  readonly typeName: Rule = this.RULE('typeName', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(DOUBLE)
          this.CONSUME(PRECISION)
        },
      },
      {
        ALT: () => {
          this.OR2([{ ALT: () => this.CONSUME(CHARACTER) }, { ALT: () => this.CONSUME(CHAR) }])
          this.OPTION(() => this.CONSUME(VARYING))
        },
      },
      { ALT: () => this.CONSUME(INTERVAL) },
      { ALT: () => this.SUBRULE(this.qualifiedName), IGNORE_AMBIGUITIES: true },
    ])
    this.OPTION2(() => {
      this.CONSUME(LParen)
      this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.CONSUME(NumberLiteral) })
      this.CONSUME(RParen)
    })
    this.OPTION3(() => this.SUBRULE(this.timeZone))
    this.MANY(() => {
      this.CONSUME(LBracket)
      this.CONSUME(RBracket)
    })
  })

  readonly qualifiedName: Rule = this.RULE('qualifiedName', () => {
    this.CONSUME(ColumnId)
    this.MANY(() => {
      this.CONSUME(Dot)
      this.CONSUME(Label)
    })
  })

  readonly nameList: Rule = this.RULE('nameList', () => {
    this.CONSUME(LParen)
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.CONSUME(ColumnId) })
    this.CONSUME(RParen)
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
