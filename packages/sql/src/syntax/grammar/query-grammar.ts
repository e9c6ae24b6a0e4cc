import {
  ColumnId,
  Comma,
  Dot,
  keyword,
  LParen,
  NumberLiteral,
  Parameter,
  QueryParen,
  RParen,
  Star,
  WithOrdinality,
} from '../tokens.ts'
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
const FOR = keyword('for')
const FROM = keyword('from')
const FULL = keyword('full')
const GROUP = keyword('group')
const GROUPING = keyword('grouping')
const HAVING = keyword('having')
const INNER = keyword('inner')
const INTERSECT = keyword('intersect')
const JOIN = keyword('join')
const KEY = keyword('key')
const LATERAL = keyword('lateral')
const LEFT = keyword('left')
const LIMIT = keyword('limit')
const LOCKED = keyword('locked')
const MATERIALIZED = keyword('materialized')
const NATURAL = keyword('natural')
const NEXT = keyword('next')
const NO = keyword('no')
const NOT = keyword('not')
const NOWAIT = keyword('nowait')
const OF = keyword('of')
const OFFSET = keyword('offset')
const ON = keyword('on')
const ORDINALITY = keyword('ordinality')
const ONLY = keyword('only')
const ORDER = keyword('order')
const OUTER = keyword('outer')
const RECURSIVE = keyword('recursive')
const RIGHT = keyword('right')
const ROW = keyword('row')
const SELECT = keyword('select')
const ROWS = keyword('rows')
const SET = keyword('set')
const SETS = keyword('sets')
const SHARE = keyword('share')
const SKIP = keyword('skip')
const TABLE = keyword('table')
const TIES = keyword('ties')
const UNION = keyword('union')
const UPDATE = keyword('update')
const USING = keyword('using')
const VALUES = keyword('values')
const WHERE = keyword('where')
const WINDOW = keyword('window')
const WITH = keyword('with')

/** Queries. Set operations are a flat row as well, which the builder ranks. */
export abstract class QueryGrammar extends ExpressionGrammar {
  abstract readonly dataStatement: Rule

  readonly query: Rule = this.RULE('query', () => {
    this.OPTION(() => this.SUBRULE(this.withClause))
    this.SUBRULE(this.queryTerm)
    this.MANY(() => this.SUBRULE(this.setTail))
    this.OPTION2(() => {
      this.CONSUME(ORDER)
      this.CONSUME(BY)
      this.SUBRULE(this.sortList)
    })
    this.MANY2(() => {
      this.OR([
        { ALT: () => this.SUBRULE(this.limitClause) },
        { ALT: () => this.SUBRULE(this.lockingClause) },
      ])
    })
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
    this.OR([
      {
        ALT: () => {
          this.CONSUME(QueryParen)
          this.SUBRULE(this.dataStatement)
          this.CONSUME(RParen)
        },
      },
      {
        ALT: () => {
          this.CONSUME(LParen)
          this.SUBRULE2(this.dataStatement)
          this.CONSUME2(RParen)
        },
      },
    ])
    this.OPTION4(() => this.SUBRULE(this.searchClause))
    this.OPTION5(() => this.SUBRULE(this.cycleClause))
  })

  readonly searchClause: Rule = this.RULE('searchClause', () => {
    this.CONSUME(keyword('search'))
    this.OR([{ ALT: () => this.CONSUME(keyword('depth')) }, { ALT: () => this.CONSUME(keyword('breadth')) }])
    this.CONSUME(keyword('first'))
    this.CONSUME(keyword('by'))
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.CONSUME(ColumnId) })
    this.CONSUME(SET)
    this.CONSUME2(ColumnId, { LABEL: 'sequence' })
  })

  readonly cycleClause: Rule = this.RULE('cycleClause', () => {
    this.CONSUME(keyword('cycle'))
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.CONSUME(ColumnId) })
    this.CONSUME(SET)
    this.CONSUME2(ColumnId, { LABEL: 'mark' })
    this.OPTION(() => {
      this.CONSUME(keyword('to'))
      this.SUBRULE(this.expression, { LABEL: 'value' })
      this.CONSUME(keyword('default'))
      this.SUBRULE2(this.expression, { LABEL: 'otherwise' })
    })
    this.CONSUME(USING)
    this.CONSUME3(ColumnId, { LABEL: 'path' })
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
          this.OR6([
            { ALT: () => this.CONSUME(ONLY) },
            {
              ALT: () => {
                this.CONSUME(WITH)
                this.CONSUME(TIES)
              },
            },
          ])
        },
      },
    ])
  })

  readonly lockingClause: Rule = this.RULE('lockingClause', () => {
    this.CONSUME(FOR)
    this.OR([
      { ALT: () => this.CONSUME(UPDATE) },
      { ALT: () => this.CONSUME(SHARE) },
      {
        ALT: () => {
          this.CONSUME(NO)
          this.CONSUME(KEY)
          this.CONSUME2(UPDATE)
        },
      },
      {
        ALT: () => {
          this.CONSUME2(KEY)
          this.CONSUME2(SHARE)
        },
      },
    ])
    this.OPTION(() => {
      this.CONSUME(OF)
      this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.qualifiedName) })
    })
    this.OPTION2(() => {
      this.OR2([
        { ALT: () => this.CONSUME(NOWAIT) },
        {
          ALT: () => {
            this.CONSUME(SKIP)
            this.CONSUME(LOCKED)
          },
        },
      ])
    })
  })

  readonly fetchCount: Rule = this.RULE('fetchCount', () => {
    this.OR([
      { ALT: () => this.CONSUME(NumberLiteral) },
      { ALT: () => this.CONSUME(Parameter) },
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
    this.OPTION1(() => this.SUBRULE(this.intoClause))
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
      this.OPTION8(() => {
        this.OR2([
          { ALT: () => this.CONSUME2(ALL) },
          { ALT: () => this.CONSUME2(DISTINCT, { LABEL: 'distinctGroups' }) },
        ])
      })
      this.SUBRULE(this.groupingList, { LABEL: 'groupBy' })
    })
    this.OPTION7(() => {
      this.CONSUME(HAVING)
      this.SUBRULE2(this.expression, { LABEL: 'having' })
    })
    this.OPTION9(() => {
      this.CONSUME(WINDOW)
      this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.windowDefinition) })
    })
  })

  /** The table that SELECT INTO makes; its words are told apart by the builder. */
  readonly intoClause: Rule = this.RULE('intoClause', () => {
    this.CONSUME(keyword('into'))
    this.OPTION({
      GATE: () => this.LA(2).tokenType !== Dot,
      DEF: () => {
        this.OPTION2(() => this.CONSUME(keyword('local')))
        this.OR([
          { ALT: () => this.CONSUME(keyword('temp')) },
          { ALT: () => this.CONSUME(keyword('temporary')) },
          { ALT: () => this.CONSUME(keyword('unlogged')) },
        ])
      },
    })
    this.OPTION3(() => this.CONSUME(TABLE))
    this.SUBRULE(this.qualifiedName)
  })

  readonly groupingList: Rule = this.RULE('groupingList', () => {
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.groupingElement) })
  })

  /** ROLLUP and CUBE look like calls; the builder knows them. */
  readonly groupingElement: Rule = this.RULE('groupingElement', () => {
    this.OR([
      {
        GATE: () => this.LA(2).tokenType === SETS,
        ALT: () => {
          this.CONSUME(GROUPING)
          this.CONSUME(SETS)
          this.CONSUME(LParen)
          this.SUBRULE(this.groupingList)
          this.CONSUME(RParen)
        },
      },
      { ALT: () => this.SUBRULE(this.expression), IGNORE_AMBIGUITIES: true },
    ])
  })

  readonly windowDefinition: Rule = this.RULE('windowDefinition', () => {
    this.CONSUME(ColumnId)
    this.CONSUME(AS)
    this.SUBRULE(this.windowSpec)
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

  /** A join with a condition may have joins of its right side before the condition. */
  readonly joinTail: Rule = this.RULE('joinTail', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(CROSS)
          this.CONSUME(JOIN)
          this.SUBRULE(this.tablePrimary)
        },
      },
      {
        ALT: () => {
          this.CONSUME(NATURAL)
          this.OPTION(() => this.SUBRULE(this.joinType))
          this.CONSUME2(JOIN)
          this.SUBRULE2(this.tablePrimary)
        },
      },
      {
        ALT: () => {
          this.OPTION2(() => this.SUBRULE2(this.joinType))
          this.CONSUME3(JOIN)
          this.SUBRULE3(this.tablePrimary)
          this.MANY(() => this.SUBRULE(this.joinTail))
          this.OR2([
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
                this.OPTION3(() => {
                  this.CONSUME(AS)
                  this.CONSUME(ColumnId)
                })
              },
            },
          ])
        },
      },
    ])
  })

  readonly joinType: Rule = this.RULE('joinType', () => {
    this.OR([
      { ALT: () => this.CONSUME(INNER) },
      {
        ALT: () => {
          this.OR2([
            { ALT: () => this.CONSUME(LEFT) },
            { ALT: () => this.CONSUME(RIGHT) },
            { ALT: () => this.CONSUME(FULL) },
          ])
          this.OPTION(() => this.CONSUME(OUTER))
        },
      },
    ])
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
        GATE: () => this.LA(1).tokenType === ROWS && this.LA(2).tokenType === FROM,
        ALT: () => {
          this.CONSUME(ROWS)
          this.CONSUME(FROM)
          this.CONSUME2(LParen)
          this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.rowsCall) })
          this.CONSUME2(RParen)
          this.OPTION5(() => {
            this.CONSUME2(WithOrdinality)
            this.CONSUME2(ORDINALITY)
          })
        },
        IGNORE_AMBIGUITIES: true,
      },
      {
        ALT: () => {
          this.SUBRULE(this.qualifiedName)
          this.OR2([
            {
              ALT: () => {
                this.SUBRULE(this.callArguments)
                this.OPTION4(() => {
                  this.CONSUME(WithOrdinality)
                  this.CONSUME(ORDINALITY)
                })
              },
            },
            { ALT: () => this.OPTION2(() => this.CONSUME(Star)) },
          ])
        },
      },
      { ALT: () => this.SUBRULE(this.onlyTable) },
    ])
    this.OPTION3(() => this.SUBRULE(this.tableAlias))
  })

  /** A table without those that inherit from it: no table has such. */
  readonly onlyTable: Rule = this.RULE('onlyTable', () => {
    this.CONSUME(ONLY)
    this.OR([
      { ALT: () => this.SUBRULE(this.qualifiedName) },
      {
        ALT: () => {
          this.CONSUME(LParen)
          this.SUBRULE2(this.qualifiedName)
          this.CONSUME(RParen)
        },
      },
    ])
  })

  /** The table that a statement writes. */
  readonly oneTable: Rule = this.RULE('oneTable', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.onlyTable) },
      {
        ALT: () => {
          this.SUBRULE(this.qualifiedName)
          this.OPTION(() => this.CONSUME(Star))
        },
      },
    ])
  })

  /** A function of ROWS FROM. */
  readonly rowsCall: Rule = this.RULE('rowsCall', () => {
    this.SUBRULE(this.qualifiedName)
    this.SUBRULE(this.callArguments)
    this.OPTION(() => {
      this.CONSUME(AS)
      this.SUBRULE(this.fieldDefinitions)
    })
  })

  readonly tableAlias: Rule = this.RULE('tableAlias', () => {
    this.OPTION(() => this.CONSUME(AS))
    this.OR([
      {
        ALT: () => {
          this.CONSUME(ColumnId)
          this.OPTION2(() => this.SUBRULE(this.aliasColumns))
        },
      },
      { ALT: () => this.SUBRULE(this.fieldDefinitions) },
    ])
  })

  /** `(a, b)`, or the columns of a function that gives rows of no type: `(a integer, b text)`. */
  readonly aliasColumns: Rule = this.RULE('aliasColumns', () => {
    this.CONSUME(LParen)
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.aliasColumn) })
    this.CONSUME(RParen)
  })

  readonly aliasColumn: Rule = this.RULE('aliasColumn', () => {
    this.CONSUME(ColumnId)
    this.OPTION(() => {
      this.SUBRULE(this.typeName)
      this.OPTION2(() => {
        this.CONSUME(keyword('collate'))
        this.SUBRULE(this.qualifiedName)
      })
    })
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
