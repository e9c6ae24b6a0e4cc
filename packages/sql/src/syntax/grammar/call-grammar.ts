import {
  ColumnId,
  Comma,
  CurrentValue,
  InfixOperator,
  keyword,
  ListFunction,
  LParen,
  NumberLiteral,
  RParen,
  Star,
  StringLiteral,
} from '../tokens.ts'
import { NameGrammar } from './name-grammar.ts'
import type { Rule } from './rule.ts'

const ALL = keyword('all')
const AND = keyword('and')
const AS = keyword('as')
const ASC = keyword('asc')
const BETWEEN = keyword('between')
const BOTH = keyword('both')
const BY = keyword('by')
const CASE = keyword('case')
const CAST = keyword('cast')
const CURRENT = keyword('current')
const DESC = keyword('desc')
const DISTINCT = keyword('distinct')
const DOUBLE = keyword('double')
const ELSE = keyword('else')
const END = keyword('end')
const EXCLUDE = keyword('exclude')
const EXISTS = keyword('exists')
const EXTRACT = keyword('extract')
const FILTER = keyword('filter')
const FIRST = keyword('first')
const FOLLOWING = keyword('following')
const FOR = keyword('for')
const FROM = keyword('from')
const GROUP = keyword('group')
const GROUPS = keyword('groups')
const IN = keyword('in')
const LAST = keyword('last')
const LEADING = keyword('leading')
const NO = keyword('no')
const NULLS = keyword('nulls')
const ORDER = keyword('order')
const OTHERS = keyword('others')
const OVER = keyword('over')
const PARTITION = keyword('partition')
const PLACING = keyword('placing')
const POSITION = keyword('position')
const PRECEDING = keyword('preceding')
const PRECISION = keyword('precision')
const RANGE = keyword('range')
const ROW = keyword('row')
const ROWS = keyword('rows')
const SUBSTRING = keyword('substring')
const THEN = keyword('then')
const TIES = keyword('ties')
const TRAILING = keyword('trailing')
const TRIM = keyword('trim')
const UNBOUNDED = keyword('unbounded')
const WHEN = keyword('when')
const WHERE = keyword('where')
const WITHIN = keyword('within')

/** Inside a window's parentheses these are no names of windows. */
const windowWords = new Set([PARTITION, RANGE, ROWS, GROUPS])

/** What looks like a function: calls with all their clauses, and what has a grammar of its own. */
export abstract class CallGrammar extends NameGrammar {
  abstract readonly expression: Rule
  abstract readonly operand: Rule
  abstract readonly expressionList: Rule
  abstract readonly subquery: Rule

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
    // Without any of these it is `text SIMILAR pattern ESCAPE sign`.
    this.OPTION3(() =>
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
      ]),
    )
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

  readonly doubleLiteral: Rule = this.RULE('doubleLiteral', () => {
    this.CONSUME(DOUBLE)
    this.CONSUME(PRECISION)
    this.CONSUME(StringLiteral)
  })

  /** Behind the text of OVERLAY: `PLACING part FROM start [FOR count]`. */
  readonly placing: Rule = this.RULE('placing', () => {
    this.CONSUME(PLACING)
    this.SUBRULE(this.expression)
    this.CONSUME(FROM)
    this.SUBRULE2(this.expression, { LABEL: 'from' })
    this.OPTION(() => {
      this.CONSUME(FOR)
      this.SUBRULE3(this.expression, { LABEL: 'count' })
    })
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
            this.OPTION6(() => this.SUBRULE(this.placing))
          },
        },
      ])
    })
    this.CONSUME(RParen)
    this.OPTION5(() => {
      this.CONSUME(WITHIN)
      this.CONSUME(GROUP)
      this.CONSUME3(LParen)
      this.CONSUME2(ORDER)
      this.CONSUME2(BY)
      this.SUBRULE2(this.sortList, { LABEL: 'withinGroup' })
      this.CONSUME3(RParen)
    })
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
      this.OR([
        { ALT: () => this.CONSUME(ASC) },
        { ALT: () => this.CONSUME(DESC) },
        {
          ALT: () => {
            this.CONSUME(keyword('using'))
            this.CONSUME(InfixOperator)
          },
        },
      ])
    })
    this.OPTION2(() => {
      this.CONSUME(NULLS)
      this.OR2([{ ALT: () => this.CONSUME(FIRST) }, { ALT: () => this.CONSUME(LAST) }])
    })
  })

  readonly overClause: Rule = this.RULE('overClause', () => {
    this.CONSUME(OVER)
    this.OR([
      { ALT: () => this.CONSUME(ColumnId, { LABEL: 'windowName' }) },
      { ALT: () => this.SUBRULE(this.windowSpec) },
    ])
  })

  /** A window that begins with a name is that window with more to it. */
  readonly windowSpec: Rule = this.RULE('windowSpec', () => {
    this.CONSUME(LParen)
    this.OPTION({
      GATE: () => !windowWords.has(this.LA(1).tokenType),
      DEF: () => this.CONSUME(ColumnId, { LABEL: 'base' }),
    })
    this.OPTION2(() => {
      this.CONSUME(PARTITION)
      this.CONSUME(BY)
      this.SUBRULE(this.expressionList, { LABEL: 'partitionBy' })
    })
    this.OPTION3(() => {
      this.CONSUME(ORDER)
      this.CONSUME2(BY)
      this.SUBRULE(this.sortList)
    })
    this.OPTION4(() => this.SUBRULE(this.frameClause))
    this.CONSUME(RParen)
  })

  readonly frameClause: Rule = this.RULE('frameClause', () => {
    this.OR([
      { ALT: () => this.CONSUME(ROWS) },
      { ALT: () => this.CONSUME(RANGE) },
      { ALT: () => this.CONSUME(GROUPS) },
    ])
    this.OR2([
      {
        ALT: () => {
          this.CONSUME(BETWEEN)
          this.SUBRULE(this.frameBound)
          this.CONSUME(AND)
          this.SUBRULE2(this.frameBound)
        },
      },
      { ALT: () => this.SUBRULE3(this.frameBound), IGNORE_AMBIGUITIES: true },
    ])
    this.OPTION(() => {
      this.CONSUME(EXCLUDE)
      this.OR3([
        {
          ALT: () => {
            this.CONSUME(CURRENT)
            this.CONSUME(ROW)
          },
        },
        { ALT: () => this.CONSUME(GROUP) },
        { ALT: () => this.CONSUME(TIES) },
        {
          ALT: () => {
            this.CONSUME(NO)
            this.CONSUME(OTHERS)
          },
        },
      ])
    })
  })

  readonly frameBound: Rule = this.RULE('frameBound', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(UNBOUNDED)
          this.OR2([{ ALT: () => this.CONSUME(PRECEDING) }, { ALT: () => this.CONSUME(FOLLOWING) }])
        },
      },
      {
        GATE: () => this.LA(2).tokenType === ROW,
        ALT: () => {
          this.CONSUME(CURRENT)
          this.CONSUME(ROW)
        },
      },
      {
        ALT: () => {
          this.SUBRULE(this.expression)
          this.OR3([{ ALT: () => this.CONSUME2(PRECEDING) }, { ALT: () => this.CONSUME2(FOLLOWING) }])
        },
        IGNORE_AMBIGUITIES: true,
      },
    ])
  })
}
