import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'
import { type Mutation, placesOf, plant } from './mutation.ts'

/** Plants a bug into modules when they are loaded. Call before they are imported. */
export function loadWith(mutation: Mutation, root: string): { readonly planted: () => boolean } {
  const places = placesOf(mutation).map((place) => ({
    ...place,
    url: pathToFileURL(`${root}/${place.file}`).href,
  }))
  const planted = new Set<string>()
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      const here = places.filter((place) => place.url === url)
      if (here.length === 0) return loaded
      const { source } = loaded
      if (source === null || source === undefined) throw new Error(`${url} has no source to plant a bug in`)
      const text = typeof source === 'string' ? source : new TextDecoder().decode(source)
      planted.add(url)
      return {
        ...loaded,
        source: here.reduce((patched, place) => plant(mutation.name, place, patched), text),
      }
    },
  })
  return { planted: () => places.every(({ url }) => planted.has(url)) }
}
