import { relationId } from '@cluster/core'
import type { RegistersOutput } from '../../check/registers.ts'
import type { Load } from '../load.ts'
import { type NamedInput, registerLoad } from '../register-load.ts'
import { luckOf, type OpenDatabase, type Rows, transact } from './rows.ts'

export const REGISTERS = relationId(16)

async function read(rows: Rows, input: NamedInput, names: readonly string[]): Promise<RegistersOutput> {
  const held = await rows.several(
    REGISTERS,
    names.map((name) => `${input.group}/${name}`),
    names.length > 1 && luckOf(input, 'scan') % 2 === 0,
  )
  return Object.fromEntries(names.map((name) => [name, held.get(`${input.group}/${name}`) ?? null]))
}

/** Registers, one row each, read, written, and compared and set in groups. */
export function registerRowsLoad<App>(open: OpenDatabase<App>): Load<App, NamedInput, RegistersOutput> {
  return registerLoad<App>({
    groups: 6,
    registersPerGroup: 2,
    perform: (app, input) => {
      const { group, writes, onlyIf = {} } = input
      const isWrite = Object.keys(writes).length > 0
      return transact(open, app, input, {
        readOnly: !isWrite,
        async run(rows) {
          const output = await read(rows, input, input.reads)
          if (!isWrite) return { output, commit: false }
          const expected = await read(rows, input, Object.keys(onlyIf))
          if (Object.entries(onlyIf).every(([register, value]) => expected[register] === value))
            for (const [register, value] of Object.entries(writes))
              rows.put(REGISTERS, `${group}/${register}`, value)
          return { output, commit: true }
        },
      })
    },
  })
}
