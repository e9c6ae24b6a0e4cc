import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'
import { type Mutation, placesOf, plant } from './mutations.ts'

/** Plants a bug into modules when they are loaded. Call before they are imported. */
export function loadWith(mutation: Mutation, root: string): { readonly planted: () => boolean } {
  const places = new Map(
    placesOf(mutation).map((place) => [pathToFileURL(`${root}/${place.file}`).href, place]),
  )
  const planted = new Set<string>()
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      const place = places.get(url)
      if (place === undefined) return loaded
      const { source } = loaded
      if (source === null || source === undefined)
        throw new Error(`${place.file} has no source to plant a bug in`)
      const text = typeof source === 'string' ? source : new TextDecoder().decode(source)
      const patched = plant(mutation.name, place, text)
      planted.add(url)
      return { ...loaded, source: patched }
    },
  })
  return { planted: () => planted.size === places.size }
}
