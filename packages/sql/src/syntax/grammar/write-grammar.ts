import { ColumnId, Comma, Dot, Equals, keyword, Label, LParen, RowConstructor, RParen } from '../tokens.ts'
import { QueryGrammar } from './query-grammar.ts'
import type { Rule } from './rule.ts'

const k = keyword

/** INSERT, UPDATE, DELETE and MERGE, and all statements over data. */
export class WriteGrammar extends QueryGrammar {
  /** A statement over data, its WITH included. */
  readonly dataStatement: Rule = this.RULE('dataStatement', () => {
    this.OR([
      {
        ALT: () => {
          this.SUBRULE(this.withClause)
          this.SUBRULE(this.plainStatement)
        },
      },
      { ALT: () => this.SUBRULE2(this.plainStatement), IGNORE_AMBIGUITIES: true },
    ])
  })

  /** Behind a WITH clause a query has none of its own: the builder sees to it. */
  readonly plainStatement: Rule = this.RULE('plainStatement', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.query) },
      { ALT: () => this.SUBRULE(this.insert) },
      { ALT: () => this.SUBRULE(this.update) },
      { ALT: () => this.SUBRULE(this.deletion) },
      { ALT: () => this.SUBRULE(this.merge) },
    ])
  })

  readonly insert: Rule = this.RULE('insert', () => {
    this.CONSUME(k('insert'))
    this.CONSUME(k('into'))
    this.SUBRULE(this.qualifiedName)
    this.OPTION(() => {
      this.CONSUME(k('as'))
      this.CONSUME(ColumnId)
    })
    this.OPTION2(() => this.SUBRULE(this.targetList))
    this.OPTION5(() => this.SUBRULE(this.overriding))
    this.OR([
      { ALT: () => this.SUBRULE(this.query) },
      {
        ALT: () => {
          this.CONSUME(k('default'))
          this.CONSUME(k('values'))
        },
      },
    ])
    this.OPTION3(() => this.SUBRULE(this.onConflict))
    this.OPTION4(() => this.SUBRULE(this.returning))
  })

  readonly overriding: Rule = this.RULE('overriding', () => {
    this.CONSUME(k('overriding'))
    this.OR([{ ALT: () => this.CONSUME(k('system')) }, { ALT: () => this.CONSUME(k('user')) }])
    this.CONSUME(k('value'))
  })

  readonly onConflict: Rule = this.RULE('onConflict', () => {
    this.CONSUME(k('on'))
    this.CONSUME(k('conflict'))
    this.OPTION(() => {
      this.OR([
        { ALT: () => this.SUBRULE(this.conflictKey) },
        {
          ALT: () => {
            this.CONSUME2(k('on'))
            this.CONSUME(k('constraint'))
            this.CONSUME(ColumnId)
          },
        },
      ])
    })
    this.CONSUME(k('do'))
    this.OR2([
      { ALT: () => this.CONSUME(k('nothing')) },
      {
        ALT: () => {
          this.CONSUME(k('update'))
          this.CONSUME(k('set'))
          this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.assignment) })
          this.OPTION2(() => this.SUBRULE(this.whereClause))
        },
      },
    ])
  })

  /** Columns and expressions of a unique index, and a condition that implies its own. */
  readonly conflictKey: Rule = this.RULE('conflictKey', () => {
    this.CONSUME(LParen)
    this.SUBRULE(this.sortList)
    this.CONSUME(RParen)
    this.OPTION(() => this.SUBRULE(this.whereClause))
  })

  readonly update: Rule = this.RULE('update', () => {
    this.CONSUME(k('update'))
    this.SUBRULE(this.oneTable)
    this.SUBRULE(this.targetAlias)
    this.CONSUME(k('set'))
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.assignment) })
    this.OPTION(() => {
      this.CONSUME(k('from'))
      this.SUBRULE(this.fromList)
    })
    this.OPTION2(() => this.SUBRULE(this.whereClause))
    this.OPTION3(() => this.SUBRULE(this.returning))
  })

  /** `.field` or `[1]` of the column that is assigned to. */
  readonly assignedPart: Rule = this.RULE('assignedPart', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(Dot)
          this.CONSUME(Label)
        },
      },
      { ALT: () => this.SUBRULE(this.subscript) },
    ])
  })

  /** A column, or a part of it. */
  readonly targetColumn: Rule = this.RULE('targetColumn', () => {
    this.CONSUME(ColumnId)
    this.MANY(() => this.SUBRULE(this.assignedPart))
  })

  readonly targetList: Rule = this.RULE('targetList', () => {
    this.CONSUME(LParen)
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.targetColumn) })
    this.CONSUME(RParen)
  })

  readonly assignment: Rule = this.RULE('assignment', () => {
    this.OR([
      {
        ALT: () => {
          this.SUBRULE(this.targetColumn)
          this.CONSUME(Equals)
          this.OR2([{ ALT: () => this.CONSUME(k('default')) }, { ALT: () => this.SUBRULE(this.expression) }])
        },
      },
      {
        ALT: () => {
          this.SUBRULE(this.targetList)
          this.CONSUME2(Equals)
          this.OR3([
            { ALT: () => this.SUBRULE(this.subquery) },
            {
              ALT: () => {
                this.OPTION(() => this.CONSUME(RowConstructor))
                this.SUBRULE(this.valuesRow)
              },
            },
          ])
        },
      },
    ])
  })

  readonly deletion: Rule = this.RULE('deletion', () => {
    this.CONSUME(k('delete'))
    this.CONSUME(k('from'))
    this.SUBRULE(this.oneTable)
    this.SUBRULE(this.targetAlias)
    this.OPTION(() => {
      this.CONSUME(k('using'))
      this.SUBRULE(this.fromList)
    })
    this.OPTION2(() => this.SUBRULE(this.whereClause))
    this.OPTION3(() => this.SUBRULE(this.returning))
  })

  readonly merge: Rule = this.RULE('merge', () => {
    this.CONSUME(k('merge'))
    this.CONSUME(k('into'))
    this.SUBRULE(this.oneTable)
    this.SUBRULE(this.targetAlias)
    this.CONSUME(k('using'))
    this.SUBRULE(this.tablePrimary)
    this.CONSUME(k('on'))
    this.SUBRULE(this.expression)
    this.AT_LEAST_ONE(() => this.SUBRULE(this.mergeBranch))
  })

  readonly mergeBranch: Rule = this.RULE('mergeBranch', () => {
    this.CONSUME(k('when'))
    this.OPTION(() => this.CONSUME(k('not')))
    this.CONSUME(k('matched'))
    this.OPTION2(() => {
      this.CONSUME(k('and'))
      this.SUBRULE(this.expression)
    })
    this.CONSUME(k('then'))
    this.OR([
      {
        ALT: () => {
          this.CONSUME(k('update'))
          this.CONSUME(k('set'))
          this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.assignment) })
        },
      },
      { ALT: () => this.CONSUME(k('delete')) },
      {
        ALT: () => {
          this.CONSUME(k('do'))
          this.CONSUME(k('nothing'))
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('insert'))
          this.OPTION3(() => this.SUBRULE(this.targetList))
          this.OPTION4(() => this.SUBRULE(this.overriding))
          this.OR2([
            {
              ALT: () => {
                this.CONSUME(k('values'))
                this.SUBRULE(this.valuesRow)
              },
            },
            {
              ALT: () => {
                this.CONSUME(k('default'))
                this.CONSUME2(k('values'))
              },
            },
          ])
        },
      },
    ])
  })
}
