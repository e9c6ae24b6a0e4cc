import type { FragmentReads, Traffic } from '@cluster/core'
import { type Cut, cut, spreadScan } from '../../fragment/cut.ts'
import { type PhysicalPlan, physicalInputs } from '../../plan/physical.ts'
import type { PlanLine } from '../../plan/print-physical.ts'

/** Results of fragments have no number where nothing is run. */
const NOWHERE = 0

/**
 * The lines of a plan with what is computed where: a line above each part that the holders of the rows compute, one above each
 * part whose rows are sent to them.
 */
export function withFragments(
  lines: readonly PlanLine[],
  plan: PhysicalPlan,
  fragments: FragmentReads | null,
): readonly PlanLine[] {
  if (fragments === null) return lines
  const parts = new Map<object, Cut>()
  findCuts(plan, fragments, parts)
  if (parts.size === 0) return lines
  const where = places(fragments)
  const sent = new Set<object>([...parts.values()].flatMap((one) => one.sent))
  const shown: PlanLine[] = []
  /** Depths below which lines stand further in. */
  const open: number[] = []
  for (const { depth, text, node } of lines) {
    while (open.length > 0 && depth < (open.at(-1) as number)) open.pop()
    const add = (line: string, further: number): void => {
      shown.push({ depth: depth + open.length + further, text: line, node: NONE })
      open.push(depth + further)
    }
    if (sent.has(node)) add('Send along', 0)
    const part = parts.get(node)
    if (part !== undefined && part.rest === null) add(`Gather from ${where}`, 0)
    shown.push({ depth: depth + open.length, text, node })
    if (part !== undefined && part.rest !== null) add(`Gather ${words[part.form.k] ?? ''}from ${where}`, 1)
    // A part is printed in several lines sometimes; the first one has it.
    parts.delete(node)
    sent.delete(node)
  }
  return shown
}

/** Stands for lines that are no operators. */
const NONE: PhysicalPlan = { kind: 'values', columns: [], rows: [] }

const words: Readonly<Record<string, string>> = {
  group: 'partial aggregates ',
  top: 'first rows ',
  limit: 'enough rows ',
  unique: 'different rows ',
}

function findCuts(plan: PhysicalPlan, fragments: FragmentReads, into: Map<object, Cut>): void {
  const scan = spreadScan(plan)
  const probe = scan === null ? null : { ...PROBE, relation: scan.table.relation }
  const found = probe === null || !fragments.isSpread([probe]) ? null : cut(plan, NOWHERE)
  if (found === null) {
    for (const input of physicalInputs(plan)) findCuts(input, fragments, into)
    return
  }
  into.set(plan, found)
  for (const side of found.sent) findCuts(side, fragments, into)
}

const PROBE = { range: {}, columns: [], keys: false, from: 'spread' } as const

const places = (fragments: FragmentReads): string =>
  fragments
    .places()
    .map(({ node, partitions }) => `${node ?? 'here'} (${partitions})`)
    .join(', ')

/** What came over the network while something was done. */
export function trafficText({ rows, bytes }: Traffic): string {
  return `${rows} rows in ${bytes} bytes from other nodes`
}

/** What came since `before`; null where nobody counts. */
export function trafficSince(fragments: FragmentReads | null, before: Traffic | null): Traffic | null {
  if (fragments === null || before === null) return null
  const { rows, bytes } = fragments.received
  return { rows: rows - before.rows, bytes: bytes - before.bytes }
}
