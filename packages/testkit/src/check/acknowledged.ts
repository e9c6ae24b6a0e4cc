/** What the clients were told of each of their writes, by its unique name. */
export interface WriteBook {
  readonly acknowledged: Iterable<string>
  /** Certainly not done. */
  readonly rejected: Iterable<string>
  /** Nobody knows. */
  readonly unknown: Iterable<string>
}

export interface WriteProblem {
  readonly write: string
  readonly problem: 'lost' | 'applied although rejected' | 'applied twice' | 'written by nobody'
}

/**
 * Compares what clients were told with what is there in the end.
 * @param present the names of the writes that took effect, one for each time
 * @returns nothing when every acknowledged write is there once, no rejected one is, and unknown ones at most once
 */
export function checkAcknowledged(book: WriteBook, present: Iterable<string>): readonly WriteProblem[] {
  const problems: WriteProblem[] = []
  const acknowledged = new Set(book.acknowledged)
  const rejected = new Set(book.rejected)
  const unknown = new Set(book.unknown)
  const found = new Set<string>()
  for (const write of present) {
    if (found.has(write)) problems.push({ write, problem: 'applied twice' })
    else if (rejected.has(write)) problems.push({ write, problem: 'applied although rejected' })
    else if (!acknowledged.has(write) && !unknown.has(write))
      problems.push({ write, problem: 'written by nobody' })
    found.add(write)
  }
  for (const write of acknowledged) if (!found.has(write)) problems.push({ write, problem: 'lost' })
  return problems
}
