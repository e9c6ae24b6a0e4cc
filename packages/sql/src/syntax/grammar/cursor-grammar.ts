import { tokenMatcher } from 'chevrotain'
import { ColumnId, keyword, Minus, NumberLiteral, Plus } from '../tokens.ts'
import { CopyGrammar } from './copy-grammar.ts'
import type { Rule } from './rule.ts'

const k = keyword

/** DECLARE, FETCH, MOVE and CLOSE. */
export class CursorGrammar extends CopyGrammar {
  readonly declareCursor: Rule = this.RULE('declareCursor', () => {
    this.CONSUME(k('declare'))
    this.CONSUME(ColumnId)
    this.MANY(() => {
      this.OR([
        { ALT: () => this.CONSUME(k('binary')) },
        { ALT: () => this.CONSUME(k('insensitive')) },
        { ALT: () => this.CONSUME(k('asensitive')) },
        { ALT: () => this.CONSUME(k('scroll')) },
        {
          ALT: () => {
            this.CONSUME(k('no'))
            this.CONSUME2(k('scroll'), { LABEL: 'noScroll' })
          },
        },
      ])
    })
    this.CONSUME(k('cursor'))
    this.OPTION(() => {
      this.OR2([{ ALT: () => this.CONSUME(k('with')) }, { ALT: () => this.CONSUME(k('without')) }])
      this.CONSUME(k('hold'))
    })
    this.CONSUME(k('for'))
    this.SUBRULE(this.query)
  })

  readonly fetchRows: Rule = this.RULE('fetchRows', () => {
    this.OR([{ ALT: () => this.CONSUME(k('fetch')) }, { ALT: () => this.CONSUME(k('move')) }])
    // A cursor may be called `next`.
    this.OPTION({
      GATE: () =>
        !tokenMatcher(this.LA(1), ColumnId) ||
        tokenMatcher(this.LA(2), ColumnId) ||
        [k('from'), k('in'), k('all'), NumberLiteral, Minus, Plus].includes(this.LA(2).tokenType),
      DEF: () => this.SUBRULE(this.fetchDirection),
    })
    this.OPTION2(() => {
      this.OR2([{ ALT: () => this.CONSUME(k('from')) }, { ALT: () => this.CONSUME(k('in')) }])
    })
    this.CONSUME(ColumnId)
  })

  readonly fetchDirection: Rule = this.RULE('fetchDirection', () => {
    this.OR([
      { ALT: () => this.CONSUME(k('next'), { LABEL: 'word' }) },
      { ALT: () => this.CONSUME(k('prior'), { LABEL: 'word' }) },
      { ALT: () => this.CONSUME(k('first'), { LABEL: 'word' }) },
      { ALT: () => this.CONSUME(k('last'), { LABEL: 'word' }) },
      { ALT: () => this.CONSUME(k('all')) },
      { ALT: () => this.SUBRULE(this.signedCount) },
      {
        ALT: () => {
          this.OR2([
            { ALT: () => this.CONSUME(k('absolute'), { LABEL: 'word' }) },
            { ALT: () => this.CONSUME(k('relative'), { LABEL: 'word' }) },
          ])
          this.SUBRULE2(this.signedCount)
        },
      },
      {
        ALT: () => {
          this.OR3([
            { ALT: () => this.CONSUME(k('forward'), { LABEL: 'word' }) },
            { ALT: () => this.CONSUME(k('backward'), { LABEL: 'word' }) },
          ])
          this.OPTION(() => {
            this.OR4([{ ALT: () => this.CONSUME2(k('all')) }, { ALT: () => this.SUBRULE3(this.signedCount) }])
          })
        },
      },
    ])
  })

  readonly signedCount: Rule = this.RULE('signedCount', () => {
    this.OPTION(() => {
      this.OR([{ ALT: () => this.CONSUME(Minus) }, { ALT: () => this.CONSUME(Plus) }])
    })
    this.CONSUME(NumberLiteral)
  })

  readonly closeCursor: Rule = this.RULE('closeCursor', () => {
    this.CONSUME(k('close'))
    this.OR([{ ALT: () => this.CONSUME(k('all')) }, { ALT: () => this.CONSUME(ColumnId) }])
  })
}
