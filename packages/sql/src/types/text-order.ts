/**
 * Orders texts by code point, which is the order of their UTF-8 bytes and PostgreSQL's collation "C".
 * JavaScript's `<` orders UTF-16 units, which puts U+E000 … U+FFFF behind the characters above U+FFFF.
 */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    // A surrogate stands for a point above every other unit.
    return x >= 0xd800 && y >= 0xd800 ? rank(x) - rank(y) : x - y
  }
  return a.length - b.length
}

const rank = (unit: number): number => (unit >= 0xe000 ? unit - 0x800 : unit + 0x2000)

const surrogates = /[\ud800-\udbff]/

/** Characters (code points), as SQL counts them. */
export function characterCount(text: string): number {
  if (!surrogates.test(text)) return text.length
  let count = text.length
  for (let i = 1; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    const before = text.charCodeAt(i - 1)
    if (unit >= 0xdc00 && unit <= 0xdfff && before >= 0xd800 && before <= 0xdbff) count--
  }
  return count
}

/** The characters from `start` to `end` (excluded), counted from 0. */
export function sliceCharacters(text: string, start: number, end?: number): string {
  if (!surrogates.test(text)) return text.slice(start, end)
  return [...text].slice(start, end).join('')
}
