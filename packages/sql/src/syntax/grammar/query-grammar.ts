import { ColumnId, Comma, keyword, LParen, NumberLiteral, Parameter, RParen } from '../tokens.ts'
import { ExpressionGrammar } from './expression-grammar.ts'
import type { Rule } from './rule.ts'

const ALL = keyword('all')
const AS = keyword('as')
const BY = keyword('by')
const CROSS = keyword('cross')
const DEFAULT = keyword('default')
const DISTINCT = keyword('distinct')
const EXCEPT = keyword('except')
const FETCH = keyword('fetch')
const FIRST = keyword('first')
const FROM = keyword('from')
const FULL = keyword('full')
const GROUP = keyword('group')
const HAVING = keyword('having')
const INNER = keyword('inner')
const INTERSECT = keyword('intersect')
const JOIN = keyword('join')
const LATERAL = keyword('lateral')
const LEFT = keyword('left')
const LIMIT = keyword('limit')
const MATERIALIZED = keyword('materialized')
const NATURAL = keyword('natural')
const NEXT = keyword('next')
const NOT = keyword('not')
const OFFSET = keyword('offset')
const ON = keyword('on')
const ONLY = keyword('only')
const ORDER = keyword('order')
const OUTER = keyword('outer')
const RECURSIVE = keyword('recursive')
const RIGHT = keyword('right')
const ROW = keyword('row')
const ROWS = keyword('rows')
const SELECT = keyword('select')
const SET = keyword('set')
const TABLE = keyword('table')
const UNION = keyword('union')
const USING = keyword('using')
const VALUES = keyword('values')
const WHERE = keyword('where')
const WITH = keyword('with')

/** Queries. Set operations are a flat row as well, which the builder ranks. */
export abstract class QueryGrammar extends ExpressionGrammar {
  readonly query: Rule = this.RULE('query', () => {
    this.OPTION(() => this.SUBRULE(this.withClause))
    this.SUBRULE(this.queryTerm)
    this.MANY(() => this.SUBRULE(this.setTail))
    this.OPTION2(() => {
      this.CONSUME(ORDER)
      this.CONSUME(BY)
      this.SUBRULE(this.sortList)
    })
    this.MANY2(() => this.SUBRULE(this.limitClause))
  })

  readonly withClause: Rule = this.RULE('withClause', () => {
    this.CONSUME(WITH)
    this.OPTION(() => this.CONSUME(RECURSIVE))
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.commonTable) })
  })

  readonly commonTable: Rule = this.RULE('commonTable', () => {
    this.CONSUME(ColumnId)
    this.OPTION(() => this.SUBRULE(this.nameList))
    this.CONSUME(AS)
    this.OPTION2(() => {
      this.OPTION3(() => this.CONSUME(NOT))
      this.CONSUME(MATERIALIZED)
    })
    this.SUBRULE(this.subquery)
  })

  readonly queryTerm: Rule = this.RULE('queryTerm', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.select) },
      { ALT: () => this.SUBRULE(this.values) },
      {
        ALT: () => {
          this.CONSUME(TABLE)
          this.SUBRULE(this.qualifiedName)
        },
      },
      { ALT: () => this.SUBRULE(this.subquery) },
    ])
  })

  readonly setTail: Rule = this.RULE('setTail', () => {
    this.OR([
      { ALT: () => this.CONSUME(UNION) },
      { ALT: () => this.CONSUME(INTERSECT) },
      { ALT: () => this.CONSUME(EXCEPT) },
    ])
    this.OPTION(() => {
      this.OR2([{ ALT: () => this.CONSUME(ALL) }, { ALT: () => this.CONSUME(DISTINCT) }])
    })
    this.SUBRULE(this.queryTerm)
  })

  readonly limitClause: Rule = this.RULE('limitClause', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(LIMIT)
          this.OR2([{ ALT: () => this.CONSUME(ALL) }, { ALT: () => this.SUBRULE(this.expression) }])
        },
      },
      {
        ALT: () => {
          this.CONSUME(OFFSET)
          this.SUBRULE2(this.expression)
          this.OPTION(() => {
            this.OR3([{ ALT: () => this.CONSUME(ROW) }, { ALT: () => this.CONSUME(ROWS) }])
          })
        },
      },
      {
        ALT: () => {
          this.CONSUME(FETCH)
          this.OR4([{ ALT: () => this.CONSUME(FIRST) }, { ALT: () => this.CONSUME(NEXT) }])
          this.OPTION2(() => this.SUBRULE(this.fetchCount))
          this.OR5([{ ALT: () => this.CONSUME2(ROW) }, { ALT: () => this.CONSUME2(ROWS) }])
          this.CONSUME(ONLY)
        },
      },
    ])
  })

  readonly fetchCount: Rule = this.RULE('fetchCount', () => {
    this.OR([
      { ALT: () => this.CONSUME(NumberLiteral) },
      { ALT: () => this.CONSUME(Parameter) },
      {
        ALT: () => {
          this.CONSUME(LParen)
          this.SUBRULE(this.expression)
          this.CONSUME(RParen)
        },
      },
    ])
  })

  readonly select: Rule = this.RULE('select', () => {
    this.CONSUME(SELECT)
    this.OPTION(() => {
      this.OR([
        { ALT: () => this.CONSUME(ALL) },
        {
          ALT: () => {
            this.CONSUME(DISTINCT)
            this.OPTION2(() => {
              this.CONSUME(ON)
              this.CONSUME(LParen)
              this.SUBRULE(this.expressionList, { LABEL: 'distinctOn' })
              this.CONSUME(RParen)
            })
          },
        },
      ])
    })
    this.OPTION3(() => this.SUBRULE(this.selectItems))
    this.OPTION4(() => {
      this.CONSUME(FROM)
      this.SUBRULE(this.fromList)
    })
    this.OPTION5(() => {
      this.CONSUME(WHERE)
      this.SUBRULE(this.expression, { LABEL: 'where' })
    })
    this.OPTION6(() => {
      this.CONSUME(GROUP)
      this.CONSUME(BY)
      this.SUBRULE2(this.expressionList, { LABEL: 'groupBy' })
    })
    this.OPTION7(() => {
      this.CONSUME(HAVING)
      this.SUBRULE2(this.expression, { LABEL: 'having' })
    })
  })

  readonly values: Rule = this.RULE('values', () => {
    this.CONSUME(VALUES)
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.valuesRow) })
  })

  readonly valuesRow: Rule = this.RULE('valuesRow', () => {
    this.CONSUME(LParen)
    this.AT_LEAST_ONE_SEP({
      SEP: Comma,
      DEF: () => {
        this.OR([{ ALT: () => this.CONSUME(DEFAULT) }, { ALT: () => this.SUBRULE(this.expression) }])
      },
    })
    this.CONSUME(RParen)
  })

  readonly fromList: Rule = this.RULE('fromList', () => {
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.tableReference) })
  })

  readonly tableReference: Rule = this.RULE('tableReference', () => {
    this.SUBRULE(this.tablePrimary)
    this.MANY(() => this.SUBRULE(this.joinTail))
  })

  readonly joinTail: Rule = this.RULE('joinTail', () => {
    this.OPTION(() => this.CONSUME(NATURAL))
    this.OPTION2(() => {
      this.OR([
        { ALT: () => this.CONSUME(INNER) },
        { ALT: () => this.CONSUME(CROSS) },
        {
          ALT: () => {
            this.OR2([
              { ALT: () => this.CONSUME(LEFT) },
              { ALT: () => this.CONSUME(RIGHT) },
              { ALT: () => this.CONSUME(FULL) },
            ])
            this.OPTION3(() => this.CONSUME(OUTER))
          },
        },
      ])
    })
    this.CONSUME(JOIN)
    this.SUBRULE(this.tablePrimary)
    this.OPTION4(() => {
      this.OR3([
        {
          ALT: () => {
            this.CONSUME(ON)
            this.SUBRULE(this.expression)
          },
        },
        {
          ALT: () => {
            this.CONSUME(USING)
            this.SUBRULE(this.nameList)
          },
        },
      ])
    })
  })

  readonly tablePrimary: Rule = this.RULE('tablePrimary', () => {
    this.OPTION(() => this.CONSUME(LATERAL))
    this.OR([
      { ALT: () => this.SUBRULE(this.subquery) },
      {
        ALT: () => {
          this.CONSUME(LParen)
          this.SUBRULE(this.tableReference)
          this.CONSUME(RParen)
        },
      },
      {
        ALT: () => {
          this.SUBRULE(this.qualifiedName)
          this.OPTION2(() => this.SUBRULE(this.callArguments))
        },
      },
    ])
    this.OPTION3(() => this.SUBRULE(this.tableAlias))
  })

  readonly tableAlias: Rule = this.RULE('tableAlias', () => {
    this.OPTION(() => this.CONSUME(AS))
    this.CONSUME(ColumnId)
    this.OPTION2(() => this.SUBRULE(this.nameList))
  })

  /** The alias of the table that a statement changes: SET is no alias without AS. */
  readonly targetAlias: Rule = this.RULE('targetAlias', () => {
    this.OPTION({
      GATE: () => this.LA(1).tokenType !== SET,
      DEF: () => {
        this.OPTION2(() => this.CONSUME(AS))
        this.CONSUME(ColumnId)
      },
    })
  })

  readonly returning: Rule = this.RULE('returning', () => {
    this.CONSUME(keyword('returning'))
    this.SUBRULE(this.selectItems)
  })

  readonly whereClause: Rule = this.RULE('whereClause', () => {
    this.CONSUME(WHERE)
    this.SUBRULE(this.expression)
  })
}
