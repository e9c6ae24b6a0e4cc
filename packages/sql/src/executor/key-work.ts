import type { WrittenRow } from './table-writer.ts'
import type { CompiledRelated } from './write.ts'

/** What a statement has to see to when its rows are written: their foreign keys. */
export class KeyWork {
  readonly written: WrittenRow[] = []
  readonly tables = new Map<string, CompiledRelated>()

  /** @returns who wants to know of the rows */
  begin(related: readonly CompiledRelated[]): (change: WrittenRow) => void {
    for (const table of related) this.tables.set(table.key, table)
    return (change) => {
      this.written.push(change)
    }
  }
}
