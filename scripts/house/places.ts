/** Which part of the repository a source file is, and so which rules it obeys. */
export interface Place {
  /** The folder of its package, or null for root scripts. */
  readonly packageDir: string | null
  readonly half: 'src' | 'test' | 'other'
  /** Synchronous and pure: `src/machine`. */
  readonly machine: boolean
  /** May use clocks, timers, chance and Node builtins. */
  readonly edge: boolean
  /** A test that may sleep and open real ports. */
  readonly endToEnd: boolean
}

/** Packages that are all edge: they start processes and talk to terminals. */
const edgePackages = new Set(['cli', 'node', 'bench', 'dashboard'])

export function placeOf(file: string): Place {
  const [folder = '', short = '', third = '', fourth = ''] = file.split('/')
  if (folder !== 'packages' && folder !== 'examples')
    return { packageDir: null, half: 'other', machine: false, edge: true, endToEnd: false }
  const half = third === 'src' || third === 'test' ? third : 'other'
  // Programs with a manifest of their own that use a served node from outside, as anybody's do.
  if (half === 'test' && fourth === 'clients')
    return { packageDir: null, half: 'other', machine: false, edge: true, endToEnd: false }
  const endToEnd = half === 'test' && fourth === 'e2e'
  const edgeFolder =
    half === 'src' &&
    (fourth === 'driver' || (short === 'testkit' && fourth === 'real') || edgePackages.has(short))
  return {
    packageDir: `${folder}/${short}`,
    half,
    machine: half === 'src' && fourth === 'machine',
    edge: folder === 'examples' || endToEnd || edgeFolder,
    endToEnd,
  }
}
