/** A peer that cannot be measured on this machine. It is reported, never guessed. */
export interface Absent {
  readonly absent: string
  readonly why: string
}

export function absent(name: string, why: string): Absent {
  return { absent: name, why: `${why}; run scripts/install-peers ${name}` }
}

export function isAbsent(found: object): found is Absent {
  return 'absent' in found
}
