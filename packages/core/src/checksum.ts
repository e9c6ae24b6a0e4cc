const TABLES: Uint32Array[] = []
for (let t = 0; t < 4; t++) TABLES.push(new Uint32Array(256))
const [T0, T1, T2, T3] = TABLES as [Uint32Array, Uint32Array, Uint32Array, Uint32Array]
for (let n = 0; n < 256; n++) {
  let c = n
  for (let k = 0; k < 8; k++) c = c & 1 ? 0x82f63b78 ^ (c >>> 1) : c >>> 1
  T0[n] = c
}
for (let n = 0; n < 256; n++) {
  const at = (table: Uint32Array, i: number): number => table[i] as number
  T1[n] = (at(T0, n) >>> 8) ^ at(T0, at(T0, n) & 255)
  T2[n] = (at(T1, n) >>> 8) ^ at(T0, at(T1, n) & 255)
  T3[n] = (at(T2, n) >>> 8) ^ at(T0, at(T2, n) & 255)
}

/**
 * CRC-32C (Castagnoli) of the bytes, an unsigned 32-bit number.
 * @param seed the checksum of what came before, to go on from it
 */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  let crc = ~seed
  let i = 0
  const whole = bytes.length & ~3
  while (i < whole) {
    crc ^=
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24)
    crc =
      (T3[crc & 255] as number) ^
      (T2[(crc >>> 8) & 255] as number) ^
      (T1[(crc >>> 16) & 255] as number) ^
      (T0[crc >>> 24] as number)
    i += 4
  }
  while (i < bytes.length) {
    crc = (crc >>> 8) ^ (T0[(crc ^ (bytes[i] as number)) & 255] as number)
    i++
  }
  return ~crc >>> 0
}
