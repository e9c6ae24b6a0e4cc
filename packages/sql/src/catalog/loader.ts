import type { Transaction } from '@cluster/core'
import { collectNames } from '../binder/collect-names.ts'
import type { Names } from '../binder/context.ts'
import type { Statement } from '../syntax/ast.ts'
import { parseStatement } from '../syntax/parse.ts'
import type { Catalog } from './catalog.ts'
import type { CatalogEntry } from './schema.ts'
import type { VirtualTable } from './virtual-table.ts'

/** What a plan was made for: it may be used again as long as all of these are the same. */
export type Dependencies = ReadonlyMap<string, CatalogEntry | null>

export interface Loaded {
  readonly names: Names
  readonly dependencies: Dependencies
}

/** Reads the entries that a statement names, and those that its views name in turn. */
export async function loadNames(
  statement: Statement,
  transaction: Transaction,
  catalog: Catalog,
  virtualTables: ReadonlyMap<string, VirtualTable>,
): Promise<Loaded> {
  const dependencies = new Map<string, CatalogEntry | null>()
  const queue = [...collectNames(statement)]
  let missing = false
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    if (dependencies.has(name) || virtualTables.has(name)) continue
    const entry = await catalog.entry(transaction, name)
    dependencies.set(name, entry)
    if (entry === null) missing = true
    if (entry?.kind === 'view') queue.push(...collectNames(parseStatement(entry.text)))
  }
  // Only a name that is not there makes it worth knowing the others.
  const all = missing ? (await catalog.entries(transaction)).map(({ name }) => name) : []
  return {
    dependencies,
    names: {
      entry: (name) => dependencies.get(name) ?? null,
      virtual: (name) => virtualTables.get(name) ?? null,
      all: [...all, ...virtualTables.keys()],
    },
  }
}

/** True when every entry is what it was, by this transaction's view; reads, and so certifies, each of them. */
export async function stillCurrent(
  dependencies: Dependencies,
  transaction: Transaction,
  catalog: Catalog,
): Promise<boolean> {
  for (const [name, entry] of dependencies)
    if ((await catalog.entry(transaction, name)) !== entry) return false
  return true
}
