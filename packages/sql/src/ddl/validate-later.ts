import type { Key, Row } from '@cluster/core'
import type { CheckConstraint, ForeignKey, TableSchema } from '../catalog/schema.ts'
import { hasMoreRows, nextOf, partitionsOf, ROWS_AT_ONCE, someRows } from './build-index.ts'
import { change, type DdlContext, type RunStep } from './context.ts'
import { removeForeignKey } from './remove-parts.ts'
import { childChecker, rowChecker } from './validate.ts'

/**
 * True when the rows of a table are looked at behind the statement: others go on writing, and what they write meets the
 * constraint already.
 */
export async function isLong({ later, transaction }: DdlContext, table: TableSchema): Promise<boolean> {
  return later !== null && (await hasMoreRows(table, transaction, ROWS_AT_ONCE))
}

/**
 * Looks at the rows of a large table in steps, each a transaction that only reads, and marks the constraint as valid.
 * @param remove true: a constraint that was just made goes when rows break it
 */
export function validateLater(context: DdlContext, table: TableSchema, name: string, remove: boolean): void {
  context.later?.add(async (step) => {
    try {
      await lookAtAll(context, table, name, step)
      await step(async (transaction) => {
        const own = { ...context, transaction }
        const now = await tableNow(own, table)
        if (now === null) return
        const valid = <One extends { readonly name: string }>(one: One): One =>
          one.name === name ? { ...one, validated: true } : one
        await change(own, { ...now, checks: now.checks.map(valid), foreignKeys: now.foreignKeys.map(valid) })
      })
    } catch (error) {
      if (remove)
        await step(async (transaction) => {
          const own = { ...context, transaction }
          const now = await tableNow(own, table)
          if (now === null) return
          const without = await removeForeignKey(own, now, name)
          await change(own, { ...without, checks: without.checks.filter((check) => check.name !== name) })
        })
      throw error
    }
  })
}

async function tableNow(context: DdlContext, table: TableSchema): Promise<TableSchema | null> {
  const entry = await context.catalog.entry(context.transaction, context.catalog.keyOf(table))
  return entry?.kind === 'table' ? entry : null
}

async function lookAtAll(
  context: DdlContext,
  table: TableSchema,
  name: string,
  step: RunStep,
): Promise<void> {
  for (const partition of partitionsOf(context, table)) {
    for (let from: Key | null | undefined; from !== null; )
      from = await step(async (transaction): Promise<Key | null> => {
        const own = { ...context, transaction }
        const now = await tableNow(own, table)
        const constraint = now === null ? undefined : constraintOf(now, name)
        if (now === null || constraint === undefined) return null
        const rows = await someRows(transaction, now, partition, from ?? undefined)
        const check =
          'text' in constraint ? rowChecker(own, now, [constraint]) : await childChecker(own, now, constraint)
        await check(rows.map(({ row }): Row => row))
        return nextOf(rows)
      })
  }
}

const constraintOf = (table: TableSchema, name: string): CheckConstraint | ForeignKey | undefined =>
  [...table.checks, ...table.foreignKeys].find((one) => one.name === name)
