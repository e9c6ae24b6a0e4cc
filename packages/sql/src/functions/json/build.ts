import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../../errors.ts'
import { toArray } from '../../types/array-text.ts'
import { jsonbOf, quoteJson } from '../../types/json.ts'
import type { Zone } from '../../types/time-zone.ts'
import { arrayOf, BOOLEAN, JSON_TYPE, JSONB, type SqlType, TEXT } from '../../types/type.ts'
import { inSession, loosely, type Resolver } from '../generic.ts'
import { jsonText, keyText } from './text.ts'

/** Literals of unknown type are texts here. */
const settled = (args: readonly SqlType[]): SqlType[] =>
  args.map((type) => (type.id === 'unknown' ? TEXT : type))

type Build = (types: readonly SqlType[], values: readonly Value[], zone: Zone, binary: boolean) => string

/** The function for json and its twin for jsonb. */
function twins(name: string, build: Build, count: number | null = null): [string, Resolver][] {
  const of =
    (own: string, binary: boolean): Resolver =>
    (args) => {
      if (count !== null && args.length !== count) return null
      const types = settled(args)
      return inSession(own, types, binary ? JSONB : JSON_TYPE, ({ zone }, ...values) => {
        const text = build(types, values, zone, binary)
        return binary ? jsonbOf(text) : text
      })
    }
  return [
    [`json_${name}`, of(`json_${name}`, false)],
    [`jsonb_${name}`, of(`jsonb_${name}`, true)],
  ]
}

const buildArray: Build = (types, values, zone) =>
  `[${values.map((value, i) => jsonText(types[i] ?? TEXT, value, zone)).join(', ')}]`

const buildObject: Build = (types, values, zone, binary) => {
  if (values.length % 2 !== 0)
    throw sqlError(SQLSTATE.invalidParameterValue, 'argument list must have even number of elements', {
      hint: `The arguments of ${binary ? 'jsonb' : 'json'}_build_object() must consist of alternating keys and values.`,
    })
  const members: string[] = []
  for (let i = 0; i < values.length; i += 2) {
    const key = values[i] ?? null
    if (key === null && binary)
      throw sqlError(SQLSTATE.invalidParameterValue, `argument ${i + 1}: key must not be null`)
    if (key === null)
      throw sqlError(SQLSTATE.invalidParameterValue, `argument ${i + 1} cannot be null`, {
        hint: 'Object keys should be text.',
      })
    const member = jsonText(types[i + 1] ?? TEXT, values[i + 1] ?? null, zone)
    members.push(`${quoteJson(keyText(types[i] ?? TEXT, key, zone))} : ${member}`)
  }
  return `{${members.join(', ')}}`
}

/** `to_json`: NULL stays NULL. */
const convert =
  (name: string, binary: boolean): Resolver =>
  (args) => {
    const [type] = settled(args)
    if (type === undefined || args.length !== 1) return null
    return inSession(name, [type], binary ? JSONB : JSON_TYPE, ({ zone }, value) => {
      if (value === null || value === undefined) return null
      const text = jsonText(type, value, zone)
      return binary ? jsonbOf(text) : text
    })
  }

const arrayToJson: Resolver = (args) => {
  const [type] = args
  if (type?.element === undefined || args.length > 2) return null
  const flag = args.length === 2 ? [BOOLEAN] : []
  return inSession('array_to_json', [type, ...flag], JSON_TYPE, ({ zone }, value, pretty) => {
    if (value === null || value === undefined || pretty === null) return null
    const text = jsonText(type, value, zone)
    return pretty === true
      ? text.replace(/^\[(.*)\]$/s, (_, inner: string) => `[${splitTop(inner).join(',\n ')}]`)
      : text
  })
}

/** The items of a list without its brackets. */
function splitTop(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let from = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const sign = text.charAt(i)
    if (quoted) {
      if (sign === '\\') i++
      else if (sign === '"') quoted = false
    } else if (sign === '"') quoted = true
    else if (sign === '[' || sign === '{') depth++
    else if (sign === ']' || sign === '}') depth--
    else if (sign === ',' && depth === 0) {
      parts.push(text.slice(from, i))
      from = i + 1
    }
  }
  return [...parts, text.slice(from)]
}

/** `json_object` of a list of keys and values, or of one of each. @throws 2202E, 22004 */
function pairs(types: readonly SqlType[], values: readonly Value[]): string {
  const [first, second] = values.map((value, i) =>
    types[i] === undefined ? null : toArray(TEXT, value as string),
  )
  if (first === null || first === undefined) return '{}'
  if (second !== undefined && second !== null && (first.dims.length > 1 || second.dims.length > 1))
    throw sqlError('2202E', 'wrong number of array subscripts')
  let keys: readonly Value[] = first.items
  let members: readonly Value[] = second?.items ?? []
  if (second === undefined || second === null) {
    if (first.dims.length === 1 && first.items.length % 2 !== 0)
      throw sqlError('2202E', 'array must have even number of elements')
    if (first.dims.length > 2 || (first.dims.length === 2 && first.dims[1] !== 2))
      throw sqlError(
        '2202E',
        first.dims.length > 2 ? 'wrong number of array subscripts' : 'array must have two columns',
      )
    keys = first.items.filter((_, i) => i % 2 === 0)
    members = first.items.filter((_, i) => i % 2 === 1)
  } else if (keys.length !== members.length) throw sqlError('2202E', 'mismatched array dimensions')
  const shown = keys.map((key, i) => {
    if (key === null) throw sqlError('22004', 'null value not allowed for object key')
    const member = members[i] ?? null
    return `${quoteJson(key as string)} : ${member === null ? 'null' : quoteJson(member as string)}`
  })
  return `{${shown.join(', ')}}`
}

const objectOf =
  (name: string, binary: boolean): Resolver =>
  (args) => {
    if (args.length < 1 || args.length > 2) return null
    const types = args.map(() => arrayOf(TEXT))
    return loosely(name, types, binary ? JSONB : JSON_TYPE, (...values: readonly Value[]) => {
      if (values.includes(null)) return null
      const text = pairs(types, values)
      return binary ? jsonbOf(text) : text
    })
  }

export const jsonBuilders: ReadonlyMap<string, Resolver> = new Map<string, Resolver>([
  ...twins('build_array', buildArray),
  ...twins('build_object', buildObject),
  ['to_json', convert('to_json', false)],
  ['to_jsonb', convert('to_jsonb', true)],
  ['array_to_json', arrayToJson],
  ['json_object', objectOf('json_object', false)],
  ['jsonb_object', objectOf('jsonb_object', true)],
])
