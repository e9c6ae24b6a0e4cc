import type { Key, RelationId } from '@cluster/core'
import type { CommitPart } from './commands.ts'
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

/** Why rows cannot be added to behind what the window remembers; null when they can. */
export function judgeAdditions(
  window: CertificationWindow,
  version: number,
  parts: readonly CommitPart[],
): CommandResult | null {
  for (const { added, relations, keys } of parts) {
    if (added.size === 0) continue
    if (version < window.trimmedThrough) return { type: 'versionGone', oldest: window.trimmedThrough }
    for (const [at, key] of added) {
      const relation = relations[at] as RelationId
      if (!window.hasRoom(relation, keys[at] as Key, version, key)) return { type: 'conflict', relation }
    }
  }
  return null
}
