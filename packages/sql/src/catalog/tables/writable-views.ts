import { whyNotUpdatable } from '../../binder/write/updatable-view.ts'
import { parseStatement } from '../../syntax/parse.ts'
import type { CatalogImage } from '../image.ts'
import { writtenName } from '../names.ts'
import type { ViewSchema } from '../schema.ts'

const known = new WeakMap<CatalogImage, Map<ViewSchema, ReadonlySet<string>>>()

/** The columns that can be written through a view; none where it cannot be written at all. */
export function writableColumns(catalog: CatalogImage, view: ViewSchema): ReadonlySet<string> {
  const views = known.get(catalog) ?? new Map<ViewSchema, ReadonlySet<string>>()
  known.set(catalog, views)
  const found = views.get(view) ?? new Set(columnsOf(catalog, view))
  views.set(view, found)
  return found
}

function columnsOf(catalog: CatalogImage, view: ViewSchema): readonly string[] {
  const query = parseStatement(view.text)
  if (query.kind !== 'query' || whyNotUpdatable(query) !== null) return []
  const { body } = query
  const [from] = body.kind === 'select' ? body.from : []
  if (body.kind !== 'select' || from?.kind !== 'table') return []
  const used = view.uses.find(({ written }) => written === writtenName(from.name))
  const base = used === undefined ? null : catalog.byKey(used.key)
  if (base?.kind !== 'table' && base?.kind !== 'view') return []
  const own = base.kind === 'view' ? base.result : (used?.columns ?? base.columns)
  const writable = base.kind === 'view' ? writableColumns(catalog, base) : null
  const sources = body.items.flatMap((item): (string | null)[] => {
    if (item.kind === 'star') return own.map(({ name }) => name)
    return [item.expression.kind === 'column' ? (item.expression.parts.at(-1)?.name ?? null) : null]
  })
  return view.result.flatMap(({ name }, i) => {
    const source = sources[i] ?? null
    const written = source !== null && own.some((column) => column.name === source)
    return written && writable?.has(source) !== false ? [name] : []
  })
}
