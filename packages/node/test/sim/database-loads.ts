import type { RelationId } from '@cluster/core'
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
  setLoad,
} from '@cluster/testkit'
import type { DatabaseApp } from './database-app.ts'
import type { LoadName } from './draws.ts'
import { LOCKED_SETS } from './lock-load.ts'

type Open = OpenDatabase<DatabaseApp>

const loads: Readonly<Record<LoadName, (open: Open) => AnyLoad<DatabaseApp>>> = {
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
  LOCKED_SETS,
]

export function loadOf(names: readonly LoadName[], open: Open): AnyLoad<DatabaseApp> {
  const chosen = names.map((name) => [name, loads[name](open)] as const)
  return anyLoad(mixedLoad(new Map(chosen)))
}
