import type { FragmentReads, Traffic } from '@cluster/core'
import { SQLSTATE, sqlError } from '../../errors.ts'
import type { SpillProfile } from '../../executor/context.ts'
import type { Profile } from '../../executor/profile.ts'
import type { PhysicalPlan } from '../../plan/physical.ts'
import { type PlanLine, planLines } from '../../plan/print-physical.ts'
import type { Explain } from '../../syntax/ast.ts'
import { trafficText, withFragments } from './explain-fragments.ts'

export interface ExplainOptions {
  readonly format: 'text' | 'json'
}

/** Options that change nothing here: costs are not shown, and times always are. */
const ignored = new Set(['costs', 'settings', 'buffers', 'wal', 'timing', 'summary'])

/** @throws 42601, 22023, 0A000 for options that nobody knows */
export function explainOptions({ options }: Explain): ExplainOptions {
  let format: ExplainOptions['format'] = 'text'
  for (const { name, value } of options) {
    if (ignored.has(name.name)) continue
    if (name.name !== 'format')
      throw sqlError(SQLSTATE.syntaxError, `unrecognized EXPLAIN option "${name.name}"`)
    const wanted = (value ?? '').toLowerCase()
    if (wanted === 'xml' || wanted === 'yaml')
      throw sqlError(SQLSTATE.featureNotSupported, `EXPLAIN gives text or json, not ${wanted}`)
    if (wanted !== 'text' && wanted !== 'json')
      throw sqlError(
        SQLSTATE.invalidParameterValue,
        `unrecognized value for EXPLAIN option "format": "${value ?? ''}"`,
      )
    format = wanted
  }
  return { format }
}

/** What is shown: a heading for statements that write, and the plan below it. */
export interface Explained {
  readonly heading: string | null
  readonly plan: PhysicalPlan
  /** What came of running it; null when it was not run. */
  readonly ran: {
    readonly profile: Profile
    readonly rows: number
    readonly ms: number
    /** What came from other nodes; null where nobody counts. */
    readonly received: Traffic | null
  } | null
  /** Null: all rows are here. */
  readonly fragments: FragmentReads | null
}

/** The plan, one line an operator. */
export function explainText({ heading, plan, ran, fragments }: Explained): string[] {
  const shift = heading === null ? 0 : 1
  const lines = withFragments(planLines(plan), plan, fragments).flatMap(({ depth, text, node }) => {
    const profile = ran?.profile ?? null
    const spill = node === null ? null : spillText(profile?.find(node)?.spill ?? null)
    const space = '  '.repeat(depth + shift)
    return [space + text + countsText(profile, node), ...(spill === null ? [] : [`${space}  ${spill}`])]
  })
  return [
    ...(heading === null ? [] : [heading]),
    ...lines,
    ...(ran === null ? [] : [`${ran.rows} rows in ${ran.ms.toFixed(3)} ms`]),
    ...(ran === null || ran.received === null || ran.received.bytes === 0 ? [] : [trafficText(ran.received)]),
  ]
}

function countsText(profile: Profile | null, node: object): string {
  const counts = profile?.find(node) ?? null
  if (counts === null) return ''
  const loops = counts.loops === 1 ? '' : `, ${counts.loops} times`
  return ` (${counts.rows} rows${loops}, ${counts.ms.toFixed(3)} ms)`
}

const kib = (bytes: number): number => Math.ceil(bytes / 1024)

/** What PostgreSQL says below a node that wrote to disk; null: it did not. */
function spillText(spill: SpillProfile | null): string | null {
  if (spill === null) return null
  const { kind, batches, memoryBytes, diskBytes } = spill
  const disk = `${kib(diskBytes)}kB`
  if (kind === 'sort') return `Sort Method: external merge  Disk: ${disk}`
  if (kind === 'rows') return `Storage: Disk  Maximum Storage: ${disk}`
  return `Batches: ${batches}  Memory Usage: ${kib(memoryBytes)}kB  Disk Usage: ${disk}`
}

function spillJson({ kind, batches, memoryBytes, diskBytes }: SpillProfile): Partial<JsonNode> {
  if (kind === 'sort')
    return {
      'Sort Method': 'external merge',
      'Sort Space Used': kib(diskBytes),
      'Sort Space Type': 'Disk',
    }
  if (kind === 'rows') return { Storage: 'Disk', 'Maximum Storage': kib(diskBytes) }
  return {
    Batches: batches,
    'Peak Memory Usage': kib(memoryBytes),
    'Disk Usage': kib(diskBytes),
  }
}

interface JsonNode {
  'Node Type': string
  Description: string
  'Actual Rows'?: number
  'Actual Loops'?: number
  'Actual Total Time'?: number
  'Sort Method'?: string
  'Sort Space Used'?: number
  'Sort Space Type'?: string
  Batches?: number
  'Peak Memory Usage'?: number
  'Disk Usage'?: number
  Storage?: string
  'Maximum Storage'?: number
  Plans?: JsonNode[]
}

/** The same in the shape of PostgreSQL's FORMAT JSON. */
export function explainJson({ heading, plan, ran, fragments }: Explained): string {
  const root: JsonNode = { 'Node Type': 'Query', Description: '', Plans: [] }
  const path: JsonNode[] = [root]
  for (const line of withFragments(planLines(plan), plan, fragments)) {
    const node = jsonNode(line, ran?.profile ?? null)
    path.length = line.depth + 1
    const parent = path[line.depth] as JsonNode
    parent.Plans = [...(parent.Plans ?? []), node]
    path.push(node)
  }
  const [only] = root.Plans ?? []
  const top =
    heading === null ? only : { 'Node Type': 'ModifyTable', Description: heading, Plans: root.Plans ?? [] }
  const whole = {
    Plan: top,
    ...(ran === null ? {} : { Rows: ran.rows, 'Execution Time': Number(ran.ms.toFixed(3)) }),
    ...(ran === null || ran.received === null
      ? {}
      : { 'Rows From Others': ran.received.rows, 'Bytes From Others': ran.received.bytes }),
  }
  return JSON.stringify([whole], null, 2)
}

function jsonNode({ text, node }: PlanLine, profile: Profile | null): JsonNode {
  const counts = profile?.find(node) ?? null
  const type = /^(?:Hash join|Loop join|Lookup join|Lateral join|Look up|At most one row|\w+)/.exec(text)?.[0]
  return {
    'Node Type': type ?? text,
    Description: text,
    ...(counts === null
      ? {}
      : {
          'Actual Rows': counts.rows,
          'Actual Loops': counts.loops,
          'Actual Total Time': Number(counts.ms.toFixed(3)),
          ...(counts.spill === null ? {} : spillJson(counts.spill)),
        }),
  }
}
