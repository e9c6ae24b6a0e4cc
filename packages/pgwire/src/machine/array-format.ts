/** An array as text: nested lists of texts; null is SQL's NULL. */
export type ArrayItem = string | null | readonly ArrayItem[]

/**
 * Reads what PostgreSQL prints for an array: `{1,NULL,"a b"}`, with lower bounds before it if they are not 1.
 * @returns null for another text
 */
export function parseArray(text: string): readonly ArrayItem[] | null {
  let at = text.startsWith('[') ? text.indexOf('=') + 1 : 0
  const list = (): ArrayItem[] | null => {
    at++
    const items: ArrayItem[] = []
    if (text[at] === '}') {
      at++
      return items
    }
    for (;;) {
      const item = text[at] === '{' ? list() : leaf()
      if (item === undefined || (item === null && text[at] === undefined)) return null
      items.push(item)
      if (text[at] === ',') at++
      else if (text[at] === '}') {
        at++
        return items
      } else return null
    }
  }
  const leaf = (): string | null | undefined => {
    if (text[at] === '"') {
      let value = ''
      for (at++; text[at] !== '"'; at++) {
        if (text[at] === '\\') at++
        if (at >= text.length) return undefined
        value += text[at]
      }
      at++
      return value
    }
    const start = at
    while (at < text.length && text[at] !== ',' && text[at] !== '}') at++
    const word = text.slice(start, at)
    return word === 'NULL' ? null : word
  }
  if (text[at] !== '{') return null
  const items = list()
  return at === text.length ? items : null
}

/** How many items each dimension has; null when sublists differ in length. An empty array has none. */
export function dimensionsOf(items: readonly ArrayItem[]): readonly number[] | null {
  if (items.length === 0) return []
  const [first] = items
  if (!Array.isArray(first)) return items.some(Array.isArray) ? null : [items.length]
  const inner = dimensionsOf(first)
  if (inner === null) return null
  const same = items.every((item) => {
    const own = Array.isArray(item) ? dimensionsOf(item) : null
    return own !== null && own.join() === inner.join()
  })
  return same ? [items.length, ...inner] : null
}

/** Prints an item so that PostgreSQL reads it again. */
export function quoteItem(item: string | null): string {
  if (item === null) return 'NULL'
  const plain = item !== '' && !/[{}",\\\s]/.test(item) && item.toUpperCase() !== 'NULL'
  return plain ? item : `"${item.replace(/["\\]/g, '\\$&')}"`
}
