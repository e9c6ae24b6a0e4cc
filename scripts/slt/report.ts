import type { Failure } from './play.ts'

/** What one file gave. */
export interface FileReport {
  readonly name: string
  readonly passed: number
  readonly skipped: number
  readonly failures: readonly Failure[]
  readonly ms: number
  /** Partitions that the asked node holds, `held/all`; null on one node. */
  readonly held: string | null
  readonly rowsFromOthers: number
}

export interface Totals {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** Passed of those that were played, 0 … 1; 1 when none was. */
  readonly share: number
  readonly rowsFromOthers: number
}

export function totalsOf(files: readonly FileReport[]): Totals {
  const sum = (of: (file: FileReport) => number): number => files.reduce((all, file) => all + of(file), 0)
  const passed = sum((file) => file.passed)
  const failed = sum((file) => file.failures.length)
  const share = passed + failed === 0 ? 1 : passed / (passed + failed)
  const rowsFromOthers = sum((file) => file.rowsFromOthers)
  return { passed, failed, skipped: sum((file) => file.skipped), share, rowsFromOthers }
}

export function fileLine({ name, passed, failures, skipped, ms, held, rowsFromOthers }: FileReport): string {
  const seconds = `${(ms / 1_000).toFixed(1)} s`.padStart(8)
  const counts = `${String(passed).padStart(6)} passed ${String(failures.length).padStart(5)} failed ${String(skipped).padStart(5)} skipped`
  const remote = held === null ? '' : `  holds ${held}, ${rowsFromOthers} rows from others`
  return `${counts} ${seconds}  ${name}${remote}`
}

/** Every failure, those of one reason together, the most frequent reason first. */
export function failureLines(files: readonly FileReport[]): string[] {
  const reasons = new Map<
    string,
    { count: number; readonly places: Map<string, number[]>; readonly first: string }
  >()
  for (const { name, failures } of files)
    for (const { reason, line, sql, detail } of failures) {
      const known = reasons.get(reason) ?? { count: 0, places: new Map(), first: `${sql}\n  ${detail}` }
      known.count++
      known.places.set(name, [...(known.places.get(name) ?? []), line])
      reasons.set(reason, known)
    }
  return [...reasons]
    .sort(([a, one], [b, other]) => other.count - one.count || (a < b ? -1 : 1))
    .flatMap(([reason, { count, places, first }]) => [
      `${count} × ${reason}`,
      ...first.split('\n').map((line) => `    ${line}`),
      ...[...places].map(([name, lines]) => `  ${name}: lines ${lines.join(', ')}`),
    ])
}
