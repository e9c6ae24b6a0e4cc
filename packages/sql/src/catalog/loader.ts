import type { Transaction } from '@cluster/core'
import { collectNames, type UsedNames } from '../binder/collect-names.ts'
import type { Names } from '../binder/context.ts'
import type { Statement } from '../syntax/ast.ts'
import { parseExpression, parseStatement } from '../syntax/parse.ts'
import type { Catalog } from './catalog.ts'
import { keysOf, PUBLIC, type SearchPath, systemNames } from './names.ts'
import type { CatalogEntry, TableSchema } from './schema.ts'
import type { VirtualTable } from './virtual-table.ts'

/** What a plan was made for, by key: it may be used again as long as all of these are the same. */
export type Dependencies = ReadonlyMap<string, CatalogEntry | null>

export interface Loaded {
  readonly names: Names
  readonly dependencies: Dependencies
  /** It needs an image of the whole catalog. */
  readonly asksCatalog: boolean
  /** It uses locks of the cluster, itself and not by a view. */
  readonly takesLocks: boolean
}

export interface LoaderPorts {
  readonly transaction: Transaction
  readonly catalog: Catalog
  readonly virtualTables: ReadonlyMap<string, VirtualTable>
  readonly path: SearchPath
}

/** Reads the entries that a statement names, and those that these stand on in turn. */
export async function loadNames(statement: Statement, ports: LoaderPorts): Promise<Loaded> {
  const loader = new Loader(ports)
  const used = collectNames(statement)
  await loader.loadUsed(used)
  const { catalog, transaction, virtualTables } = ports
  // Only a name that is not there makes it worth knowing the others.
  const all = loader.missing ? (await catalog.entries(transaction)).map(shownObject) : []
  const { asksCatalog } = loader
  return {
    asksCatalog,
    takesLocks: used.takesLocks,
    dependencies: loader.entries,
    names: loader.names([...all, ...virtualTables.keys()]),
  }
}

class Loader {
  readonly entries = new Map<string, CatalogEntry | null>()
  readonly #ports: LoaderPorts
  readonly #targets = new Set<string>()
  missing = false
  asksCatalog = false

  constructor(ports: LoaderPorts) {
    this.#ports = ports
  }

  async loadUsed({ relations, targets, types, local, asksCatalog }: UsedNames): Promise<void> {
    if (asksCatalog) this.asksCatalog = true
    for (const written of [...relations, ...types]) {
      const virtual = this.#virtual(written)
      if (virtual !== null) {
        if (virtual.name.includes('.')) this.asksCatalog = true
        continue
      }
      const entry = await this.#written(written)
      if (entry === null) {
        if (!local.has(written)) this.missing = true
      } else await this.#follow(entry, targets.has(written))
    }
  }

  names(all: readonly string[]): Names {
    const { path } = this.#ports
    const found = (written: string): CatalogEntry | null => {
      for (const key of keysOf(written, path)) {
        const entry = this.entries.get(key) ?? null
        if (entry !== null) return entry
      }
      return null
    }
    return {
      entry: (written) => (this.#virtual(written) === null ? found(written) : null),
      byKey: (key) => this.entries.get(key) ?? null,
      keyOf: (entry) => this.#ports.catalog.keyOf(entry),
      virtual: (written) => this.#virtual(written),
      all,
    }
  }

  #virtual(written: string): VirtualTable | null {
    const { virtualTables, path } = this.#ports
    for (const name of systemNames(written, path)) {
      const table = virtualTables.get(name)
      if (table !== undefined) return table
    }
    return null
  }

  /** Every key that is tried is a dependency: a new object on it would be meant instead. */
  async #written(written: string): Promise<CatalogEntry | null> {
    for (const key of keysOf(written, this.#ports.path)) {
      const entry = await this.#key(key)
      if (entry !== null) return entry
    }
    return null
  }

  async #key(key: string): Promise<CatalogEntry | null> {
    const known = this.entries.get(key)
    if (known !== undefined) return known
    const { catalog, transaction } = this.#ports
    const entry = await catalog.entry(transaction, key)
    this.entries.set(key, entry)
    return entry
  }

  async #follow(entry: CatalogEntry, target: boolean): Promise<void> {
    if (entry.kind === 'view') {
      const { asksCatalog, relations } = collectNames(parseStatement(entry.text))
      const own = [...relations].some((written) => this.#virtual(written)?.name.includes('.') === true)
      if (asksCatalog || own) this.asksCatalog = true
      for (const { key } of entry.uses) {
        const used = await this.#key(key)
        if (used !== null) await this.#follow(used, target)
      }
    } else if (entry.kind === 'domain') await this.#domain(this.#ports.catalog.keyOf(entry))
    else if (entry.kind === 'table' && target) {
      // REFRESH runs the query again.
      for (const { key } of entry.materialized?.uses ?? []) {
        const used = await this.#key(key)
        if (used !== null) await this.#follow(used, false)
      }
      await this.#followTarget(entry)
    }
  }

  /** What writing rows of a table needs: sequences of defaults, domains, and the tables of foreign keys. */
  async #followTarget(table: TableSchema): Promise<void> {
    const key = this.#ports.catalog.keyOf(table)
    if (this.#targets.has(key)) return
    this.#targets.add(key)
    for (const { sequence, domain, defaultText } of table.columns) {
      if (sequence !== null) await this.#key(sequence)
      if (domain !== null) await this.#domain(domain)
      if (defaultText !== null) await this.loadUsed(collectNames(parseExpression(defaultText)))
    }
    for (const { table: parent } of table.foreignKeys) await this.#key(parent)
    // What is written here may change rows there, and so on.
    for (const { table: child } of table.referencedBy) {
      const entry = await this.#key(child)
      if (entry?.kind === 'table') await this.#followTarget(entry)
    }
  }

  async #domain(key: string): Promise<void> {
    const domain = await this.#key(key)
    if (domain?.kind === 'domain' && domain.base !== undefined) await this.#domain(domain.base)
    if (domain?.kind === 'domain' && domain.defaultText !== null)
      await this.loadUsed(collectNames(parseExpression(domain.defaultText)))
  }
}

const shownObject = ({ schema, name }: CatalogEntry): string =>
  schema === PUBLIC || schema === '' ? name : `${schema}.${name}`

/** True when every entry is what it was, by this transaction's view; reads, and so certifies, each of them. */
export function stillCurrent(
  dependencies: Dependencies,
  transaction: Transaction,
  catalog: Catalog,
): boolean | Promise<boolean> {
  for (const [key, entry] of dependencies) {
    const now = catalog.entryNow(transaction, key)
    if (now === undefined) return allCurrent(dependencies, transaction, catalog)
    if (now !== entry) return false
  }
  return true
}

async function allCurrent(
  dependencies: Dependencies,
  transaction: Transaction,
  catalog: Catalog,
): Promise<boolean> {
  for (const [key, entry] of dependencies) if ((await catalog.entry(transaction, key)) !== entry) return false
  return true
}
