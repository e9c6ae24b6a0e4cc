import { below, chance, pick } from '@cluster/core'
import { checkLinearizable } from '../check/linearizability.ts'
import {
  MET,
  narrowUnknown,
  type RegistersInput,
  type RegistersOutput,
  registers,
} from '../check/registers.ts'
import type { SimRandom } from '../sim/sim-random.ts'
import type { Load, Named, Told } from './load.ts'

/** An operation on registers, with the unique name under which a write enters the journal. */
export interface NamedInput extends RegistersInput, Named {
  /** The client tries again, with the same key, while it does not know what came of it. */
  readonly insists?: boolean
}

export interface RegisterLoadOptions<App> {
  readonly groups: number
  readonly registersPerGroup: number
  /** Share of the writes that are tried again under the same key. Default none. */
  readonly insists?: number
  /** Does the operation on a node's program. */
  perform(app: App, input: NamedInput): Promise<RegistersOutput>
}

/** Clients read, write, and compare and set registers in groups; judged as linearizable. */
export function registerLoad<App>({
  groups,
  registersPerGroup,
  insists = 0,
  perform,
}: RegisterLoadOptions<App>): Load<App, NamedInput, RegistersOutput> {
  const all = Array.from({ length: registersPerGroup }, (_, i) => String.fromCharCode(97 + i))
  const written = new Map<string, string[]>()
  const noted = (input: NamedInput): NamedInput => {
    for (const [register, value] of Object.entries(input.writes)) {
      const at = `${input.group}/${register}`
      const values = written.get(at) ?? []
      written.set(at, values)
      values.push(value)
    }
    return input
  }
  /** One of the last values that clients wrote, or tried to write, to the register. */
  const lately = (group: string, register: string, random: SimRandom): string | null => {
    const values = written.get(`${group}/${register}`) ?? []
    return values[values.length - 1 - below(random, 3)] ?? null
  }
  return {
    perform,
    next(name, _client, random) {
      const group = `g${below(random, groups)}`
      const some = chance(random, 0.5) ? all : [pick(random, all)]
      const luck = random.between(0, 1)
      if (luck < 0.35) return { name, group, reads: some, writes: {} }
      const writes = Object.fromEntries(some.map((register) => [register, name]))
      const stubborn = insists > 0 && chance(random, insists)
      const common = { name, group, writes, ...(stubborn && { insists: true }) }
      if (luck < 0.7) return noted({ ...common, reads: chance(random, 0.5) ? all : [] })
      // A comparison with what was written lately: it holds often enough.
      const register = pick(random, some)
      const guess = lately(group, register, random)
      return noted({ ...common, reads: all, onlyIf: { [register]: guess } })
    },
    last: (name) => ({ name, group: name, reads: ['a'], writes: { a: name } }),
    writes: ({ writes }) => Object.keys(writes).length > 0,
    took: (_input, output) => output[MET] !== 'no',
    mayRepeat: (input) => input.insists === true,
    judge: judgeRegisters,
  }
}

/** Null when the history is linearizable. */
export function judgeRegisters({
  history,
}: Pick<Told<RegistersInput, RegistersOutput>, 'history'>): string | null {
  const verdict = checkLinearizable(registers, narrowUnknown(history))
  switch (verdict.verdict) {
    case 'linearizable':
      return null
    case 'undecided':
      return `the history of ${verdict.part} could not be judged`
    case 'violated': {
      const { part, stuck, operations } = verdict
      const near = operations.filter(
        ({ callTime, end }) =>
          callTime <= (stuck.end?.time ?? 0) && (end?.time ?? 1e9) >= stuck.callTime - 500,
      )
      return `the history of ${part} is not linearizable; stuck at ${JSON.stringify(stuck)} among\n${near
        .map((operation) => `  ${JSON.stringify(operation)}`)
        .join('\n')}`
    }
  }
}
