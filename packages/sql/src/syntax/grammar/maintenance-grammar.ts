import { Comma, keyword, Label, LParen, RParen, StringLiteral } from '../tokens.ts'
import { CursorGrammar } from './cursor-grammar.ts'
import type { Rule } from './rule.ts'

const k = keyword

/** What clients of PostgreSQL say to keep a server in shape, and blocks of code. */
export abstract class MaintenanceGrammar extends CursorGrammar {
  readonly lockTable: Rule = this.RULE('lockTable', () => {
    this.CONSUME(k('lock'))
    this.OPTION(() => this.CONSUME(k('table')))
    this.OPTION2(() => this.CONSUME(k('only')))
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.qualifiedName) })
    this.OPTION3(() => {
      this.CONSUME(k('in'))
      this.AT_LEAST_ONE({
        GATE: () => this.LA(1).tokenType !== k('mode'),
        DEF: () => this.CONSUME(Label),
      })
      this.CONSUME(k('mode'))
    })
    this.OPTION4(() => this.CONSUME(k('nowait')))
  })

  /** VACUUM and ANALYZE, with the options of both. */
  readonly maintain: Rule = this.RULE('maintain', () => {
    this.OR([
      { ALT: () => this.CONSUME(k('vacuum')) },
      { ALT: () => this.CONSUME(k('analyze')) },
      { ALT: () => this.CONSUME(k('analyse')) },
    ])
    this.OPTION(() => {
      this.CONSUME(LParen)
      this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.storageOption) })
      this.CONSUME(RParen)
    })
    this.MANY(() => {
      this.OR2([
        { ALT: () => this.CONSUME(k('full')) },
        { ALT: () => this.CONSUME(k('freeze')) },
        { ALT: () => this.CONSUME(k('verbose')) },
        { ALT: () => this.CONSUME2(k('analyze')) },
        { ALT: () => this.CONSUME2(k('analyse')) },
      ])
    })
    this.MANY_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.maintained) })
  })

  readonly maintained: Rule = this.RULE('maintained', () => {
    this.SUBRULE(this.qualifiedName)
    this.OPTION(() => this.SUBRULE(this.nameList))
  })

  readonly doBlock: Rule = this.RULE('doBlock', () => {
    this.CONSUME(k('do'))
    this.OPTION(() => this.SUBRULE(this.language))
    this.CONSUME(StringLiteral)
    this.OPTION2(() => this.SUBRULE2(this.language))
  })

  readonly language: Rule = this.RULE('language', () => {
    this.CONSUME(k('language'))
    this.OR([{ ALT: () => this.CONSUME(Label) }, { ALT: () => this.CONSUME(StringLiteral) }])
  })
}
