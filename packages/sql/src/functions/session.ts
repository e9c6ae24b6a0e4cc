import { NAME } from '../types/type.ts'
import { contextual, fn } from './define.ts'
import type { ScalarFunction } from './function.ts'

/** The same with a result that clients know as a `name`. */
export const named = (fn: ScalarFunction): ScalarFunction => ({ ...fn, returns: NAME })

/** What a session tells about itself. */
export const sessionFunctions: readonly ScalarFunction[] = [
  ...['current_user', 'current_role', 'user'].map((name) =>
    named(contextual(name, [], 'text', 'stable', ({ user }) => user)),
  ),
  named(contextual('session_user', [], 'text', 'stable', ({ sessionUser }) => sessionUser)),
  ...['current_database', 'current_catalog'].map((name) =>
    named(contextual(name, [], 'text', 'stable', ({ database }) => database)),
  ),
  contextual('pg_backend_pid', [], 'integer', 'stable', (context) => context.pid()),
  // PostgreSQL's gives `void`, which clients see as an empty text. NULL means an empty payload.
  {
    ...contextual('pg_notify', ['text', 'text'], 'text', 'volatile', (context, channel, payload) => {
      context.notify(String(channel ?? ''), String(payload ?? ''))
      return ''
    }),
    strict: false,
  },
  // The second name is that of the extension uuid-ossp.
  ...['gen_random_uuid', 'uuid_generate_v4'].map((name) =>
    contextual(name, [], 'uuid', 'volatile', (context) => randomUuid(context.randomBytes(16))),
  ),
  // Tools ask for it to learn which dialect they speak.
  fn('version', [], 'text', () => 'PostgreSQL 15 dialect of cluster'),
]

/** Of version 4. @param bytes sixteen that nobody can guess */
function randomUuid(bytes: Uint8Array): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
