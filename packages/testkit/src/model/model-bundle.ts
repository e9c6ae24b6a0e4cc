import { type AppliedBundle, assert, type Bundle, type LogEntry, type StateMachine } from '@cluster/core'

type Verdict = Pick<AppliedBundle, 'adopted' | 'unmet' | 'refused' | 'results'>

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Applies a bundle to the machines of one node; the bytes are alike on every node. */
export function applyModelBundle(
  { commands, requires = [] }: Bundle,
  stamp: LogEntry,
  machineOf: (name: string) => StateMachine,
): Uint8Array {
  const supported = (name: string): StateMachine & { bundles: NonNullable<StateMachine['bundles']> } => {
    const machine = machineOf(name)
    assert(machine.bundles, `the machine ${name} takes no part in bundles`)
    return machine as StateMachine & { bundles: NonNullable<StateMachine['bundles']> }
  }
  const unmet = requires.findIndex(({ machine, condition }) => !supported(machine).bundles.check(condition))
  if (unmet >= 0) return write({ adopted: false, unmet, refused: null, results: [] })
  const machines = [...new Set(commands.map(({ machine }) => supported(machine)))]
  for (const { bundles } of machines) bundles.begin()
  const results: Uint8Array[] = []
  for (const [position, { machine, command }] of commands.entries()) {
    const { bundles } = supported(machine)
    const result = machineOf(machine).apply({ ...stamp, command })
    results.push(result.slice())
    if (!bundles.refuses?.(result)) continue
    for (const each of machines) each.bundles.rollback()
    return write({ adopted: false, unmet: null, refused: position, results: results.slice(-1) })
  }
  for (const { bundles } of machines) bundles.commit()
  return write({ adopted: true, unmet: null, refused: null, results })
}

function write({ results, ...verdict }: Verdict): Uint8Array {
  return encoder.encode(JSON.stringify({ ...verdict, results: results.map((result) => [...result]) }))
}

export function readBundleResult(bytes: Uint8Array): Verdict {
  const { results, ...verdict } = JSON.parse(decoder.decode(bytes)) as Omit<Verdict, 'results'> & {
    results: number[][]
  }
  return { ...verdict, results: results.map((result) => Uint8Array.from(result)) }
}
