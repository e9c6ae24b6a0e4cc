/** Code point ranges that terminals draw two cells wide (East Asian wide, emoji). */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
]
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}]$/u

/** Cells that the text takes in a terminal. */
export function textWidth(text: string): number {
  let width = 0
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0
    if (point < 0x300) width += 1
    else if (ZERO.test(character)) continue
    else width += WIDE.some(([from, to]) => point >= from && point <= to) ? 2 : 1
  }
  return width
}

/** Control characters as visible escapes, so that data cannot steer the terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    if (character === '\n') return '\\n'
    if (character === '\t') return '\\t'
    if (character === '\r') return '\\r'
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
}
