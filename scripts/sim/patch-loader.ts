import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'
import { type Mutation, plant } from './mutations.ts'

/** Plants a bug into a module when it is loaded. Call before the module is imported. */
export function loadWith(mutation: Mutation, root: string): { readonly planted: () => boolean } {
  const target = pathToFileURL(`${root}/${mutation.file}`).href
  let planted = false
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      if (url !== target) return loaded
      const { source } = loaded
      if (source === null || source === undefined)
        throw new Error(`${mutation.file} has no source to plant a bug in`)
      const text = typeof source === 'string' ? source : new TextDecoder().decode(source)
      const patched = plant(mutation, text)
      planted = true
      return { ...loaded, source: patched }
    },
  })
  return { planted: () => planted }
}
