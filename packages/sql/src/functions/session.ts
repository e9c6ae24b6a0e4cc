import { contextual, fn } from './define.ts'
import type { ScalarFunction } from './function.ts'

/** What a session tells about itself. */
export const sessionFunctions: readonly ScalarFunction[] = [
  ...['current_user', 'session_user', 'current_role', 'user'].map((name) =>
    contextual(name, [], 'text', 'stable', ({ user }) => user),
  ),
  ...['current_database', 'current_catalog'].map((name) =>
    contextual(name, [], 'text', 'stable', ({ database }) => database),
  ),
  contextual('current_schema', [], 'text', 'stable', ({ schema }) => schema),
  // Tools ask for it to learn which dialect they speak.
  fn('version', [], 'text', () => 'PostgreSQL 15 dialect of cluster'),
]
