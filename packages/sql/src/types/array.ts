import type { Value } from '@cluster/core'
import { SQLSTATE, type SqlError, sqlError } from '../errors.ts'

/**
 * An array taken apart. Its stored form is PostgreSQL's text, so that equal arrays of one type mostly have equal
 * texts and need no work to be shown.
 */
export interface ArrayValue {
  /** Lengths by dimension, outermost first; empty for the empty array. */
  readonly dims: readonly number[]
  /** First subscripts by dimension; mostly 1. */
  readonly lowers: readonly number[]
  /** All items, row by row. */
  readonly items: readonly Value[]
}

export const EMPTY_ARRAY: ArrayValue = { dims: [], lowers: [], items: [] }

/** PostgreSQL's bounds. */
export const DIMENSIONS_MAX = 6
export const ITEMS_MAX = 134_217_727

/** An array of one dimension, counted from 1. */
export const listOf = (items: readonly Value[]): ArrayValue =>
  items.length === 0 ? EMPTY_ARRAY : { dims: [items.length], lowers: [1], items }

const quoted = /[{},"\\\s]|^$|^null$/i

/** @param itemText text of an item that is not NULL */
export function arrayText({ dims, lowers, items }: ArrayValue, itemText: (item: Value) => string): string {
  if (dims.length === 0) return '{}'
  let at = 0
  const level = (dimension: number): string => {
    const parts: string[] = []
    for (let i = 0; i < (dims[dimension] ?? 0); i++) {
      if (dimension < dims.length - 1) {
        parts.push(level(dimension + 1))
        continue
      }
      const item = items[at++] ?? null
      if (item === null) parts.push('NULL')
      else {
        const text = itemText(item)
        parts.push(quoted.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : text)
      }
    }
    return `{${parts.join(',')}}`
  }
  const body = level(0)
  if (lowers.every((lower) => lower === 1)) return body
  const bounds = dims.map((length, i) => `[${lowers[i] ?? 1}:${(lowers[i] ?? 1) + length - 1}]`)
  return `${bounds.join('')}=${body}`
}

/**
 * Reads an array's text.
 * @param readItem value of an item's text
 * @throws 22P02, and what `readItem` throws
 */
export function parseArray(text: string, readItem: (text: string) => Value): ArrayValue {
  return new ArrayReader(text, readItem).read()
}

/** What is wrong with a part that begins with a bracket and is no pair of bounds. */
function boundsFault(text: string): string {
  if (!/^\[[-+]?\d/.test(text)) return '"[" must introduce explicitly-specified array dimensions.'
  return /^\[[-+]?\d+:(?![-+]?\d)/.test(text)
    ? 'Missing array dimension value.'
    : 'Missing "]" after array dimensions.'
}

class ArrayReader {
  readonly #text: string
  readonly #readItem: (text: string) => Value
  readonly #items: Value[] = []
  readonly #dims: number[] = []
  #at = 0

  constructor(text: string, readItem: (text: string) => Value) {
    this.#text = text
    this.#readItem = readItem
  }

  read(): ArrayValue {
    this.#blanks()
    const declared = this.#bounds()
    if (this.#sign() !== '{')
      throw this.#malformed(
        declared.length > 0
          ? 'Array contents must start with "{".'
          : 'Array value must start with "{" or dimension information.',
      )
    const empty = /^\{\s*\}\s*/.exec(this.#text.slice(this.#at))?.[0]
    if (empty !== undefined) {
      if (this.#at + empty.length < this.#text.length)
        throw this.#malformed('Junk after closing right brace.')
      if (declared.length > 0)
        throw this.#malformed('Specified array dimensions do not match array contents.')
      return EMPTY_ARRAY
    }
    this.#level(0)
    this.#blanks()
    if (this.#at < this.#text.length) throw this.#malformed('Junk after closing right brace.')
    const dims = this.#dims
    if (declared.length > 0) {
      const fits = declared.length === dims.length && declared.every(({ length }, i) => length === dims[i])
      if (!fits) throw this.#malformed('Specified array dimensions do not match array contents.')
    }
    return { dims, lowers: dims.map((_, i) => declared[i]?.lower ?? 1), items: this.#items }
  }

  #malformed(detail: string): SqlError {
    return sqlError(SQLSTATE.invalidTextRepresentation, `malformed array literal: "${this.#text}"`, {
      detail,
    })
  }

  #sign(): string {
    return this.#text.charAt(this.#at)
  }

  #blanks(): void {
    while (/\s/.test(this.#sign())) this.#at++
  }

  /** `[1:3][2:2]=` */
  #bounds(): { readonly lower: number; readonly length: number }[] {
    const bounds: { lower: number; length: number }[] = []
    for (;;) {
      const match = /^\[([-+]?\d+)(?::([-+]?\d+))?\]\s*/.exec(this.#text.slice(this.#at))
      if (match === null) {
        if (this.#sign() === '[') throw this.#malformed(boundsFault(this.#text.slice(this.#at)))
        break
      }
      const lower = match[2] === undefined ? 1 : Number(match[1])
      const upper = Number(match[2] ?? match[1])
      if (upper < lower) throw sqlError('2202E', 'upper bound cannot be less than lower bound')
      bounds.push({ lower, length: upper - lower + 1 })
      this.#at += match[0].length
    }
    if (bounds.length === 0) return bounds
    if (this.#sign() !== '=') throw this.#malformed('Missing "=" after array dimensions.')
    this.#at++
    this.#blanks()
    return bounds
  }

  /** One pair of braces. */
  #level(dimension: number): void {
    if (dimension >= DIMENSIONS_MAX)
      throw sqlError(
        SQLSTATE.programLimitExceeded,
        `number of array dimensions (${dimension + 1}) exceeds the maximum allowed (${DIMENSIONS_MAX})`,
      )
    this.#at++
    let count = 0
    let nested: boolean | null = null
    for (;;) {
      this.#blanks()
      const sign = this.#sign()
      if (sign === '') throw this.#malformed('Unexpected end of input.')
      if (sign === '}' && count === 0) throw this.#malformed('Unexpected "}" character.')
      const deeper = sign === '{'
      if (nested !== null && nested !== deeper)
        throw this.#malformed(`Unexpected ${deeper ? '"{" character' : 'array element'}.`)
      nested = deeper
      if (deeper) this.#level(dimension + 1)
      else this.#items.push(this.#item())
      count++
      this.#blanks()
      const behind = this.#sign()
      this.#at++
      if (behind === '}') break
      if (behind === '') throw this.#malformed('Unexpected end of input.')
      if (behind !== ',') throw this.#malformed(`Unexpected array element.`)
    }
    const known = this.#dims[dimension]
    if (known === undefined) {
      if (nested !== true && this.#dims.length > dimension + 1) throw this.#uneven()
      this.#dims[dimension] = count
    } else if (known !== count) throw this.#uneven()
    if (nested === false && this.#dims.length > dimension + 1) throw this.#uneven()
  }

  #uneven(): SqlError {
    return this.#malformed('Multidimensional arrays must have sub-arrays with matching dimensions.')
  }

  #item(): Value {
    if (this.#sign() === '"') {
      let value = ''
      this.#at++
      for (;;) {
        const sign = this.#sign()
        if (sign === '') throw this.#malformed('Unexpected end of input.')
        this.#at++
        if (sign === '"') return this.#readItem(value)
        if (sign === '\\') {
          value += this.#sign()
          this.#at++
        } else value += sign
      }
    }
    const match = /^(?:\\[\s\S]|[^,{}"\\])+/.exec(this.#text.slice(this.#at))
    const raw = match?.[0] ?? ''
    if (raw.trim() === '') throw this.#malformed(`Unexpected "${this.#sign()}" character.`)
    this.#at += raw.length
    const trimmed = /\\\s+$/.test(raw) ? raw : raw.trimEnd()
    if (/^null$/i.test(trimmed)) return null
    return this.#readItem(trimmed.replace(/\\([\s\S])/g, '$1'))
  }
}

/** Position of an item among `items`; null: outside. */
export function itemAt({ dims, lowers }: ArrayValue, subscripts: readonly number[]): number | null {
  if (subscripts.length !== dims.length || dims.length === 0) return null
  let at = 0
  for (let i = 0; i < dims.length; i++) {
    const offset = (subscripts[i] ?? 0) - (lowers[i] ?? 1)
    const length = dims[i] ?? 0
    if (offset < 0 || offset >= length) return null
    at = at * length + offset
  }
  return at
}

/** `array[a:b][c:d]`; null bounds are the array's own. What lies outside is left out. The result counts from 1. */
export function sliceOf(
  array: ArrayValue,
  bounds: readonly (readonly [lower: number | null, upper: number | null])[],
): ArrayValue {
  const { dims, lowers, items } = array
  if (dims.length === 0 || bounds.length > dims.length) return EMPTY_ARRAY
  const from: number[] = []
  const lengths: number[] = []
  for (let i = 0; i < dims.length; i++) {
    const lower = lowers[i] ?? 1
    const last = lower + (dims[i] ?? 0) - 1
    const [first, end] = bounds[i] ?? [null, null]
    const start = Math.max(first ?? lower, lower)
    const stop = Math.min(end ?? last, last)
    if (start > stop) return EMPTY_ARRAY
    from.push(start - lower)
    lengths.push(stop - start + 1)
  }
  const picked: Value[] = []
  const walk = (dimension: number, base: number): void => {
    for (let i = 0; i < (lengths[dimension] ?? 0); i++) {
      const at = base * (dims[dimension] ?? 1) + (from[dimension] ?? 0) + i
      if (dimension === dims.length - 1) picked.push(items[at] ?? null)
      else walk(dimension + 1, at)
    }
  }
  walk(0, 0)
  return { dims: lengths, lowers: lengths.map(() => 1), items: picked }
}
