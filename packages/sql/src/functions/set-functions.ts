import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../errors.ts'
import { addDecimal, compareDecimal } from '../types/decimal.ts'
import { BIGINT, INTEGER, NUMERIC, type SqlType } from '../types/type.ts'

/** Makes the values of a function that gives rows, lazily. */
export type SetRows = (...args: readonly Value[]) => Iterable<Value>

/** One overload of a function that gives rows of one value. */
export interface SetFunctionOverload {
  readonly args: readonly SqlType[]
  readonly returns: SqlType
  readonly rows: SetRows
}

const zeroStep = () => sqlError(SQLSTATE.invalidParameterValue, 'step size cannot equal zero')

function* series(start: Value, stop: Value, step: Value = 1): Generator<Value> {
  if (typeof start !== 'number' || typeof stop !== 'number' || typeof step !== 'number') return
  if (step === 0) throw zeroStep()
  for (let value = start; step > 0 ? value <= stop : value >= stop; value += step) yield value
}

function* bigSeries(start: Value, stop: Value, step: Value = 1n): Generator<Value> {
  if (typeof start !== 'bigint' || typeof stop !== 'bigint' || typeof step !== 'bigint') return
  if (step === 0n) throw zeroStep()
  for (let value = start; step > 0n ? value <= stop : value >= stop; value += step) yield value
}

function* exactSeries(start: Value, stop: Value, step: Value = '1'): Generator<Value> {
  if (typeof start !== 'string' || typeof stop !== 'string' || typeof step !== 'string') return
  const sign = compareDecimal(step, '0')
  if (sign === 0) throw zeroStep()
  for (let value = start; compareDecimal(value, stop) * sign <= 0; value = addDecimal(value, step))
    yield value
}

/** The second and third argument may be left out together. */
const both = (type: SqlType, rows: SetRows): readonly SetFunctionOverload[] => [
  { args: [type, type], returns: type, rows },
  { args: [type, type, type], returns: type, rows },
]

/** By name; the first overload that the arguments can be cast to is taken, exact matches before others. */
export const setFunctions: Readonly<Record<string, readonly SetFunctionOverload[]>> = {
  generate_series: [...both(INTEGER, series), ...both(BIGINT, bigSeries), ...both(NUMERIC, exactSeries)],
}

export const isSetFunction = (name: string): boolean => Object.hasOwn(setFunctions, name)
