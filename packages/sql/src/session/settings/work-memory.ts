import { SQLSTATE, sqlError } from '../../errors.ts'
import { MemoryBudget } from '../../executor/memory.ts'
import type { TemporaryFiles } from '../../executor/spill/temporary-files.ts'

const units: readonly (readonly [string, number])[] = [
  ['TB', 1024 ** 3],
  ['GB', 1024 ** 2],
  ['MB', 1024],
  ['kB', 1],
]
const KIB_MIN = 64
const KIB_MAX = 2_147_483_647

/** Kibibytes of `64MB`, `100` or `1.5 GB`: without a unit they are meant. @throws 22023 */
export function memoryKib(name: string, text: string): number {
  const [, digits = '', unit = 'kB'] = /^\s*(\d+(?:\.\d+)?)\s*(B|kB|MB|GB|TB)?\s*$/.exec(text) ?? []
  if (digits === '')
    throw sqlError(SQLSTATE.invalidParameterValue, `invalid value for parameter "${name}": "${text}"`, {
      hint: 'Valid units for this parameter are "B", "kB", "MB", "GB", and "TB".',
    })
  const factor = unit === 'B' ? 1 / 1024 : (units.find(([one]) => one === unit)?.[1] ?? 1)
  const kib = Math.round(Number(digits) * factor)
  if (kib >= KIB_MIN && kib <= KIB_MAX) return kib
  throw sqlError(
    SQLSTATE.invalidParameterValue,
    `${kib} kB is outside the valid range for parameter "${name}" (${KIB_MIN} kB .. ${KIB_MAX} kB)`,
  )
}

/** As SHOW tells it, in the largest unit that fits. */
export function memoryText(kib: number): string {
  const [unit, factor] = units.find(([, one]) => kib % one === 0) ?? ['kB', 1]
  return `${kib / factor}${unit}`
}

export interface WorkMemory {
  /** What one statement may keep in memory. */
  readonly memoryBytesMax: number
  /** `work_mem` where a session has not set it. */
  readonly workBytes: number
  /** Null: nothing is written to disk. */
  readonly temporary: TemporaryFiles | null
}

/**
 * What a statement may keep in memory, and from where on it writes to disk.
 * @param setBytes what its session has set; null: nothing
 */
export function budgetOf(
  { memoryBytesMax, workBytes, temporary }: WorkMemory,
  setBytes: number | null,
): MemoryBudget {
  if (temporary === null) return new MemoryBudget({ bytesMax: memoryBytesMax })
  const spill = { bytes: setBytes ?? workBytes, files: temporary }
  return new MemoryBudget({ bytesMax: memoryBytesMax, spill })
}
