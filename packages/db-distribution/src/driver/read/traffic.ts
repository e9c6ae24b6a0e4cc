import type { CallOptions, Traffic } from '@cluster/core'
import type { Context } from '../context.ts'

/** A read on behalf of somebody who may want to know what came from other nodes for it. */
export interface ReadOptions extends CallOptions {
  readonly traffic?: Traffic
}

/** Counts what came from others, for the node and for whoever asked. */
export function countTraffic(context: Context, { traffic }: ReadOptions, rows: number, bytes: number): void {
  context.rowsFromOthers += rows
  context.bytesFromOthers += bytes
  if (traffic === undefined) return
  traffic.rows += rows
  traffic.bytes += bytes
}
