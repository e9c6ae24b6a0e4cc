import { below, relationId } from '@cluster/core'
import type { Load, Named, Told } from '../load.ts'
import { luckOf, type OpenDatabase, transact } from './rows.ts'

export const DUTY = relationId(20)

export interface DutyInput extends Named {
  /** Of two doctors, a and b, at least one must be on duty. */
  readonly pair: string
  /** Null only looks. */
  readonly wish: { readonly doctor: 'a' | 'b'; readonly to: 'on' | 'off' } | null
}

export interface DutyOutput {
  readonly a: boolean
  readonly b: boolean
  readonly done: boolean
}

const PAIRS = 4

/** Write skew: whoever goes off duty has looked whether the other one is on, and writes only its own row. */
export function dutyLoad<App>(open: OpenDatabase<App>): Load<App, DutyInput, DutyOutput> {
  return {
    next(name, _client, random) {
      const pair = `pair ${below(random, PAIRS)}`
      const luck = below(random, 10)
      if (luck < 2) return { name, pair, wish: null }
      return { name, pair, wish: { doctor: luck % 2 === 0 ? 'a' : 'b', to: luck < 6 ? 'off' : 'on' } }
    },
    last: (name) => ({ name, pair: name, wish: { doctor: 'a', to: 'off' } }),
    closing: (name) =>
      Array.from({ length: PAIRS }, (_, i) => ({ name: `${name}/${i}`, pair: `pair ${i}`, wish: null })),
    writes: ({ wish }) => wish !== null,
    took: (_input, { done }) => done,
    perform: (app, input) =>
      transact<App, DutyOutput>(open, app, input, {
        readOnly: input.wish === null,
        async run(rows) {
          const { pair, wish } = input
          const names = [`${pair} a`, `${pair} b`]
          const held = await rows.several(DUTY, names, luckOf(input, 'scan') % 2 === 0)
          // Who has no row is on duty: to go off is then an insert, that only the judging of ranges can see.
          const [a, b] = names.map((name) => (held.get(name) ?? 'on') === 'on') as [boolean, boolean]
          if (wish === null) return { output: { a, b, done: false }, commit: false }
          const other = wish.doctor === 'a' ? b : a
          if (wish.to === 'off' && !other) return { output: { a, b, done: false }, commit: false }
          const name = `${pair} ${wish.doctor}`
          if (wish.to === 'off') rows.put(DUTY, name, 'off')
          else rows.delete(DUTY, name)
          return { output: { a, b, done: true }, commit: true }
        },
      }),
    judge: judgeDuty,
  }
}

export function judgeDuty({ history }: Told<DutyInput, DutyOutput>): string | null {
  const wrong = history.find(({ end }) => end !== null && !end.output.a && !end.output.b)
  return wrong ? `nobody is on duty in ${wrong.input.pair}, says ${wrong.input.name} (write skew)` : null
}
