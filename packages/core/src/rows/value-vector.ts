import type { Value } from '../values/value.ts'
import { type ByteReader, ByteWriter, textOf } from './bytes.ts'

/*
 * The values of one column, or of one list, as bytes: a tag, then what its kind says.
 *
 *   NULLS     nothing
 *   BOOLS     a byte each
 *   INTS      base f64 · width u8 · the difference to the base, `width` bytes each
 *   DOUBLES   f64 each
 *   BIGINTS   base i64 · width u8 · the difference, or with width 8 the value itself
 *   TEXTS     bytes varint · width u8 · where each ends, in UTF-16 units, `width` bytes each · all texts joined, UTF-8
 *   BYTES     bytes varint · width u8 · where each ends · all joined
 *   MIXED     as BYTES, of values with a tag each
 *
 * With NULLABLE a bit map of the nulls comes first; with CONSTANT one value stands for all.
 */
const NULLS = 0
const BOOLS = 1
const INTS = 2
const DOUBLES = 3
const BIGINTS = 4
const TEXTS = 5
const BYTES = 6
const MIXED = 7
const CONSTANT = 0x40
const NULLABLE = 0x80

const one = {
  null: 0,
  false: 1,
  true: 2,
  double: 3,
  int64: 4,
  bigint: 5,
  text: 6,
  units: 7,
  bytes: 8,
} as const

function kindOf(value: Exclude<Value, null>): number {
  switch (typeof value) {
    case 'boolean':
      return BOOLS
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? INTS : DOUBLES
    case 'bigint':
      return BigInt.asIntN(64, value) === value ? BIGINTS : MIXED
    case 'string':
      return TEXTS
    default:
      return BYTES
  }
}

function combined(kind: number, other: number): number {
  if (kind === other) return kind
  return (kind === INTS && other === DOUBLES) || (kind === DOUBLES && other === INTS) ? DOUBLES : MIXED
}

/** Writes the values; how many there are the reader must know. */
export function writeVector(out: ByteWriter, values: readonly Value[]): void {
  let kind = NULLS
  let nulls = 0
  let first: Value = null
  let same = true
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as Value
    if (value === null) {
      nulls++
      continue
    }
    const own = kindOf(value)
    if (kind === NULLS) {
      kind = own
      first = value
      continue
    }
    if (kind !== own) kind = combined(kind, own)
    if (same) same = Object.is(value, first)
  }
  if (kind === NULLS) {
    out.u8(NULLS)
    return
  }
  const constant = same && values.length - nulls > 1
  out.u8(kind | (constant ? CONSTANT : 0) | (nulls > 0 ? NULLABLE : 0))
  if (nulls > 0) writeNulls(out, values)
  writeValues(out, kind, constant ? [first] : values)
}

function writeNulls(out: ByteWriter, values: readonly Value[]): void {
  for (let at = 0; at < values.length; at += 8) {
    let bits = 0
    for (let i = 0; i < 8 && at + i < values.length; i++) if (values[at + i] === null) bits |= 1 << i
    out.u8(bits)
  }
}

function writeValues(out: ByteWriter, kind: number, values: readonly Value[]): void {
  switch (kind) {
    case BOOLS:
      for (const value of values) out.u8(value === true ? 1 : 0)
      return
    case INTS:
      writeInts(out, values as readonly (number | null)[])
      return
    case DOUBLES:
      for (const value of values) out.f64((value as number | null) ?? 0)
      return
    case BIGINTS:
      writeBigints(out, values as readonly (bigint | null)[])
      return
    case TEXTS:
      writeTexts(out, values as readonly (string | null)[])
      return
    case BYTES: {
      const parts = values.map((value) => (value as Uint8Array | null) ?? new Uint8Array())
      writeEnds(
        out,
        parts.map((part) => part.length),
      )
      for (const part of parts) out.raw(part)
      return
    }
    default:
      writeMixed(out, values)
  }
}

const widthOf = (range: number): number => (range === 0 ? 0 : range < 256 ? 1 : range < 65_536 ? 2 : 4)

/** Differences above 32 bits do not fit: width 8 then means that doubles follow, which hold these numbers exactly. */
function writeInts(out: ByteWriter, values: readonly (number | null)[]): void {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const value of values) {
    if (value === null) continue
    if (value < low) low = value
    if (value > high) high = value
  }
  const wide = high - low > 0xffff_ffff
  const width = wide ? 8 : widthOf(high - low)
  out.f64(low)
  out.u8(width)
  if (wide) for (const value of values) out.f64(value ?? 0)
  else for (const value of values) out.uint((value ?? low) - low, width)
}

function writeBigints(out: ByteWriter, values: readonly (bigint | null)[]): void {
  let low: bigint | null = null
  let high = 0n
  for (const value of values) {
    if (value === null) continue
    if (low === null) {
      low = value
      high = value
    } else if (value < low) low = value
    else if (value > high) high = value
  }
  const base = low ?? 0n
  const wide = high - base > 0xffff_ffffn
  const width = wide ? 8 : widthOf(Number(high - base))
  out.i64(base)
  out.u8(width)
  if (wide) for (const value of values) out.i64(value ?? 0n)
  else for (const value of values) out.uint(value === null ? 0 : Number(value - base), width)
}

/** The sum of the lengths, the width of an end, and the ends. */
function writeEnds(out: ByteWriter, lengths: readonly number[]): void {
  let total = 0
  for (const length of lengths) total += length
  const width = widthOf(total)
  out.varint(total)
  out.u8(width)
  let end = 0
  for (const length of lengths) {
    end += length
    out.uint(end, width)
  }
}

const joiner = new ByteWriter()

function writeTexts(out: ByteWriter, values: readonly (string | null)[]): void {
  const joined = values.length === 1 ? (values[0] ?? '') : values.join('')
  // A half of a surrogate pair has no UTF-8. Halves that meet where two texts join do no harm: the cut parts them again.
  const exact = joined.isWellFormed()
  const bytes = exact ? joiner.reset().text(joined) : joined.length * 2
  const width = widthOf(joined.length)
  // The lowest bit says that UTF-16 units follow.
  out.varint(bytes * 2 + (exact ? 0 : 1))
  out.u8(width)
  let end = 0
  for (const value of values) {
    end += value === null ? 0 : value.length
    out.uint(end, width)
  }
  if (exact) out.raw(joiner.view())
  else for (let i = 0; i < joined.length; i++) out.uint(joined.charCodeAt(i), 2)
}

function writeMixed(out: ByteWriter, values: readonly Value[]): void {
  const own = new ByteWriter(256)
  const lengths: number[] = []
  for (const value of values) {
    const before = own.length
    writeOne(own, value)
    lengths.push(own.length - before)
  }
  writeEnds(out, lengths)
  out.raw(own.view())
}

function writeOne(out: ByteWriter, value: Value): void {
  if (value === null) out.u8(one.null)
  else if (typeof value === 'boolean') out.u8(value ? one.true : one.false)
  else if (typeof value === 'number') {
    out.u8(one.double)
    out.f64(value)
  } else if (typeof value === 'bigint') {
    const fits = BigInt.asIntN(64, value) === value
    out.u8(fits ? one.int64 : one.bigint)
    if (fits) out.i64(value)
    else out.text(value.toString(36))
  } else if (typeof value === 'string') {
    const exact = value.isWellFormed()
    out.u8(exact ? one.text : one.units)
    if (exact) out.text(value)
    else for (let i = 0; i < value.length; i++) out.uint(value.charCodeAt(i), 2)
  } else {
    out.u8(one.bytes)
    out.raw(value)
  }
}

/** Whole numbers beyond 64 bits, in base 36. */
function bigintOf(text: string): bigint {
  const negative = text.startsWith('-')
  let value = 0n
  for (const digit of negative ? text.slice(1) : text)
    value = value * 36n + BigInt(Number.parseInt(digit, 36))
  return negative ? -value : value
}

function unitsOf(reader: ByteReader, start: number, end: number): string {
  let text = ''
  for (let at = start; at < end; at += 2) text += String.fromCharCode(reader.view.getUint16(at, true))
  return text
}

/** The values that `writeVector` wrote; decoded only when asked for. */
export class ValueVector {
  readonly #reader: ByteReader
  readonly #length: number
  readonly #kind: number
  readonly #constant: boolean
  /** Where the bit map of nulls begins; −1 without one. */
  #nullsAt = -1
  /** Bytes of a number, or of an end. */
  #width = 0
  #base = 0
  #bigBase = 0n
  /** Where the numbers or ends begin. */
  #at = 0
  /** Where what was joined begins and ends. */
  #joinedAt = 0
  #joinedEnd = 0
  #units = false
  /** All texts joined, once decoded. */
  #joined: string | null = null

  /** Reads the head; the reader then stands behind it, which need not be the end of the vector. */
  constructor(reader: ByteReader, length: number) {
    const tag = reader.u8()
    this.#reader = reader
    this.#length = length
    this.#kind = tag & 7
    this.#constant = (tag & CONSTANT) !== 0
    if ((tag & NULLABLE) !== 0) {
      this.#nullsAt = reader.at
      reader.at += (length + 7) >> 3
    }
    const count = this.#constant ? 1 : length
    switch (this.#kind) {
      case INTS:
        this.#base = reader.f64()
        this.#width = reader.u8()
        break
      case BIGINTS:
        this.#bigBase = reader.i64()
        this.#width = reader.u8()
        break
      case TEXTS: {
        const size = reader.varint()
        this.#units = size % 2 === 1
        this.#joinedEnd = Math.floor(size / 2)
        this.#width = reader.u8()
        break
      }
      case BYTES:
      case MIXED:
        this.#joinedEnd = reader.varint()
        this.#width = reader.u8()
        break
      default:
        this.#width = this.#kind === DOUBLES ? 8 : this.#kind === BOOLS ? 1 : 0
    }
    this.#at = reader.at
    this.#joinedAt = reader.at + count * this.#width
    this.#joinedEnd += this.#joinedAt
    reader.at = this.#joinedEnd
  }

  /** The value at the position. */
  at(i: number): Value {
    if (this.#kind === NULLS || (this.#nullsAt >= 0 && this.#isNull(i))) return null
    const at = this.#constant ? 0 : i
    const { view, bytes } = this.#reader
    switch (this.#kind) {
      case BOOLS:
        return bytes[this.#at + at] === 1
      case INTS:
        return this.#width === 8 ? view.getFloat64(this.#at + at * 8, true) : this.#base + this.#uint(at)
      case DOUBLES:
        return view.getFloat64(this.#at + at * 8, true)
      case BIGINTS:
        return this.#width === 8
          ? view.getBigInt64(this.#at + at * 8, true)
          : this.#bigBase + BigInt(this.#uint(at))
      case TEXTS:
        return this.#text().slice(at === 0 ? 0 : this.#uint(at - 1), this.#uint(at))
      case BYTES:
        return bytes.slice(...this.#span(at))
      default:
        return this.#one(...this.#span(at))
    }
  }

  /** Adds the values from position `from` up to `to` to `target`. */
  into(target: Value[], from = 0, to = this.#length): void {
    if (this.#nullsAt >= 0 || this.#constant) {
      const constant = this.#constant ? this.#first() : null
      for (let i = from; i < to; i++)
        target.push(this.#nullsAt >= 0 && this.#isNull(i) ? null : this.#constant ? constant : this.at(i))
      return
    }
    const { view } = this.#reader
    const start = this.#at
    switch (this.#kind) {
      case INTS:
        this.#intsInto(target, from, to)
        return
      case DOUBLES:
        for (let i = from; i < to; i++) target.push(view.getFloat64(start + i * 8, true))
        return
      case TEXTS: {
        const text = this.#text()
        let begin = from === 0 ? 0 : this.#uint(from - 1)
        for (let i = from; i < to; i++) {
          const end = this.#uint(i)
          target.push(text.slice(begin, end))
          begin = end
        }
        return
      }
      default:
        for (let i = from; i < to; i++) target.push(this.at(i))
    }
  }

  #intsInto(target: Value[], from: number, to: number): void {
    const { view, bytes } = this.#reader
    const start = this.#at
    const base = this.#base
    if (this.#width === 1) for (let i = from; i < to; i++) target.push(base + (bytes[start + i] as number))
    else if (this.#width === 2)
      for (let i = from; i < to; i++) target.push(base + view.getUint16(start + i * 2, true))
    else if (this.#width === 4)
      for (let i = from; i < to; i++) target.push(base + view.getUint32(start + i * 4, true))
    else for (let i = from; i < to; i++) target.push(this.at(i))
  }

  /** The one value of a constant vector. */
  #first(): Value {
    for (let i = 0; i < this.#length; i++) if (this.#nullsAt < 0 || !this.#isNull(i)) return this.at(i)
    return null
  }

  #isNull(i: number): boolean {
    return ((this.#reader.bytes[this.#nullsAt + (i >> 3)] as number) & (1 << (i & 7))) !== 0
  }

  #uint(i: number): number {
    const { view, bytes } = this.#reader
    if (this.#width === 1) return bytes[this.#at + i] as number
    if (this.#width === 2) return view.getUint16(this.#at + i * 2, true)
    return this.#width === 4 ? view.getUint32(this.#at + i * 4, true) : 0
  }

  #span(i: number): [start: number, end: number] {
    return [this.#joinedAt + (i === 0 ? 0 : this.#uint(i - 1)), this.#joinedAt + this.#uint(i)]
  }

  #text(): string {
    this.#joined ??= this.#units
      ? unitsOf(this.#reader, this.#joinedAt, this.#joinedEnd)
      : textOf(this.#reader.bytes, this.#joinedAt, this.#joinedEnd)
    return this.#joined
  }

  #one(start: number, end: number): Value {
    const { view, bytes } = this.#reader
    switch (bytes[start]) {
      case one.false:
        return false
      case one.true:
        return true
      case one.double:
        return view.getFloat64(start + 1, true)
      case one.int64:
        return view.getBigInt64(start + 1, true)
      case one.bigint:
        return bigintOf(textOf(bytes, start + 1, end))
      case one.text:
        return textOf(bytes, start + 1, end)
      case one.units:
        return unitsOf(this.#reader, start + 1, end)
      case one.bytes:
        return bytes.slice(start + 1, end)
      default:
        return null
    }
  }
}
