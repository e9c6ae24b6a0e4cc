import { SQLSTATE, sqlError } from '../../errors.ts'
import { compareKeys, isArray, isObject, type Json, jsonbText, toJson } from '../../types/json.ts'

const whole = /^\s*[-+]?\d+\s*$/

/** What stands at the end of the path; null: nothing does. */
export function memberAt(text: string, path: readonly string[]): string | null {
  let at: Json = toJson(text)
  for (const key of path) {
    let next: Json | undefined
    if (isObject(at)) next = at.get(key)
    else if (isArray(at) && whole.test(key)) next = at.at(Number(key))
    if (next === undefined) return null
    at = next
  }
  return jsonbText(at)
}

const notComposite = () =>
  sqlError(SQLSTATE.invalidParameterValue, 'cannot replace existing key', {
    detail: 'The path assumes key is a composite object, but it is a scalar value.',
  })

/** What a path makes where nothing was: numbers make arrays, other keys objects. */
function made(path: readonly string[], put: Json): Json {
  const [key, ...rest] = path
  if (key === undefined) return put
  const inner = made(rest, put)
  if (!whole.test(key)) return new Map([[key, inner]])
  return [...new Array<Json>(Math.max(0, Number(key))).fill(null), inner]
}

function changed(value: Json, path: readonly string[], put: Json, depth: number): Json {
  const [key, ...rest] = path
  if (key === undefined) return put
  const within = (old: Json | undefined): Json =>
    old === undefined ? made(rest, put) : changed(old, rest, put, depth + 1)
  if (isObject(value)) {
    const entries = new Map([...value, [key, within(value.get(key))] as const])
    return new Map([...entries].sort(([a], [b]) => compareKeys(a, b)))
  }
  if (!isArray(value)) throw notComposite()
  if (!whole.test(key))
    throw sqlError(
      SQLSTATE.invalidTextRepresentation,
      `path element at position ${depth} is not an integer: "${key}"`,
    )
  const index = Number(key)
  const at = index < 0 ? value.length + index : index
  if (at < 0)
    throw sqlError(
      SQLSTATE.invalidParameterValue,
      `path element at position ${depth} is out of range: ${index}`,
    )
  // What lies between the last item and the new one is null.
  const gap = new Array<Json>(Math.max(0, at - value.length)).fill(null)
  const item = within(value[at])
  return at < value.length ? value.with(at, item) : [...value, ...gap, item]
}

/**
 * The value with another one at the end of the path, as `j['a'][2] = …` has it.
 * @param text null: there was none, so it is made
 * @param list true: the first subscript is a number, so what is made is an array
 * @throws 22023, 22P02
 */
export function withMember(text: string | null, path: readonly string[], put: string, list: boolean): string {
  const value: Json = text !== null ? toJson(text) : list ? [] : new Map()
  return jsonbText(changed(value, path, toJson(put), 1))
}
