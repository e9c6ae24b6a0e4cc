import {
  type Cancel,
  type Clock,
  errorCode,
  type Logger,
  type NodeId,
  type OrderedLog,
  type Random,
} from '@cluster/core'
import { decodeResult, encodeCommand, type MutexCommand, type MutexResult } from '../machine/codec.ts'
import { MUTEX_MACHINE, type MutexMachine } from '../machine/machine.ts'
import type { Settings } from '../options.ts'

export interface MutexPorts {
  readonly log: OrderedLog
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Whether a process is there where that node's was, however busy it is. Without it nobody is taken for busy. */
  readonly exists?: (node: NodeId) => Promise<boolean>
  /**
   * Calls the listener when it is certain that no process of that node is there any more. Without it locks of the dead are
   * free when their leases are over.
   */
  readonly deaths?: (listener: (node: NodeId) => void) => Cancel
}

/** What the parts of the driver share. */
export interface Context extends MutexPorts {
  readonly machine: MutexMachine
  readonly settings: Settings
}

export interface SendOptions {
  readonly key?: string
  readonly deadlineMs?: number
}

/** Submits one command once. Null: it was applied, and this node got a snapshot of the time after that, so the answer is gone. */
export async function sendOnce(
  context: Context,
  command: MutexCommand,
  { key, deadlineMs }: SendOptions = {},
): Promise<MutexResult | null> {
  const { result } = await context.log.submit(MUTEX_MACHINE, encodeCommand(command), {
    ...(key === undefined ? {} : { idempotencyKey: key }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  })
  return result.length > 0 ? decodeResult(result) : null
}

/** Submits a command that may be said twice. @throws what the log throws */
export async function send(
  context: Context,
  command: Exclude<MutexCommand, { type: 'latch' }>,
  { key, deadlineMs }: SendOptions = {},
): Promise<MutexResult> {
  const result = await sendOnce(context, command, {
    ...(key === undefined ? {} : { key }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  })
  if (result !== null) return result
  return send(context, command, {
    ...(key === undefined ? {} : { key: `${key} again` }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  })
}

/** Sends a note that others would send again, or that a lease makes good for: a failure is only logged. */
export function note(
  context: Context,
  command: Exclude<MutexCommand, { type: 'latch' }>,
): Promise<MutexResult | null> {
  return send(context, command).catch((error: unknown) => {
    context.logger.log('debug', 'note about locks not taken', {
      note: command.type,
      code: errorCode(error),
      error: String(error),
    })
    return null
  })
}
