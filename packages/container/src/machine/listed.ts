import { answer, charge, full, OVERHEAD, over, record } from './changing.ts'
import { END, type Operation, type Result } from './codec.ts'
import type { Container, Turn } from './state.ts'

const bytesOf = (value: Uint8Array): number => OVERHEAD + value.length

/** Puts a new element in, or in the place of the one that is there. */
export function placeElement(
  turn: Turn,
  container: Container,
  { type, at, value }: Extract<Operation, { type: 'insert' | 'place' }>,
): Result {
  const { elements, settings } = container
  const inserts = type === 'insert'
  const position = at === END ? elements.length : at
  if (position > elements.length || (!inserts && position === elements.length)) return answer('no')
  if (value.length > turn.limits.valueBytes) return over('valueBytes')
  const old = inserts ? undefined : elements[position]
  const delta = bytesOf(value) - (old ? bytesOf(old.value) : 0)
  if (delta > 0 && container.bytes + delta > settings.bytesMax) return full(container)
  const version = record(turn, container, {
    type: 'set',
    key: position,
    before: old?.value ?? null,
    after: value,
  })
  elements.splice(position, old ? 1 : 0, { value, version })
  turn.did(() => elements.splice(position, 1, ...(old ? [old] : [])))
  charge(turn, container, delta)
  return answer('done', version)
}

export function cutElement(
  turn: Turn,
  container: Container,
  { at, version }: Extract<Operation, { type: 'cut' }>,
): Result {
  const { elements } = container
  const position = at === END ? elements.length - 1 : at
  const old = elements[position]
  if (old === undefined) return answer('no')
  if (version !== 0 && old.version !== version) return answer('no', old.version)
  const number = record(turn, container, { type: 'removed', key: position, before: old.value, after: null })
  elements.splice(position, 1)
  turn.did(() => elements.splice(position, 0, old))
  charge(turn, container, -bytesOf(old.value))
  return answer('done', number)
}

export function clearElements(turn: Turn, container: Container): Result {
  const { elements } = container
  container.elements = []
  turn.did(() => {
    container.elements = elements
  })
  charge(turn, container, -container.bytes)
  if (elements.length > 0) record(turn, container, { type: 'cleared', key: 0, before: null, after: null })
  return answer('done', elements.length)
}
