import type {
  Key,
  ProgramFailure,
  ProgramOutcome,
  Row,
  RowExpression,
  RowProgram,
  Value,
} from '@cluster/core'

/** What a program wants to be told in place of a value. */
class Failed extends Error {
  readonly failure: (step: number) => ProgramFailure

  constructor(failure: (step: number) => ProgramFailure) {
    super('a program failed')
    this.failure = failure
  }
}

const BITS = { smallint: 16, integer: 32, bigint: 64 } as const

/** A decimal as its digits and how many of them stand behind the point. */
function decimalOf(value: Value): readonly [bigint, number] {
  if (typeof value !== 'string' || !/^-?\d+(\.\d+)?$/.test(value) || value.length > 1_000)
    throw new Failed((step) => ({ reason: 'kind', step }))
  const [whole = '', fraction = ''] = value.split('.')
  return [BigInt(whole + fraction), fraction.length]
}

function decimalText(digits: bigint, scale: number): string {
  const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0')
  const shown = scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`
  return digits < 0n ? `-${shown}` : shown
}

/** The same digits with more places. */
const widened = ([digits, scale]: readonly [bigint, number], to: number): bigint =>
  digits * 10n ** BigInt(to - scale)

const operations = {
  add: (a: bigint, b: bigint): bigint => a + b,
  subtract: (a: bigint, b: bigint): bigint => a - b,
  multiply: (a: bigint, b: bigint): bigint => a * b,
}

type Arithmetic = Extract<
  RowExpression,
  { readonly left: RowExpression; readonly op: keyof typeof operations }
>

function arithmetic({ op, type }: Arithmetic, left: Value, right: Value): Value {
  const operate = operations[op]
  if (type === 'numeric') {
    if ([left, right].includes('NaN')) {
      for (const value of [left, right]) if (value !== 'NaN') decimalOf(value)
      return 'NaN'
    }
    const [a, b] = [decimalOf(left), decimalOf(right)]
    if (op === 'multiply') return decimalText(a[0] * b[0], a[1] + b[1])
    const scale = Math.max(a[1], b[1])
    return decimalText(operate(widened(a, scale), widened(b, scale)), scale)
  }
  const bits = BITS[type]
  const whole = (value: Value): bigint => {
    const fits = type === 'bigint' ? typeof value === 'bigint' : Number.isInteger(value)
    if (!fits) throw new Failed((step) => ({ reason: 'kind', step }))
    const exact = BigInt(value as number | bigint)
    if (BigInt.asIntN(bits, exact) !== exact && type !== 'bigint')
      throw new Failed((step) => ({ reason: 'kind', step }))
    return exact
  }
  const result = operate(whole(left), whole(right))
  if (BigInt.asIntN(bits, result) !== result) throw new Failed((step) => ({ reason: 'range', step, type }))
  return type === 'bigint' ? result : Number(result)
}

function fitted(value: Value, precision: number, scale: number): Value {
  if (value === 'NaN') return value
  const [digits, places] = decimalOf(value)
  let fit = digits
  if (places <= scale) fit = widened([digits, places], scale)
  else {
    const unit = 10n ** BigInt(places - scale)
    const cut = digits / unit
    const rest = digits - cut * unit
    fit = (rest < 0n ? -rest : rest) * 2n >= unit ? cut + (digits < 0n ? -1n : 1n) : cut
  }
  if (String(fit).replace('-', '').length > precision && fit !== 0n)
    throw new Failed((step) => ({ reason: 'fit', step, precision, scale }))
  return decimalText(fit, scale)
}

type Comparison = Extract<RowExpression, { readonly op: 'equal' | 'less' | 'lessOrEqual' }>

function compared({ op, type }: Comparison, left: Value, right: Value): boolean {
  const kind = (): never => {
    throw new Failed((step) => ({ reason: 'kind', step }))
  }
  let order: number
  if (type === 'numeric') {
    // NaN is the greatest.
    const place = (value: Value): readonly [bigint, number] | null =>
      value === 'NaN' ? null : decimalOf(value)
    const [a, b] = [place(left), place(right)]
    if (a === null || b === null) order = Number(a === null) - Number(b === null)
    else {
      const scale = Math.max(a[1], b[1])
      order = Number(widened(a, scale) > widened(b, scale)) - Number(widened(a, scale) < widened(b, scale))
    }
  } else {
    const kinds = type === 'text' ? ['string'] : ['boolean', 'number', 'bigint']
    if (typeof left !== typeof right || !kinds.includes(typeof left)) return kind()
    if (typeof left === 'number' && !(Number.isInteger(left) && Number.isInteger(right))) return kind()
    order = left === right ? 0 : type === 'text' ? 1 : Number(left) < Number(right) ? -1 : 1
    if (typeof left === 'bigint' && typeof right === 'bigint')
      order = Number(left > right) - Number(left < right)
  }
  return op === 'equal' ? order === 0 : op === 'less' ? order < 0 : order <= 0
}

function computed(expression: RowExpression, row: Row): Value {
  const truth = (operand: RowExpression): boolean | null => {
    const value = computed(operand, row)
    if (value === null || typeof value === 'boolean') return value
    throw new Failed((step) => ({ reason: 'kind', step }))
  }
  switch (expression.op) {
    case 'value':
      return expression.value
    case 'column':
      return row[expression.position] ?? null
    case 'isNull':
      return computed(expression.operand, row) === null
    case 'not': {
      const value = truth(expression.operand)
      return value === null ? null : !value
    }
    case 'and':
    case 'or': {
      let result: boolean | null = expression.op === 'and'
      for (const operand of expression.operands) {
        const value = truth(operand)
        if (value === (expression.op === 'or')) return value
        if (value === null) result = null
      }
      return result
    }
    case 'coalesce': {
      for (const operand of expression.operands) {
        const value = computed(operand, row)
        if (value !== null) return value
      }
      return null
    }
    case 'fit': {
      const value = computed(expression.operand, row)
      return value === null ? null : fitted(value, expression.precision, expression.scale)
    }
    case 'concat':
      return both(expression, row, (left, right) => {
        if (typeof left !== 'string' || typeof right !== 'string' || left.length + right.length > 1_048_576)
          throw new Failed((step) => ({ reason: 'kind', step }))
        return left + right
      })
    case 'equal':
    case 'less':
    case 'lessOrEqual':
      return both(expression, row, (left, right) => compared(expression, left, right))
    case 'add':
    case 'subtract':
    case 'multiply':
      return both(expression, row, (left, right) => arithmetic(expression, left, right))
  }
}

/** NULL when either side is. */
function both(
  { left, right }: { readonly left: RowExpression; readonly right: RowExpression },
  row: Row,
  work: (left: Value, right: Value) => Value,
): Value {
  const values = [computed(left, row), computed(right, row)] as const
  return values[0] === null || values[1] === null ? null : work(...values)
}

/** The naive second version of running a program: the outcome, and each of its rows as it is afterwards. */
export function runModelProgram(
  { steps, checks, returning }: RowProgram,
  rowAt: (key: Key) => Row | null,
): { readonly outcome: ProgramOutcome; readonly after: ReadonlyMap<Key, Row | null> } {
  const after = new Map(steps.map(({ key }) => [key, rowAt(key)]))
  const changed: number[] = []
  const rows: Row[] = []
  for (const [step, { key, present, absent }] of steps.entries())
    try {
      const old = rowAt(key)
      const met = (where: RowExpression | null, row: Row): boolean => {
        const value = where === null ? true : computed(where, row)
        if (value !== null && typeof value !== 'boolean')
          throw new Failed((at) => ({ reason: 'kind', step: at }))
        return value === true
      }
      if (old === null ? absent === null : present.do === 'keep') continue
      if (old === null) {
        after.set(key, absent)
        if (absent !== null) rows.push(absent)
      } else if (present.do === 'refuse') throw new Failed((at) => ({ reason: 'present', step: at }))
      else if (present.do === 'delete') {
        if (!met(present.where, old)) continue
        after.set(key, null)
        rows.push(old)
      } else if (present.do === 'update') {
        if (!met(present.where, old)) continue
        const width = Math.max(old.length, ...present.set.map(({ position }) => position + 1))
        const row: Value[] = Array.from({ length: width }, (_, i) => old[i] ?? null)
        for (const { position, value } of present.set) row[position] = computed(value, old)
        for (const [check, condition] of checks.entries()) {
          const value = computed(condition, row)
          if (value !== null && typeof value !== 'boolean')
            throw new Failed((at) => ({ reason: 'kind', step: at }))
          if (value === false) throw new Failed((at) => ({ reason: 'check', step: at, check, row }))
        }
        after.set(key, row)
        rows.push(row)
      }
      changed.push(step)
    } catch (error) {
      if (!(error instanceof Failed)) throw error
      return {
        outcome: { type: 'failed', failure: error.failure(step) },
        after: new Map(steps.map(({ key: same }) => [same, rowAt(same)])),
      }
    }
  return { outcome: { type: 'done', changed, rows: returning ? rows : [] }, after }
}
