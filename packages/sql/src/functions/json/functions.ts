import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../../errors.ts'
import { toArray } from '../../types/array-text.ts'
import {
  compareKeys,
  containsJson,
  isArray,
  isObject,
  type Json,
  type JsonObject,
  jsonbText,
  kindOf,
  prettyText,
  quoteJson,
  toJson,
} from '../../types/json.ts'
import { arrayOf, BOOLEAN, INTEGER, JSON_TYPE, JSONB, type SqlType, TEXT } from '../../types/type.ts'
import { fn } from '../define.ts'
import type { ScalarFunction } from '../function.ts'
import { loosely, type Resolver, strictly } from '../generic.ts'
import { partsOf, plainText, textKind } from './text.ts'

const TEXTS = arrayOf(TEXT)

const paths = (text: string): readonly Value[] => toArray(TEXT, text).items

const itemIndex = (length: number, index: number): number => (index < 0 ? length + index : index)

/** The member or item; undefined: there is none. */
function step(value: Json, key: string | number): Json | undefined {
  if (isObject(value)) return typeof key === 'string' ? value.get(key) : undefined
  if (!isArray(value)) return undefined
  if (typeof key === 'number') return value[itemIndex(value.length, key)]
  return /^\s*[-+]?\d+$/.test(key) ? value[itemIndex(value.length, Number(key))] : undefined
}

/** A value that is neither array nor object counts as an array of itself. */
const itemOf = (value: Json, at: number): Json | undefined =>
  isArray(value) || isObject(value) ? step(value, at) : itemIndex(1, at) === 0 ? value : undefined

function follow(value: Json, path: readonly Value[]): Json | undefined {
  let at: Json | undefined = value
  for (const key of path) {
    if (at === undefined || key === null) return undefined
    at = step(at, key as string)
  }
  return at
}

/** As SQL text: a string without quotes, NULL for null. */
const asText = (value: Json | undefined): string | null =>
  value === undefined || value === null ? null : typeof value === 'string' ? value : jsonbText(value)

const asJsonb = (value: Json | undefined): string | null => (value === undefined ? null : jsonbText(value))

/** The same in the text of a json, which stays as it was written. */
function textStep(text: string, key: string | number): string | undefined {
  const kind = textKind(text)
  if (kind === 'object' && typeof key === 'string') {
    let found: string | undefined
    for (const part of partsOf(text)) if (part.key === key) found = part.value
    return found
  }
  if (kind !== 'array') return undefined
  if (typeof key === 'string' && !/^\s*[-+]?\d+$/.test(key)) return undefined
  const items = [...partsOf(text)]
  return items[itemIndex(items.length, Number(key))]?.value
}

function followText(text: string, path: readonly Value[]): string | undefined {
  let at: string | undefined = text.trim()
  for (const key of path) {
    if (at === undefined || key === null) return undefined
    at = textStep(at, key as string)
  }
  return at
}

const plainOf = (text: string | undefined): string | null => (text === undefined ? null : plainText(text))

const keyOf = (value: Json, key: string): boolean =>
  isObject(value) ? value.has(key) : isArray(value) ? value.includes(key) : value === key

function concatenated(a: Json, b: Json): Json {
  if (isObject(a) && isObject(b)) return sorted([...a, ...b])
  return [...(isArray(a) ? a : [a]), ...(isArray(b) ? b : [b])]
}

const sorted = (entries: Iterable<readonly [string, Json]>): JsonObject =>
  new Map([...new Map(entries)].sort(([a], [b]) => compareKeys(a, b)))

const cannot = (doing: string) => sqlError(SQLSTATE.invalidParameterValue, doing)

/** @throws 22023 */
function without(value: Json, keys: readonly string[]): Json {
  if (isObject(value)) return new Map([...value].filter(([key]) => !keys.includes(key)))
  if (isArray(value)) return value.filter((item) => typeof item !== 'string' || !keys.includes(item))
  throw cannot('cannot delete from scalar')
}

function withoutItem(value: Json, index: number): Json {
  if (isObject(value)) throw cannot('cannot delete from object using integer index')
  if (!isArray(value)) throw cannot('cannot delete from scalar')
  const at = itemIndex(value.length, index)
  return value.filter((_, i) => i !== at)
}

type Change = 'set' | 'delete' | 'before' | 'behind'

/** What happens at the end of a path. @throws 22P02 for an index that is no number, 22023 for a key that exists */
function changed(
  value: Json,
  path: readonly Value[],
  put: Json,
  change: Change,
  create: boolean,
  depth = 0,
): Json {
  const [key, ...rest] = path
  if (key === undefined) return value
  if (key === null) throw sqlError('22004', `path element at position ${depth + 1} is null`)
  const name = key as string
  if (isObject(value)) return changedObject(value, name, rest, put, change, create, depth)
  if (!isArray(value)) return value
  if (!/^\s*[-+]?\d+$/.test(name))
    throw sqlError(
      SQLSTATE.invalidTextRepresentation,
      `path element at position ${depth + 1} is not an integer: "${name}"`,
    )
  return changedArray(value, Number(name), rest, put, change, create, depth)
}

function changedObject(
  value: JsonObject,
  name: string,
  rest: readonly Value[],
  put: Json,
  change: Change,
  create: boolean,
  depth: number,
): Json {
  const member = value.get(name)
  if (rest.length > 0)
    return member === undefined
      ? value
      : sorted([...value, [name, changed(member, rest, put, change, create, depth + 1)]])
  if (change === 'delete') return new Map([...value].filter(([key]) => key !== name))
  if (member === undefined) return create ? sorted([...value, [name, put]]) : value
  if (change !== 'set')
    throw sqlError(SQLSTATE.invalidParameterValue, 'cannot replace existing key', {
      hint: 'Try using the function jsonb_set to replace key value.',
    })
  return sorted([...value, [name, put]])
}

function changedArray(
  value: readonly Json[],
  index: number,
  rest: readonly Value[],
  put: Json,
  change: Change,
  create: boolean,
  depth: number,
): Json {
  const at = itemIndex(value.length, index)
  const inside = at >= 0 && at < value.length
  if (rest.length > 0)
    return inside
      ? value.map((item, i) => (i === at ? changed(item, rest, put, change, create, depth + 1) : item))
      : value
  if (!inside) {
    if (change === 'delete' || !create) return value
    return at < 0 ? [put, ...value] : [...value, put]
  }
  if (change === 'delete') return value.filter((_, i) => i !== at)
  return value.flatMap((item, i) =>
    i !== at ? [item] : change === 'set' ? [put] : change === 'before' ? [put, item] : [item, put],
  )
}

function checkTarget(value: Json, doing: string): void {
  if (!isArray(value) && !isObject(value)) throw cannot(`cannot ${doing} scalar`)
}

function set(text: string, path: string, put: string, create: boolean): string {
  const value = toJson(text)
  checkTarget(value, 'set path in')
  return jsonbText(changed(value, paths(path), toJson(put), 'set', create))
}

function insert(text: string, path: string, put: string, behind: boolean): string {
  const value = toJson(text)
  checkTarget(value, 'set path in')
  return jsonbText(changed(value, paths(path), toJson(put), behind ? 'behind' : 'before', true))
}

function deletePath(text: string, path: string): string {
  const value = toJson(text)
  checkTarget(value, 'delete path in')
  return jsonbText(changed(value, paths(path), null, 'delete', false))
}

function stripNulls(value: Json): Json {
  if (isArray(value)) return value.map(stripNulls)
  if (!isObject(value)) return value
  return new Map(
    [...value].flatMap(([key, member]) => (member === null ? [] : [[key, stripNulls(member)] as const])),
  )
}

/** The text of a json without null members and without blanks. */
function stripText(text: string): string {
  const kind = textKind(text)
  if (kind === 'string') return quoteJson(JSON.parse(text.trim()) as string)
  if (kind !== 'object' && kind !== 'array') return text.trim()
  const parts = [...partsOf(text)].filter(({ key, value }) => key === null || textKind(value) !== 'null')
  const shown = parts.map(({ key, value }) => (key === null ? '' : `${quoteJson(key)}:`) + stripText(value))
  return kind === 'object' ? `{${shown.join(',')}}` : `[${shown.join(',')}]`
}

function arrayLength(kind: string, count: () => number): number {
  if (kind === 'array') return count()
  throw cannot(
    kind === 'object' ? 'cannot get array length of a non-array' : 'cannot get array length of a scalar',
  )
}

const jsonb = (
  name: string,
  args: readonly SqlType[],
  returns: SqlType,
  impl: (value: Json, ...rest: readonly never[]) => Value,
): ScalarFunction =>
  strictly(name, [JSONB, ...args], returns, (text: string, ...rest: readonly never[]) =>
    impl(toJson(text), ...rest),
  )

export const jsonFunctions: readonly ScalarFunction[] = [
  jsonb('->', [TEXT], JSONB, (value, key: string) => (isObject(value) ? asJsonb(value.get(key)) : null)),
  jsonb('->', [INTEGER], JSONB, (value, at: number) => asJsonb(itemOf(value, at))),
  jsonb('->>', [TEXT], TEXT, (value, key: string) => (isObject(value) ? asText(value.get(key)) : null)),
  jsonb('->>', [INTEGER], TEXT, (value, at: number) => asText(itemOf(value, at))),
  jsonb('#>', [TEXTS], JSONB, (value, path: string) => asJsonb(follow(value, paths(path)))),
  jsonb('#>>', [TEXTS], TEXT, (value, path: string) => asText(follow(value, paths(path)))),
  ...([[TEXT], [INTEGER]] as const).flatMap(([type]) => [
    strictly('->', [JSON_TYPE, type], JSON_TYPE, (text: string, key: string | number) =>
      typeof key === 'string' && textKind(text) !== 'object' ? null : (textStep(text, key) ?? null),
    ),
    strictly('->>', [JSON_TYPE, type], TEXT, (text: string, key: string | number) =>
      typeof key === 'string' && textKind(text) !== 'object' ? null : plainOf(textStep(text, key)),
    ),
  ]),
  strictly(
    '#>',
    [JSON_TYPE, TEXTS],
    JSON_TYPE,
    (text: string, path: string) => followText(text, paths(path)) ?? null,
  ),
  strictly('#>>', [JSON_TYPE, TEXTS], TEXT, (text: string, path: string) =>
    plainOf(followText(text, paths(path))),
  ),
  fn('@>', ['jsonb', 'jsonb'], 'boolean', (a, b) => containsJson(toJson(a), toJson(b))),
  fn('<@', ['jsonb', 'jsonb'], 'boolean', (a, b) => containsJson(toJson(b), toJson(a))),
  jsonb('?', [TEXT], BOOLEAN, (value, key: string) => keyOf(value, key)),
  jsonb('?|', [TEXTS], BOOLEAN, (value, keys: string) =>
    paths(keys).some((key) => key !== null && keyOf(value, key as string)),
  ),
  jsonb('?&', [TEXTS], BOOLEAN, (value, keys: string) =>
    paths(keys).every((key) => key === null || keyOf(value, key as string)),
  ),
  fn('||', ['jsonb', 'jsonb'], 'jsonb', (a, b) => jsonbText(concatenated(toJson(a), toJson(b)))),
  jsonb('-', [TEXT], JSONB, (value, key: string) => jsonbText(without(value, [key]))),
  jsonb('-', [TEXTS], JSONB, (value, keys: string) =>
    jsonbText(without(value, paths(keys) as readonly string[])),
  ),
  jsonb('-', [INTEGER], JSONB, (value, at: number) => jsonbText(withoutItem(value, at))),
  strictly('#-', [JSONB, TEXTS], JSONB, deletePath),
  strictly('jsonb_set', [JSONB, TEXTS, JSONB], JSONB, (a: string, b: string, c: string) =>
    set(a, b, c, true),
  ),
  strictly('jsonb_set', [JSONB, TEXTS, JSONB, BOOLEAN], JSONB, set),
  strictly('jsonb_insert', [JSONB, TEXTS, JSONB], JSONB, (a: string, b: string, c: string) =>
    insert(a, b, c, false),
  ),
  strictly('jsonb_insert', [JSONB, TEXTS, JSONB, BOOLEAN], JSONB, insert),
  ...[3, 4, 5].map((count) =>
    loosely(
      'jsonb_set_lax',
      [JSONB, TEXTS, JSONB, BOOLEAN, TEXT].slice(0, count),
      JSONB,
      (text: Value, path: Value, put: Value, create: Value = true, treatment: Value = 'use_json_null') => {
        if (text === null || path === null || create === null) return null
        if (put !== null) return set(text as string, path as string, put as string, create === true)
        switch (treatment) {
          case 'use_json_null':
            return set(text as string, path as string, 'null', create === true)
          case 'delete_key':
            return deletePath(text as string, path as string)
          case 'return_target':
            return text
          case 'raise_exception':
            throw sqlError('22004', 'JSON value must not be null', {
              detail: 'Exception was raised because null_value_treatment is "raise_exception".',
              hint: 'To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.',
            })
          default:
            throw cannot(
              'null_value_treatment must be "delete_key", "return_target", "use_json_null", or "raise_exception"',
            )
        }
      },
    ),
  ),
  jsonb('jsonb_typeof', [], TEXT, kindOf),
  fn('json_typeof', ['json'], 'text', textKind),
  jsonb('jsonb_array_length', [], INTEGER, (value) =>
    arrayLength(kindOf(value), () => (value as readonly Json[]).length),
  ),
  fn('json_array_length', ['json'], 'integer', (text) =>
    arrayLength(textKind(text), () => [...partsOf(text)].length),
  ),
  jsonb('jsonb_pretty', [], TEXT, (value) => prettyText(value)),
  jsonb('jsonb_strip_nulls', [], JSONB, (value) => jsonbText(stripNulls(value))),
  fn('json_strip_nulls', ['json'], 'json', stripText),
]

/** Functions that take as many keys as they are given. */
const extract =
  (name: string, binary: boolean, plain: boolean): Resolver =>
  (args) => {
    if (args.length < 2) return null
    const source = binary ? JSONB : JSON_TYPE
    return strictly(
      name,
      [source, ...args.slice(1).map(() => TEXT)],
      plain ? TEXT : source,
      (text: string, ...path: readonly string[]) => {
        if (!binary) {
          const found = followText(text, path)
          return plain ? plainOf(found) : (found ?? null)
        }
        const found = follow(toJson(text), path)
        return plain ? asText(found) : asJsonb(found)
      },
    )
  }

export const jsonExtractors: ReadonlyMap<string, Resolver> = new Map<string, Resolver>([
  ['json_extract_path', extract('json_extract_path', false, false)],
  ['json_extract_path_text', extract('json_extract_path_text', false, true)],
  ['jsonb_extract_path', extract('jsonb_extract_path', true, false)],
  ['jsonb_extract_path_text', extract('jsonb_extract_path_text', true, true)],
])

const nounOf = (kind: string): string =>
  kind === 'array' ? 'an array' : kind === 'object' ? 'an object' : 'a scalar'

/** What the functions that give rows are made of. @throws 22023 */
export function* jsonItems(text: string, binary: boolean, name: string): Generator<string> {
  const kind = textKind(text)
  if (kind !== 'array') {
    if (/_recordset$/.test(name))
      throw cannot(binary ? `cannot call ${name} on a non-array` : `cannot call ${name} on ${nounOf(kind)}`)
    throw cannot(
      binary
        ? `cannot extract elements from ${nounOf(kind)}`
        : `cannot call ${name} on ${kind === 'object' ? 'a non-array' : 'a scalar'}`,
    )
  }
  if (!binary) for (const { value } of partsOf(text)) yield value
  else for (const item of toJson(text) as readonly Json[]) yield jsonbText(item)
}

/** What refuses a value that is no object. */
function notObject(kind: string, binary: boolean, name: string) {
  if (/_record$/.test(name)) return cannot(`cannot call populate_composite on ${nounOf(kind)}`)
  if (!binary && /_each(_text)?$/.test(name))
    return cannot(
      kind === 'array' ? 'cannot deconstruct an array as an object' : 'cannot deconstruct a scalar',
    )
  if (binary && /_each(_text)?$/.test(name)) return cannot(`cannot call ${name} on a non-object`)
  return cannot(`cannot call ${name} on ${nounOf(kind)}`)
}

/** @throws 22023 */
export function* jsonMembers(
  text: string,
  binary: boolean,
  name: string,
): Generator<{ readonly key: string; readonly value: string }> {
  const kind = textKind(text)
  if (kind !== 'object') throw notObject(kind, binary, name)
  if (!binary) for (const { key, value } of partsOf(text)) yield { key: key ?? '', value }
  else for (const [key, value] of toJson(text) as JsonObject) yield { key, value: jsonbText(value) }
}
