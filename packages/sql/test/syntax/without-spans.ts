/** A tree without positions, and without the source text of views, for comparing. */
export function withoutSpans(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSpans)
  if (typeof value !== 'object' || value === null) return value
  const view = ['createView', 'createMaterializedView'].includes((value as { kind?: string }).kind ?? '')
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'span' && key !== 'operatorSpan' && !(view && key === 'text'))
      .map(([key, item]) => [key, withoutSpans(item)]),
  )
}
