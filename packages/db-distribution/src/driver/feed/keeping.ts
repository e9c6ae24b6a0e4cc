import { type CallOptions, logIndex, type RelationId, type Version } from '@cluster/core'
import { encodeKeep } from '../../machine/commands.ts'
import { allKeptSince, keptSince } from '../../machine/kept-changes.ts'
import { decodeResult } from '../../machine/results.ts'
import type { DatabaseRecord } from '../../machine/state.ts'
import type { Context } from '../context.ts'
import { MACHINE_NAME } from '../names.ts'

/** Has the changes of relations kept, of all when absent. @returns a version behind which all of them will be told */
export async function keepChanges(
  context: Context,
  record: () => DatabaseRecord,
  relations: readonly RelationId[] | undefined,
  options: CallOptions,
): Promise<Version> {
  const { log } = context.ports
  const index = await log.barrier(options)
  await log.applied(index, options)
  const database = record()
  const { kept } = database
  const since =
    relations === undefined ? [allKeptSince(kept)] : relations.map((relation) => keptSince(kept, relation))
  // Somebody else may have asked behind the barrier: what was committed before that was not kept.
  if (!since.includes(null)) return logIndex(Math.max(index, ...since.map(Number)))
  return submitKeep(context, database, relations ?? [], true, options)
}

export async function forgetChanges(
  context: Context,
  database: DatabaseRecord,
  relations: readonly RelationId[] | undefined,
  options: CallOptions,
): Promise<void> {
  if (relations?.length === 0) return
  await submitKeep(context, database, relations ?? [], false, options)
}

async function submitKeep(
  context: Context,
  database: DatabaseRecord,
  relations: readonly RelationId[],
  on: boolean,
  options: CallOptions,
): Promise<Version> {
  const command = encodeKeep({ database: database.id, on, relations })
  const { index, result } = await context.ports.log.submit(MACHINE_NAME, command, options)
  if (decodeResult(result).type !== 'done') throw context.gone(database)
  return index
}
