import { chance, relationId } from '@cluster/core'
import type { Load, Named, Told } from '../load.ts'
import { luckOf, type OpenDatabase, transact } from './rows.ts'

export const SETS = relationId(22)

export interface SetInput extends Named {
  /** Null reads the whole set. */
  readonly add: string | null
}

/** The elements, or null for one that was added. */
export type SetOutput = readonly string[] | null

/** Elements that are added once, and reads of all of them. */
export function setLoad<App>(open: OpenDatabase<App>): Load<App, SetInput, SetOutput> {
  return {
    next: (name, _client, random) => ({ name, add: chance(random, 0.6) ? name : null }),
    last: (name) => ({ name, add: name }),
    closing: (name) => [{ name, add: null }],
    writes: ({ add }) => add !== null,
    mayRepeat: (input) => input.add !== null && luckOf(input, 'insists') % 3 > 0,
    perform: (app, input) =>
      transact<App, SetOutput>(open, app, input, {
        readOnly: input.add === null,
        idempotent: true,
        async run(rows) {
          if (input.add === null) return { output: [...(await rows.scan(SETS)).keys()], commit: false }
          rows.put(SETS, input.add, '')
          return { output: null, commit: true }
        },
      }),
    judge: judgeSet,
  }
}

export function judgeSet({ history, rejected }: Told<SetInput, SetOutput>): string | null {
  const never = new Set(rejected.map(({ add }) => add))
  /** When each element may have been added at the earliest, and was known to be there. */
  const asked = new Map<string, number>()
  const there = new Map<string, number>()
  const known = (element: string, time: number): void => {
    there.set(element, Math.min(time, there.get(element) ?? Number.POSITIVE_INFINITY))
  }
  for (const { input, callTime, end } of history) {
    if (input.add === null) continue
    asked.set(input.add, callTime)
    if (end !== null) known(input.add, end.time)
  }
  const reads = history.flatMap(({ input, callTime, end }) =>
    end === null || end.output === null
      ? []
      : [{ by: input.name, callTime, endTime: end.time, elements: new Set(end.output) }],
  )
  reads.sort((a, b) => a.endTime - b.endTime)
  for (const { endTime, elements, by } of reads)
    for (const element of elements) {
      if (never.has(element)) return `${by} read ${element}, which was refused`
      if ((asked.get(element) ?? Number.POSITIVE_INFINITY) > endTime)
        return `${by} read ${element}, which nobody had added`
      known(element, endTime)
    }
  for (const { callTime, elements, by } of reads)
    for (const [element, since] of there)
      if (since < callTime && !elements.has(element))
        return `${by} did not read ${element}, which was there before`
  return null
}
