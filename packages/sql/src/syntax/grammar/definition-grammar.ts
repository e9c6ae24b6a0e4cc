import { ColumnId, Comma, keyword, LParen, RParen, StringLiteral } from '../tokens.ts'
import { AlterGrammar } from './alter-grammar.ts'
import type { Rule } from './rule.ts'

const k = keyword

/** The statements that make, change and remove objects of the catalog. */
export abstract class DefinitionGrammar extends AlterGrammar {
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
      { ALT: () => this.SUBRULE(this.createMaterializedView) },
      { ALT: () => this.SUBRULE(this.createSequence) },
      { ALT: () => this.SUBRULE(this.createSchema) },
      { ALT: () => this.SUBRULE(this.createType) },
      { ALT: () => this.SUBRULE(this.createDomain) },
    ])
  })

  readonly createView: Rule = this.RULE('createView', () => {
    this.OPTION(() => this.CONSUME(k('recursive')))
    this.CONSUME(k('view'))
    this.SUBRULE(this.qualifiedName)
    this.OPTION2(() => this.SUBRULE(this.nameList))
    this.OPTION3(() => {
      this.CONSUME(k('with'))
      this.SUBRULE(this.optionList)
    })
    this.CONSUME(k('as'))
    this.SUBRULE(this.query)
    this.OPTION4(() => {
      this.CONSUME2(k('with'))
      this.OPTION5(() => {
        this.OR([{ ALT: () => this.CONSUME(k('local')) }, { ALT: () => this.CONSUME(k('cascaded')) }])
      })
      this.CONSUME(k('check'))
      this.CONSUME(k('option'))
    })
  })

  readonly createMaterializedView: Rule = this.RULE('createMaterializedView', () => {
    this.CONSUME(k('materialized'))
    this.CONSUME(k('view'))
    this.OPTION(() => this.SUBRULE(this.ifNotExists))
    this.SUBRULE(this.qualifiedName)
    this.OPTION2(() => this.SUBRULE(this.nameList))
    this.CONSUME(k('as'))
    this.SUBRULE(this.query)
    this.OPTION3(() => this.SUBRULE(this.withData))
  })

  readonly createSequence: Rule = this.RULE('createSequence', () => {
    this.CONSUME(k('sequence'))
    this.OPTION(() => this.SUBRULE(this.ifNotExists))
    this.SUBRULE(this.qualifiedName)
    this.MANY(() => this.SUBRULE(this.sequenceOption))
  })

  readonly createSchema: Rule = this.RULE('createSchema', () => {
    this.CONSUME(k('schema'))
    this.OPTION(() => this.SUBRULE(this.ifNotExists))
    this.OPTION2(() => this.CONSUME(ColumnId))
    this.OPTION3(() => {
      this.CONSUME(k('authorization'))
      this.OR([
        { ALT: () => this.CONSUME2(ColumnId, { LABEL: 'owner' }) },
        { ALT: () => this.CONSUME(k('current_user')) },
      ])
    })
    this.MANY(() => this.SUBRULE(this.create))
  })

  readonly createType: Rule = this.RULE('createType', () => {
    this.CONSUME(k('type'))
    this.SUBRULE(this.qualifiedName)
    this.CONSUME(k('as'))
    this.OR([
      {
        ALT: () => {
          this.CONSUME(k('enum'))
          this.CONSUME(LParen)
          this.MANY_SEP({ SEP: Comma, DEF: () => this.CONSUME(StringLiteral) })
          this.CONSUME(RParen)
        },
      },
      { ALT: () => this.SUBRULE(this.fieldDefinitions) },
    ])
  })

  readonly createDomain: Rule = this.RULE('createDomain', () => {
    this.CONSUME(k('domain'))
    this.SUBRULE(this.qualifiedName)
    this.OPTION(() => this.CONSUME(k('as')))
    this.SUBRULE(this.typeName)
    this.MANY(() => this.SUBRULE(this.columnConstraint))
  })

  readonly alter: Rule = this.RULE('alter', () => {
    this.CONSUME(k('alter'))
    this.OR([
      { ALT: () => this.SUBRULE(this.alterTable) },
      { ALT: () => this.SUBRULE(this.alterSequence) },
      { ALT: () => this.SUBRULE(this.alterType) },
      { ALT: () => this.SUBRULE(this.alterDomain) },
      { ALT: () => this.SUBRULE(this.alterObject) },
    ])
  })

  readonly alterSequence: Rule = this.RULE('alterSequence', () => {
    this.CONSUME(k('sequence'))
    this.OPTION(() => this.SUBRULE(this.ifExists))
    this.SUBRULE(this.qualifiedName)
    this.OR([
      { ALT: () => this.SUBRULE(this.objectChange) },
      { ALT: () => this.AT_LEAST_ONE(() => this.SUBRULE(this.sequenceOption)) },
    ])
  })

  readonly alterType: Rule = this.RULE('alterType', () => {
    this.CONSUME(k('type'))
    this.SUBRULE(this.qualifiedName)
    this.OR([
      {
        GATE: () => this.LA(2).tokenType === k('attribute'),
        ALT: () => this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.attributeChange) }),
        IGNORE_AMBIGUITIES: true,
      },
      {
        ALT: () => {
          this.CONSUME(k('add'))
          this.CONSUME(k('value'))
          this.OPTION(() => this.SUBRULE(this.ifNotExists))
          this.CONSUME(StringLiteral, { LABEL: 'added' })
          this.OPTION2(() => {
            this.OR2([{ ALT: () => this.CONSUME(k('before')) }, { ALT: () => this.CONSUME(k('after')) }])
            this.CONSUME2(StringLiteral, { LABEL: 'neighbour' })
          })
        },
      },
      {
        GATE: () => this.LA(2).tokenType === k('value'),
        ALT: () => {
          this.CONSUME(k('rename'))
          this.CONSUME2(k('value'))
          this.CONSUME3(StringLiteral, { LABEL: 'from' })
          this.CONSUME(k('to'))
          this.CONSUME4(StringLiteral, { LABEL: 'to' })
        },
        IGNORE_AMBIGUITIES: true,
      },
      { ALT: () => this.SUBRULE(this.objectChange) },
    ])
  })

  /** Of a composite type. */
  readonly attributeChange: Rule = this.RULE('attributeChange', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(k('add'))
          this.CONSUME(k('attribute'))
          this.SUBRULE(this.fieldDefinition)
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('drop'))
          this.CONSUME2(k('attribute'))
          this.OPTION(() => this.SUBRULE(this.ifExists))
          this.CONSUME(ColumnId)
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('alter'))
          this.CONSUME3(k('attribute'))
          this.CONSUME2(ColumnId)
          this.OPTION2(() => {
            this.CONSUME(k('set'))
            this.CONSUME(k('data'))
          })
          this.CONSUME(k('type'))
          this.SUBRULE(this.typeName)
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('rename'))
          this.CONSUME4(k('attribute'))
          this.CONSUME3(ColumnId)
          this.CONSUME(k('to'))
          this.CONSUME4(ColumnId)
        },
      },
    ])
    this.OPTION3(() => this.SUBRULE(this.behaviour))
  })

  readonly alterDomain: Rule = this.RULE('alterDomain', () => {
    this.CONSUME(k('domain'))
    this.SUBRULE(this.qualifiedName)
    this.OR([
      {
        GATE: () => this.LA(2).tokenType !== k('schema'),
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
          ])
        },
        IGNORE_AMBIGUITIES: true,
      },
      {
        ALT: () => {
          this.CONSUME(k('drop'))
          this.OR3([
            { ALT: () => this.CONSUME2(k('default')) },
            {
              ALT: () => {
                this.CONSUME2(k('not'))
                this.CONSUME2(k('null'))
              },
            },
            {
              ALT: () => {
                this.CONSUME(k('constraint'))
                this.OPTION(() => this.SUBRULE(this.ifExists))
                this.CONSUME(ColumnId)
                this.OPTION2(() => this.SUBRULE(this.behaviour))
              },
            },
          ])
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('add'))
          this.SUBRULE(this.tableConstraint)
        },
      },
      { ALT: () => this.SUBRULE(this.objectChange) },
    ])
  })

  /** What may be done to any object. */
  readonly alterObject: Rule = this.RULE('alterObject', () => {
    this.OR([
      { ALT: () => this.CONSUME(k('index')) },
      { ALT: () => this.CONSUME(k('view')) },
      {
        ALT: () => {
          this.CONSUME(k('materialized'))
          this.CONSUME2(k('view'))
        },
      },
      { ALT: () => this.CONSUME(k('schema')) },
    ])
    this.OPTION(() => this.SUBRULE(this.ifExists))
    this.SUBRULE(this.qualifiedName)
    this.SUBRULE(this.objectChange)
  })

  readonly objectChange: Rule = this.RULE('objectChange', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.renaming) },
      { ALT: () => this.SUBRULE(this.changeOfOwner) },
      {
        ALT: () => {
          this.CONSUME(k('set'))
          this.CONSUME(k('schema'))
          this.CONSUME(ColumnId)
        },
      },
    ])
  })

  readonly drop: Rule = this.RULE('drop', () => {
    this.CONSUME(k('drop'))
    this.OR([
      { ALT: () => this.CONSUME(k('table')) },
      {
        ALT: () => {
          this.CONSUME(k('index'))
          this.OPTION(() => this.CONSUME(k('concurrently')))
        },
      },
      { ALT: () => this.CONSUME(k('view')) },
      {
        ALT: () => {
          this.CONSUME(k('materialized'))
          this.CONSUME2(k('view'))
        },
      },
      { ALT: () => this.CONSUME(k('sequence')) },
      { ALT: () => this.CONSUME(k('type')) },
      { ALT: () => this.CONSUME(k('domain')) },
      { ALT: () => this.CONSUME(k('schema')) },
    ])
    this.OPTION2(() => this.SUBRULE(this.ifExists))
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.qualifiedName) })
    this.OPTION3(() => this.SUBRULE(this.behaviour))
  })

  readonly truncate: Rule = this.RULE('truncate', () => {
    this.CONSUME(k('truncate'))
    this.OPTION(() => this.CONSUME(k('table')))
    this.OPTION2(() => this.CONSUME(k('only')))
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.qualifiedName) })
    this.OPTION3(() => {
      this.OR([{ ALT: () => this.CONSUME(k('restart')) }, { ALT: () => this.CONSUME(k('continue')) }])
      this.CONSUME(k('identity'))
    })
    this.OPTION4(() => this.SUBRULE(this.behaviour))
  })

  readonly refresh: Rule = this.RULE('refresh', () => {
    this.CONSUME(k('refresh'))
    this.CONSUME(k('materialized'))
    this.CONSUME(k('view'))
    this.OPTION(() => this.CONSUME(k('concurrently')))
    this.SUBRULE(this.qualifiedName)
    this.OPTION2(() => this.SUBRULE(this.withData))
  })

  readonly comment: Rule = this.RULE('comment', () => {
    this.CONSUME(k('comment'))
    this.CONSUME(k('on'))
    this.OR([
      { ALT: () => this.CONSUME(k('table')) },
      { ALT: () => this.CONSUME(k('column')) },
      { ALT: () => this.CONSUME(k('index')) },
      { ALT: () => this.CONSUME(k('view')) },
      {
        ALT: () => {
          this.CONSUME(k('materialized'))
          this.CONSUME2(k('view'))
        },
      },
      { ALT: () => this.CONSUME(k('sequence')) },
      { ALT: () => this.CONSUME(k('schema')) },
      { ALT: () => this.CONSUME(k('type')) },
      { ALT: () => this.CONSUME(k('domain')) },
      { ALT: () => this.CONSUME(k('database')) },
      {
        ALT: () => {
          this.CONSUME(k('constraint'))
          this.CONSUME(ColumnId)
          this.CONSUME2(k('on'))
        },
      },
    ])
    this.SUBRULE(this.qualifiedName)
    this.CONSUME(k('is'))
    this.OR2([{ ALT: () => this.CONSUME(StringLiteral) }, { ALT: () => this.CONSUME(k('null')) }])
  })
}
