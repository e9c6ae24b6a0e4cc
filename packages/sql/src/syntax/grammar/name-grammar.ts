import { CstParser } from 'chevrotain'
import {
  ColumnId,
  Comma,
  Dot,
  IntervalField,
  keyword,
  Label,
  LBracket,
  LParen,
  Minus,
  NumberLiteral,
  RBracket,
  RParen,
  vocabulary,
  WithTime,
} from '../tokens.ts'
import type { Rule } from './rule.ts'

const ARRAY = keyword('array')
const CHAR = keyword('char')
const CHARACTER = keyword('character')
const COLLATE = keyword('collate')
const DOUBLE = keyword('double')
const INTERVAL = keyword('interval')
const PRECISION = keyword('precision')
const TIME = keyword('time')
const TO = keyword('to')
const VARYING = keyword('varying')
const WITHOUT = keyword('without')
const ZONE = keyword('zone')

/** Names and types. */
export abstract class NameGrammar extends CstParser {
  constructor() {
    super(vocabulary, { maxLookahead: 1, recoveryEnabled: false, nodeLocationTracking: 'onlyOffset' })
  }

  readonly typeName: Rule = this.RULE('typeName', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(DOUBLE)
          this.CONSUME(PRECISION)
        },
      },
      {
        ALT: () => {
          this.OR2([{ ALT: () => this.CONSUME(CHARACTER) }, { ALT: () => this.CONSUME(CHAR) }])
          this.OPTION(() => this.CONSUME(VARYING))
        },
      },
      {
        ALT: () => {
          this.CONSUME(INTERVAL)
          this.OPTION7(() => this.SUBRULE(this.intervalSpan))
        },
      },
      {
        ALT: () => {
          this.SUBRULE(this.qualifiedName)
          this.OPTION5(() => this.CONSUME2(VARYING))
        },
        IGNORE_AMBIGUITIES: true,
      },
    ])
    this.OPTION2(() => {
      this.CONSUME(LParen)
      this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.typeModifier) })
      this.CONSUME(RParen)
    })
    this.OPTION3(() => this.SUBRULE(this.timeZone))
    this.OPTION6(() => this.CONSUME(ARRAY))
    this.MANY(() => {
      this.CONSUME(LBracket)
      this.OPTION4(() => this.CONSUME2(NumberLiteral, { LABEL: 'size' }))
      this.CONSUME(RBracket)
    })
  })

  /** `YEAR`, `DAY TO SECOND` */
  readonly intervalSpan: Rule = this.RULE('intervalSpan', () => {
    this.CONSUME(IntervalField)
    this.OPTION(() => {
      this.CONSUME(TO)
      this.CONSUME2(IntervalField)
    })
  })

  readonly typeModifier: Rule = this.RULE('typeModifier', () => {
    this.OPTION(() => this.CONSUME(Minus))
    this.CONSUME(NumberLiteral)
  })

  readonly timeZone: Rule = this.RULE('timeZone', () => {
    this.OR([{ ALT: () => this.CONSUME(WITHOUT) }, { ALT: () => this.CONSUME(WithTime) }])
    this.CONSUME(TIME)
    this.CONSUME(ZONE)
  })

  readonly qualifiedName: Rule = this.RULE('qualifiedName', () => {
    this.CONSUME(ColumnId)
    this.MANY(() => {
      this.CONSUME(Dot)
      this.CONSUME(Label)
    })
  })

  /** `(a integer, b text)`. */
  readonly fieldDefinitions: Rule = this.RULE('fieldDefinitions', () => {
    this.CONSUME(LParen)
    this.MANY_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.fieldDefinition) })
    this.CONSUME(RParen)
  })

  readonly fieldDefinition: Rule = this.RULE('fieldDefinition', () => {
    this.CONSUME(ColumnId)
    this.SUBRULE(this.typeName)
    this.OPTION(() => {
      this.CONSUME(COLLATE)
      this.SUBRULE(this.qualifiedName)
    })
  })

  readonly nameList: Rule = this.RULE('nameList', () => {
    this.CONSUME(LParen)
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.CONSUME(ColumnId) })
    this.CONSUME(RParen)
  })
}
