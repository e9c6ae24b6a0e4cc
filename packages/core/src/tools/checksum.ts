/** Table n at 256 n: what a byte contributes when n more bytes follow it before the checksum is looked at. */
const TABLES = new Int32Array(16 * 256)
const entry = (at: number): number => TABLES[at] as number
for (let n = 0; n < 256; n++) {
  let c = n
  for (let k = 0; k < 8; k++) c = c & 1 ? 0x82f63b78 ^ (c >>> 1) : c >>> 1
  TABLES[n] = c
}
for (let n = 256; n < TABLES.length; n++) TABLES[n] = (entry(n - 256) >>> 8) ^ entry(entry(n - 256) & 255)

/**
 * CRC-32C (Castagnoli) of the bytes, an unsigned 32-bit number.
 * @param seed the checksum of what came before, to go on from it
 */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  const at = (i: number): number => bytes[i] as number
  let crc = ~seed
  let i = 0
  // Sixteen bytes a turn: the table look-ups of one turn do not wait for each other.
  const whole = bytes.length & ~15
  while (i < whole) {
    crc ^= at(i) | (at(i + 1) << 8) | (at(i + 2) << 16) | (at(i + 3) << 24)
    crc =
      entry(3840 + (crc & 255)) ^
      entry(3584 + ((crc >>> 8) & 255)) ^
      entry(3328 + ((crc >>> 16) & 255)) ^
      entry(3072 + (crc >>> 24)) ^
      entry(2816 + at(i + 4)) ^
      entry(2560 + at(i + 5)) ^
      entry(2304 + at(i + 6)) ^
      entry(2048 + at(i + 7)) ^
      entry(1792 + at(i + 8)) ^
      entry(1536 + at(i + 9)) ^
      entry(1280 + at(i + 10)) ^
      entry(1024 + at(i + 11)) ^
      entry(768 + at(i + 12)) ^
      entry(512 + at(i + 13)) ^
      entry(256 + at(i + 14)) ^
      entry(at(i + 15))
    i += 16
  }
  while (i < bytes.length) {
    crc = (crc >>> 8) ^ entry((crc ^ at(i)) & 255)
    i++
  }
  return ~crc >>> 0
}
