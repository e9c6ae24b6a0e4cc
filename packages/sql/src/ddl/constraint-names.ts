import { catalogKey } from '../catalog/names.ts'
import type { TableSchema } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import { alreadyExists, type DdlContext, takenBy } from './context.ts'

/** Names are at most this long, in characters. */
const NAME_MAX = 63

/** Names for indexes and constraints of one table, made up as PostgreSQL does and free in the catalog. */
export class ConstraintNames {
  readonly #context: DdlContext
  readonly #schema: string
  readonly #table: string
  readonly #taken: Set<string>

  constructor(context: DdlContext, schema: string, table: string, taken: Iterable<string> = []) {
    this.#context = context
    this.#schema = schema
    this.#table = table
    this.#taken = new Set(taken)
  }

  static of(context: DdlContext, table: TableSchema): ConstraintNames {
    return new ConstraintNames(context, table.schema, table.name, constraintNames(table))
  }

  /** A name that is one of the schema too: of an index or a sequence. @throws 42P07 for one that was given */
  async take(given: string | null, parts: readonly string[]): Promise<string> {
    for (let n = 0; ; n++) {
      const name = given ?? this.#made(parts, n)
      const key = { schema: this.#schema, name, key: catalogKey(this.#schema, name) }
      const free =
        name !== this.#table && !this.#taken.has(name) && (await takenBy(this.#context, key)) === null
      if (free) {
        this.#taken.add(name)
        return name
      }
      if (given !== null) throw alreadyExists(given)
    }
  }

  /** A name among the constraints of the table. @throws 42710 for one that was given */
  takeOwn(given: string | null, parts: readonly string[]): string {
    if (given !== null && this.#taken.has(given))
      throw sqlError(
        SQLSTATE.duplicateObject,
        parts.at(-1) === 'check'
          ? `check constraint "${given}" already exists`
          : `constraint "${given}" for relation "${this.#table}" already exists`,
        { table: this.#table, constraint: given },
      )
    for (let n = 0; ; n++) {
      const name = given ?? this.#made(parts, n)
      if (this.#taken.has(name)) continue
      this.#taken.add(name)
      return name
    }
  }

  /** `table_column_label`, the longer of table and columns shortened where it would be too long. */
  #made(parts: readonly string[], n: number): string {
    const label = `${parts.at(-1)}${n === 0 ? '' : n}`
    let table = this.#table
    let columns = parts.slice(0, -1).join('_')
    while ([table, columns, label].filter((part) => part !== '').join('_').length > NAME_MAX)
      if (table.length > columns.length) table = table.slice(0, -1)
      else columns = columns.slice(0, -1)
    return [table, columns, label].filter((part) => part !== '').join('_')
  }
}

/** The names of all constraints of a table. */
export function constraintNames(table: TableSchema): readonly string[] {
  const keys = [table.primaryKey, ...table.indexes.filter(({ constraint }) => constraint)]
  return [
    ...keys.flatMap((key) => (key === null ? [] : [key.name])),
    ...table.checks.map(({ name }) => name),
    ...table.foreignKeys.map(({ name }) => name),
  ]
}
