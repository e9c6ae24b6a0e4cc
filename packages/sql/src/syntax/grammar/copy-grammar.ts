import {
  ColumnId,
  Comma,
  keyword,
  Label,
  LParen,
  QueryParen,
  RParen,
  Star,
  StringLiteral,
} from '../tokens.ts'
import { DefinitionGrammar } from './definition-grammar.ts'
import type { Rule } from './rule.ts'

const k = keyword

/** COPY, as it is written since PostgreSQL 9.0 and as it was before. */
export class CopyGrammar extends DefinitionGrammar {
  readonly copy: Rule = this.RULE('copy', () => {
    this.CONSUME(k('copy'))
    this.OR([
      { ALT: () => this.SUBRULE(this.copyQuery) },
      {
        ALT: () => {
          this.OPTION(() => this.CONSUME(k('binary')))
          this.SUBRULE(this.qualifiedName)
          this.OPTION2(() => this.SUBRULE(this.nameList))
        },
      },
    ])
    this.OR2([{ ALT: () => this.CONSUME(k('from')) }, { ALT: () => this.CONSUME(k('to')) }])
    this.OPTION3(() => this.CONSUME(k('program')))
    this.OR3([
      { ALT: () => this.CONSUME(StringLiteral, { LABEL: 'file' }) },
      { ALT: () => this.CONSUME(k('stdin')) },
      { ALT: () => this.CONSUME(k('stdout')) },
    ])
    this.OPTION4(() => {
      this.OPTION5(() => this.CONSUME(k('using')))
      this.CONSUME(k('delimiters'))
      this.CONSUME2(StringLiteral, { LABEL: 'delimiters' })
    })
    this.OPTION6(() => this.CONSUME(k('with')))
    this.OR4([
      {
        ALT: () => {
          this.CONSUME(LParen)
          this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.copyOption) })
          this.CONSUME(RParen)
        },
      },
      { ALT: () => this.MANY(() => this.SUBRULE(this.copyWord)) },
    ])
    this.OPTION7(() => this.SUBRULE(this.whereClause))
  })

  readonly copyQuery: Rule = this.RULE('copyQuery', () => {
    this.OR([{ ALT: () => this.CONSUME(QueryParen) }, { ALT: () => this.CONSUME(LParen) }])
    this.SUBRULE(this.dataStatement)
    this.CONSUME(RParen)
  })

  readonly copyOption: Rule = this.RULE('copyOption', () => {
    this.CONSUME(Label)
    this.OPTION(() => {
      this.OR([
        { ALT: () => this.SUBRULE(this.settingValue) },
        { ALT: () => this.CONSUME(Star) },
        { ALT: () => this.SUBRULE(this.nameList) },
      ])
    })
  })

  /** An option as it was written before there was a list of them. */
  readonly copyWord: Rule = this.RULE('copyWord', () => {
    this.OR([
      { ALT: () => this.CONSUME(k('binary'), { LABEL: 'flag' }) },
      { ALT: () => this.CONSUME(k('freeze'), { LABEL: 'flag' }) },
      { ALT: () => this.CONSUME(k('csv'), { LABEL: 'flag' }) },
      { ALT: () => this.CONSUME(k('header'), { LABEL: 'flag' }) },
      {
        ALT: () => {
          this.OR2([
            { ALT: () => this.CONSUME(k('delimiter'), { LABEL: 'word' }) },
            { ALT: () => this.CONSUME(k('null'), { LABEL: 'word' }) },
            { ALT: () => this.CONSUME(k('quote'), { LABEL: 'word' }) },
            { ALT: () => this.CONSUME(k('escape'), { LABEL: 'word' }) },
            { ALT: () => this.CONSUME(k('encoding'), { LABEL: 'word' }) },
          ])
          this.OPTION(() => this.CONSUME(k('as')))
          this.CONSUME(StringLiteral)
        },
      },
      {
        ALT: () => {
          this.CONSUME(k('force'))
          this.OR3([
            { ALT: () => this.CONSUME2(k('quote'), { LABEL: 'forced' }) },
            {
              ALT: () => {
                this.CONSUME(k('not'))
                this.CONSUME2(k('null'), { LABEL: 'notNull' })
              },
            },
            { ALT: () => this.CONSUME3(k('null'), { LABEL: 'forced' }) },
          ])
          this.OR4([
            { ALT: () => this.CONSUME(Star) },
            { ALT: () => this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.CONSUME(ColumnId) }) },
          ])
        },
      },
    ])
  })
}
