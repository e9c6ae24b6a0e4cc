import { TEMPORARY_PREFIX } from '../catalog/names.ts'
import type { CatalogEntry } from '../catalog/schema.ts'
import type { Column } from '../plan/expression.ts'
import { type Guarded, guarded } from './access-state.ts'
import type { Letter } from './privileges.ts'

/** What a statement needs the right to do. */
export interface Requirement {
  readonly object: Guarded
  /** How it is called in the message. */
  readonly word: 'table' | 'view' | 'sequence' | 'materialized view'
  readonly name: string
  /** The schema that it is in, where that was looked into by whoever runs the statement. */
  readonly schema: string | null
  /** One of these is enough. */
  readonly letters: readonly Letter[]
  /** Columns by slot: the right to each of them is enough. Empty: the right to any column is. Null: the whole object. */
  readonly columns: readonly number[] | null
  /** The object whose owner needs the right, such as a view that reads it; null: whoever runs the statement. */
  readonly as: Guarded | null
}

/** One table or view in a statement, with the columns that the statement names of it. */
export interface Use {
  /** Notes columns by slot. */
  add(slots: Iterable<number>): void
}

interface Noted {
  readonly entry: CatalogEntry
  readonly letters: readonly Letter[]
  readonly slots: Set<number>
  readonly as: Guarded | null
  /** Needed even when no column is named. */
  readonly always: boolean
  readonly whole: boolean
}

/** What the binder needs to tell whose rights count. */
interface Place {
  readonly names: {
    byKey(key: string): CatalogEntry | null
  }
  readonly views: readonly string[]
}

/** Collects while a statement is bound what it needs the right to do. */
export class AccessCollector {
  readonly #noted: Noted[] = []
  readonly #columns = new Map<number, { readonly use: Use; readonly slot: number }[]>()
  readonly #objects = new Map<CatalogEntry, Guarded>()
  /** Tables of the system that only superusers may read. */
  readonly secrets = new Set<string>()

  /**
   * Notes that a table or view is used.
   * @param always false: only when a column of it is named
   */
  use(place: Place, entry: CatalogEntry, letter: Letter, always = true): Use {
    return this.#note(place, entry, [letter], always, entry.kind !== 'table')
  }

  /** Notes that a sequence is used, for which one of these rights is enough. */
  sequence(place: Place, entry: CatalogEntry, letters: readonly Letter[]): void {
    this.#note(place, entry, letters, true, true)
  }

  #note(
    { names, views }: Place,
    entry: CatalogEntry,
    letters: readonly Letter[],
    always: boolean,
    whole: boolean,
  ): Use {
    const view = views.at(-1)
    const reader = view === undefined ? null : names.byKey(view)
    const byKey = (key: string): CatalogEntry | null => names.byKey(key)
    const slots = new Set<number>()
    // What is the session's own needs no right.
    if (!entry.schema.startsWith(TEMPORARY_PREFIX)) {
      this.#objects.set(entry, guarded(entry, byKey))
      const as = reader === null ? null : guarded(reader, byKey)
      this.#noted.push({ entry, letters, slots, as, always, whole })
    }
    return {
      add: (more) => {
        for (const slot of more) slots.add(slot)
      },
    }
  }

  /** From now on these columns of the plan stand for columns of the table. @param slots one for each */
  stands(use: Use, columns: readonly Column[], slots: readonly number[]): void {
    columns.forEach(({ id }, i) => {
      const slot = slots[i]
      if (slot === undefined) return
      const known = this.#columns.get(id) ?? []
      this.#columns.set(id, [...known, { use, slot }])
    })
  }

  /** Notes that the statement names a column. */
  named({ id }: Column): void {
    for (const { use, slot } of this.#columns.get(id) ?? []) use.add([slot])
  }

  requirements(): readonly Requirement[] {
    return this.#noted.flatMap(({ entry, letters, slots, as, always, whole }): Requirement[] => {
      const object = this.#objects.get(entry)
      if (object === undefined || (slots.size === 0 && !always)) return []
      const kind = entry.kind
      const word =
        kind === 'view' || kind === 'sequence'
          ? kind
          : kind === 'table' && entry.materialized !== null
            ? 'materialized view'
            : 'table'
      const schema = as === null ? entry.schema : null
      return [{ object, word, name: entry.name, schema, letters, columns: whole ? null : [...slots], as }]
    })
  }
}
