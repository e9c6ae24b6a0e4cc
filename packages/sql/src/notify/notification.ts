import { SQLSTATE, sqlError } from '../errors.ts'

/** A message that a committed transaction sent to everybody who listens to a channel. */
export interface Notification {
  readonly channel: string
  readonly payload: string
  /** `pg_backend_pid()` of the session that sent it. */
  readonly pid: number
}

/** Bytes of a name in PostgreSQL, its end included. */
const NAME_BYTES = 64
/** As in PostgreSQL; a longer text belongs into a table. */
const PAYLOAD_BYTES = 8_000

const encoder = new TextEncoder()

/** @throws 22023 as PostgreSQL does */
export function checkNotification(channel: string, payload: string): void {
  if (channel === '') throw sqlError(SQLSTATE.invalidParameterValue, 'channel name cannot be empty')
  if (encoder.encode(channel).length >= NAME_BYTES)
    throw sqlError(SQLSTATE.invalidParameterValue, 'channel name too long')
  if (encoder.encode(payload).length >= PAYLOAD_BYTES)
    throw sqlError(SQLSTATE.invalidParameterValue, 'payload string too long', {
      hint: `It may have ${PAYLOAD_BYTES - 1} bytes; put what is longer into a table, and send its key.`,
    })
}
