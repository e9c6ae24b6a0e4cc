import {
  ClusterError,
  type DatabaseErrorDetail,
  type Key,
  type PartitionId,
  PROGRAM_DEPTH_MAX,
  PROGRAM_EXPRESSIONS_MAX,
  PROGRAM_ROWS_MAX,
  type PresentAction,
  type ProgramFailure,
  type ProgramNumber,
  type ProgramOutcome,
  type ProgramStep,
  type RelationId,
  type Row,
  type RowExpression,
  type RowProgram,
} from '@cluster/core'
import { ByteReader, ByteWriter, type MalformedDetail } from '../bytes.ts'

/** Version of the layout, and of what every expression means; the first byte of each program. */
const PROGRAM_FORMAT = 1

const NUMBERS = ['smallint', 'integer', 'bigint', 'numeric'] as const
const ARITHMETIC = ['add', 'subtract', 'multiply'] as const
const COMPARISONS = ['equal', 'less', 'lessOrEqual'] as const
const COMPARED = ['plain', 'numeric', 'text'] as const

const VALUE = 0
const COLUMN = 1
const FIT = 2
const CONCAT = 3
const AND = 4
const OR = 5
const NOT = 6
const IS_NULL = 7
const COALESCE = 8
const ARITHMETIC_FROM = 16
const COMPARISONS_FROM = 32

const KEEP = 0
const REFUSE = 1
const UPDATE = 2
const DELETE = 3

const damaged = (what: string): ClusterError<MalformedDetail> =>
  new ClusterError(
    { code: 'DB_FRAME_DAMAGED', outcome: 'rejected' },
    `A program of the databases cannot be read: ${what}. Run the same version on all nodes.`,
  )

const tooLarge = (what: string, given: number, most: number): ClusterError<DatabaseErrorDetail> =>
  new ClusterError(
    { code: 'DB_OPTION_INVALID', outcome: 'rejected', option: what, given: String(given) },
    `A program has ${given} ${what}; it must have 1 to ${most}. Use an ordinary transaction for more.`,
  )

/** A program of a later format: other replicas can run it, this one cannot. */
export class UnknownProgramError extends Error {
  override readonly name = 'UnknownProgramError'
}

/** @throws DB_OPTION_INVALID when there are too many steps or expressions, or keys that are equal */
export function encodeProgram({ steps, checks, returning }: RowProgram): Uint8Array {
  if (steps.length < 1 || steps.length > PROGRAM_ROWS_MAX)
    throw tooLarge('steps', steps.length, PROGRAM_ROWS_MAX)
  const keys = new Set(steps.map(({ key }) => key))
  if (keys.size < steps.length) throw tooLarge('keys of their own', keys.size, steps.length)
  const writer = new ProgramWriter()
  writer.bytes
    .byte(PROGRAM_FORMAT)
    .byte(returning ? 1 : 0)
    .varint(checks.length)
  for (const check of checks) writer.expression(check, 1)
  for (const { present, absent } of steps) {
    writer.action(present)
    if (absent === null) writer.bytes.byte(0)
    else writer.bytes.byte(1).row(absent)
  }
  return writer.bytes.finish()
}

class ProgramWriter {
  readonly bytes = new ByteWriter()
  #expressions = 0

  action(action: PresentAction): void {
    switch (action.do) {
      case 'keep':
        this.bytes.byte(KEEP)
        return
      case 'refuse':
        this.bytes.byte(REFUSE)
        return
      case 'update':
        this.bytes.byte(UPDATE).varint(action.set.length)
        for (const { position, value } of action.set) {
          this.bytes.varint(position)
          this.expression(value, 1)
        }
        this.#where(action.where)
        return
      case 'delete':
        this.bytes.byte(DELETE)
        this.#where(action.where)
        return
    }
  }

  #where(where: RowExpression | null): void {
    this.bytes.byte(where === null ? 0 : 1)
    if (where !== null) this.expression(where, 1)
  }

  expression(expression: RowExpression, depth: number): void {
    if (++this.#expressions > PROGRAM_EXPRESSIONS_MAX)
      throw tooLarge('expressions', this.#expressions, PROGRAM_EXPRESSIONS_MAX)
    if (depth > PROGRAM_DEPTH_MAX) throw tooLarge('levels of expressions', depth, PROGRAM_DEPTH_MAX)
    const { bytes } = this
    switch (expression.op) {
      case 'value':
        bytes.byte(VALUE).value(expression.value)
        return
      case 'column':
        bytes.byte(COLUMN).varint(expression.position)
        return
      case 'add':
      case 'subtract':
      case 'multiply':
        bytes.byte(ARITHMETIC_FROM + ARITHMETIC.indexOf(expression.op)).byte(NUMBERS.indexOf(expression.type))
        this.#all([expression.left, expression.right], depth)
        return
      case 'equal':
      case 'less':
      case 'lessOrEqual':
        bytes
          .byte(COMPARISONS_FROM + COMPARISONS.indexOf(expression.op))
          .byte(COMPARED.indexOf(expression.type))
        this.#all([expression.left, expression.right], depth)
        return
      case 'fit':
        bytes.byte(FIT).varint(expression.precision).varint(expression.scale)
        this.#all([expression.operand], depth)
        return
      case 'concat':
        bytes.byte(CONCAT)
        this.#all([expression.left, expression.right], depth)
        return
      case 'and':
      case 'or':
      case 'coalesce': {
        const tag = expression.op === 'and' ? AND : expression.op === 'or' ? OR : COALESCE
        bytes.byte(tag).varint(expression.operands.length)
        this.#all(expression.operands, depth)
        return
      }
      case 'not':
      case 'isNull':
        bytes.byte(expression.op === 'not' ? NOT : IS_NULL)
        this.#all([expression.operand], depth)
        return
    }
  }

  #all(operands: readonly RowExpression[], depth: number): void {
    for (const operand of operands) this.expression(operand, depth + 1)
  }
}

/** Where a program stands in a command: its head names the rows. */
export interface ProgramPlace {
  readonly relation: RelationId
  readonly partition: PartitionId
  readonly keys: readonly Key[]
  readonly command: Uint8Array
  readonly at: number
}

/** @throws DB_FRAME_DAMAGED, the same on every node; UnknownProgramError on nodes that are too old for it */
export function decodeProgram({ relation, partition, keys, command, at }: ProgramPlace): RowProgram {
  const reader = new ProgramReader(new ByteReader(command, at))
  const { bytes } = reader
  const format = bytes.byte()
  if (format > PROGRAM_FORMAT) throw new UnknownProgramError(`a program has format ${format}`)
  if (format < 1) throw damaged('it has no format')
  if (keys.length > PROGRAM_ROWS_MAX || new Set(keys).size < keys.length) throw damaged('its keys do not fit')
  const returning = bytes.byte() === 1
  const checks: RowExpression[] = []
  for (let left = bytes.count(); left > 0; left--) checks.push(reader.expression(1))
  const steps = keys.map((key): ProgramStep => {
    const present = reader.action()
    return { key, present, absent: bytes.byte() === 0 ? null : bytes.row() }
  })
  return { relation, partition, steps, checks, returning }
}

class ProgramReader {
  readonly bytes: ByteReader
  #expressions = 0

  constructor(bytes: ByteReader) {
    this.bytes = bytes
  }

  action(): PresentAction {
    const tag = this.bytes.byte()
    switch (tag) {
      case KEEP:
        return { do: 'keep' }
      case REFUSE:
        return { do: 'refuse' }
      case UPDATE: {
        const set: { position: number; value: RowExpression }[] = []
        for (let left = this.bytes.count(2); left > 0; left--) {
          const position = this.bytes.varint()
          if (position >= COLUMNS_MAX) throw damaged(`it sets column ${position}`)
          set.push({ position, value: this.expression(1) })
        }
        return { do: 'update', set, where: this.#where() }
      }
      case DELETE:
        return { do: 'delete', where: this.#where() }
      default:
        throw damaged(`it has the unknown action ${tag}`)
    }
  }

  #where(): RowExpression | null {
    return this.bytes.byte() === 0 ? null : this.expression(1)
  }

  expression(depth: number): RowExpression {
    if (++this.#expressions > PROGRAM_EXPRESSIONS_MAX || depth > PROGRAM_DEPTH_MAX)
      throw damaged('its expressions are too many or too deep')
    const tag = this.bytes.byte()
    const operand = (): RowExpression => this.expression(depth + 1)
    const arithmetic = ARITHMETIC[tag - ARITHMETIC_FROM]
    if (arithmetic !== undefined) {
      const type = this.#one<ProgramNumber>(NUMBERS)
      return { op: arithmetic, type, left: operand(), right: operand() }
    }
    const comparison = COMPARISONS[tag - COMPARISONS_FROM]
    if (comparison !== undefined) {
      const type = this.#one(COMPARED)
      return { op: comparison, type, left: operand(), right: operand() }
    }
    switch (tag) {
      case VALUE:
        return { op: 'value', value: this.bytes.value() }
      case COLUMN:
        return { op: 'column', position: this.bytes.varint() }
      case FIT: {
        const precision = this.bytes.varint()
        const scale = this.bytes.varint()
        if (precision > 1_000 || scale > 1_000) throw damaged('it asks for too many digits')
        return { op: 'fit', precision, scale, operand: operand() }
      }
      case CONCAT:
        return { op: 'concat', left: operand(), right: operand() }
      case AND:
      case OR:
      case COALESCE: {
        const operands: RowExpression[] = []
        for (let left = this.bytes.count(); left > 0; left--) operands.push(operand())
        return { op: tag === AND ? 'and' : tag === OR ? 'or' : 'coalesce', operands }
      }
      case NOT:
        return { op: 'not', operand: operand() }
      case IS_NULL:
        return { op: 'isNull', operand: operand() }
      default:
        throw damaged(`it has the unknown expression ${tag}`)
    }
  }

  #one<Item>(list: readonly Item[]): Item {
    const item = list[this.bytes.byte()]
    if (item === undefined) throw damaged('it names an unknown type')
    return item
  }
}

/** More columns than any row has. */
const COLUMNS_MAX = 4_096

const REASONS = ['present', 'check', 'range', 'fit', 'kind'] as const
const DONE = 0
const FAILED = 1

/** Outcomes without rows in which the first so many steps changed theirs, made once; nobody changes them. */
const PLAIN: readonly Uint8Array[] = Array.from({ length: PROGRAM_ROWS_MAX + 1 }, (_, changed) => {
  const bytes = new Uint8Array(changed + 3)
  bytes[1] = changed
  for (let step = 0; step < changed; step++) bytes[2 + step] = step
  return bytes
})

export function encodeOutcome(outcome: ProgramOutcome): Uint8Array {
  if (outcome.type === 'done' && outcome.rows.length === 0) {
    const { changed } = outcome
    const plain = PLAIN[changed.length]
    // Ascending, so when the last one is in its place all are.
    if (plain !== undefined && (changed.length === 0 || changed.at(-1) === changed.length - 1)) return plain
  }
  const writer = new ByteWriter()
  if (outcome.type === 'done') {
    writer.byte(DONE).varint(outcome.changed.length)
    for (const step of outcome.changed) writer.byte(step)
    writer.varint(outcome.rows.length)
    for (const row of outcome.rows) writer.row(row)
    return writer.finish()
  }
  const { failure } = outcome
  writer.byte(FAILED).byte(REASONS.indexOf(failure.reason)).byte(failure.step)
  if (failure.reason === 'check') writer.varint(failure.check).row(failure.row)
  if (failure.reason === 'range') writer.byte(NUMBERS.indexOf(failure.type))
  if (failure.reason === 'fit') writer.varint(failure.precision).varint(failure.scale)
  return writer.finish()
}

/** @throws DB_FRAME_DAMAGED */
export function decodeOutcome(bytes: Uint8Array): ProgramOutcome {
  const reader = new ByteReader(bytes)
  if (reader.byte() === DONE) {
    const changed: number[] = []
    for (let left = reader.count(); left > 0; left--) changed.push(reader.byte())
    const rows: Row[] = []
    for (let left = reader.count(); left > 0; left--) rows.push(reader.row())
    return { type: 'done', changed, rows }
  }
  return { type: 'failed', failure: readFailure(reader) }
}

function readFailure(reader: ByteReader): ProgramFailure {
  const reason = REASONS[reader.byte()]
  const step = reader.byte()
  switch (reason) {
    case 'present':
    case 'kind':
      return { reason, step }
    case 'check':
      return { reason, step, check: reader.varint(), row: reader.row() }
    case 'range': {
      const type = NUMBERS[reader.byte()]
      if (type === undefined) throw damaged('its outcome names an unknown type')
      return { reason, step, type }
    }
    case 'fit':
      return { reason, step, precision: reader.varint(), scale: reader.varint() }
    default:
      throw damaged('its outcome has an unknown reason')
  }
}
