import { chance, pick, type RelationId, shuffle } from '@cluster/core'
import {
  ACCOUNTS,
  type AnyLoad,
  anyLoad,
  bankLoad,
  COUNTERS,
  counterLoad,
  DUTY,
  dutyLoad,
  FORKS,
  forkLoad,
  JOURNAL,
  LISTS,
  listLoad,
  mixedLoad,
  type OpenDatabase,
  OWNERS,
  ownerLoad,
  REGISTERS,
  registerRowsLoad,
  SETS,
  type SimRandom,
  setLoad,
} from '@cluster/testkit'
import type { DatabaseApp } from './database-app.ts'

type Open = OpenDatabase<DatabaseApp>

const loads: Readonly<Record<string, (open: Open) => AnyLoad<DatabaseApp>>> = {
  registers: (open) => anyLoad(registerRowsLoad(open)),
  bank: (open) => anyLoad(bankLoad(open)),
  lists: (open) => anyLoad(listLoad(open)),
  duty: (open) => anyLoad(dutyLoad(open)),
  forks: (open) => anyLoad(forkLoad(open)),
  set: (open) => anyLoad(setLoad(open)),
  counters: (open) => anyLoad(counterLoad(open)),
  owners: (open) => anyLoad(ownerLoad(open)),
}

/** The relations of all loads. */
export const RELATIONS: readonly RelationId[] = [
  REGISTERS,
  JOURNAL,
  ACCOUNTS,
  LISTS,
  DUTY,
  FORKS,
  SETS,
  COUNTERS,
  OWNERS,
]

export const LOADS: readonly string[] = Object.keys(loads)

/** Which loads run in one world: mostly one, so that it has many operations, else a few at once. */
export function drawLoads(random: SimRandom): readonly string[] {
  if (chance(random, 0.6)) return [pick(random, LOADS)]
  return shuffle(random, LOADS).slice(0, 3).sort()
}

export function loadOf(names: readonly string[], open: Open): AnyLoad<DatabaseApp> {
  const chosen = names.flatMap((name) => {
    const make = loads[name]
    return make ? [[name, make(open)] as const] : []
  })
  return anyLoad(mixedLoad(new Map(chosen)))
}
