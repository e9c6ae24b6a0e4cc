import { ClusterError, type DatabaseErrorDetail, type DatabaseOptions } from '@cluster/core'

export const fail = (detail: DatabaseErrorDetail, message: string): ClusterError<DatabaseErrorDetail> =>
  new ClusterError(detail, message)

/** The options with defaults. @throws DB_OPTION_INVALID */
export function complete(options: DatabaseOptions): Required<DatabaseOptions> {
  const { redundancy = 2, partitions = 16, minCopies = 1 } = options
  const check = (option: string, given: unknown, holds: boolean, rule: string): void => {
    if (holds) return
    throw fail(
      { code: 'DB_OPTION_INVALID', outcome: 'rejected', option, given: String(given) },
      `The option ${option} is ${String(given)}; it must be ${rule}.`,
    )
  }
  const whole = (value: number, most: number): boolean =>
    Number.isInteger(value) && value >= 1 && value <= most
  check('redundancy', redundancy, redundancy === 'all' || whole(redundancy, Infinity), "'all' or 1 and more")
  check('partitions', partitions, whole(partitions, 1_024), '1 to 1024')
  check('minCopies', minCopies, whole(minCopies, Infinity), '1 or more')
  return { redundancy, partitions, minCopies }
}

/** Those that were given. */
export function given({ redundancy, partitions, minCopies }: DatabaseOptions): DatabaseOptions {
  return {
    ...(redundancy === undefined ? {} : { redundancy }),
    ...(partitions === undefined ? {} : { partitions }),
    ...(minCopies === undefined ? {} : { minCopies }),
  }
}
