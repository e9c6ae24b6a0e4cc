import { type CallOptions, type Containers, hash32 } from '@cluster/core'
import type { Named } from '../load.ts'

/** Gives the containers of a program. */
export type OpenContainers<App> = (app: App) => Containers

/** Every write of a transaction publishes its name here, and so do publishers: the order of all of them. */
export const JOURNAL_TOPIC = 'journal'

/** So long that nothing of it goes. */
export const JOURNAL_OPTIONS = { keep: 1_000_000 } as const

export const journalOf = (containers: Containers) => containers.topic<string>(JOURNAL_TOPIC, JOURNAL_OPTIONS)

/** A number that only the operation's name decides, so that a replay draws the same. */
export const drawn = ({ name }: Named, what: string): number => hash32(`${what} ${name}`)

/** Half of the operations go alone, with a deadline; the others share entries. */
export function patienceOf(input: Named): CallOptions {
  return drawn(input, 'patience') % 2 === 0 ? { deadlineMs: 4_000 } : {}
}
