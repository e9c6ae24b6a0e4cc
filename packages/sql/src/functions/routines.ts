import type { Routine } from '../catalog/image.ts'
import { typeName } from '../types/type.ts'
import { builtIns } from './resolve.ts'

/** Numbers of functions, apart from those of all other objects. */
const ROUTINE_OIDS = 0x3000_0000

/**
 * The functions and aggregates whose types are fixed, in one order for ever as long as none is added. Those whose types
 * follow from their arguments, and those that give rows, are not among them.
 */
export const routines: readonly Routine[] = listed()

function listed(): Routine[] {
  const { functions, aggregates } = builtIns()
  const found = new Map<string, Omit<Routine, 'oid'>>()
  const add = (routine: Omit<Routine, 'oid'>): void => {
    found.set(`${routine.name}(${routine.args.map(typeName).join()})`, routine)
  }
  for (const { name, args, returns, strict, volatility } of functions)
    add({ name, kind: 'function', args, returns, strict, volatility })
  for (const { name, args, returns, strict } of aggregates)
    add({ name, kind: 'aggregate', args, returns, strict, volatility: 'immutable' })
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, routine], i) => ({ ...routine, oid: ROUTINE_OIDS + i }))
}
