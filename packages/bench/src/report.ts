import { availableParallelism } from 'node:os'

/** One figure of a suite. */
export interface Row {
  readonly what: string
  readonly value: number
  readonly unit: string
  /** What else a reader should know: p50, p99, repetitions. */
  readonly note: string
}

export interface Report {
  readonly suite: string
  /** What a success means on disk: the same for every row, or stated in its note. */
  readonly durability: string
  readonly rows: readonly Row[]
}

function setting({ suite, durability }: Report): string {
  return `suite ${suite}: ${durability}; ${availableParallelism()} cores, Node ${process.versions.node}, ${process.platform}`
}

/** The figures as a table for people. */
export function reportText(report: Report): string {
  const cells = report.rows.map(({ what, value, unit, note }) => [what, format(value), unit, note])
  const widths = [0, 1, 2].map((i) => Math.max(0, ...cells.map((row) => row[i]?.length ?? 0)))
  const lines = cells.map(([what = '', value = '', unit = '', note = '']) =>
    `  ${what.padEnd(widths[0] ?? 0)}  ${value.padStart(widths[1] ?? 0)} ${unit.padEnd(widths[2] ?? 0)}  ${note}`.trimEnd(),
  )
  return [setting(report), ...lines].join('\n')
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

function format(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en-US')
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
