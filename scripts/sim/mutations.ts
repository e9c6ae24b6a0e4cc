import type { Mutation } from './mutation.ts'
import { databases } from './mutations/databases.ts'
import { locks } from './mutations/locks.ts'
import { logAgreement } from './mutations/log-agreement.ts'
import { logCommands } from './mutations/log-commands.ts'
import { logDisk } from './mutations/log-disk.ts'
import { logGroup } from './mutations/log-group.ts'
import { logUpgrades } from './mutations/log-upgrades.ts'
import { objects } from './mutations/objects.ts'

/** All bugs that the simulator must find. */
export const mutations: readonly Mutation[] = [
  ...logDisk,
  ...logCommands,
  ...logAgreement,
  ...logGroup,
  ...logUpgrades,
  ...databases,
  ...objects,
  ...locks,
]

export function mutationOf(name: string): Mutation {
  const mutation = mutations.find((one) => one.name === name)
  if (mutation) return mutation
  throw new Error(`no mutation is called ${name}; there are ${mutations.map((one) => one.name).join(', ')}`)
}
