import type { Containers, MapOptions } from '@cluster/core'
import { MET, type RegistersOutput } from '../../check/registers.ts'
import type { Load } from '../load.ts'
import { judgeRegisters, type NamedInput, registerLoad } from '../register-load.ts'
import { drawn, JOURNAL_OPTIONS, JOURNAL_TOPIC, type OpenContainers, patienceOf } from './objects.ts'

/**
 * Entries of a map as registers: in transactions, which enter the journal, and by single operations, which do not.
 * @param options of the map
 */
export function mapLoad<App>(
  open: OpenContainers<App>,
  options: MapOptions<string> = {},
): Load<App, NamedInput, RegistersOutput> {
  const load = registerLoad<App>({
    groups: 5,
    registersPerGroup: 3,
    perform: (app, input) =>
      isSingle(input) ? single(open(app), input, options) : inTransaction(open(app), input, options),
  })
  return {
    ...load,
    next(name, client, random) {
      const input = load.next(name, client, random)
      // A single operation says whether its condition held, and nothing of what was there.
      return isSingle(input) && input.onlyIf !== undefined ? { ...input, reads: [] } : input
    },
    writes: (input) => load.writes(input) && !isSingle(input),
    judge: judgeRegisters,
  }
}

/** The register of each group that is in a map of its own, on every node, where maps are distributed. */
const APART = 'c'

/** Which map a register is in: one world may have both kinds of maps, and one transaction distributed ones of two redundancies. */
function placeOf(kind: MapOptions<string>, register: string): { name: string; options: MapOptions<string> } {
  if (!kind.distributed) return { name: 'registers', options: kind }
  if (register !== APART) return { name: 'spread registers', options: kind }
  return { name: 'registers apart', options: { ...kind, distributed: { redundancy: 'all' } } }
}
const keyOf = (group: string, register: string): string => `${group}/${register}`

/** True for what one operation of a map can do, every other time. */
function isSingle(input: NamedInput): boolean {
  const { reads, writes, onlyIf = {} } = input
  const [written, ...more] = Object.keys(writes)
  if (more.length > 0 || drawn(input, 'single') % 2 === 0) return false
  if (written === undefined) return reads.length === 1
  const conditions = Object.keys(onlyIf)
  return conditions.length === 1 ? conditions[0] === written : reads.length === 0
}

async function single(
  containers: Containers,
  input: NamedInput,
  kind: MapOptions<string>,
): Promise<RegistersOutput> {
  const { group, reads, writes, onlyIf = {} } = input
  const mapOf = (register: string) => {
    const { name, options } = placeOf(kind, register)
    return containers.map<string, string>(name, options)
  }
  const options = patienceOf(input)
  const [[register, value] = []] = Object.entries(writes)
  if (register === undefined || value === undefined) {
    const [read = ''] = reads
    return { [read]: (await mapOf(read).get(keyOf(group, read), options)) ?? null }
  }
  const map = mapOf(register)
  const key = keyOf(group, register)
  const before = onlyIf[register]
  if (before === undefined) {
    await map.set(key, value, options)
    return {}
  }
  const met = await (before === null
    ? map.putIfAbsent(key, value, options)
    : map.replace(key, before, value, options))
  return { [MET]: met ? 'yes' : 'no' }
}

async function inTransaction(
  containers: Containers,
  input: NamedInput,
  kind: MapOptions<string>,
): Promise<RegistersOutput> {
  const { name, group, reads, writes, onlyIf = {} } = input
  return containers.transaction(async (tx) => {
    const mapOf = (register: string) => {
      const { name: at, options } = placeOf(kind, register)
      return tx.map<string, string>(at, options)
    }
    const output: Record<string, string | null> = {}
    for (const register of reads)
      output[register] = (await mapOf(register).get(keyOf(group, register))) ?? null
    for (const [register, value] of Object.entries(onlyIf))
      if (((await mapOf(register).get(keyOf(group, register))) ?? null) !== value)
        return { ...output, [MET]: 'no' }
    for (const [register, value] of Object.entries(writes))
      await mapOf(register).set(keyOf(group, register), value)
    if (Object.keys(writes).length > 0) await tx.publish(JOURNAL_TOPIC, name, JOURNAL_OPTIONS)
    return Object.keys(onlyIf).length > 0 ? { ...output, [MET]: 'yes' } : output
  }, patienceOf(input))
}
