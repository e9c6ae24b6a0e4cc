/**
 * True when our rows are PostgreSQL's, in the same order: texts without the blanks that pad them, numbers to the last digit
 * that they show.
 * @param theirs what psql prints, unaligned, with `|` between values and `\N` for NULL
 */
export function sameAnswers(ours: readonly (readonly (string | null)[])[], theirs: string): boolean {
  const text = ours.map((row) => row.map((value) => value?.trimEnd() ?? '\\N').join('|'))
  const lines = theirs.split('\n').filter((line) => line !== '')
  const trimmed = lines.map((line) =>
    line
      .split('|')
      .map((value) => value.trimEnd())
      .join('|'),
  )
  return text.length === trimmed.length && text.every((line, i) => line === trimmed[i])
}
