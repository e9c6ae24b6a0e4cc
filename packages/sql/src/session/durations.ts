import { SQLSTATE, sqlError } from '../errors.ts'

const units: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** The value of a setting that is a time: a number of milliseconds, or with a unit. @throws 22023 */
export function durationMs(name: string, text: string): number {
  const [, number = '', unit = 'ms'] = /^\s*(\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d)?\s*$/.exec(text) ?? []
  const factor = units[unit]
  if (number !== '' && factor !== undefined) return Math.round(Number(number) * factor)
  throw sqlError(SQLSTATE.invalidParameterValue, `invalid value for parameter "${name}": "${text}"`, {
    hint: 'Valid units for this parameter are "us", "ms", "s", "min", "h", and "d".',
  })
}
