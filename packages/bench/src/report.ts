import { availableParallelism } from 'node:os'
import type { Absent } from './peers/peer.ts'
import type { Cores } from './processor.ts'

/** What a figure is held against. */
export interface Target {
  /** For people: `at least 2× etcd`. */
  readonly text: string
  readonly reached: boolean
}

/** One figure of a suite. */
export interface Row {
  readonly what: string
  /** Whose figure it is, with the version; absent where a suite measures only one. */
  readonly who?: string
  readonly value: number
  readonly unit: string
  /** Milliseconds of one operation. */
  readonly p50?: number
  readonly p99?: number
  /** Who used the processor meanwhile. */
  readonly cores?: Cores
  /** What a success means on disk; absent when it is the suite's. */
  readonly durability?: string
  /** This figure divided by that of each peer, by the peer's name. */
  readonly ratios?: Readonly<Record<string, number>>
  readonly target?: Target
  /** What else a reader should know: repetitions, single values. */
  readonly note: string
}

export interface Report {
  readonly suite: string
  /** What a success means on disk: the same for every row, or stated in its own. */
  readonly durability: string
  readonly rows: readonly Row[]
  /** Peers that were asked for and are not there. */
  readonly absent?: readonly Absent[]
}

function setting({ suite, durability }: Report): string {
  return `suite ${suite}: ${durability}; ${availableParallelism()} cores, Node ${process.versions.node}, ${process.platform}`
}

/** The figures as a table for people. */
export function reportText(report: Report): string {
  const heads = ['', 'who', 'value', 'p50 ms', 'p99 ms', 'ratio', 'cores used', 'durability', 'target', '']
  const cells = report.rows.map((row) => [
    row.what,
    row.who ?? '',
    `${format(row.value)} ${row.unit}`,
    row.p50 === undefined ? '' : format(row.p50),
    row.p99 === undefined ? '' : format(row.p99),
    Object.entries(row.ratios ?? {})
      .map(([peer, ratio]) => `${ratio.toFixed(2)}× ${peer}`)
      .join(', '),
    row.cores === undefined ? '' : coresText(row.cores),
    row.durability ?? report.durability,
    row.target === undefined ? '' : `${row.target.reached ? 'reached' : 'missed'}: ${row.target.text}`,
    row.note,
  ])
  const table = [heads, ...cells]
  // A column that nobody fills, and a durability that the heading tells for all, take no room.
  const same = report.rows.every(({ durability }) => durability === undefined)
  const shown = heads
    .map((_, column) => column)
    .filter((column) => cells.some((row) => row[column] !== '') && !(same && column === 7))
  const width = (column: number): number => Math.max(...table.map((row) => row[column]?.length ?? 0))
  const widths = new Map(shown.map((column) => [column, width(column)]))
  const lines = table.map((row) =>
    shown
      .map((column) => {
        const text = row[column] ?? ''
        const wide = widths.get(column) ?? 0
        return column >= 2 && column <= 4 ? text.padStart(wide) : text.padEnd(wide)
      })
      .join('  ')
      .trimEnd(),
  )
  const missing = (report.absent ?? []).map(({ absent, why }) => `absent: ${absent}: ${why}`)
  return [setting(report), ...lines.map((line) => `  ${line}`), ...missing].join('\n')
}

/** The figures for programs. */
export function reportJson(report: Report): string {
  return JSON.stringify({
    ...report,
    cores: availableParallelism(),
    node: process.versions.node,
    at: new Date().toISOString(),
  })
}

function coresText({ servers, client, others }: Cores): string {
  const own = client > 0 ? `${servers.toFixed(2)} + client ${client.toFixed(2)}` : servers.toFixed(2)
  return `${own} (others ${others.toFixed(2)})`
}

function format(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en-US')
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
