import { ColumnId, Comma, keyword } from '../tokens.ts'
import type { Rule } from './rule.ts'
import { TableGrammar } from './table-grammar.ts'

const k = keyword

/** ALTER TABLE. */
export abstract class AlterGrammar extends TableGrammar {
  readonly alterTable: Rule = this.RULE('alterTable', () => {
    this.CONSUME(k('table'))
    this.OPTION(() => this.SUBRULE(this.ifExists))
    this.OPTION2(() => this.CONSUME(k('only')))
    this.SUBRULE(this.qualifiedName)
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.tableChange) })
  })

  readonly tableChange: Rule = this.RULE('tableChange', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.addition) },
      { ALT: () => this.SUBRULE(this.removal) },
      { ALT: () => this.SUBRULE(this.columnChange) },
      { ALT: () => this.SUBRULE(this.renaming) },
      { ALT: () => this.SUBRULE(this.changeOfOwner) },
      {
        ALT: () => {
          this.CONSUME(k('validate'))
          this.CONSUME(k('constraint'))
          this.CONSUME(ColumnId)
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('set'))
          this.OR2([
            { ALT: () => this.SUBRULE(this.optionList) },
            {
              ALT: () => {
                this.CONSUME(k('schema'))
                this.CONSUME2(ColumnId, { LABEL: 'schemaName' })
              },
            },
          ])
        },
      },
    ])
  })

  readonly addition: Rule = this.RULE('addition', () => {
    this.CONSUME(k('add'))
    this.OR([
      { ALT: () => this.SUBRULE(this.tableConstraint) },
      {
        ALT: () => {
          this.OPTION(() => this.CONSUME(k('column')))
          this.OPTION2(() => this.SUBRULE(this.ifNotExists))
          this.SUBRULE(this.columnDefinition)
        },
      },
    ])
  })

  readonly removal: Rule = this.RULE('removal', () => {
    this.CONSUME(k('drop'))
    this.OPTION(() => {
      this.OR([{ ALT: () => this.CONSUME(k('constraint')) }, { ALT: () => this.CONSUME(k('column')) }])
    })
    this.OPTION2(() => this.SUBRULE(this.ifExists))
    this.CONSUME(ColumnId)
    this.OPTION3(() => this.SUBRULE(this.behaviour))
  })

  readonly behaviour: Rule = this.RULE('behaviour', () => {
    this.OR([{ ALT: () => this.CONSUME(k('cascade')) }, { ALT: () => this.CONSUME(k('restrict')) }])
  })

  readonly renaming: Rule = this.RULE('renaming', () => {
    this.CONSUME(k('rename'))
    this.OPTION(() => {
      this.OPTION2(() => {
        this.OR([{ ALT: () => this.CONSUME(k('constraint')) }, { ALT: () => this.CONSUME(k('column')) }])
      })
      this.CONSUME(ColumnId, { LABEL: 'from' })
    })
    this.CONSUME(k('to'))
    this.CONSUME2(ColumnId, { LABEL: 'to' })
  })

  readonly changeOfOwner: Rule = this.RULE('changeOfOwner', () => {
    this.CONSUME(k('owner'))
    this.CONSUME(k('to'))
    this.OR([
      { ALT: () => this.CONSUME(ColumnId) },
      { ALT: () => this.CONSUME(k('current_user')) },
      { ALT: () => this.CONSUME(k('session_user')) },
      { ALT: () => this.CONSUME(k('current_role')) },
    ])
  })

  readonly columnChange: Rule = this.RULE('columnChange', () => {
    this.CONSUME(k('alter'))
    this.OR([
      {
        ALT: () => {
          this.CONSUME(k('constraint'))
          this.CONSUME(ColumnId)
          this.MANY(() => this.SUBRULE(this.constraintAttribute))
        },
      },
      {
        ALT: () => {
          this.OPTION(() => this.CONSUME(k('column')))
          this.CONSUME2(ColumnId)
          this.SUBRULE(this.columnAction)
        },
      },
    ])
  })

  readonly columnAction: Rule = this.RULE('columnAction', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(k('drop'))
          this.OR2([
            { ALT: () => this.CONSUME(k('default')) },
            {
              ALT: () => {
                this.CONSUME(k('not'))
                this.CONSUME(k('null'))
              },
            },
            {
              ALT: () => {
                this.CONSUME(k('identity'))
                this.OPTION(() => this.SUBRULE(this.ifExists))
              },
            },
            {
              ALT: () => {
                this.CONSUME(k('expression'))
                this.OPTION2(() => this.SUBRULE2(this.ifExists))
              },
            },
          ])
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('add'))
          this.SUBRULE(this.generatedClause)
        },
      },
      { ALT: () => this.SUBRULE(this.retyping) },
      { ALT: () => this.AT_LEAST_ONE(() => this.SUBRULE(this.columnSetting)) },
    ])
  })

  readonly retyping: Rule = this.RULE('retyping', () => {
    this.CONSUME(k('type'))
    this.SUBRULE(this.typeName)
    this.OPTION(() => {
      this.CONSUME(k('collate'))
      this.SUBRULE(this.qualifiedName)
    })
    this.OPTION2(() => {
      this.CONSUME(k('using'))
      this.SUBRULE(this.expression)
    })
  })

  readonly columnSetting: Rule = this.RULE('columnSetting', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(k('restart'))
          this.OPTION(() => {
            this.OPTION2(() => this.CONSUME(k('with')))
            this.SUBRULE(this.signedNumber)
          })
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('set'))
          this.OR2([
            {
              ALT: () => {
                this.CONSUME(k('default'))
                this.SUBRULE(this.expression)
              },
            },
            {
              ALT: () => {
                this.CONSUME(k('not'))
                this.CONSUME(k('null'))
              },
            },
            {
              ALT: () => {
                this.CONSUME(k('data'))
                this.SUBRULE(this.retyping)
              },
            },
            {
              ALT: () => {
                this.CONSUME(k('generated'))
                this.SUBRULE(this.generatedWhen)
              },
            },
            {
              ALT: () => {
                this.OR3([
                  { ALT: () => this.CONSUME(k('statistics')) },
                  { ALT: () => this.CONSUME(k('storage')) },
                ])
                this.SUBRULE(this.settingValue)
              },
            },
            { ALT: () => this.SUBRULE(this.sequenceOption) },
          ])
        },
      },
    ])
  })
}
