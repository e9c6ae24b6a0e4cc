/** Types that expressions are made of. */
export type Kind =
  | 'int'
  | 'bigint'
  | 'numeric'
  | 'double'
  | 'text'
  | 'bool'
  | 'date'
  | 'timestamp'
  | 'interval'
  | 'jsonb'
  | 'ints'
  | 'bits'
  | 'uuid'

/** How a column of the kind is declared. */
export const declared: Readonly<Record<Kind, string>> = {
  int: 'integer',
  bigint: 'bigint',
  numeric: 'numeric(12,3)',
  double: 'double precision',
  text: 'text',
  bool: 'boolean',
  date: 'date',
  timestamp: 'timestamp',
  interval: 'interval',
  jsonb: 'jsonb',
  ints: 'integer[]',
  bits: 'bit varying(8)',
  uuid: 'uuid',
}

/** Kinds that a cast without modifiers gives. */
export const castName = (kind: Kind): string => declared[kind].replace(/\(.*\)/, '')

export interface FuzzColumn {
  readonly name: string
  readonly kind: Kind
  /** Written by the database alone. */
  readonly computed: boolean
}

export interface FuzzTable {
  readonly name: string
  readonly columns: readonly FuzzColumn[]
  /** Columns that tell rows apart; empty when nothing does. */
  readonly key: readonly string[]
  readonly view: boolean
}

/** What the database has, as far as the statements so far went well. */
export class Schema {
  tables: readonly FuzzTable[] = []
  indexes: readonly { readonly name: string; readonly table: string }[] = []
  prepared: readonly string[] = []
  #names = 0

  fresh(prefix: string): string {
    return `${prefix}${++this.#names}`
  }

  /** For ROLLBACK. */
  save(): () => void {
    const { tables, indexes } = this
    return () => {
      this.tables = tables
      this.indexes = indexes
    }
  }

  put(table: FuzzTable): void {
    this.tables = [...this.tables.filter(({ name }) => name !== table.name), table]
  }

  drop(name: string): void {
    this.tables = this.tables.filter((table) => table.name !== name)
    this.indexes = this.indexes.filter((index) => index.table !== name)
  }
}
