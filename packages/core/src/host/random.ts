/** Chance, injected, so that one seed replays a whole cluster. */
export interface Random {
  /** A whole number from 0 to 2^32 − 1. */
  uint32(): number
  /** `length` random bytes; from the platform's secure source outside of simulations. */
  bytes(length: number): Uint8Array
}

/** A whole number from 0 to `bound` − 1; `bound` from 1 to 2^32. */
export function below(random: Random, bound: number): number {
  return Math.floor((random.uint32() / 0x1_0000_0000) * bound)
}

/** True with the given probability, 0 … 1. */
export function chance(random: Random, probability: number): boolean {
  return random.uint32() / 0x1_0000_0000 < probability
}

/** One of the items. The list must not be empty. */
export function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[below(random, items.length)]
  if (item === undefined) throw new RangeError('pick from an empty list')
  return item
}

/** A new list with the items in random order (Fisher–Yates). */
export function shuffle<T>(random: Random, items: readonly T[]): T[] {
  const result = [...items]
  for (let i = result.length - 1; i > 0; i--) {
    const j = below(random, i + 1)
    const a = result[i] as T
    result[i] = result[j] as T
    result[j] = a
  }
  return result
}

const HEX = '0123456789abcdef'

/** A random id of 32 hexadecimal digits. */
export function randomId(random: Random): string {
  let text = ''
  for (const byte of random.bytes(16)) text += `${HEX[byte >> 4]}${HEX[byte & 15]}`
  return text
}
