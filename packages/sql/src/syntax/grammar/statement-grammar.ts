import { tokenMatcher } from 'chevrotain'
import {
  ColumnId,
  Comma,
  Dot,
  Equals,
  keyword,
  Label,
  Literal,
  LParen,
  Minus,
  NumberLiteral,
  RParen,
  Semicolon,
} from '../tokens.ts'
import type { Rule } from './rule.ts'
import { WriteGrammar } from './write-grammar.ts'

const k = keyword

/** What a statement may be. */
export class StatementGrammar extends WriteGrammar {
  constructor() {
    super()
    this.performSelfAnalysis()
  }

  readonly script: Rule = this.RULE('script', () => {
    this.MANY_SEP({
      SEP: Semicolon,
      DEF: () => {
        this.OPTION(() => this.SUBRULE(this.statement))
      },
    })
  })

  readonly statement: Rule = this.RULE('statement', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.dataStatement) },
      { ALT: () => this.SUBRULE(this.prepare) },
      { ALT: () => this.SUBRULE(this.execute) },
      { ALT: () => this.SUBRULE(this.deallocate) },
      { ALT: () => this.SUBRULE(this.create) },
      { ALT: () => this.SUBRULE(this.drop) },
      { ALT: () => this.SUBRULE(this.truncate) },
      { ALT: () => this.SUBRULE(this.begin) },
      { ALT: () => this.SUBRULE(this.commit) },
      { ALT: () => this.SUBRULE(this.rollback) },
      { ALT: () => this.SUBRULE(this.savepoint) },
      { ALT: () => this.SUBRULE(this.release) },
      { ALT: () => this.SUBRULE(this.explain) },
      { ALT: () => this.SUBRULE(this.setting) },
      { ALT: () => this.SUBRULE(this.resetting) },
      { ALT: () => this.SUBRULE(this.show) },
    ])
  })

  readonly create: Rule = this.RULE('create', () => {
    this.CONSUME(k('create'))
    this.OPTION(() => {
      this.CONSUME(k('or'))
      this.CONSUME(k('replace'))
    })
    this.OPTION2(() => {
      this.OR([{ ALT: () => this.CONSUME(k('temp')) }, { ALT: () => this.CONSUME(k('temporary')) }])
    })
    this.OR2([
      { ALT: () => this.SUBRULE(this.createTable) },
      { ALT: () => this.SUBRULE(this.createIndex) },
      { ALT: () => this.SUBRULE(this.createView) },
    ])
  })

  readonly ifNotExists: Rule = this.RULE('ifNotExists', () => {
    this.CONSUME(k('if'))
    this.CONSUME(k('not'))
    this.CONSUME(k('exists'))
  })

  readonly createTable: Rule = this.RULE('createTable', () => {
    this.CONSUME(k('table'))
    this.OPTION(() => this.SUBRULE(this.ifNotExists))
    this.SUBRULE(this.qualifiedName)
    this.OPTION2(() => this.SUBRULE(this.tableElements))
    this.OPTION3(() => {
      this.CONSUME(k('with'))
      this.SUBRULE(this.optionList)
    })
    this.OPTION4(() => {
      this.CONSUME(k('as'))
      this.SUBRULE(this.query)
      this.OPTION5(() => {
        this.CONSUME2(k('with'))
        this.OPTION6(() => this.CONSUME(k('no')))
        this.CONSUME(k('data'))
      })
    })
  })

  readonly tableElements: Rule = this.RULE('tableElements', () => {
    this.CONSUME(LParen)
    this.MANY_SEP({
      SEP: Comma,
      DEF: () => {
        this.OR([
          { ALT: () => this.SUBRULE(this.tableConstraint) },
          { ALT: () => this.SUBRULE(this.columnDefinition) },
        ])
      },
    })
    this.CONSUME(RParen)
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
          this.CONSUME(k('null'))
        },
      },
      { ALT: () => this.CONSUME2(k('null')) },
      {
        ALT: () => {
          this.CONSUME(k('primary'))
          this.CONSUME(k('key'))
        },
      },
      { ALT: () => this.CONSUME(k('unique')) },
      {
        ALT: () => {
          this.CONSUME(k('default'))
          this.SUBRULE(this.expression)
        },
      },
      { ALT: () => this.SUBRULE(this.checkConstraint) },
      { ALT: () => this.SUBRULE(this.referencesClause) },
    ])
  })

  readonly checkConstraint: Rule = this.RULE('checkConstraint', () => {
    this.CONSUME(k('check'))
    this.CONSUME(LParen)
    this.SUBRULE(this.expression)
    this.CONSUME(RParen)
  })

  readonly referencesClause: Rule = this.RULE('referencesClause', () => {
    this.CONSUME(k('references'))
    this.SUBRULE(this.qualifiedName)
    this.OPTION(() => this.SUBRULE(this.nameList))
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
    this.SUBRULE(this.sortList)
    this.CONSUME(RParen)
    this.OPTION6(() => this.SUBRULE(this.whereClause))
  })

  readonly createView: Rule = this.RULE('createView', () => {
    this.CONSUME(k('view'))
    this.SUBRULE(this.qualifiedName)
    this.OPTION(() => this.SUBRULE(this.nameList))
    this.CONSUME(k('as'))
    this.SUBRULE(this.query)
  })

  readonly drop: Rule = this.RULE('drop', () => {
    this.CONSUME(k('drop'))
    this.OR([
      { ALT: () => this.CONSUME(k('table')) },
      { ALT: () => this.CONSUME(k('index')) },
      { ALT: () => this.CONSUME(k('view')) },
    ])
    this.OPTION(() => {
      this.CONSUME(k('if'))
      this.CONSUME(k('exists'))
    })
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.qualifiedName) })
    this.OPTION2(() => {
      this.OR2([{ ALT: () => this.CONSUME(k('cascade')) }, { ALT: () => this.CONSUME(k('restrict')) }])
    })
  })

  readonly truncate: Rule = this.RULE('truncate', () => {
    this.CONSUME(k('truncate'))
    this.OPTION(() => this.CONSUME(k('table')))
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.qualifiedName) })
  })

  readonly begin: Rule = this.RULE('begin', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(k('begin'))
          this.OPTION(() => this.SUBRULE(this.work))
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('start'))
          this.CONSUME(k('transaction'))
        },
      },
    ])
    this.OPTION2(() => this.SUBRULE(this.transactionModes))
  })

  readonly work: Rule = this.RULE('work', () => {
    this.OR([{ ALT: () => this.CONSUME(k('work')) }, { ALT: () => this.CONSUME(k('transaction')) }])
  })

  readonly transactionModes: Rule = this.RULE('transactionModes', () => {
    this.SUBRULE(this.transactionMode)
    this.MANY(() => {
      this.OPTION(() => this.CONSUME(Comma))
      this.SUBRULE2(this.transactionMode)
    })
  })

  readonly transactionMode: Rule = this.RULE('transactionMode', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(k('isolation'))
          this.CONSUME(k('level'))
          this.SUBRULE(this.isolationLevel)
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('read'))
          this.OR2([{ ALT: () => this.CONSUME(k('only')) }, { ALT: () => this.CONSUME(k('write')) }])
        },
      },
    ])
  })

  readonly isolationLevel: Rule = this.RULE('isolationLevel', () => {
    this.OR([
      { ALT: () => this.CONSUME(k('serializable'), { LABEL: 'word' }) },
      {
        ALT: () => {
          this.CONSUME(k('repeatable'), { LABEL: 'word' })
          this.CONSUME(k('read'), { LABEL: 'word' })
        },
      },
      {
        ALT: () => {
          this.CONSUME2(k('read'), { LABEL: 'word' })
          this.OR2([
            { ALT: () => this.CONSUME(k('committed'), { LABEL: 'word' }) },
            { ALT: () => this.CONSUME(k('uncommitted'), { LABEL: 'word' }) },
          ])
        },
      },
    ])
  })

  readonly commit: Rule = this.RULE('commit', () => {
    this.OR([{ ALT: () => this.CONSUME(k('commit')) }, { ALT: () => this.CONSUME(k('end')) }])
    this.OPTION(() => this.SUBRULE(this.work))
  })

  readonly rollback: Rule = this.RULE('rollback', () => {
    this.OR([{ ALT: () => this.CONSUME(k('rollback')) }, { ALT: () => this.CONSUME(k('abort')) }])
    this.OPTION(() => this.SUBRULE(this.work))
    this.OPTION2(() => {
      this.CONSUME(k('to'))
      this.OPTION3(() => this.CONSUME(k('savepoint')))
      this.CONSUME(ColumnId)
    })
  })

  readonly savepoint: Rule = this.RULE('savepoint', () => {
    this.CONSUME(k('savepoint'))
    this.CONSUME(ColumnId)
  })

  readonly release: Rule = this.RULE('release', () => {
    this.CONSUME(k('release'))
    this.OPTION(() => this.CONSUME(k('savepoint')))
    this.CONSUME(ColumnId)
  })

  readonly explain: Rule = this.RULE('explain', () => {
    this.CONSUME(k('explain'))
    this.OR([
      { ALT: () => this.SUBRULE(this.optionList) },
      {
        ALT: () => {
          this.OPTION(() => {
            this.OR2([{ ALT: () => this.CONSUME(k('analyze')) }, { ALT: () => this.CONSUME(k('analyse')) }])
          })
          this.OPTION2(() => this.CONSUME(k('verbose')))
        },
      },
    ])
    this.SUBRULE(this.explained)
  })

  readonly explained: Rule = this.RULE('explained', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.dataStatement) },
      { ALT: () => this.SUBRULE(this.create) },
      { ALT: () => this.SUBRULE(this.execute) },
    ])
  })

  readonly prepare: Rule = this.RULE('prepare', () => {
    this.CONSUME(k('prepare'))
    this.CONSUME(ColumnId)
    this.OPTION(() => {
      this.CONSUME(LParen)
      this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.typeName) })
      this.CONSUME(RParen)
    })
    this.CONSUME(k('as'))
    this.SUBRULE(this.dataStatement)
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

  readonly deallocate: Rule = this.RULE('deallocate', () => {
    this.CONSUME(k('deallocate'))
    this.OPTION({
      GATE: () => this.LA(2).tokenType === k('all') || tokenMatcher(this.LA(2), ColumnId),
      DEF: () => this.CONSUME(k('prepare')),
    })
    this.OR([{ ALT: () => this.CONSUME(k('all')) }, { ALT: () => this.CONSUME(ColumnId) }])
  })

  readonly setting: Rule = this.RULE('setting', () => {
    this.CONSUME(k('set'))
    this.OPTION({
      GATE: () => this.LA(2).tokenType !== k('to') && this.LA(2).tokenType !== Equals,
      DEF: () => {
        this.OR([{ ALT: () => this.CONSUME(k('session')) }, { ALT: () => this.CONSUME(k('local')) }])
      },
    })
    this.OR2([
      {
        ALT: () => {
          this.CONSUME(k('time'))
          this.CONSUME(k('zone'))
          this.SUBRULE(this.settingValues)
        },
      },
      {
        ALT: () => {
          this.OPTION2(() => {
            this.CONSUME(k('characteristics'))
            this.CONSUME(k('as'))
          })
          this.CONSUME(k('transaction'))
          this.SUBRULE(this.transactionModes)
        },
      },
      {
        ALT: () => {
          this.SUBRULE(this.settingName)
          this.OR3([{ ALT: () => this.CONSUME(k('to')) }, { ALT: () => this.CONSUME(Equals) }])
          this.SUBRULE2(this.settingValues)
        },
        IGNORE_AMBIGUITIES: true,
      },
    ])
  })

  readonly settingName: Rule = this.RULE('settingName', () => {
    this.CONSUME(ColumnId)
    this.MANY(() => {
      this.CONSUME(Dot)
      this.CONSUME(Label)
    })
  })

  readonly settingValues: Rule = this.RULE('settingValues', () => {
    this.OR([
      { ALT: () => this.CONSUME(k('default')) },
      {
        ALT: () => {
          this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.settingValue) })
        },
        IGNORE_AMBIGUITIES: true,
      },
    ])
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

  readonly resetting: Rule = this.RULE('resetting', () => {
    this.CONSUME(k('reset'))
    this.SUBRULE(this.settingWord)
  })

  readonly show: Rule = this.RULE('show', () => {
    this.CONSUME(k('show'))
    this.SUBRULE(this.settingWord)
  })

  /** ALL, TIME ZONE, TRANSACTION ISOLATION LEVEL, or a name. */
  readonly settingWord: Rule = this.RULE('settingWord', () => {
    this.OR([
      { ALT: () => this.CONSUME(k('all')) },
      {
        ALT: () => {
          this.CONSUME(k('time'))
          this.CONSUME(k('zone'))
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('transaction'))
          this.CONSUME(k('isolation'))
          this.CONSUME(k('level'))
        },
      },
      { ALT: () => this.SUBRULE(this.settingName), IGNORE_AMBIGUITIES: true },
    ])
  })
}
