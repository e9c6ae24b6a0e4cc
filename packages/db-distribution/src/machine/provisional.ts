import type { Key, RelationId } from '@cluster/core'
import type { CommitCommand } from './commands.ts'
import { judgeReads } from './reads-judge.ts'
import type { CommandResult } from './results.ts'
import { CertificationWindow, type WindowLimits } from './window.ts'

/** A commit that passed, and takes place if its bundle is adopted. */
export interface ProvisionalCommit {
  readonly index: number
  readonly commit: CommitCommand
  /** Log time of the entry. */
  readonly time: number
}

/** The commits of one bundle, none of which has changed anything yet. */
export class ProvisionalCommits {
  readonly #limits: WindowLimits
  readonly #commits: ProvisionalCommit[] = []

  constructor(limits: WindowLimits) {
    this.#limits = limits
  }

  get commits(): readonly ProvisionalCommit[] {
    return this.#commits
  }

  add(commit: ProvisionalCommit): void {
    this.#commits.push(commit)
  }

  /** Why the next commit cannot stand behind those of the same database before it; null when it can. */
  judge(next: CommitCommand): CommandResult | null {
    const before = this.#commits.filter(({ commit }) => commit.database === next.database)
    if (before.length === 0) return null
    const window = new CertificationWindow(this.#limits)
    for (const { index, commit } of before) window.add(index, commit.parts)
    return judgeReads(window, next) ?? judgeUntouched(window, next)
  }
}

/** A row that the bundle writes before is not added to: its room is judged by what was before the bundle alone. */
function judgeUntouched(
  window: CertificationWindow,
  { parts, version }: CommitCommand,
): CommandResult | null {
  for (const { added, relations, keys } of parts)
    for (const at of added.keys()) {
      const relation = relations[at] as RelationId
      if (window.keyChanged(relation, keys[at] as Key, version)) return { type: 'conflict', relation }
    }
  return null
}
