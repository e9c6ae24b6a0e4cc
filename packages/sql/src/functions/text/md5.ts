const shifts = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]
const sines = Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32))

/** The MD5 digest as 32 hexadecimal digits. Not for secrets. @see RFC 1321 */
export function md5(bytes: Uint8Array): string {
  const blocks = ((bytes.length + 8) >> 6) + 1
  const padded = new Uint8Array(blocks * 64)
  padded.set(bytes)
  padded[bytes.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(padded.length - 8, (bytes.length << 3) >>> 0, true)
  view.setUint32(padded.length - 4, Math.floor(bytes.length / 2 ** 29), true)

  let [a, b, c, d] = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]
  for (let block = 0; block < padded.length; block += 64) {
    let [w, x, y, z] = [a, b, c, d]
    for (let i = 0; i < 64; i++) {
      const round = i >> 4
      const mix =
        round === 0
          ? (x & y) | (~x & z)
          : round === 1
            ? (z & x) | (~z & y)
            : round === 2
              ? x ^ y ^ z
              : y ^ (x | ~z)
      const word = round === 0 ? i : round === 1 ? 5 * i + 1 : round === 2 ? 3 * i + 5 : 7 * i
      const sum = (w + mix + (sines[i] ?? 0) + view.getUint32(block + (word & 15) * 4, true)) | 0
      const shift = shifts[round * 4 + (i & 3)] ?? 0
      w = z
      z = y
      y = x
      x = (x + ((sum << shift) | (sum >>> (32 - shift)))) | 0
    }
    a = (a + w) | 0
    b = (b + x) | 0
    c = (c + y) | 0
    d = (d + z) | 0
  }
  const digest = new DataView(new ArrayBuffer(16))
  for (const [i, part] of [a, b, c, d].entries()) digest.setUint32(i * 4, part >>> 0, true)
  let text = ''
  for (let i = 0; i < 16; i++) text += digest.getUint8(i).toString(16).padStart(2, '0')
  return text
}
