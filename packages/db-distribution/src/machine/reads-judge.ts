import { changedRange } from './range-judge.ts'
import type { Reads } from './reads.ts'
import type { CommandResult } from './results.ts'
import type { CertificationWindow } from './window.ts'

/** Why a transaction with these reads cannot commit behind what the window remembers; null when it can. */
export function judgeReads(
  window: CertificationWindow,
  { version, points, ranges }: Reads,
): CommandResult | null {
  if (points.length === 0 && ranges.length === 0) return null
  if (version < window.trimmedThrough) return { type: 'versionGone', oldest: window.trimmedThrough }
  for (const { relation, key } of points)
    if (window.keyChanged(relation, key, version)) return { type: 'conflict', relation }
  const relation = changedRange(window, ranges, version)
  return relation === null ? null : { type: 'conflict', relation }
}
