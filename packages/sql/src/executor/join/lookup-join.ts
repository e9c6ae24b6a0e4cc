import { type Database, EVERYWHERE, type Key, type Value } from '@cluster/core'
import { layoutOf } from '../../catalog/row-layout.ts'
import type { IndexSchema, TableSchema } from '../../catalog/schema.ts'
import type { Batch, Frame } from '../../compile/batch.ts'
import { ROW_KEY } from '../../plan/logical.ts'
import type { ExecutionContext, Source } from '../context.ts'
import { readRows } from '../read-rows.ts'
import { partitionOfRow } from '../rows/row-keys.ts'
import { type JoinOptions, JoinRun } from './join.ts'

export interface LookupJoinOptions {
  readonly database: Database
  readonly table: TableSchema
  /** The unique index that the keys are of; null: the primary key. */
  readonly index: IndexSchema | null
  /** Positions of the table's columns that the right side gives. */
  readonly positions: readonly number[]
  /** The key that each left row looks up; undefined: one with a NULL, which finds nothing. */
  readonly keys: (batch: Batch, frame: Frame) => readonly (Key | undefined)[]
  readonly join: Pick<JoinOptions, 'type' | 'filter' | 'leftWidth' | 'outputs'>
}

/** Joins each left row with the one row of a table that its key names: for few rows against a large table. */
export function lookupJoinSource(left: Source, options: LookupJoinOptions): Source {
  const { positions, keys, join } = options
  const rightWidth = positions.length + 1
  return {
    async *open(context) {
      for await (const batch of left.open(context)) {
        const wanted = keys(batch, context.frame)
        const run = new JoinRun(context, {
          ...join,
          rightWidth,
          // The key stands behind the columns of the right side.
          keys: { left: () => wanted, right: ({ columns }) => columns[positions.length] as readonly Value[] },
        })
        try {
          run.build(await lookUp(options, wanted, context))
          await run.built()
          yield* run.probe(batch)
        } finally {
          run.close()
        }
      }
    },
  }
}

async function lookUp(
  { database, table, index, positions }: LookupJoinOptions,
  wanted: readonly (Key | undefined)[],
  context: ExecutionContext,
): Promise<Batch> {
  const { reads } = context
  let keys = [...new Set(wanted)].filter((key) => key !== undefined)
  let rowKeys = keys
  if (index !== null) {
    const entries = await readRows(
      reads,
      keys.map((key) => {
        const partition = table.placement === 'everywhere' ? EVERYWHERE : database.partitionOf(key)
        return { relation: index.relation, partition, key }
      }),
    )
    keys = keys.filter((_, i) => entries[i] !== null)
    rowKeys = entries.flatMap((entry) => (entry === null ? [] : [entry[0] as Key]))
  }
  const found = await readRows(
    reads,
    rowKeys.map((key) => ({
      relation: table.relation,
      partition: partitionOfRow(database, table, key),
      key,
    })),
  )
  const { fromStored } = layoutOf(table)
  const columns: Value[][] = Array.from({ length: positions.length + 1 }, () => [])
  let length = 0
  found.forEach((stored, i) => {
    if (stored === null) return
    const row = fromStored(stored)
    length++
    positions.forEach((position, c) => {
      columns[c]?.push(position === ROW_KEY ? (rowKeys[i] as Key) : (row[position] as Value))
    })
    columns[positions.length]?.push(keys[i] as Key)
  })
  return { length, columns }
}
