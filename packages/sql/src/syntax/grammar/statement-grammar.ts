import { tokenMatcher } from 'chevrotain'
import {
  ColumnId,
  Comma,
  Dot,
  Equals,
  IntervalField,
  keyword,
  Label,
  LParen,
  RParen,
  Semicolon,
  StringLiteral,
} from '../tokens.ts'
import { MaintenanceGrammar } from './maintenance-grammar.ts'
import type { Rule } from './rule.ts'

const k = keyword

/** What a statement may be. */
export class StatementGrammar extends MaintenanceGrammar {
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
      { ALT: () => this.SUBRULE(this.copy) },
      { ALT: () => this.SUBRULE(this.declareCursor) },
      { ALT: () => this.SUBRULE(this.fetchRows) },
      { ALT: () => this.SUBRULE(this.closeCursor) },
      { ALT: () => this.SUBRULE(this.create) },
      { ALT: () => this.SUBRULE(this.drop) },
      { ALT: () => this.SUBRULE(this.truncate) },
      { ALT: () => this.SUBRULE(this.alter) },
      { ALT: () => this.SUBRULE(this.refresh) },
      { ALT: () => this.SUBRULE(this.comment) },
      { ALT: () => this.SUBRULE(this.begin) },
      { ALT: () => this.SUBRULE(this.commit) },
      { ALT: () => this.SUBRULE(this.rollback) },
      { ALT: () => this.SUBRULE(this.savepoint) },
      { ALT: () => this.SUBRULE(this.release) },
      { ALT: () => this.SUBRULE(this.explain) },
      { ALT: () => this.SUBRULE(this.setting) },
      { ALT: () => this.SUBRULE(this.resetting) },
      { ALT: () => this.SUBRULE(this.show) },
      { ALT: () => this.SUBRULE(this.lockTable) },
      { ALT: () => this.SUBRULE(this.maintain) },
      { ALT: () => this.SUBRULE(this.doBlock) },
    ])
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
      {
        ALT: () => {
          this.OPTION(() => this.CONSUME(k('not')))
          this.CONSUME(k('deferrable'))
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
    this.OPTION2(() => this.SUBRULE(this.chaining))
  })

  readonly chaining: Rule = this.RULE('chaining', () => {
    this.CONSUME(k('and'))
    this.OPTION(() => this.CONSUME(k('no')))
    this.CONSUME(k('chain'))
  })

  readonly rollback: Rule = this.RULE('rollback', () => {
    this.OR([{ ALT: () => this.CONSUME(k('rollback')) }, { ALT: () => this.CONSUME(k('abort')) }])
    this.OPTION(() => this.SUBRULE(this.work))
    this.OPTION2(() => {
      this.OR2([
        { ALT: () => this.SUBRULE(this.chaining) },
        {
          ALT: () => {
            this.CONSUME(k('to'))
            this.OPTION3(() => this.CONSUME(k('savepoint')))
            this.CONSUME(ColumnId)
          },
        },
      ])
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
          this.OR6([
            {
              GATE: () => this.LA(2).tokenType === StringLiteral,
              ALT: () => this.SUBRULE(this.zoneInterval),
              IGNORE_AMBIGUITIES: true,
            },
            { ALT: () => this.SUBRULE(this.settingValues) },
          ])
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
        GATE: () => this.LA(2).tokenType !== k('to') && this.LA(2).tokenType !== Equals,
        ALT: () => {
          this.CONSUME(k('constraints'))
          this.OR4([
            { ALT: () => this.CONSUME(k('all')) },
            { ALT: () => this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.qualifiedName) }) },
          ])
          this.OR5([{ ALT: () => this.CONSUME(k('deferred')) }, { ALT: () => this.CONSUME(k('immediate')) }])
        },
        IGNORE_AMBIGUITIES: true,
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

  /** `INTERVAL '+01:00' HOUR TO MINUTE`: how far east of UTC. */
  readonly zoneInterval: Rule = this.RULE('zoneInterval', () => {
    this.CONSUME(k('interval'))
    this.CONSUME(StringLiteral)
    this.OPTION(() => {
      this.CONSUME(IntervalField)
      this.OPTION2(() => {
        this.CONSUME(k('to'))
        this.CONSUME2(IntervalField)
      })
    })
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
