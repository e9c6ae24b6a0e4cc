/** What came over the wire does not have the shape that it should have. Caught where frames come in. */
export class WireError extends Error {
  override readonly name = 'WireError'
}

/** Longest list that a frame may hold; lists of entries included. */
const ITEMS_MAX = 1_000_000

export function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value) || value.length > ITEMS_MAX) throw new WireError('no list')
  return value
}

export function text(value: unknown): string {
  if (typeof value !== 'string') throw new WireError('no text')
  return value
}

export function texts(value: unknown): string[] {
  return list(value).map(text)
}

/** A whole number from 0. */
export function whole(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new WireError('no whole number')
  return value
}

export function bool(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new WireError('no truth value')
  return value
}

export function bytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new WireError('no bytes')
  return value
}
