import {
  ColumnId,
  Comma,
  Equals,
  keyword,
  Label,
  Literal,
  LParen,
  Minus,
  NumberLiteral,
  Plus,
  RParen,
} from '../tokens.ts'
import type { Rule } from './rule.ts'
import { WriteGrammar } from './write-grammar.ts'

const k = keyword

/** Tables, their columns, constraints and indexes, as CREATE and ALTER name them. */
export abstract class TableGrammar extends WriteGrammar {
  readonly ifNotExists: Rule = this.RULE('ifNotExists', () => {
    this.CONSUME(k('if'))
    this.CONSUME(k('not'))
    this.CONSUME(k('exists'))
  })

  readonly ifExists: Rule = this.RULE('ifExists', () => {
    this.CONSUME(k('if'))
    this.CONSUME(k('exists'))
  })

  readonly createTable: Rule = this.RULE('createTable', () => {
    this.OPTION(() => this.CONSUME(k('unlogged')))
    this.CONSUME(k('table'))
    this.OPTION2(() => this.SUBRULE(this.ifNotExists))
    this.SUBRULE(this.qualifiedName)
    this.OPTION3(() => this.SUBRULE(this.tableElements))
    this.MANY(() => this.SUBRULE(this.tableClause))
    this.OPTION4(() => {
      this.CONSUME(k('as'))
      this.OR([{ ALT: () => this.SUBRULE(this.execute) }, { ALT: () => this.SUBRULE(this.query) }])
      this.OPTION5(() => this.SUBRULE(this.withData))
    })
  })

  readonly execute: Rule = this.RULE('execute', () => {
    this.CONSUME(k('execute'))
    this.CONSUME(ColumnId)
    this.OPTION(() => {
      this.CONSUME(LParen)
      this.SUBRULE(this.expressionList)
      this.CONSUME(RParen)
    })
  })

  readonly withData: Rule = this.RULE('withData', () => {
    this.CONSUME(k('with'))
    this.OPTION(() => this.CONSUME(k('no')))
    this.CONSUME(k('data'))
  })

  /** What stands behind the columns. */
  readonly tableClause: Rule = this.RULE('tableClause', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(k('with'))
          this.SUBRULE(this.optionList)
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('distributed'))
          this.CONSUME(k('by'))
          this.SUBRULE(this.nameList)
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('inherits'))
          this.SUBRULE2(this.nameList)
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('on'))
          this.CONSUME(k('commit'))
          this.OR2([
            { ALT: () => this.CONSUME(k('drop')) },
            {
              ALT: () => {
                this.OR3([
                  { ALT: () => this.CONSUME(k('delete')) },
                  { ALT: () => this.CONSUME(k('preserve')) },
                ])
                this.CONSUME(k('rows'))
              },
            },
          ])
        },
      },
    ])
  })

  readonly tableElements: Rule = this.RULE('tableElements', () => {
    this.CONSUME(LParen)
    this.MANY_SEP({
      SEP: Comma,
      DEF: () => {
        this.OR([
          { ALT: () => this.SUBRULE(this.tableConstraint) },
          { ALT: () => this.SUBRULE(this.likeClause) },
          { ALT: () => this.SUBRULE(this.columnDefinition) },
        ])
      },
    })
    this.CONSUME(RParen)
  })

  readonly likeClause: Rule = this.RULE('likeClause', () => {
    this.CONSUME(k('like'))
    this.SUBRULE(this.qualifiedName)
    this.MANY(() => this.SUBRULE(this.likeOption))
  })

  readonly likeOption: Rule = this.RULE('likeOption', () => {
    this.OR([{ ALT: () => this.CONSUME(k('including')) }, { ALT: () => this.CONSUME(k('excluding')) }])
    this.CONSUME(Label)
  })

  /** Without a type only in CREATE TABLE … AS. */
  readonly columnDefinition: Rule = this.RULE('columnDefinition', () => {
    this.CONSUME(ColumnId)
    this.OPTION(() => {
      this.SUBRULE(this.typeName)
      this.MANY(() => this.SUBRULE(this.columnConstraint))
    })
  })

  readonly constraintName: Rule = this.RULE('constraintName', () => {
    this.CONSUME(k('constraint'))
    this.CONSUME(ColumnId)
  })

  readonly columnConstraint: Rule = this.RULE('columnConstraint', () => {
    this.OPTION(() => this.SUBRULE(this.constraintName))
    this.OR([
      {
        ALT: () => {
          this.CONSUME(k('not'))
          this.OR2([{ ALT: () => this.CONSUME(k('null')) }, { ALT: () => this.CONSUME(k('deferrable')) }])
        },
      },
      { ALT: () => this.CONSUME2(k('null')) },
      {
        ALT: () => {
          this.CONSUME(k('primary'))
          this.CONSUME(k('key'))
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('unique'))
          this.OPTION9(() => this.SUBRULE(this.nullsTreatment))
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('default'))
          this.SUBRULE(this.expression)
        },
      },
      { ALT: () => this.SUBRULE(this.generatedClause) },
      { ALT: () => this.SUBRULE(this.checkConstraint) },
      { ALT: () => this.SUBRULE(this.referencesClause) },
      { ALT: () => this.CONSUME2(k('deferrable')) },
      { ALT: () => this.SUBRULE(this.initially) },
      {
        ALT: () => {
          this.CONSUME(k('collate'))
          this.SUBRULE(this.qualifiedName)
        },
      },
    ])
  })

  readonly initially: Rule = this.RULE('initially', () => {
    this.CONSUME(k('initially'))
    this.OR([{ ALT: () => this.CONSUME(k('deferred')) }, { ALT: () => this.CONSUME(k('immediate')) }])
  })

  readonly generatedClause: Rule = this.RULE('generatedClause', () => {
    this.CONSUME(k('generated'))
    this.SUBRULE(this.generatedWhen)
    this.CONSUME(k('as'))
    this.OR([
      {
        ALT: () => {
          this.CONSUME(k('identity'))
          this.OPTION(() => this.SUBRULE(this.identityOptions))
        },
      },
      {
        ALT: () => {
          this.CONSUME(LParen)
          this.SUBRULE(this.expression)
          this.CONSUME(RParen)
          this.CONSUME(k('stored'))
        },
      },
    ])
  })

  readonly generatedWhen: Rule = this.RULE('generatedWhen', () => {
    this.OR([
      { ALT: () => this.CONSUME(k('always')) },
      {
        ALT: () => {
          this.CONSUME(k('by'))
          this.CONSUME(k('default'))
        },
      },
    ])
  })

  readonly identityOptions: Rule = this.RULE('identityOptions', () => {
    this.CONSUME(LParen)
    this.AT_LEAST_ONE(() => this.SUBRULE(this.sequenceOption))
    this.CONSUME(RParen)
  })

  readonly sequenceOption: Rule = this.RULE('sequenceOption', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(k('as'))
          this.SUBRULE(this.typeName)
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('increment'))
          this.OPTION(() => this.CONSUME(k('by')))
          this.SUBRULE(this.signedNumber)
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('minvalue'))
          this.SUBRULE2(this.signedNumber)
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('maxvalue'))
          this.SUBRULE3(this.signedNumber)
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('no'))
          this.OR2([
            { ALT: () => this.CONSUME2(k('minvalue')) },
            { ALT: () => this.CONSUME2(k('maxvalue')) },
            { ALT: () => this.CONSUME(k('cycle')) },
          ])
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('start'))
          this.OPTION2(() => this.CONSUME(k('with')))
          this.SUBRULE4(this.signedNumber)
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('restart'))
          this.OPTION3(() => {
            this.OPTION4(() => this.CONSUME2(k('with')))
            this.SUBRULE5(this.signedNumber)
          })
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('cache'))
          this.SUBRULE6(this.signedNumber)
        },
      },
      { ALT: () => this.CONSUME2(k('cycle')) },
      {
        ALT: () => {
          this.CONSUME(k('owned'))
          this.CONSUME2(k('by'))
          this.SUBRULE(this.qualifiedName)
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('sequence'))
          this.CONSUME(ColumnId, { LABEL: 'nameWord' })
          this.SUBRULE2(this.qualifiedName)
        },
      },
    ])
  })

  readonly signedNumber: Rule = this.RULE('signedNumber', () => {
    this.OPTION(() => {
      this.OR([{ ALT: () => this.CONSUME(Plus) }, { ALT: () => this.CONSUME(Minus) }])
    })
    this.CONSUME(NumberLiteral)
  })

  readonly checkConstraint: Rule = this.RULE('checkConstraint', () => {
    this.CONSUME(k('check'))
    this.CONSUME(LParen)
    this.SUBRULE(this.expression)
    this.CONSUME(RParen)
    // No table has others that would inherit it.
    this.OPTION(() => {
      this.CONSUME(k('no'))
      this.CONSUME(k('inherit'))
    })
  })

  readonly referencesClause: Rule = this.RULE('referencesClause', () => {
    this.CONSUME(k('references'))
    this.SUBRULE(this.qualifiedName)
    this.OPTION(() => this.SUBRULE(this.nameList))
    this.OPTION2(() => {
      this.CONSUME(k('match'))
      this.OR([
        { ALT: () => this.CONSUME(k('full')) },
        { ALT: () => this.CONSUME(k('simple')) },
        { ALT: () => this.CONSUME(k('partial')) },
      ])
    })
    this.MANY(() => this.SUBRULE(this.referentialAction))
  })

  readonly referentialAction: Rule = this.RULE('referentialAction', () => {
    this.CONSUME(k('on'))
    this.OR([
      { ALT: () => this.CONSUME(k('delete'), { LABEL: 'event' }) },
      { ALT: () => this.CONSUME(k('update'), { LABEL: 'event' }) },
    ])
    this.OR2([
      {
        ALT: () => {
          this.CONSUME(k('no'), { LABEL: 'action' })
          this.CONSUME(k('action'), { LABEL: 'action' })
        },
      },
      { ALT: () => this.CONSUME(k('restrict'), { LABEL: 'action' }) },
      { ALT: () => this.CONSUME(k('cascade'), { LABEL: 'action' }) },
      {
        ALT: () => {
          this.CONSUME(k('set'), { LABEL: 'action' })
          this.OR3([
            { ALT: () => this.CONSUME(k('null'), { LABEL: 'action' }) },
            { ALT: () => this.CONSUME(k('default'), { LABEL: 'action' }) },
          ])
          this.OPTION(() => this.SUBRULE(this.nameList))
        },
      },
    ])
  })

  readonly tableConstraint: Rule = this.RULE('tableConstraint', () => {
    this.OPTION(() => this.SUBRULE(this.constraintName))
    this.OR([
      {
        ALT: () => {
          this.CONSUME(k('primary'))
          this.CONSUME(k('key'))
          this.SUBRULE(this.nameList)
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('unique'))
          this.OPTION9(() => this.SUBRULE(this.nullsTreatment))
          this.SUBRULE2(this.nameList)
        },
      },
      { ALT: () => this.SUBRULE(this.checkConstraint) },
      {
        ALT: () => {
          this.CONSUME(k('foreign'))
          this.CONSUME2(k('key'))
          this.SUBRULE3(this.nameList)
          this.SUBRULE(this.referencesClause)
        },
      },
    ])
    this.MANY(() => this.SUBRULE(this.constraintAttribute))
  })

  readonly constraintAttribute: Rule = this.RULE('constraintAttribute', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(k('not'))
          this.OR2([{ ALT: () => this.CONSUME(k('deferrable')) }, { ALT: () => this.CONSUME(k('valid')) }])
        },
      },
      { ALT: () => this.CONSUME2(k('deferrable')) },
      { ALT: () => this.SUBRULE(this.initially) },
      {
        ALT: () => {
          this.CONSUME(k('include'))
          this.SUBRULE(this.nameList)
        },
      },
    ])
  })

  readonly optionList: Rule = this.RULE('optionList', () => {
    this.CONSUME(LParen)
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.storageOption) })
    this.CONSUME(RParen)
  })

  readonly storageOption: Rule = this.RULE('storageOption', () => {
    this.CONSUME(Label)
    this.OPTION(() => this.CONSUME(Equals))
    this.OPTION2(() => this.SUBRULE(this.settingValue))
  })

  readonly settingValue: Rule = this.RULE('settingValue', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(Minus)
          this.CONSUME(NumberLiteral)
        },
      },
      { ALT: () => this.CONSUME(Literal) },
      { ALT: () => this.CONSUME(Label), IGNORE_AMBIGUITIES: true },
    ])
  })

  readonly createIndex: Rule = this.RULE('createIndex', () => {
    this.OPTION(() => this.CONSUME(k('unique')))
    this.CONSUME(k('index'))
    this.OPTION2(() => this.CONSUME(k('concurrently')))
    this.OPTION3(() => this.SUBRULE(this.ifNotExists))
    this.OPTION4(() => this.CONSUME(ColumnId, { LABEL: 'indexName' }))
    this.CONSUME(k('on'))
    this.SUBRULE(this.qualifiedName)
    this.OPTION5(() => {
      this.CONSUME(k('using'))
      this.CONSUME2(ColumnId, { LABEL: 'method' })
    })
    this.CONSUME(LParen)
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.indexItem) })
    this.CONSUME(RParen)
    this.OPTION6(() => {
      this.CONSUME(k('include'))
      this.SUBRULE(this.nameList)
    })
    this.OPTION9(() => this.SUBRULE(this.nullsTreatment))
    this.OPTION7(() => {
      this.CONSUME(k('with'))
      this.SUBRULE(this.optionList)
    })
    this.OPTION8(() => this.SUBRULE(this.whereClause))
  })

  /** Whether rows with NULL may have the same key. */
  readonly nullsTreatment: Rule = this.RULE('nullsTreatment', () => {
    this.CONSUME(k('nulls'))
    this.OPTION(() => this.CONSUME(k('not')))
    this.CONSUME(k('distinct'))
  })

  readonly indexItem: Rule = this.RULE('indexItem', () => {
    this.SUBRULE(this.expression)
    this.OPTION({
      GATE: () => this.LA(1).tokenType !== k('nulls'),
      DEF: () => this.CONSUME(ColumnId, { LABEL: 'operatorClass' }),
    })
    this.OPTION2(() => {
      this.OR([{ ALT: () => this.CONSUME(k('asc')) }, { ALT: () => this.CONSUME(k('desc')) }])
    })
    this.OPTION3(() => {
      this.CONSUME(k('nulls'))
      this.OR2([{ ALT: () => this.CONSUME(k('first')) }, { ALT: () => this.CONSUME(k('last')) }])
    })
  })
}
