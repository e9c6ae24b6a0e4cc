import { manifestRules } from './manifests.ts'
import { type SourceFacts, sourceFacts } from './source.ts'
import { textRules } from './text.ts'
import { readTree, type Violation } from './tree.ts'

export type { Violation } from './tree.ts'

/** Every violation of the house rules in the repository at `root`, in the order of files and lines. */
export function houseRules(root: string): readonly Violation[] {
  const tree = readTree(root)
  const facts = new Map<string, SourceFacts>()
  for (const file of tree.files)
    if (/^(?:packages|examples|scripts)\/.*(?<!\.d)\.ts$/.test(file))
      facts.set(file, sourceFacts(file, tree.text(file)))
  const violations = [
    ...[...facts.values()].flatMap((fact) => fact.violations),
    ...manifestRules(tree, facts),
    ...textRules(tree),
  ]
  return violations.sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line))
}
