import { assert, below, pick, relationId } from '@cluster/core'
import {
  checkListAppend,
  type ListResults,
  type ListStep,
  type ListTransaction,
} from '../../check/list-append.ts'
import type { Load, Named, Told } from '../load.ts'
import { luckOf, type OpenDatabase, type Rows, transact } from './rows.ts'

export const LISTS = relationId(19)

export interface ListInput extends ListTransaction, Named {}

/** So many lists are in use at a time. */
const LISTS_OPEN = 5
/** A list is retired after so many appends. */
const APPENDS_MAX = 16

function parsed(text: string | undefined): readonly string[] {
  if (text === undefined) return []
  const list: unknown = JSON.parse(text)
  assert(Array.isArray(list), 'a list is kept as one')
  return list.map(String)
}

/** Appends to lists and reads of several lists, in transactions of a few steps; judged for all of Adya's anomalies. */
export function listLoad<App>(open: OpenDatabase<App>): Load<App, ListInput, ListResults> {
  const appends = new Map<string, number>()
  let lists = LISTS_OPEN
  const nameOf = (number: number): string => `list ${String(number).padStart(4, '0')}`
  const append = (key: string, value: string): ListStep => {
    const count = (appends.get(key) ?? 0) + 1
    appends.set(key, count)
    if (count === APPENDS_MAX) lists++
    return { append: key, value }
  }
  const openLists = (): string[] => {
    const all = Array.from({ length: lists }, (_, i) => nameOf(i))
    return all.filter((name) => (appends.get(name) ?? 0) < APPENDS_MAX)
  }
  return {
    next(name, _client, random) {
      const keys = openLists()
      const readsOnly = below(random, 10) < 3
      const steps = Array.from({ length: 1 + below(random, 4) }, (_, i): ListStep => {
        const key = pick(random, keys)
        return readsOnly || below(random, 2) === 0 ? { read: key } : append(key, `${name}.${i}`)
      })
      return { name, steps }
    },
    last: (name) => ({ name, steps: [{ append: `last of ${name}`, value: name }] }),
    closing: (name) => [{ name, steps: Array.from({ length: lists }, (_, i) => ({ read: nameOf(i) })) }],
    writes: ({ steps }) => steps.some((step) => 'append' in step),
    perform: (app, input) => {
      const writes = input.steps.some((step) => 'append' in step)
      return transact<App, ListResults>(open, app, input, {
        readOnly: !writes,
        run: async (rows) => ({ output: await performSteps(rows, input), commit: writes }),
      })
    },
    judge: judgeLists,
  }
}

async function performSteps(rows: Rows, input: ListInput): Promise<ListResults> {
  const results: (readonly string[] | null)[] = []
  const byScan = luckOf(input, 'scan') % 2 === 0
  for (const step of input.steps) {
    const key = 'append' in step ? step.append : step.read
    // What a scan reads is a range: it must be certified as one.
    const held = (await rows.several(LISTS, [key], byScan && 'read' in step)).get(key)
    if ('read' in step) results.push(parsed(held))
    else {
      rows.put(LISTS, key, JSON.stringify([...parsed(held), step.value]))
      results.push(null)
    }
  }
  return results
}

export function judgeLists(told: Told<ListInput, ListResults>): string | null {
  const anomalies = checkListAppend(told)
  if (anomalies.length === 0) return null
  return anomalies
    .slice(0, 3)
    .map(({ kind, what }) => `${kind}: ${what}`)
    .join('\n')
}
