import { assert, pick } from '@cluster/core'
import type { Load, Named, Told } from './load.ts'

/** An operation of one of several loads. */
export interface MixedInput extends Named {
  readonly kind: string
  readonly input: Named
}

/** Any load; what it asks and answers is its own affair. */
export type AnyLoad<App> = Load<App, Named, unknown>

/** The load as one of a mixture. */
export function anyLoad<App, Input extends Named, Output>(load: Load<App, Input, Output>): AnyLoad<App> {
  // Inputs and outputs only ever come back to the load that they are from.
  return load as unknown as AnyLoad<App>
}

/** Several loads at once, each judged by itself. */
export function mixedLoad<App>(loads: ReadonlyMap<string, AnyLoad<App>>): Load<App, MixedInput, unknown> {
  const kinds = [...loads.keys()].sort()
  const of = ({ kind }: MixedInput): AnyLoad<App> => {
    const load = loads.get(kind)
    assert(load !== undefined, `there is a load ${kind}`)
    return load
  }
  const first = kinds[0]
  assert(first !== undefined, 'a mixture is of something')
  const wrap = (kind: string, input: Named): MixedInput => ({ name: input.name, kind, input })
  return {
    next(name, client, random) {
      const kind = pick(random, kinds)
      return wrap(kind, of({ name, kind, input: { name } }).next(name, client, random))
    },
    last: (name) => wrap(first, of({ name, kind: first, input: { name } }).last(name)),
    closing: (name) =>
      kinds.flatMap((kind) =>
        (loads.get(kind)?.closing?.(`${name}/${kind}`) ?? []).map((input) => wrap(kind, input)),
      ),
    writes: (mixed) => of(mixed).writes(mixed.input),
    took: (mixed, output) => of(mixed).took?.(mixed.input, output) ?? true,
    mayRepeat: (mixed) => of(mixed).mayRepeat?.(mixed.input) ?? false,
    perform: (app, mixed) => of(mixed).perform(app, mixed.input),
    judge({ history, rejected }: Told<MixedInput, unknown>) {
      for (const kind of kinds) {
        const problem = loads.get(kind)?.judge({
          history: history.flatMap((operation) =>
            operation.input.kind === kind ? [{ ...operation, input: operation.input.input }] : [],
          ),
          rejected: rejected.flatMap((mixed) => (mixed.kind === kind ? [mixed.input] : [])),
        })
        if (problem != null) return `${kind}: ${problem}`
      }
      return null
    },
  }
}
